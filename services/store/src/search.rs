//! Reading records: rounds over blocks in the order asked for, each round one
//! short snapshot, so that neither merging nor retention nor the write-ahead
//! log ever waits for a reader. Between rounds only ids are kept, and ids mean
//! the same whatever has been merged meanwhile.

mod round;
mod scan;

use std::{ops::Range, sync::Arc};

use domain::{Order, Record, RecordFilter, RecordQuery};
use tokio::time::Instant;

use crate::{block::Plan, db::Readers, error::StoreError, metrics::Metrics};

/// An answer holds about so many bytes of records at most, so that its size is
/// bounded whatever the records are; the rest follows with `next`.
const PAGE_BYTES: usize = 16 << 20;

/// Records in the order asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    /// The cursor for the following records; none at the end. Matches may be
    /// missing behind it, too.
    pub(crate) next: Option<u64>,
    /// The deadline ended the search.
    pub(crate) is_partial: bool,
}

/// A record between its neighbours, all by rising id.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) before: Vec<Record>,
    pub(crate) record: Record,
    pub(crate) after: Vec<Record>,
}

/// A search under way.
struct Search<'a> {
    plan: Arc<Plan>,
    order: Order,
    limit: usize,
    deadline: Instant,
    metrics: &'a Metrics,
    /// Ids that have not been looked at.
    ids: Range<u64>,
    found: Vec<Record>,
    found_bytes: usize,
}

/// What ended a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// There is nothing behind it.
    AtEnd,
    /// There may be more.
    Between,
    /// The page is full.
    Full,
}

/// Lists records.
///
/// # Errors
/// [`StoreError::Late`] when the deadline came before anything was looked at.
pub(crate) async fn list(
    readers: &Readers,
    query: &RecordQuery,
    deadline: Instant,
    metrics: &Metrics,
) -> Result<Page, StoreError> {
    let start = query.after.map_or(1, |after| after.saturating_add(1));
    let end = query.before.unwrap_or(u64::MAX);
    let search = Search {
        plan: Arc::new(Plan::new(&query.filter)),
        order: query.order,
        limit: query.limit,
        deadline,
        metrics,
        ids: start..end,
        found: Vec::new(),
        found_bytes: 0,
    };
    search.run(readers).await
}

/// One record.
pub(crate) async fn get(
    readers: &Readers,
    id: u64,
    deadline: Instant,
    metrics: &Metrics,
) -> Result<Record, StoreError> {
    let query = RecordQuery {
        order: Order::OldestFirst,
        limit: 1,
        after: id.checked_sub(1),
        before: id.checked_add(1),
        ..RecordQuery::default()
    };
    let page = list(readers, &query, deadline, metrics).await?;
    let record = page.records.into_iter().find(|record| record.id == id);
    match page.is_partial {
        true if record.is_none() => Err(StoreError::Late),
        _ => record.ok_or(StoreError::NotFound(id)),
    }
}

/// A record with up to `before` and `after` neighbours.
pub(crate) async fn context(
    readers: &Readers,
    id: u64,
    before: usize,
    after: usize,
    deadline: Instant,
    metrics: &Metrics,
) -> Result<Context, StoreError> {
    let record = get(readers, id, deadline, metrics).await?;
    let query = |order, limit| RecordQuery {
        filter: RecordFilter::default(),
        order,
        limit,
        before: (order == Order::NewestFirst).then_some(id),
        after: (order == Order::OldestFirst).then_some(id),
    };
    let neighbours = async |order, limit| match limit {
        0 => Ok(Vec::new()),
        limit => list(readers, &query(order, limit), deadline, metrics)
            .await
            .map(|page| page.records),
    };
    let mut before = neighbours(Order::NewestFirst, before).await?;
    before.reverse();
    let after = neighbours(Order::OldestFirst, after).await?;
    Ok(Context {
        before,
        record,
        after,
    })
}

impl Search<'_> {
    async fn run(mut self, readers: &Readers) -> Result<Page, StoreError> {
        let untouched = self.ids.clone();
        let mut blocks = round::FIRST_BLOCKS;
        while !self.ids.is_empty() {
            let ended = match self.round(readers, blocks).await {
                Err(StoreError::Late) => break,
                outcome => outcome?,
            };
            match ended {
                Ended::AtEnd => self.ids = 0..0,
                Ended::Full => return Ok(self.page(false)),
                Ended::Between if Instant::now() >= self.deadline => break,
                Ended::Between => blocks = (blocks * 2).min(round::MOST_BLOCKS),
            }
        }
        let is_partial = !self.ids.is_empty();
        if is_partial && self.ids == untouched {
            return Err(StoreError::Late);
        }
        Ok(self.page(is_partial))
    }

    fn page(self, is_partial: bool) -> Page {
        let next = match self.order {
            Order::NewestFirst => self.ids.end,
            Order::OldestFirst => self.ids.start.saturating_sub(1),
        };
        Page {
            records: self.found,
            next: (!self.ids.is_empty()).then_some(next),
            is_partial,
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.limit || self.found_bytes >= PAGE_BYTES
    }

    /// All ids up to this one, in the order asked for, have been looked at.
    fn looked_at(&mut self, id: u64) {
        match self.order {
            Order::NewestFirst => self.ids.end = self.ids.end.min(id),
            Order::OldestFirst => self.ids.start = self.ids.start.max(id + 1),
        }
    }
}
