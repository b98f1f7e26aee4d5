//! Counting records: how many pass a filter, by level, over time and by the
//! values of fields. Blocks of which all records pass are counted from the
//! catalog; the answers so far are told while the others are read.

mod counting;
mod known;
mod tally;

use std::{pin::pin, time::Duration};

use domain::{CountQuery, Level, Micros, Order, TextField};
use tokio::{
    sync::mpsc,
    time::{Instant, interval_at},
};

use crate::{
    App,
    error::StoreError,
    search::{Coverage, Question, Walk},
    timeline::{Extent, Timeline},
    values::Top,
};
use counting::Counting;

/// The first answer comes after this long, the next ones at this distance.
const ANSWERS_EVERY: Duration = Duration::from_millis(250);
/// How many fields are counted at a time.
pub(crate) const MAX_FIELDS: usize = 32;

/// The counts so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) coverage: Coverage,
    /// Everything has been counted.
    pub(crate) is_complete: bool,
    pub(crate) records: u64,
    /// By rising level, without zeros.
    pub(crate) levels: Vec<(Level, u64)>,
    /// By rising time; none when there is no record in the range.
    pub(crate) buckets: Vec<Bucket>,
    /// In the order asked for.
    pub(crate) fields: Vec<FieldCounts>,
}

/// Records of a part of the time range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) from_us: Micros,
    pub(crate) to_us: Micros,
    pub(crate) records: u64,
    pub(crate) split: Split,
}

/// How a bucket's records are split, without zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Split {
    /// By rising level.
    Levels(Vec<(Level, u64)>),
    /// By those values that are the most frequent ones of all buckets together,
    /// in that order. The rest of the records has other values.
    Values(Vec<(String, u64)>),
}

impl Default for Split {
    fn default() -> Self {
        Self::Levels(Vec::new())
    }
}

/// The values of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldCounts {
    pub(crate) field: TextField,
    pub(crate) top: Top,
}

type Answers = mpsc::Sender<Result<Counts, StoreError>>;

/// Counts until everything is counted, the deadline comes or nobody waits for
/// an answer any more. An answer that nobody has taken is not added to.
pub(crate) async fn run(app: App, query: CountQuery, deadline: Instant, answers: Answers) {
    let gone = answers.clone();
    tokio::select! {
        outcome = count(&app, query, deadline, &answers) => {
            // Whoever has gone needs no answer.
            let _ = answers.send(outcome).await;
        }
        () = gone.closed() => {}
    }
}

async fn count(
    app: &App,
    query: CountQuery,
    deadline: Instant,
    answers: &Answers,
) -> Result<Counts, StoreError> {
    if query.fields.len() > MAX_FIELDS {
        let text = format!("more than {MAX_FIELDS} fields are asked for");
        return Err(StoreError::Invalid(text));
    }
    let extent = Extent::of(&app.catalog, &query.filter);
    let question = Question {
        filter: query.filter.clone(),
        ids: 1..extent.end,
        order: Order::NewestFirst,
        deadline,
    };
    let timeline = Timeline::new(extent.range_us, query.buckets);
    let counting = Counting::new(&query, timeline);
    let tally = counting.tally();
    let mut walk = Walk::new(app, question, counting);
    let progress = walk.progress();
    let mut ticks = interval_at(Instant::now() + ANSWERS_EVERY, ANSWERS_EVERY);
    let mut work = pin!(async {
        while walk.next().await?.is_some() {}
        Ok::<_, StoreError>(walk.rest().is_empty())
    });
    let is_complete = loop {
        tokio::select! {
            biased;
            is_complete = &mut work => break is_complete?,
            _ = ticks.tick() => {
                // Who is slow gets the next one.
                if let Ok(place) = answers.try_reserve() {
                    place.send(Ok(tally.counts(progress.coverage(), false)));
                }
            }
        }
    };
    Ok(tally.counts(progress.coverage(), is_complete))
}
