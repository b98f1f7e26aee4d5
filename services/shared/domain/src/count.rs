//! What somebody wants to have counted.

use crate::{RecordFilter, TextField};

/// Counts of records: which ones, by which fields, over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountQuery {
    /// Conditions.
    pub filter: RecordFilter,
    /// The fields whose values are counted; none of them is prose.
    pub fields: Vec<TextField>,
    /// How many values of a field are told at most.
    pub values_per_field: usize,
    /// Into how many equal parts the time range is cut; 0 for none.
    pub buckets: usize,
    /// What the counts of a bucket are split by.
    pub by: CountBy,
}

/// What the counts of a bucket are split by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CountBy {
    /// The five levels.
    #[default]
    Level,
    /// The values of one of [`TextField::CONTEXT`].
    Field(TextField),
}

impl CountQuery {
    /// How many values of a field are told when nobody says.
    pub const DEFAULT_VALUES: usize = 20;
    /// How many values of a field are told at most.
    pub const MAX_VALUES: usize = 1_000;
    /// How many buckets there are at most.
    pub const MAX_BUCKETS: usize = 1_000;
}

impl Default for CountQuery {
    fn default() -> Self {
        Self {
            filter: RecordFilter::default(),
            fields: Vec::new(),
            values_per_field: Self::DEFAULT_VALUES,
            buckets: 0,
            by: CountBy::Level,
        }
    }
}
