//! Which rows of a block are still wanted.

/// Rows of a block, as [`super::Block::select`] leaves them.
#[derive(Debug, Clone)]
pub struct Selection {
    pub(super) rows: Vec<u32>,
}

impl Selection {
    /// Whether no row is left: nothing of the block need be fetched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows are left.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// Whether all rows left match: no text need be scanned to count them.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        true
    }
}
