//! One round of a search: a snapshot, some blocks, pruned by what the database
//! says of them, then read.

use std::time::Duration;

use domain::Order;
use tokio::time::Instant;
use tracing::error;

use super::{Ended, Search, scan};
use crate::{
    block::{Block, BlockError, BlockMeta, Plan, Selection},
    db::{self, Readers, Snapshot},
    error::StoreError,
};

/// Blocks of the first round; each one that follows has twice as many.
pub(super) const FIRST_BLOCKS: usize = 16;
/// Blocks of a round at most.
pub(super) const MOST_BLOCKS: usize = 256;
/// A round that lasts longer ends early: its snapshot holds up the log.
const ROUND_TIME: Duration = Duration::from_millis(100);
/// Records of blocks that are opened together, at least and at most.
const OPENED_RECORDS: (usize, usize) = (1_024, 16_384);

/// A block, and which of its rows are still wanted.
pub(super) struct Opened {
    pub(super) meta: BlockMeta,
    pub(super) block: Block,
    pub(super) selection: Selection,
}

impl Search<'_> {
    /// Looks at up to `blocks` blocks.
    pub(super) async fn round(
        &mut self,
        readers: &Readers,
        blocks: usize,
    ) -> Result<Ended, StoreError> {
        let until = Instant::now() + ROUND_TIME;
        let mut snapshot = readers.snapshot(self.deadline).await?;
        let metas = self.metas(&mut snapshot, blocks).await?;
        let Some(last) = metas.last() else {
            return Ok(Ended::AtEnd);
        };
        let is_last_round = metas.len() < blocks;
        let last_id = self.far_end(last);
        let mut candidates = self
            .prune(&mut snapshot, metas)
            .await?
            .into_iter()
            .peekable();
        while candidates.peek().is_some() {
            let mut group: Vec<BlockMeta> = Vec::new();
            let mut records = 0;
            let enough = (self.limit - self.found.len())
                .saturating_mul(4)
                .clamp(OPENED_RECORDS.0, OPENED_RECORDS.1);
            while let Some(meta) = candidates.next_if(|_| records < enough) {
                records += meta.count as usize;
                group.push(meta);
            }
            if self.read(&mut snapshot, group).await? == Ended::Full {
                return Ok(Ended::Full);
            }
            let now = Instant::now();
            if candidates.peek().is_some() && (now >= until || now >= self.deadline) {
                return Ok(Ended::Between);
            }
        }
        self.looked_at(last_id);
        Ok(match is_last_round {
            true => Ended::AtEnd,
            false => Ended::Between,
        })
    }

    async fn metas(
        &self,
        snapshot: &mut Snapshot,
        blocks: usize,
    ) -> Result<Vec<BlockMeta>, StoreError> {
        let rows = match self.order {
            Order::NewestFirst => db::block::newest(snapshot.conn(), self.ids.end, blocks).await?,
            Order::OldestFirst => {
                db::block::oldest(snapshot.conn(), self.ids.start, blocks).await?
            }
        };
        Ok(rows.into_iter().map(|row| row.meta).collect())
    }

    /// Leaves out the blocks that cannot hold a match.
    async fn prune(
        &self,
        snapshot: &mut Snapshot,
        mut metas: Vec<BlockMeta>,
    ) -> Result<Vec<BlockMeta>, StoreError> {
        let ids = &self.ids;
        metas.retain(|meta| {
            let end = meta.first_id + u64::from(meta.count);
            meta.first_id < ids.end && end > ids.start && self.plan.may_match(meta)
        });
        for probe in self.plan.probes() {
            if metas.is_empty() {
                break;
            }
            let first_ids = metas.iter().map(|meta| meta.first_id);
            let bits = db::block::slices(snapshot.conn(), first_ids, probe.slice).await?;
            metas.retain(|meta| {
                bits.get(&meta.first_id)
                    .is_none_or(|bits| self.plan.probe(&probe, bits))
            });
        }
        Ok(metas)
    }

    /// Reads blocks that follow each other in the order asked for.
    async fn read(
        &mut self,
        snapshot: &mut Snapshot,
        metas: Vec<BlockMeta>,
    ) -> Result<Ended, StoreError> {
        let first_ids = metas.iter().map(|meta| meta.first_id);
        let mut heads = db::block::heads(snapshot.conn(), first_ids).await?;
        let blocks = metas
            .into_iter()
            .map(|meta| {
                let head = heads.remove(&meta.first_id).unwrap_or_default();
                (meta, head)
            })
            .collect();
        let plan = self.plan.clone();
        let ids = self.ids.clone();
        let opened = scan::aside(move || open_all(&plan, &ids, blocks)).await?;
        for (meta, opened) in opened {
            let far_end = self.far_end(&meta);
            match opened {
                Ok(opened) if opened.selection.is_empty() => {}
                Ok(opened) => {
                    if self.scan(snapshot, opened).await? == Ended::Full {
                        return Ok(Ended::Full);
                    }
                }
                Err(error) => self.damaged(&meta, &error),
            }
            self.looked_at(far_end);
        }
        Ok(Ended::Between)
    }

    /// A damaged block is left out; the others stay readable.
    pub(super) fn damaged(&self, meta: &BlockMeta, error: &BlockError) {
        self.metrics.damaged();
        error!(
            first_id = meta.first_id,
            records = meta.count,
            %error,
            "block left out of an answer"
        );
    }

    fn far_end(&self, meta: &BlockMeta) -> u64 {
        match self.order {
            Order::NewestFirst => meta.first_id,
            Order::OldestFirst => meta.first_id + u64::from(meta.count) - 1,
        }
    }
}

type OpenOutcome = (BlockMeta, Result<Opened, BlockError>);

fn open_all(
    plan: &Plan,
    ids: &std::ops::Range<u64>,
    blocks: Vec<(BlockMeta, Vec<u8>)>,
) -> Vec<OpenOutcome> {
    blocks
        .into_iter()
        .map(|(meta, head)| {
            let opened = Block::open(&meta, head).and_then(|block| {
                let selection = block.select(plan, ids.clone())?;
                Ok(Opened {
                    meta: meta.clone(),
                    block,
                    selection,
                })
            });
            (meta, opened)
        })
        .collect()
}
