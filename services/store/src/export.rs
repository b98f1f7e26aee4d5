//! Exporting: all records that pass a filter, in constant memory, no faster
//! than they are taken.

use std::{ops::Range, time::Duration};

use domain::{Order, Record, RecordFilter};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    App,
    error::StoreError,
    search::{Coverage, Question, Records, Walk, ids_between},
};

/// An answer comes at least this often, while answers are taken.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
/// Records of one answer at most.
const ANSWER_RECORDS: usize = 1_000;

/// Which records to export.
#[derive(Debug)]
pub(crate) struct ExportQuery {
    pub(crate) filter: RecordFilter,
    pub(crate) order: Order,
    pub(crate) before: Option<u64>,
    pub(crate) after: Option<u64>,
    /// None for all.
    pub(crate) limit: Option<u64>,
}

/// The next piece of an export.
#[derive(Debug)]
pub(crate) struct Exported {
    pub(crate) records: Vec<Record>,
    /// All ids from the start of the range to this one have been looked at.
    pub(crate) through: u64,
    pub(crate) coverage: Coverage,
}

type Sender = mpsc::Sender<Result<Exported, StoreError>>;

/// Sends pieces until the end, or until nobody takes them any more.
pub(crate) async fn run(app: App, query: ExportQuery, pieces: Sender) {
    let _stream = app.metrics.gauges.stream();
    let gone = pieces.clone();
    tokio::select! {
        outcome = send_all(app, query, &pieces) => {
            if let Err(error) = outcome {
                // Whoever does not take this has gone.
                let _ = pieces.send(Err(error)).await;
            }
        }
        () = gone.closed() => {}
    }
}

async fn send_all(app: App, query: ExportQuery, pieces: &Sender) -> Result<(), StoreError> {
    // What comes meanwhile is not in it: `through` must not run ahead.
    let end = *app.catalog.newest_id().borrow() + 1;
    let mut ids = ids_between(query.after, query.before);
    ids.end = ids.end.min(end);
    let whole = ids.clone();
    let mut left = query.limit.unwrap_or(u64::MAX);
    let mut done = Coverage::default();
    while !ids.is_empty() && left > 0 {
        let question = Question {
            filter: query.filter.clone(),
            ids: ids.clone(),
            order: query.order,
            // What is late goes on with a fresh start.
            deadline: Instant::now() + SIGN_OF_LIFE,
        };
        let mut walk = Walk::new(&app, question, Records::new(ANSWER_RECORDS));
        while let Some(step) = walk.next().await? {
            let mut records: Vec<Record> = step.yields.into_iter().flatten().collect();
            records.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left -= records.len() as u64;
            let through = match (left, records.last()) {
                (0, Some(last)) => last.id,
                _ => looked_at(query.order, &whole, &walk.rest()),
            };
            let piece = Exported {
                records,
                through,
                coverage: done.and(&walk.coverage()),
            };
            if pieces.send(Ok(piece)).await.is_err() || left == 0 {
                return Ok(());
            }
        }
        done = done.and(&walk.coverage());
        ids = walk.rest();
    }
    Ok(())
}

/// The id up to which everything has been looked at, when this is the rest.
fn looked_at(order: Order, whole: &Range<u64>, rest: &Range<u64>) -> u64 {
    match order {
        Order::NewestFirst if rest.is_empty() => whole.start,
        Order::NewestFirst => rest.end,
        Order::OldestFirst if rest.is_empty() => whole.end - 1,
        Order::OldestFirst => rest.start.saturating_sub(1),
    }
}
