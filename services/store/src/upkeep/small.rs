//! Which small blocks to merge. Pure.
//!
//! Blocks belong to tiers by their count. Neighbours are merged when together
//! they reach the next tier, so that a record is written again at most once per
//! tier, whatever the rate at which records come in.

use std::{ops::Range, time::Duration};

use domain::Micros;

use crate::{
    block::{BlockMeta, MAX_RECORDS},
    db::block::BlockRow,
};

/// Where the tiers begin; a block of the last one is not merged any more.
const TIERS: [u32; 3] = [16, 256, FINAL_RECORDS];
const FINAL_RECORDS: u32 = MAX_RECORDS as u32 / 2;
/// Blocks with so much text are not merged any more, however few their records.
const FINAL_TEXT_BYTES: u64 = 8 << 20;
const MOST_TEXT_BYTES: u64 = 2 * FINAL_TEXT_BYTES;
const DAY: Duration = Duration::from_hours(24);

/// A block that may still be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Small {
    pub(super) meta: BlockMeta,
    pub(super) text_bytes: u64,
}

impl Small {
    /// None for a block that is large enough.
    pub(super) fn new(row: BlockRow) -> Option<Self> {
        let is_final = row.meta.count >= FINAL_RECORDS || row.text_bytes >= FINAL_TEXT_BYTES;
        (!is_final).then_some(Self {
            meta: row.meta,
            text_bytes: row.text_bytes,
        })
    }

    fn next_id(&self) -> u64 {
        self.meta.first_id + u64::from(self.meta.count)
    }
}

/// How long a time of receipt a merged block may cover: retention removes whole
/// blocks, so it must not be much of the retention.
pub(super) fn longest_span(retention: Duration) -> Micros {
    let span = DAY.min(retention / 30);
    Micros::try_from(span.as_micros()).unwrap_or(Micros::MAX)
}

/// The next blocks to merge, at least two neighbours; none when there is
/// nothing to do. `blocks` are in order of their ids.
pub(super) fn next_merge(blocks: &[Small], longest_span: Micros) -> Option<Range<usize>> {
    TIERS.into_iter().find_map(|tier| {
        (0..blocks.len())
            .filter(|start| blocks[*start].meta.count < tier)
            .map(|start| start..start + reach(&blocks[start..], tier, longest_span))
            .find(|range| range.len() >= 2 && is_worth(&blocks[range.clone()], tier))
    })
}

fn is_worth(blocks: &[Small], tier: u32) -> bool {
    let records: u32 = blocks.iter().map(|block| block.meta.count).sum();
    let text_bytes: u64 = blocks.iter().map(|block| block.text_bytes).sum();
    records >= tier || text_bytes >= FINAL_TEXT_BYTES
}

/// How many blocks from the front fit into one and are below the tier.
fn reach(blocks: &[Small], tier: u32, longest_span: Micros) -> usize {
    let mut records = 0;
    let mut text_bytes = 0;
    let (mut from, mut to) = (Micros::MAX, Micros::MIN);
    let mut widest = longest_span;
    let mut expected = blocks.first().map(|block| block.meta.first_id);
    blocks
        .iter()
        .take_while(|block| {
            let meta = &block.meta;
            records += meta.count as usize;
            text_bytes += block.text_bytes;
            from = from.min(meta.min_received_us);
            to = to.max(meta.max_received_us);
            // A block that covers a long time by itself may keep doing so.
            widest = widest.max(meta.max_received_us.saturating_sub(meta.min_received_us));
            let is_neighbour = expected == Some(meta.first_id);
            expected = Some(block.next_id());
            is_neighbour
                && meta.count < tier
                && records <= MAX_RECORDS
                && text_bytes <= MOST_TEXT_BYTES
                && to.saturating_sub(from) <= widest
        })
        .count()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Small, longest_span, next_merge};
    use crate::block::BlockMeta;

    /// Neighbours of these counts, each received at one time.
    fn blocks(counts_and_times: &[(u32, i64)]) -> Vec<Small> {
        let mut first_id = 1;
        let block = |&(count, received_us): &(u32, i64)| {
            let meta = BlockMeta {
                first_id,
                count,
                min_received_us: received_us,
                max_received_us: received_us,
                min_created_us: 0,
                max_created_us: 0,
                levels: Vec::new(),
            };
            first_id += u64::from(count);
            Small {
                meta,
                text_bytes: 0,
            }
        };
        counts_and_times.iter().map(block).collect()
    }

    #[test]
    fn neighbours_that_reach_the_next_tier_are_merged() {
        let check = |counts: &[u32], expected| {
            let counts: Vec<_> = counts.iter().map(|count| (*count, 0)).collect();
            assert_eq!(next_merge(&blocks(&counts), 0), expected, "{counts:?}");
        };
        check(&[], None);
        check(&[1], None);
        check(&[1; 15], None);
        check(&[1; 16], Some(0..16));
        check(&[7, 8], None);
        check(&[8, 8], Some(0..2));
        check(&[100, 15], None);
        check(&[100, 8, 8], Some(1..3));
        check(&[100, 100, 56], Some(0..3));
        check(&[1000, 1000, 1000], None);
        check(&[1000, 1000, 1000, 1000, 1000], Some(0..5));
        check(&[4000, 4000, 4000], Some(0..2));
    }

    #[test]
    fn only_neighbours_of_about_the_same_time_are_merged() {
        let check = |blocks: &[Small], expected| assert_eq!(next_merge(blocks, 10), expected);
        let far = [(8, 0), (8, 11), (8, 20)];
        check(&blocks(&far), Some(1..3));
        let mut holed = blocks(&[(8, 0), (8, 0), (8, 0)]);
        holed.remove(1);
        check(&holed, None);
        let mut long = blocks(&[(8, 0), (8, 50)]);
        long[0].meta.max_received_us = 60;
        check(&long, Some(0..2));
    }

    #[test]
    fn blocks_of_much_text_are_left_alone() {
        let mut heavy = blocks(&[(3, 0), (3, 0), (3, 0)]);
        for block in &mut heavy {
            block.text_bytes = 6 << 20;
        }
        assert_eq!(next_merge(&heavy, 0), Some(0..2));
    }

    #[test]
    fn a_block_covers_little_of_the_retention() {
        let check = |retention, span: Duration| {
            assert_eq!(longest_span(retention), span.as_micros() as i64);
        };
        check(Duration::from_secs(30), Duration::from_secs(1));
        check(Duration::from_hours(24 * 365), Duration::from_hours(24));
    }
}
