//! Reading records: a [`Walk`] over blocks in the order asked for, in pieces
//! that each are a few short snapshots, so that neither merging nor retention
//! nor the write-ahead log ever waits for a reader.

mod cache;
mod harvest;
mod piece;
mod ranges;
mod walk;
mod workers;

use std::ops::Range;

use domain::{ContextScope, Micros, Order, Record, RecordFilter, RecordQuery};
use tokio::time::Instant;

use crate::{App, error::StoreError};

pub(crate) use cache::BlockCache;
pub(crate) use harvest::{Harvest, Records};
pub(crate) use walk::{Question, Walk};
pub(crate) use workers::Workers;

/// An answer holds about so many bytes of records at most, so that its size is
/// bounded whatever the records are; the rest follows with `next`.
pub(crate) const PAGE_BYTES: usize = 16 << 20;

/// Records in the order asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    /// The cursor for the following records; none at the end. Matches may be
    /// missing behind it, too.
    pub(crate) next: Option<u64>,
    /// The deadline ended the search.
    pub(crate) is_partial: bool,
    pub(crate) coverage: Coverage,
}

/// How far an answer came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// Records that the ids and the times asked for hold; a block that is only
    /// partly in them counts whole.
    pub(crate) total: u64,
    /// Those of them that have been looked at, or that the blocks' summaries
    /// and filters have ruled out.
    pub(crate) covered: u64,
    /// Those of them that cannot be read.
    pub(crate) damaged: u64,
    /// Oldest and newest time of receipt of what is covered; none for nothing.
    pub(crate) received_us: Option<(Micros, Micros)>,
}

impl Coverage {
    /// Adds records that are covered now.
    fn add(&mut self, more: &Self) {
        self.covered += more.covered;
        self.damaged += more.damaged;
        self.received_us = match (self.received_us, more.received_us) {
            (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
            (one, other) => one.or(other),
        };
    }

    /// This one and what has been covered after it; the rest of this one's
    /// total.
    pub(crate) fn and(&self, later: &Self) -> Self {
        let mut both = *self;
        both.add(later);
        both.total = both.covered + later.total.saturating_sub(later.covered);
        both
    }
}

/// A record between its neighbours, all by rising id.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) before: Vec<Record>,
    pub(crate) record: Record,
    pub(crate) after: Vec<Record>,
    /// The deadline ended the search: there may be more, further away.
    pub(crate) is_partial: bool,
}

/// The ids between two cursors.
pub(crate) fn ids_between(after: Option<u64>, before: Option<u64>) -> Range<u64> {
    let start = after.map_or(1, |after| after.saturating_add(1));
    start..before.unwrap_or(u64::MAX)
}

/// Lists records.
///
/// # Errors
/// [`StoreError::Late`] when the deadline came before anything was looked at.
pub(crate) async fn list(
    app: &App,
    query: &RecordQuery,
    deadline: Instant,
) -> Result<Page, StoreError> {
    let question = Question {
        filter: query.filter.clone(),
        ids: ids_between(query.after, query.before),
        order: query.order,
        deadline,
    };
    let untouched = question.ids.clone();
    let mut walk = Walk::new(app, question, Records::new(query.limit));
    let mut records: Vec<Record> = Vec::new();
    let mut bytes = 0;
    while let Some(step) = walk.next().await? {
        for record in step.yields.into_iter().flatten() {
            bytes += size_of_val(&record) + record.text_bytes();
            records.push(record);
            if records.len() >= query.limit || bytes >= PAGE_BYTES {
                return Ok(Page {
                    next: records.last().map(|last| last.id),
                    records,
                    is_partial: false,
                    coverage: walk.coverage(),
                });
            }
        }
    }
    let rest = walk.rest();
    let is_partial = !rest.is_empty();
    if is_partial && rest == untouched {
        return Err(StoreError::Late);
    }
    Ok(Page {
        records,
        next: is_partial.then_some(match query.order {
            Order::NewestFirst => rest.end,
            Order::OldestFirst => rest.start.saturating_sub(1),
        }),
        is_partial,
        coverage: walk.coverage(),
    })
}

/// One record.
pub(crate) async fn get(app: &App, id: u64, deadline: Instant) -> Result<Record, StoreError> {
    let query = RecordQuery {
        order: Order::OldestFirst,
        limit: 1,
        after: id.checked_sub(1),
        before: id.checked_add(1),
        ..RecordQuery::default()
    };
    let page = list(app, &query, deadline).await?;
    let record = page.records.into_iter().find(|record| record.id == id);
    match page.is_partial {
        true if record.is_none() => Err(StoreError::Late),
        _ => record.ok_or(StoreError::NotFound(id)),
    }
}

/// A record with up to `before` and `after` neighbours of a scope.
pub(crate) async fn context(
    app: &App,
    id: u64,
    scope: ContextScope,
    (before, after): (usize, usize),
    deadline: Instant,
) -> Result<Context, StoreError> {
    let record = get(app, id, deadline).await?;
    let filter = RecordFilter::new(scope.condition(&record));
    let query = |order, limit| RecordQuery {
        filter: filter.clone(),
        order,
        limit,
        before: (order == Order::NewestFirst).then_some(id),
        after: (order == Order::OldestFirst).then_some(id),
    };
    let neighbours = async |order, limit| match limit {
        0 => Ok(Page::default()),
        limit => match list(app, &query(order, limit), deadline).await {
            Err(StoreError::Late) => Ok(Page {
                is_partial: true,
                ..Page::default()
            }),
            outcome => outcome,
        },
    };
    let mut before = neighbours(Order::NewestFirst, before).await?;
    before.records.reverse();
    let after = neighbours(Order::OldestFirst, after).await?;
    Ok(Context {
        before: before.records,
        record,
        after: after.records,
        is_partial: before.is_partial || after.is_partial,
    })
}
