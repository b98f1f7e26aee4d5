//! Merging: small blocks are read and encoded as one beside the writer, which
//! then only swaps them.

use std::{ops::Range, sync::atomic::Ordering, time::Duration};

use domain::Micros;
use tokio::time::Instant;

use super::{
    LOOK_TIME,
    small::{Small, longest_span, next_merge},
    step,
};
use crate::{
    App,
    block::{self, BlockError, BlockMeta, Effort, EncodedBlock, UNREADABLE},
    db::{self, fault::is_damage},
    error::StoreError,
    journal::Step,
};

/// Blocks that are looked up at a time.
const LOOK_BLOCKS: usize = 1_024;
/// Merges of one round.
const MOST_MERGES: usize = 4;
/// Above this part of the queue merging waits, unless so many blocks are small.
const BUSY_LOAD: f64 = 0.5;
const MANY_SMALL_BLOCKS: usize = 512;
/// From so many records on a merged block is compressed harder: it will stay.
const TIGHT_RECORDS: u32 = 4_096;

/// The small blocks, as far as they have been seen.
pub(super) struct Merging {
    longest_span: Micros,
    small: Vec<Small>,
    /// Ids below this one have been seen.
    seen_id: u64,
    has_looked: bool,
}

impl Merging {
    pub(super) fn new(retention: Duration) -> Self {
        Self {
            longest_span: longest_span(retention),
            small: Vec::new(),
            seen_id: 0,
            has_looked: false,
        }
    }

    /// How many blocks may still be merged.
    pub(super) fn small_blocks(&self) -> usize {
        self.small.len()
    }

    /// Merges some blocks, if there are any to merge.
    pub(super) async fn run(&mut self, app: &App) -> Result<(), StoreError> {
        self.look(app).await?;
        for _ in 0..MOST_MERGES {
            let is_busy = app.journal.load() > BUSY_LOAD;
            if is_busy && self.small.len() < MANY_SMALL_BLOCKS {
                return Ok(());
            }
            let Some(range) = next_merge(&self.small, self.longest_span) else {
                return Ok(());
            };
            self.merge(app, range).await?;
        }
        Ok(())
    }

    /// Looks for blocks that have come since.
    async fn look(&mut self, app: &App) -> Result<(), StoreError> {
        let newest_id = app.metrics.gauges.newest_id.load(Ordering::Relaxed);
        if self.has_looked && newest_id < self.seen_id {
            return Ok(());
        }
        self.has_looked = true;
        loop {
            let mut snapshot = app.readers.snapshot(Instant::now() + LOOK_TIME).await?;
            let rows = db::block::since(snapshot.conn(), self.seen_id, LOOK_BLOCKS).await?;
            let is_last = rows.len() < LOOK_BLOCKS;
            if let Some(last) = rows.last() {
                self.seen_id = last.meta.first_id + u64::from(last.meta.count);
            }
            self.small.extend(rows.into_iter().filter_map(Small::new));
            if is_last {
                return Ok(());
            }
        }
    }

    async fn merge(&mut self, app: &App, range: Range<usize>) -> Result<(), StoreError> {
        let sources: Vec<Small> = self.small[range.clone()].to_vec();
        let text_bytes = sources.iter().map(|source| source.text_bytes).sum();
        let parts = match read(app, &sources).await? {
            Ok(parts) => parts,
            Err((first_id, cause)) => {
                self.leave_out(app, first_id, &cause);
                return Ok(());
            }
        };
        let metas: Vec<BlockMeta> = sources.into_iter().map(|source| source.meta).collect();
        let keys = metas
            .iter()
            .map(|meta| (meta.first_id, meta.count))
            .collect();
        let merged = tokio::task::spawn_blocking(move || encode(&metas, parts)).await;
        let block = match merged {
            Ok(Ok(block)) => block,
            Ok(Err((first_id, cause))) => {
                self.leave_out(app, first_id, &cause);
                return Ok(());
            }
            Err(_) => return Err(StoreError::Unavailable("merging failed")),
        };
        let meta = block.meta.clone();
        let replace = Step::Replace {
            sources: keys,
            block: Box::new(block),
            text_bytes,
        };
        if step(app, replace).await?.changed == 0 {
            // Retention was faster: look at everything again.
            self.small.clear();
            self.seen_id = 0;
            self.has_looked = false;
            return Ok(());
        }
        let merged = Small::new(db::block::BlockRow {
            meta,
            bytes: 0,
            text_bytes,
        });
        self.small.splice(range, merged);
        Ok(())
    }

    /// Readers leave a damaged block out, too; its neighbours are merged
    /// without it.
    fn leave_out(&mut self, app: &App, first_id: u64, cause: &BlockError) {
        self.small.retain(|small| {
            let is_other = small.meta.first_id != first_id;
            if !is_other && let Some(entry) = app.catalog.find(first_id, small.meta.count) {
                app.metrics.set_aside(&entry, cause);
            }
            is_other
        });
    }
}

/// The parts of some blocks, or which one the disk has destroyed.
async fn read(
    app: &App,
    sources: &[Small],
) -> Result<Result<Vec<Vec<Vec<u8>>>, (u64, BlockError)>, StoreError> {
    let mut snapshot = app.readers.snapshot(Instant::now() + LOOK_TIME).await?;
    let mut all = Vec::with_capacity(sources.len());
    for source in sources {
        let first_id = source.meta.first_id;
        match db::block::parts(snapshot.conn(), first_id).await {
            Ok(parts) => all.push(parts),
            Err(error) if is_damage(&error) => return Ok(Err((first_id, UNREADABLE))),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Ok(all))
}

/// One block of several, or which one is damaged.
fn encode(
    metas: &[BlockMeta],
    parts: Vec<Vec<Vec<u8>>>,
) -> Result<EncodedBlock, (u64, BlockError)> {
    let mut records = Vec::new();
    for (meta, parts) in metas.iter().zip(parts) {
        let decoded = block::decode(meta, parts).map_err(|error| (meta.first_id, error))?;
        records.extend(decoded);
    }
    let effort = match records.len() as u32 {
        TIGHT_RECORDS.. => Effort::Tight,
        _ => Effort::Fast,
    };
    Ok(block::encode(metas[0].first_id, &records, effort))
}
