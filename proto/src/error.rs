//! What can be wrong with a message that is well formed.

use domain::{CountQuery, RecordQuery, SavedSearchError};

/// A message that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// An entry of a batch without a kind.
    #[error("an entry is neither a record, a dead letter, a gap nor a skip")]
    EmptyEntry,
    /// A gap of no numbers.
    #[error("a gap covers no number")]
    EmptyGap,
    /// Nothing skipped.
    #[error("a skip covers no number")]
    EmptySkip,
    /// A hash of another length.
    #[error("sha256 has {0} bytes instead of 32")]
    HashLength(usize),
    /// More records asked for than a list may have.
    #[error("limit {0} is above {max}", max = RecordQuery::MAX_LIMIT)]
    Limit(u32),
    /// An order this version does not know.
    #[error("order {0} is unknown")]
    Order(i32),
    /// A scope this version does not know.
    #[error("scope {0} is unknown")]
    Scope(i32),
    /// A query that cannot be read.
    #[error("query: {0}")]
    Query(#[from] query::QueryError),
    /// A field whose values are not counted.
    #[error("fields: `{0}` is no field whose values are counted")]
    Field(String),
    /// A field that does not split a bucket.
    #[error("by: `{0}` is no context field such as `system_id`")]
    By(String),
    /// More values asked for than a field may tell.
    #[error("values_per_field {0} is above {max}", max = CountQuery::MAX_VALUES)]
    Values(u32),
    /// More buckets asked for than there may be.
    #[error("buckets {0} is above {max}", max = CountQuery::MAX_BUCKETS)]
    Buckets(u32),
    /// No name or no view of a saved search.
    #[error("{0}")]
    SavedSearch(#[from] SavedSearchError),
    /// An author whose name, or what else is said of them, is none.
    #[error("author: {0}")]
    Author(#[from] domain::AuthorError),
    /// A value of an enumeration that this version does not know.
    #[error("{0} {1} is unknown")]
    Unknown(&'static str, i32),
}

impl From<ConvertError> for tonic::Status {
    fn from(error: ConvertError) -> Self {
        Self::invalid_argument(error.to_string())
    }
}

/// Converts all, or none.
pub(crate) fn all<T, U: TryFrom<T, Error = ConvertError>>(
    values: Vec<T>,
) -> Result<Vec<U>, ConvertError> {
    values.into_iter().map(U::try_from).collect()
}
