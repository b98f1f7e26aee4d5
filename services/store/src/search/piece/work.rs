//! What is done with blocks beside the database: in turns, a few milliseconds at
//! a time.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::Arc,
};

use domain::Order;

use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout_at},
};

use super::super::{
    Harvest,
    walk::{Candidate, Shared},
};
use crate::{
    block::{Block, BlockError, Looks, Selection, UNREADABLE},
    catalog::Entry,
    db::block::Head,
    error::StoreError,
};

/// A block, and which of its rows are still wanted.
pub(super) struct Opened {
    pub(super) block: Arc<Block>,
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

/// The blocks that may hold a match, after a look at some slices of the filter
/// of each; a slice that is missing rules nothing out.
pub(super) fn look<H: Harvest>(
    shared: &Shared<H>,
    slices: &[usize],
    blocks: Vec<(Candidate, Looks)>,
    bits: &[Option<Vec<u8>>],
) -> Vec<(Candidate, Looks)> {
    let mut bits = bits.chunks(slices.len());
    let mut blocks = blocks;
    blocks.retain_mut(|(_, looks)| {
        let bits = bits.next().unwrap_or_default();
        let mut pairs = slices.iter().zip(bits);
        pairs.all(|(slice, bits)| match bits {
            Some(bits) => shared.plan.look(*slice, bits, looks),
            None => true,
        })
    });
    blocks
}

/// What a block is opened from.
pub(super) enum Source {
    /// It has been opened before.
    Cached(Arc<Block>),
    Head(Head),
}

/// Opens a block, and finds out which of its rows are wanted.
pub(super) fn open<H: Harvest>(
    shared: &Shared<H>,
    ids: &Range<u64>,
    entry: &Arc<Entry>,
    source: Source,
) -> Result<Opened, BlockError> {
    match source {
        Source::Cached(block) => {
            let selection = block.select(&shared.plan, ids.clone())?;
            Ok(Opened { block, selection })
        }
        Source::Head(head) => {
            let mut block = Block::open(&entry.meta, head.part0)?;
            if let Some(sketch) = head.sketch {
                block = block.with_sketch(&sketch);
            }
            let selection = block.select(&shared.plan, ids.clone())?;
            let has_sketch = shared.plan.wants_sketch();
            let block = shared
                .app
                .cache
                .keep(entry, block, has_sketch, Instant::now());
            Ok(Opened { block, selection })
        }
    }
}

/// Something to be looked at.
pub(super) struct Sight {
    /// Of which of the opened blocks.
    pub(super) place: usize,
    opened: Arc<Opened>,
    /// None when all of the block is taken without its texts.
    chunk: Option<usize>,
    /// How many of its rows pass, when that is known.
    passing: Option<usize>,
}

/// What a sight gave.
pub(super) struct Given<Y> {
    pub(super) place: usize,
    /// And up to which row it has been looked at.
    pub(super) outcome: Result<(Option<Y>, Option<u32>), BlockError>,
}

impl Sight {
    /// All that an opened block may give, in order.
    pub(super) fn all(place: usize, opened: Opened, order: Order, has_texts: bool) -> Vec<Self> {
        let opened = Arc::new(opened);
        let Opened { block, selection } = &*opened;
        let is_exact = selection.is_exact();
        let sight = |chunk: Option<usize>| Self {
            place,
            opened: Arc::clone(&opened),
            chunk,
            passing: chunk
                .filter(|_| is_exact)
                .map(|chunk| block.selected(chunk, selection)),
        };
        if selection.is_empty() {
            Vec::new()
        } else if is_exact && !has_texts {
            vec![sight(None)]
        } else {
            let chunks = block.chunks(selection, order);
            chunks.into_iter().map(|chunk| sight(Some(chunk))).collect()
        }
    }

    /// Whether all of the block is taken at once.
    pub(super) fn is_whole(&self) -> bool {
        self.chunk.is_none()
    }

    /// The part of the block that is needed.
    pub(super) fn part(&self) -> Option<usize> {
        self.opened.block.part_of(self.chunk?)
    }

    /// How many of these, from the front, give so many rows; none when the first
    /// one does not say. All that say it, when they give fewer.
    pub(super) fn enough(sights: &VecDeque<Self>, wanted: usize) -> Option<usize> {
        let mut left = wanted;
        let mut count = 0;
        for sight in sights {
            let Some(passing) = sight.passing.filter(|_| left > 0) else {
                break;
            };
            left = left.saturating_sub(passing);
            count += 1;
        }
        (count > 0).then_some(count)
    }

    fn take<H: Harvest>(
        &self,
        shared: &Shared<H>,
        part: Option<Vec<u8>>,
        wanted: &mut usize,
    ) -> Result<(Option<H::Yield>, Option<u32>), BlockError> {
        let Opened { block, selection } = &*self.opened;
        let Some(chunk) = self.chunk else {
            let given = shared.harvest.of_rows(block, None, &selection.rows())?;
            return Ok((Some(given), None));
        };
        let part = match block.part_of(chunk) {
            Some(_) => part.ok_or(UNREADABLE)?,
            None => Vec::new(),
        };
        let chunk = block.open_chunk(chunk, part)?;
        let rows = block.scan(&shared.plan, selection, &chunk, shared.order, *wanted)?;
        *wanted -= rows.len();
        let edge = match rows.last() {
            Some(row) if *wanted == 0 => *row,
            _ => chunk.far_row(shared.order),
        };
        let given = match rows.is_empty() {
            true => None,
            false => Some(shared.harvest.of_rows(block, Some(&chunk), &rows)?),
        };
        Ok((given, Some(edge)))
    }
}

/// What some sights give, until it is enough; nothing more of a block that turns
/// out to be damaged.
pub(super) fn take<H: Harvest>(
    shared: &Shared<H>,
    sights: Vec<Sight>,
    mut parts: HashMap<(u64, usize), Vec<u8>>,
    mut wanted: usize,
) -> Vec<Given<H::Yield>> {
    let mut given: Vec<Given<H::Yield>> = Vec::with_capacity(sights.len());
    for sight in sights {
        let place = sight.place;
        let is_damaged = given
            .last()
            .is_some_and(|last| last.place == place && last.outcome.is_err());
        if is_damaged {
            continue;
        }
        let first_id = sight.opened.block.first_id();
        let part = sight
            .part()
            .and_then(|part| parts.remove(&(first_id, part)));
        let outcome = sight.take(shared, part, &mut wanted);
        given.push(Given { place, outcome });
        if wanted == 0 {
            break;
        }
    }
    given
}
