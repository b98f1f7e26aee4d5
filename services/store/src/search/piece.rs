//! One piece of a walk: its blocks ruled out by their filters, then opened in
//! groups, then scanned chunk by chunk.

mod work;

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use domain::Order;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{
    Coverage, Harvest,
    walk::{Outcome, Piece, Shared},
};
use crate::{
    block::{BlockError, FILTER_MIN_RECORDS, Looks, UNREADABLE, Verdict},
    catalog::Entry,
    db::{self, Snapshot, block::Head, fault::is_damage},
    error::StoreError,
};
use work::{Opened, look, open, scan, turn};

/// A snapshot is given up after this long: it holds up the log.
const SNAPSHOT_TIME: Duration = Duration::from_millis(100);
/// Records of blocks that are opened together, at least and at most.
const OPENED_RECORDS: (usize, usize) = (1_024, 65_536);
/// Of how many blocks a slice of the filter is fetched at a time.
const LOOKED_BLOCKS: usize = 256;

/// Why a piece ends before its end.
enum Stop {
    /// There is enough.
    Full,
    /// This block is not as the catalog said.
    Changed(Arc<Entry>),
    Late,
}

/// A piece under way.
struct Run<H: Harvest> {
    shared: Arc<Shared<H>>,
    /// What has not been looked at.
    ids: Range<u64>,
    /// What its blocks add to the coverage once they have been looked at.
    blocks: VecDeque<(u64, Coverage)>,
    yields: Vec<H::Yield>,
    /// Blocks in which this run met damage: first ids and counts.
    damaged: Vec<(u64, u32)>,
    snapshot: Option<(Snapshot, Instant)>,
    /// It has had its time: those who have just come go first.
    is_patient: bool,
    permit: Option<OwnedSemaphorePermit>,
}

/// Does a piece.
pub(super) async fn run<H: Harvest>(
    shared: Arc<Shared<H>>,
    piece: Piece<H::Yield>,
    is_patient: bool,
) -> Result<Outcome<H::Yield>, StoreError> {
    let mut run = Run {
        shared,
        ids: piece.ids,
        blocks: piece.seen,
        yields: piece.yields,
        damaged: Vec::new(),
        snapshot: None,
        is_patient,
        permit: None,
    };
    let stop = match run.read(piece.blocks).await {
        Ok(stop) => stop,
        Err(StoreError::Late) => Some(Stop::Late),
        Err(error) => return Err(error),
    };
    if stop.is_none() {
        run.looked_at_all();
    }
    let rest = if stop.is_some() { run.ids } else { 0..0 };
    // Those in the rest are counted when it is planned again.
    let damaged = run.damaged.iter().filter(|(id, _)| !rest.contains(id));
    Ok(Outcome {
        yields: run.yields,
        damaged: damaged.map(|(_, count)| u64::from(*count)).sum(),
        rest,
        is_late: matches!(stop, Some(Stop::Late)),
        changed: match stop {
            Some(Stop::Changed(entry)) => Some(entry),
            _ => None,
        },
    })
}

impl<H: Harvest> Run<H> {
    async fn read(
        &mut self,
        blocks: Vec<(Arc<Entry>, Verdict)>,
    ) -> Result<Option<Stop>, StoreError> {
        let mut rest = self.prune(blocks).await?.into_iter().peekable();
        let (mut least, mut most) = OPENED_RECORDS;
        while rest.peek().is_some() {
            if Instant::now() >= self.shared.deadline {
                return Ok(Some(Stop::Late));
            }
            let wanted = self.shared.harvest.wanted(&self.yields);
            if wanted == 0 {
                return Ok(Some(Stop::Full));
            }
            let enough = wanted.saturating_mul(4).clamp(least, most);
            let started = Instant::now();
            let before = self.yields.len();
            let mut group = Vec::new();
            let mut records = 0;
            while let Some(entry) = rest.next_if(|_| records < enough) {
                records += entry.meta.count as usize;
                group.push(entry);
            }
            if let Some(stop) = self.group(group).await? {
                return Ok(Some(stop));
            }
            if started.elapsed() > SNAPSHOT_TIME {
                // The view is kept for a whole group.
                most = (records / 2).max(OPENED_RECORDS.0);
            }
            // Matches are rare: a hand-over should pay.
            let gained = wanted - self.shared.harvest.wanted(&self.yields);
            if self.yields.len() == before || gained < wanted / 8 {
                least *= 2;
            }
            least = least.min(most);
        }
        Ok(None)
    }

