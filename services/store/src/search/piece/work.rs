//! What is done with blocks beside the database: in turns, a few milliseconds at
//! a time.

use std::{collections::HashMap, ops::Range, sync::Arc};

use tokio::{sync::OwnedSemaphorePermit, time::timeout_at};

use super::super::{Harvest, walk::Shared};
use crate::{
    block::{Block, BlockError, Looks, Selection},
    catalog::Entry,
    db::block::Head,
    error::StoreError,
};

/// A block, and which of its rows are still wanted.
pub(super) struct Opened {
    pub(super) block: Block,
    pub(super) selection: Selection,
}

/// A turn of those who read on and on.
pub(super) async fn turn<H: Harvest>(
    shared: &Shared<H>,
) -> Result<OwnedSemaphorePermit, StoreError> {
    let patience = Arc::clone(&shared.app.patience).acquire_owned();
    let turn = timeout_at(shared.deadline, patience).await;
    let turn = turn.map_err(|_| StoreError::Late)?;
    turn.map_err(|_| StoreError::Unavailable("it is stopping"))
}

/// The blocks that may hold a match, after a look at a slice of their filters.
pub(super) fn look<H: Harvest>(
    shared: &Shared<H>,
    slice: usize,
    blocks: Vec<(Arc<Entry>, Looks)>,
    bits: &HashMap<u64, Vec<u8>>,
) -> Vec<(Arc<Entry>, Looks)> {
    let may_match = |(entry, looks): &mut (Arc<Entry>, Looks)| match bits.get(&entry.meta.first_id)
    {
        Some(bits) => shared.plan.look(slice, bits, looks),
        None => true,
    };
    let mut blocks = blocks;
    blocks.retain_mut(may_match);
    blocks
}

/// Opens a block from its head.
pub(super) fn open<H: Harvest>(
    shared: &Shared<H>,
    ids: &Range<u64>,
    entry: &Entry,
    head: Head,
) -> Result<Opened, BlockError> {
    let mut block = Block::open(&entry.meta, head.part0)?;
    if let Some(sketch) = head.sketch {
        block = block.with_sketch(&sketch);
    }
    let selection = block.select(&shared.plan, ids.clone())?;
    Ok(Opened {
        block: block.without_sketch(),
        selection,
    })
}

/// What some chunks give, and up to which row they have been looked at.
pub(super) fn scan<H: Harvest>(
    shared: &Shared<H>,
    opened: &Opened,
    chunks: &[usize],
    mut parts: HashMap<usize, Vec<u8>>,
    mut wanted: usize,
) -> Result<(Vec<H::Yield>, u32), BlockError> {
    let Opened { block, selection } = opened;
    let mut yields = Vec::new();
    let mut edge = 0;
    for chunk in chunks {
        let part = match block.part_of(*chunk) {
            Some(part) => parts.remove(&part),
            None => Some(Vec::new()),
        };
        let part = part.ok_or(BlockError::Damaged("a part is missing"))?;
        let chunk = block.open_chunk(*chunk, part)?;
        edge = chunk.far_row(shared.order);
        let rows = block.scan(&shared.plan, selection, &chunk, shared.order, wanted)?;
        if !rows.is_empty() {
            wanted -= rows.len();
            yields.push(shared.harvest.of_rows(block, Some(&chunk), &rows)?);
        }
        if wanted == 0 {
            edge = rows.last().copied().unwrap_or(edge);
            break;
        }
    }
    Ok((yields, edge))
}
