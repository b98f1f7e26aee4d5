//! How far an answer came, and counts as every answer tells them.

use domain::Level;
use proto::v1;
use render::rfc3339;
use serde::{Serialize, Serializer, ser::SerializeMap};

/// How far an answer came.
#[derive(Serialize)]
pub(crate) struct CoverageView {
    records_total: u64,
    records_covered: u64,
    damaged_records: u64,
    from: Option<String>,
    to: Option<String>,
}

impl CoverageView {
    /// `None` when the store does not tell.
    pub(crate) fn new(coverage: Option<v1::Coverage>) -> Option<Self> {
        let coverage = coverage?;
        let time = |us: i64| (coverage.records_covered > 0).then(|| rfc3339(us));
        Some(Self {
            records_total: coverage.records_total,
            records_covered: coverage.records_covered,
            damaged_records: coverage.damaged_records,
            from: time(coverage.from_us),
            to: time(coverage.to_us),
        })
    }
}

/// Counts by the five levels, rising, those without records included.
pub(crate) struct LevelsView([u64; 5]);

impl LevelsView {
    /// Of levels and how many records they have.
    pub(crate) fn new(counts: impl IntoIterator<Item = (i32, u64)>) -> Self {
        let mut levels = [0; 5];
        for (level, records) in counts {
            let at = Level::ALL.iter().position(|l| *l == Level::of(level));
            levels[at.expect("every level is one of all")] += records;
        }
        Self(levels)
    }
}

impl Serialize for LevelsView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (level, records) in Level::ALL.iter().zip(self.0) {
            map.serialize_entry(level.name(), &records)?;
        }
        map.end()
    }
}

/// A value and how many records have it.
#[derive(Serialize)]
pub(crate) struct ValueView<'a> {
    value: &'a str,
    records: u64,
}

impl<'a> ValueView<'a> {
    pub(crate) fn new(value: &'a str, records: u64) -> Self {
        Self { value, records }
    }

    /// All of a list.
    pub(crate) fn list(counts: &'a [v1::ValueCount]) -> Vec<Self> {
        let view = |count: &'a v1::ValueCount| Self::new(&count.value, count.records);
        counts.iter().map(view).collect()
    }
}
