//! How far an answer came that its deadline ended.

use proto::v1;
use serde::Serialize;

use super::figure::grouped;

/// What a page says about an answer that is not complete.
#[derive(Debug, Serialize)]
pub(super) struct Progress {
    covered: String,
    total: String,
    /// Receipt of the oldest record looked at.
    since: Option<String>,
}

impl Progress {
    /// `None` for a complete answer.
    pub(super) fn new(is_partial: bool, coverage: Option<&v1::Coverage>) -> Option<Self> {
        let coverage = coverage.copied().unwrap_or_default();
        is_partial.then(|| Self {
            covered: grouped(coverage.records_covered),
            total: grouped(coverage.records_total),
            since: (coverage.records_covered > 0)
                .then(|| render::rfc3339(coverage.from_us)[..19].replace('T', " ")),
        })
    }
}
