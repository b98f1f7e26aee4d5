//! A filter made ready for blocks.

use domain::RecordFilter;

use super::BlockMeta;

/// A compiled [`RecordFilter`].
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) filter: RecordFilter,
}

/// One look at one slice of a block's filter.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Which slice, below [`super::FILTER_SLICES`].
    pub slice: usize,
}

impl Plan {
    /// Compiles a filter.
    #[must_use]
    pub fn new(filter: &RecordFilter) -> Self {
        Self {
            filter: filter.clone(),
        }
    }

    /// Whether a block can hold a match, as far as its summary tells.
    #[must_use]
    pub fn may_match(&self, meta: &BlockMeta) -> bool {
        let min = self.filter.min_level.unwrap_or(i32::MIN);
        meta.levels.last().is_none_or(|(level, _)| *level >= min)
            && self
                .filter
                .from_us
                .is_none_or(|from| meta.max_received_us >= from)
            && self.filter.to_us.is_none_or(|to| meta.min_received_us < to)
    }

    /// The looks at a block's filter that pay, best first; none when the
    /// filter cannot help. Each prunes on its own.
    #[must_use]
    pub fn probes(&self) -> Vec<Probe> {
        Vec::new()
    }

    /// Whether a block can hold a match, as far as this slice of its filter
    /// tells. A damaged slice cannot rule anything out: true.
    #[must_use]
    pub fn probe(&self, _probe: &Probe, _bits: &[u8]) -> bool {
        true
    }
}