    /// Leaves out the blocks whose filter lacks what every match has.
    async fn prune(
        &mut self,
        blocks: Vec<(Arc<Entry>, Verdict)>,
    ) -> Result<Vec<Arc<Entry>>, StoreError> {
        let shared = Arc::clone(&self.shared);
        let mut kept = Vec::with_capacity(blocks.len());
        let mut open: Vec<(Arc<Entry>, Looks)> = Vec::new();
        for (entry, verdict) in blocks {
            let has_filter = entry.meta.count as usize >= FILTER_MIN_RECORDS;
            match verdict {
                Verdict::Something if has_filter => open.push((entry, Looks::default())),
                _ => kept.push(entry),
            }
        }
        for slice in shared.plan.slices().iter().copied() {
            let mut left = Vec::with_capacity(open.len());
            while !open.is_empty() {
                let some: Vec<_> = open.drain(..open.len().min(LOOKED_BLOCKS)).collect();
                let first_ids = some.iter().map(|(entry, _)| entry.meta.first_id);
                let snapshot = self.snapshot().await?;
                let bits = match db::block::slices(snapshot.conn(), first_ids, slice).await {
                    // What cannot be read rules nothing out.
                    Err(error) if is_damage(&error) => HashMap::new(),
                    bits => bits?,
                };
                let shared = Arc::clone(&self.shared);
                left.extend(
                    self.shared
                        .app
                        .workers
                        .run(move || look(&shared, slice, some, &bits))
                        .await?,
                );
            }
            open = left;
            if open.is_empty() {
                break;
            }
        }
        kept.extend(open.into_iter().map(|(entry, _)| entry));
        kept.sort_unstable_by_key(|entry| entry.meta.first_id);
        if shared.order == Order::NewestFirst {
            kept.reverse();
        }
        Ok(kept)
    }

    /// Opens blocks that follow each other, and takes what they give.
    async fn group(&mut self, group: Vec<Arc<Entry>>) -> Result<Option<Stop>, StoreError> {
        let mut heads = self.heads(&group).await?;
        let mut found = Vec::with_capacity(group.len());
        let mut changed = None;
        for entry in group {
            match heads.remove(&entry.meta.first_id) {
                Some(head) if head.count == entry.meta.count => found.push((entry, head)),
                _ if entry.is_damaged() => {}
                _ => {
                    changed = Some(entry);
                    break;
                }
            }
        }
        let shared = Arc::clone(&self.shared);
        let ids = self.ids.clone();
        let opened = self
            .shared
            .app
            .workers
            .run(move || {
                let open = |(entry, head): (Arc<Entry>, Head)| {
                    let opened = open(&shared, &ids, &entry, head);
                    (entry, opened)
                };
                found.into_iter().map(open).collect::<Vec<_>>()
            })
            .await?;
        for (place, (entry, opened)) in opened.into_iter().enumerate() {
            // However short the time is, each group comes one block further.
            if place > 0 && Instant::now() >= self.shared.deadline {
                return Ok(Some(Stop::Late));
            }
            match opened {
                Ok(opened) if opened.selection.is_empty() => {}
                Ok(opened) => {
                    if let Some(stop) = self.block(&entry, opened).await? {
                        return Ok(Some(stop));
                    }
                }
                Err(error) => self.damaged(&entry, &error),
            }
            self.looked_at(&entry);
        }
        Ok(changed.map(Stop::Changed))
    }

    /// Part 0 of some blocks, as far as they are there and can be read.
    async fn heads(&mut self, group: &[Arc<Entry>]) -> Result<HashMap<u64, Head>, StoreError> {
        let with_sketch = self.shared.plan.wants_sketch();
        let first_ids = group.iter().map(|entry| entry.meta.first_id);
        let snapshot = self.snapshot().await?;
        match db::block::heads(snapshot.conn(), first_ids, with_sketch).await {
            Err(error) if is_damage(&error) => {}
            heads => return Ok(heads?),
        }
        let mut heads = HashMap::new();
        for entry in group {
            let first_id = std::iter::once(entry.meta.first_id);
            match db::block::heads(self.held_snapshot()?.conn(), first_id, with_sketch).await {
                Err(error) if is_damage(&error) => self.damaged(entry, &UNREADABLE),
                head => heads.extend(head?),
            }
        }
        Ok(heads)
    }

