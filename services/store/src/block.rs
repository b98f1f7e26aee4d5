//! The block: up to [`MAX_RECORDS`] consecutive records as compressed columns,
//! with what is needed to skip it. Pure: bytes in, bytes out; no I/O, no SQL.
//! The format is told byte by byte in `docs/storage.md`.

mod bytes;
mod check;
mod chunk;
mod codes;
mod column;
mod decode;
mod dictionary;
mod encode;
mod facets;
mod filter;
mod frame;
mod fuse;
mod judge;
mod numbers;
mod plan;
mod rows;
mod scan;
mod select;
mod sketch;
mod text;

pub use check::{Kept, check};
pub use chunk::Chunk;
pub use decode::{Block, decode};
pub use encode::{batch_len, encode};
pub use facets::{Counts, FACET_FIELDS, Facets, Source};
pub use plan::{Looks, Plan, Verdict};
pub use rows::{Coded, NumbersOf};
pub use select::Selection;

use domain::Micros;

/// Version of the format that [`encode`] writes; kept beside each block.
pub const FORMAT: u32 = 1;
/// How many records a block holds at most.
pub const MAX_RECORDS: usize = 8192;
/// How many rows a text chunk holds at most; fewer when the texts are long.
pub const CHUNK_ROWS: usize = 1024;
/// How many parts a block has at most: part 0, the text chunks, the sketch.
pub const MAX_PARTS: usize = 64;
/// The part of the sketch: the messages' forms, see `docs/storage.md`.
pub const SKETCH_PART: usize = MAX_PARTS - 1;
/// Into how many slices a block's filter is cut.
pub const FILTER_SLICES: usize = 64;
/// Blocks of fewer records have no filter: reading them costs less.
pub const FILTER_MIN_RECORDS: usize = 1_000;

/// What is known of a block without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockMeta {
    /// Id of the first record; the others follow without a hole.
    pub first_id: u64,
    /// How many records, 1 to [`MAX_RECORDS`].
    pub count: u32,
    /// Earliest time of receipt.
    pub min_received_us: Micros,
    /// Latest time of receipt.
    pub max_received_us: Micros,
    /// Earliest time of making.
    pub min_created_us: Micros,
    /// Latest time of making.
    pub max_created_us: Micros,
    /// How many records of each severity number; rising, no zero counts.
    pub levels: Vec<(i32, u32)>,
}

/// A block ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedBlock {
    /// What to keep beside it.
    pub meta: BlockMeta,
    /// How often each value of some fields is in it.
    pub facets: Facets,
    /// Part 0 and, when its texts do not fit there, one part per text chunk.
    pub parts: Vec<Vec<u8>>,
    /// The part of number [`SKETCH_PART`], where it helps.
    pub sketch: Option<Vec<u8>>,
    /// [`FILTER_SLICES`] slices, or none for a block of fewer than
    /// [`FILTER_MIN_RECORDS`] records.
    pub filter: Vec<Vec<u8>>,
}

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// While records pour in.
    Fast,
    /// In the background.
    Tight,
}

/// Why a block cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// Written by a later version.
    #[error("format {0} of a block is not known")]
    UnknownFormat(u32),
    /// The bytes are not what was written, or belong to another block.
    #[error("block is damaged: {0}")]
    Damaged(&'static str),
}

/// The database cannot give a block's bytes.
pub(crate) const UNREADABLE: BlockError = BlockError::Damaged("the database cannot read it");

#[cfg(test)]
mod tests;
