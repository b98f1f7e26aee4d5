//! Which records somebody wants to see.

use crate::{Condition, Micros, Record};

/// What a record must fulfil.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// The condition.
    pub condition: Condition,
    /// Only records received at or after this time.
    pub from_us: Option<Micros>,
    /// Only records received before this time.
    pub to_us: Option<Micros>,
}

impl RecordFilter {
    /// A filter of a condition alone.
    #[must_use]
    pub fn new(condition: Condition) -> Self {
        Self {
            condition,
            ..Self::default()
        }
    }

    /// Whether the record passes.
    #[must_use]
    pub fn matches(&self, record: &Record) -> bool {
        self.from_us.is_none_or(|from| record.received_us >= from)
            && self.to_us.is_none_or(|to| record.received_us < to)
            && self.condition.matches(record)
    }
}

/// In which order records are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Falling ids.
    #[default]
    NewestFirst,
    /// Rising ids.
    OldestFirst,
}

/// A page of records: what, in which order, from where, how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordQuery {
    /// Conditions.
    pub filter: RecordFilter,
    /// Falling or rising ids.
    pub order: Order,
    /// How many at most.
    pub limit: usize,
    /// Only ids below this one.
    pub before: Option<u64>,
    /// Only ids above this one.
    pub after: Option<u64>,
}

impl RecordQuery {
    /// How many records a list has when nobody says.
    pub const DEFAULT_LIMIT: usize = 50;
    /// How many records a list has at most.
    pub const MAX_LIMIT: usize = 10_000;
}

impl Default for RecordQuery {
    fn default() -> Self {
        Self {
            filter: RecordFilter::default(),
            order: Order::NewestFirst,
            limit: Self::DEFAULT_LIMIT,
            before: None,
            after: None,
        }
    }
}