    /// Takes what one block gives.
    async fn block(
        &mut self,
        entry: &Arc<Entry>,
        opened: Opened,
    ) -> Result<Option<Stop>, StoreError> {
        let opened = Arc::new(opened);
        if opened.selection.is_exact() && !self.shared.harvest.needs_chunks(&opened.block) {
            let (shared, from) = (Arc::clone(&self.shared), Arc::clone(&opened));
            let given = self.shared.app.workers.run(move || {
                shared
                    .harvest
                    .of_rows(&from.block, None, &from.selection.rows())
            });
            match given.await? {
                Ok(given) => self.yields.push(given),
                Err(error) => self.damaged(entry, &error),
            }
            return Ok(None);
        }
        let chunks = opened.block.chunks(&opened.selection, self.shared.order);
        let mut rest = &chunks[..];
        // Where every row left passes, it is known how many chunks are enough. Else
        // one often is; who wants more gets more at a time.
        let is_exact = opened.selection.is_exact();
        let mut some = 1;
        while !rest.is_empty() {
            let wanted = self.shared.harvest.wanted(&self.yields);
            if wanted == usize::MAX {
                some = rest.len();
            } else if is_exact {
                some = opened.block.chunks_with(rest, &opened.selection, wanted);
            }
            let (now, later) = rest.split_at(some.min(rest.len()));
            rest = later;
            some *= 2;
            let numbers = now.iter().filter_map(|chunk| opened.block.part_of(*chunk));
            let parts = match opened.block.has_chunks() {
                true => {
                    let first_id = entry.meta.first_id;
                    let conn = self.held_snapshot()?.conn();
                    match db::block::some_parts(conn, first_id, numbers).await {
                        Err(error) if is_damage(&error) => {
                            self.damaged(entry, &UNREADABLE);
                            return Ok(None);
                        }
                        parts => parts?,
                    }
                }
                false => HashMap::new(),
            };
            let (shared, from) = (Arc::clone(&self.shared), Arc::clone(&opened));
            let now = now.to_vec();
            let given = self
                .shared
                .app
                .workers
                .run(move || scan(&shared, &from, &now, parts, wanted));
            match given.await? {
                Ok((given, edge)) => {
                    self.yields.extend(given);
                    self.looked_at_row(entry, edge);
                    // Not even the last chunk need have been scanned to its end.
                    if self.shared.harvest.wanted(&self.yields) == 0 {
                        return Ok(Some(Stop::Full));
                    }
                }
                Err(error) => {
                    self.damaged(entry, &error);
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// The view of the database, a fresh one when it has become old.
    async fn snapshot(&mut self) -> Result<&mut Snapshot, StoreError> {
        let is_old = |since: &Instant| since.elapsed() >= SNAPSHOT_TIME;
        if self
            .snapshot
            .as_ref()
            .is_none_or(|(_, since)| is_old(since))
        {
            self.is_patient |= self.snapshot.take().is_some();
            self.permit = None;
            if self.is_patient {
                self.permit = Some(turn(&self.shared).await?);
            }
            let snapshot = self
                .shared
                .app
                .readers
                .snapshot(self.shared.deadline)
                .await?;
            self.snapshot = Some((snapshot, Instant::now()));
        }
        self.held_snapshot()
    }

    /// The same view as before.
    fn held_snapshot(&mut self) -> Result<&mut Snapshot, StoreError> {
        let held = self.snapshot.as_mut().map(|(snapshot, _)| snapshot);
        held.ok_or(StoreError::Unavailable("reading failed"))
    }

    /// A damaged block is left out; the others stay readable.
    fn damaged(&mut self, entry: &Entry, error: &BlockError) {
        self.damaged.push((entry.meta.first_id, entry.meta.count));
        self.shared.app.metrics.set_aside(entry, error);
    }

    /// All ids up to the end of this block have been looked at.
    fn looked_at(&mut self, entry: &Entry) {
        match self.shared.order {
            Order::NewestFirst => self.ids.end = self.ids.end.min(entry.meta.first_id),
            Order::OldestFirst => self.ids.start = self.ids.start.max(entry.end()),
        }
        let is_behind = |edge: u64| match self.shared.order {
            Order::NewestFirst => edge >= self.ids.end,
            Order::OldestFirst => edge <= self.ids.start,
        };
        let count = self.blocks.partition_point(|(edge, _)| is_behind(*edge));
        self.shared.cover(self.blocks.drain(..count));
    }

    /// Nothing is left.
    fn looked_at_all(&mut self) {
        self.shared.cover(self.blocks.drain(..));
    }

    /// All ids up to this row have been looked at.
    fn looked_at_row(&mut self, entry: &Entry, row: u32) {
        let id = entry.meta.first_id + u64::from(row);
        match self.shared.order {
            Order::NewestFirst => self.ids.end = self.ids.end.min(id),
            Order::OldestFirst => self.ids.start = self.ids.start.max(id + 1),
        }
    }
}
