//! Following: records that pass a filter as they come, by rising id, without
//! end. What has been looked at is told, so that whoever was cut off goes on
//! where it was.

use std::time::Duration;

use domain::{Order, Record, RecordFilter};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};

use crate::{
    App,
    error::StoreError,
    search::{Question, Records, Walk},
};

/// An answer comes at least this often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// Between two looks: what comes meanwhile is told together, so that many who
/// follow cost little.
const PACE: Duration = Duration::from_millis(50);
/// Records of one answer at most.
const ANSWER_RECORDS: usize = 500;

/// What has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) records: Vec<Record>,
    /// All ids up to this one have been looked at.
    pub(crate) through: u64,
}

/// Nobody takes the news any more.
struct Gone;

type Sender = mpsc::Sender<Result<News, StoreError>>;

/// Follows from the record behind `after` on, or from the newest, until nobody
/// takes the news any more.
pub(crate) async fn follow(app: App, filter: RecordFilter, after: Option<u64>, news: Sender) {
    let _stream = app.metrics.gauges.stream();
    let newest = app.catalog.newest_id();
    let through = after.unwrap_or_else(|| *newest.borrow());
    let follower = Follower {
        app,
        filter,
        through,
        news: news.clone(),
    };
    tokio::select! {
        Gone = follower.run(newest) => {}
        () = news.closed() => {}
    }
}

struct Follower {
    app: App,
    filter: RecordFilter,
    through: u64,
    news: Sender,
}

impl Follower {
    async fn run(mut self, mut newest: watch::Receiver<u64>) -> Gone {
        loop {
            let newest_id = *newest.borrow_and_update();
            let told = self.tell(newest_id).await;
            let Ok(()) = told else {
                return Gone;
            };
            sleep(PACE).await;
            if self.through >= *newest.borrow() {
                // Ended by the next commit, or by the time.
                let _ = timeout(SIGN_OF_LIFE, newest.changed()).await;
            }
        }
    }

    /// Tells what has come up to this id, at least that nothing has.
    async fn tell(&mut self, newest_id: u64) -> Result<(), Gone> {
        let end = newest_id.saturating_add(1);
        let start = self.through.saturating_add(1);
        if start >= end {
            return self.send(Vec::new()).await;
        }
        let question = Question {
            filter: self.filter.clone(),
            ids: start..end,
            order: Order::OldestFirst,
            deadline: Instant::now() + self.app.config.query_timeout,
        };
        let mut walk = Walk::new(&self.app, question, Records::new(ANSWER_RECORDS));
        loop {
            match walk.next().await {
                Ok(Some(step)) => {
                    let records: Vec<Record> = step.yields.into_iter().flatten().collect();
                    self.through = looked_at(&walk.rest(), newest_id).max(self.through);
                    self.send(records).await?;
                }
                // At the end, or late: the next round goes on.
                Ok(None) | Err(StoreError::Late) => return Ok(()),
                Err(error) => {
                    let _ = self.news.send(Err(error)).await;
                    return Err(Gone);
                }
            }
        }
    }

    async fn send(&self, records: Vec<Record>) -> Result<(), Gone> {
        let news = News {
            records,
            through: self.through,
        };
        self.news.send(Ok(news)).await.map_err(|_| Gone)
    }
}

/// The id up to which everything has been looked at, when this is the rest.
fn looked_at(rest: &std::ops::Range<u64>, newest_id: u64) -> u64 {
    match rest.is_empty() {
        true => newest_id,
        false => rest.start.saturating_sub(1),
    }
}
