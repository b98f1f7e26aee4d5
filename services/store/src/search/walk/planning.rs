//! Which blocks make the next piece of a walk, from what the catalog says of them.

use std::{collections::VecDeque, sync::Arc};

use domain::{Order, RecordFilter};

use super::{Candidate, Piece, Shared, Walk};
use crate::{
    block::{BlockMeta, Verdict},
    catalog::{Entry, SUB_SYSTEM, SYSTEM},
    search::{Coverage, Harvest},
};

/// Blocks of the largest piece. Pieces double with every second one, and stay so
/// small that two cores have as much to do until the end.
const MOST_BLOCKS: usize = 64;
/// Blocks that are planned at a time: the writer waits for it.
const PLANNED_BLOCKS: usize = 2_048;
/// A block that is known to give less than one in so many of what is wanted
/// gives little; then a piece has blocks for one in so many of it.
const SPARSE: usize = 8;
const SHARES: usize = 4;

impl<H: Harvest> Walk<H> {
    /// The next piece, from what the catalog says now.
    pub(super) fn plan(&mut self) -> Piece<H::Yield> {
        let shared = Arc::clone(&self.shared);
        let Shared { plan, harvest, .. } = &*shared;
        let mut piece = Piece {
            blocks: Vec::new(),
            yields: Vec::new(),
            given: Vec::new(),
            ids: self.ids.clone(),
            seen: VecDeque::new(),
        };
        let mut sums = H::Sums::default();
        let wanted = harvest.wanted(&[]);
        let mut promised = 0;
        let (mut seen, mut edge, mut is_last) = (0, None, true);
        let view = shared.app.catalog.view();
        let symbols = view.symbols();
        let known: Vec<(usize, usize, Option<u32>)> = plan
            .values()
            .map(|(leaf, field, value)| (leaf, field, symbols.find(field, value)))
            .collect();
        let source = plan.source().map(|(system, sub_system)| {
            let system = symbols.find(SYSTEM, system);
            (system, symbols.find(SUB_SYSTEM, sub_system))
        });
        let may_come = |entry: &Entry| {
            source.is_none_or(|(system, sub_system)| entry.may_come_from(system, sub_system))
        };
        for entry in view.blocks(&self.ids, shared.order) {
            let blocks = piece.blocks.len();
            // Where blocks are known to give little each, several pieces share them.
            let is_share = promised >= wanted / SHARES && promised <= blocks * (wanted / SPARSE);
            let is_long = seen >= PLANNED_BLOCKS || harvest.is_long(&sums);
            if blocks >= self.pace || is_share && blocks > 0 || is_long {
                is_last = false;
                break;
            }
            seen += 1;
            let end = self.edge(entry);
            edge = Some(end);
            let is_damaged = entry.is_damaged();
            if is_in_time(&shared.filter, entry) {
                piece
                    .seen
                    .push_back((end, coverage_of(&entry.meta, is_damaged)));
            }
            if is_damaged {
                continue;
            }
            let counted = |leaf: usize| {
                let place = known.binary_search_by_key(&leaf, |(of, ..)| *of).ok()?;
                let (_, field, symbol) = known[place];
                entry.count_of(field, symbol)
            };
            let verdict = match entry.is_sure {
                true if !may_come(entry) => Verdict::Nothing,
                true => plan.verdict(&entry.meta, &counted),
                false => Verdict::Something,
            };
            match verdict {
                Verdict::Nothing => {}
                Verdict::Everything
                    if self.is_within(entry) && harvest.add_entry(&mut sums, entry, symbols) =>
                {
                    let coverage = coverage_of(&entry.meta, false);
                    piece
                        .given
                        .push((entry.meta.first_id..entry.end(), coverage));
                }
                verdict => {
                    let most = match entry.is_sure {
                        true => plan.most(&entry.meta, &counted),
                        false => entry.meta.count,
                    };
                    promised += most as usize;
                    piece.blocks.push(Candidate {
                        entry: Arc::clone(entry),
                        verdict,
                        most,
                    });
                }
            }
        }
        harvest.resolve(&mut sums, symbols);
        drop(view);
        piece.yields.extend(harvest.of_sums(sums));
        if let Some(edge) = edge.filter(|_| !is_last) {
            let (near, far) = match shared.order {
                Order::NewestFirst => (edge..self.ids.end, self.ids.start..edge),
                Order::OldestFirst => (self.ids.start..edge, edge..self.ids.end),
            };
            piece.ids = near;
            self.ids = far;
        } else {
            self.ids = 0..0;
        }
        if self.planned.is_multiple_of(2) {
            self.pace = (self.pace * 2).min(MOST_BLOCKS).min(harvest.most_blocks());
        }
        self.planned += 1;
        piece
    }

    fn is_within(&self, entry: &Entry) -> bool {
        self.ids.start <= entry.meta.first_id && entry.end() <= self.ids.end
    }

    /// Where the ids of a block end, in the order of the walk.
    fn edge(&self, entry: &Entry) -> u64 {
        match self.shared.order {
            Order::NewestFirst => entry.meta.first_id.max(self.ids.start),
            Order::OldestFirst => entry.end().min(self.ids.end),
        }
    }
}

fn coverage_of(meta: &BlockMeta, is_damaged: bool) -> Coverage {
    let records = u64::from(meta.count);
    Coverage {
        total: 0,
        covered: records,
        damaged: if is_damaged { records } else { 0 },
        received_us: Some((meta.min_received_us, meta.max_received_us)),
    }
}

/// Whether a block may hold a record of the time asked for.
pub(super) fn is_in_time(filter: &RecordFilter, entry: &Entry) -> bool {
    let is_late = |from| entry.meta.max_received_us >= from;
    let is_early = |to| entry.meta.min_received_us < to;
    !entry.is_sure || filter.from_us.is_none_or(is_late) && filter.to_us.is_none_or(is_early)
}
