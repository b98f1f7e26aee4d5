//! Following: records that pass a filter as they come, by rising id, without
//! end. What has been looked at is told, so that whoever was cut off goes on
//! where it was. Who takes no more than so many a second gets a sample, and is
//! told how many more there were.

mod budget;
mod passing;

use std::{num::NonZeroU32, ops::Range, time::Duration};

use domain::{Order, Record, RecordFilter, RecordQuery};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};

use crate::{
    App,
    error::StoreError,
    search::{self, Question, Records, Walk},
};
use budget::Budget;
pub(crate) use budget::MAX_PER_SECOND;

/// An answer comes at least this often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// Between two looks: what comes meanwhile is told together, so that many who
/// follow cost little.
const PACE: Duration = Duration::from_millis(50);
/// The same while records are left out: nobody waits for one of them.
const SAMPLING_PACE: Duration = Duration::from_millis(250);
/// To whom takes no more than so many, nothing new is told this often.
const QUIET_PACE: Duration = Duration::from_secs(1);
/// Counting what passes goes on in the next look after this long.
const COUNTING_TIME: Duration = Duration::from_secs(2);
/// Records of one answer at most.
const ANSWER_RECORDS: usize = 500;

/// What somebody follows.
#[derive(Debug)]
pub(crate) struct TailQuery {
    pub(crate) filter: RecordFilter,
    /// The id behind which it begins; none for the newest.
    pub(crate) after: Option<u64>,
    /// None for every record.
    pub(crate) max_per_second: Option<NonZeroU32>,
}

/// What has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) records: Vec<Record>,
    /// All ids up to this one have been looked at.
    pub(crate) through: u64,
    /// How many more have passed.
    pub(crate) left_out: u64,
}

/// Nobody takes the news any more.
struct Gone;

type Sender = mpsc::Sender<Result<News, StoreError>>;

/// Follows until nobody takes the news any more.
pub(crate) async fn follow(app: App, query: TailQuery, news: Sender) {
    let _stream = app.metrics.gauges.stream();
    let newest = app.catalog.newest_id();
    let through = query.after.unwrap_or_else(|| *newest.borrow());
    let follower = Follower {
        app,
        filter: query.filter,
        through,
        budget: query
            .max_per_second
            .map(|most| Budget::new(most, Instant::now())),
        told: None,
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
    /// What may be sent, where that is limited.
    budget: Option<Budget>,
    /// When something was sent.
    told: Option<Instant>,
    news: Sender,
}

impl Follower {
    async fn run(mut self, mut newest: watch::Receiver<u64>) -> Gone {
        loop {
            let newest_id = *newest.borrow_and_update();
            let told = match self.budget {
                Some(_) => self.tell_some(newest_id).await,
                None => self.tell(newest_id).await.map(|()| PACE),
            };
            let Ok(pace) = told else {
                return Gone;
            };
            sleep(pace).await;
            if self.through >= *newest.borrow() {
                // Ended by the next commit, or by the time.
                let _ = timeout(SIGN_OF_LIFE, newest.changed()).await;
            }
        }
    }

    /// Tells what has come up to this id, at least that nothing has.
    async fn tell(&mut self, newest_id: u64) -> Result<(), Gone> {
        let ids = self.ids(newest_id);
        if ids.is_empty() {
            return self.send(Vec::new(), 0).await;
        }
        let question = Question {
            filter: self.filter.clone(),
            ids,
            order: Order::OldestFirst,
            deadline: Instant::now() + self.app.config.query_timeout,
        };
        let mut walk = Walk::new(&self.app, question, Records::new(ANSWER_RECORDS));
        loop {
            match walk.next().await {
                Ok(Some(step)) => {
                    let records: Vec<Record> = step.yields.into_iter().flatten().collect();
                    self.through = looked_at(&walk.rest(), newest_id).max(self.through);
                    self.send(records, 0).await?;
                }
                // At the end, or late: the next round goes on.
                Ok(None) | Err(StoreError::Late) => return Ok(()),
                Err(error) => return self.fail(error).await,
            }
        }
    }

    /// Tells what has come as far as the budget allows. Gives the time until the
    /// next look.
    async fn tell_some(&mut self, newest_id: u64) -> Result<Duration, Gone> {
        let now = Instant::now();
        let room = self.budget.as_mut().map_or(0, |budget| budget.room(now));
        let ids = self.ids(newest_id);
        if ids.end.saturating_sub(ids.start) <= room {
            return self.tell(newest_id).await.map(|()| PACE);
        }
        let deadline = Instant::now() + COUNTING_TIME;
        let counted = match passing::count(&self.app, &self.filter, ids.clone(), deadline).await {
            Ok(counted) => counted,
            Err(StoreError::Late) => return self.send(Vec::new(), 0).await.map(|()| PACE),
            Err(error) => return self.fail(error).await.map(|()| PACE),
        };
        let through = counted.end - 1;
        if counted.records == 0 {
            self.through = through.max(self.through);
            return self.send(Vec::new(), 0).await.map(|()| PACE);
        }
        if counted.records <= room {
            return self.tell(through).await.map(|()| PACE);
        }
        let records = match self.newest(ids.start..counted.end, room).await {
            Ok(records) => records,
            Err(error) => return self.fail(error).await.map(|()| PACE),
        };
        self.through = through;
        let left_out = counted.records.saturating_sub(records.len() as u64);
        self.send(records, left_out).await?;
        Ok(SAMPLING_PACE)
    }

    /// The newest records of a range that pass, by rising id.
    async fn newest(&self, ids: Range<u64>, room: u64) -> Result<Vec<Record>, StoreError> {
        if room == 0 {
            return Ok(Vec::new());
        }
        let query = RecordQuery {
            filter: self.filter.clone(),
            order: Order::NewestFirst,
            limit: usize::try_from(room).unwrap_or(ANSWER_RECORDS),
            after: Some(ids.start - 1),
            before: Some(ids.end),
        };
        let deadline = Instant::now() + COUNTING_TIME;
        match search::list(&self.app, &query, deadline).await {
            Ok(page) => Ok(page.records.into_iter().rev().collect()),
            // They have been counted: they are left out.
            Err(StoreError::Late) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// What has not been looked at, up to this id.
    fn ids(&self, newest_id: u64) -> Range<u64> {
        self.through.saturating_add(1)..newest_id.saturating_add(1)
    }

    async fn send(&mut self, records: Vec<Record>, left_out: u64) -> Result<(), Gone> {
        if let Some(budget) = &mut self.budget {
            let is_quiet = |told: Instant| told.elapsed() < QUIET_PACE;
            if records.is_empty() && left_out == 0 && self.told.is_some_and(is_quiet) {
                return Ok(());
            }
            budget.spend(records.len());
        }
        let news = News {
            records,
            through: self.through,
            left_out,
        };
        self.told = Some(Instant::now());
        self.news.send(Ok(news)).await.map_err(|_| Gone)
    }

    async fn fail(&self, error: StoreError) -> Result<(), Gone> {
        let _ = self.news.send(Err(error)).await;
        Err(Gone)
    }
}

/// The id up to which everything has been looked at, when this is the rest.
fn looked_at(rest: &Range<u64>, newest_id: u64) -> u64 {
    match rest.is_empty() {
        true => newest_id,
        false => rest.start.saturating_sub(1),
    }
}
