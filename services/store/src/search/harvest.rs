//! What is taken from the records that a walk finds.

use domain::Record;

use super::PAGE_BYTES;
use crate::{
    block::{Block, BlockError, Chunk},
    catalog::{Entry, Symbols},
};

/// A way of taking something from records that pass.
pub(crate) trait Harvest: Send + Sync + 'static {
    /// What is taken from some of them.
    type Yield: Send + 'static;
    /// What the catalog gives of blocks that need not be read, while its symbols
    /// stay the same.
    type Sums: Default + Send;

    /// Adds a block of which all records pass, when the catalog knows all that
    /// is wanted of it; when false, nothing is added and the block is read. The
    /// writer waits meanwhile: a few microseconds.
    fn add_entry(&self, _sums: &mut Self::Sums, _entry: &Entry, _symbols: &Symbols) -> bool {
        false
    }

    /// Whether the sums have taken so long that the writer should have its turn.
    fn is_long(&self, _sums: &Self::Sums) -> bool {
        false
    }

    /// Puts what outlives the symbols in their place. The writer waits here, too.
    fn resolve(&self, _sums: &mut Self::Sums, _symbols: &Symbols) {}

    /// What the sums give.
    fn of_sums(&self, _sums: Self::Sums) -> Option<Self::Yield> {
        None
    }

    /// Blocks that a piece reads at most: what they give is held until it is
    /// their turn.
    fn most_blocks(&self) -> usize {
        usize::MAX
    }

    /// Whether rows of a block are of no use without the texts of their chunk.
    fn needs_chunks(&self, block: &Block) -> bool;

    /// How many more records are wanted.
    fn wanted(&self, so_far: &[Self::Yield]) -> usize;

    /// What some rows of a block give, all of one chunk where there is one; the
    /// rows are in the order of the question.
    fn of_rows(
        &self,
        block: &Block,
        chunk: Option<&Chunk>,
        rows: &[u32],
    ) -> Result<Self::Yield, BlockError>;
}

/// The records themselves, up to a limit.
#[derive(Debug)]
pub(crate) struct Records {
    limit: usize,
}

impl Records {
    /// At most so many of each piece.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit }
    }
}

impl Harvest for Records {
    type Yield = Vec<Record>;
    type Sums = ();

    fn needs_chunks(&self, _block: &Block) -> bool {
        true
    }

    fn wanted(&self, so_far: &[Vec<Record>]) -> usize {
        let records = so_far.iter().flatten();
        let bytes: usize = records
            .clone()
            .map(|record| size_of_val(record) + record.text_bytes())
            .sum();
        match bytes {
            PAGE_BYTES.. => 0,
            _ => self.limit.saturating_sub(records.count()),
        }
    }

    fn of_rows(
        &self,
        block: &Block,
        chunk: Option<&Chunk>,
        rows: &[u32],
    ) -> Result<Vec<Record>, BlockError> {
        match chunk {
            Some(chunk) => block.records(chunk, rows),
            None => Err(BlockError::Damaged("a part is missing")),
        }
    }
}
