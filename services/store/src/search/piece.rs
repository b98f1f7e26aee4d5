//! One piece of a walk: its blocks ruled out by their filters, then opened in
//! groups, then scanned chunk by chunk.

mod work;

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use domain::Order;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{
    Coverage, Harvest,
    walk::{Candidate, Outcome, Piece, Shared},
};
use crate::{
    block::{Block, BlockError, FILTER_MIN_RECORDS, Looks, UNREADABLE, Verdict},
    catalog::Entry,
    db::{self, Snapshot, block::Head, fault::is_damage},
    error::StoreError,
};
use work::{Given, Opened, Sight, Source, look, open, take, turn};

/// A snapshot is given up after this long: it holds up the log.
const SNAPSHOT_TIME: Duration = Duration::from_millis(100);
/// Records of blocks that are opened together, at least and at most.
const OPENED_RECORDS: (usize, usize) = (1_024, 65_536);
/// Blocks that are opened together at most, and how many times more than it can
/// give a block counts at least.
const OPENED_BLOCKS: usize = 16;
const SLACK: usize = 8;
/// Chunks that are read together at most.
const TAKEN_CHUNKS: usize = 16;
/// Blocks that are taken together at most, where all of them is wanted.
const TAKEN_BLOCKS: usize = 4;

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
    async fn read(&mut self, blocks: Vec<Candidate>) -> Result<Option<Stop>, StoreError> {
        let mut rest = self.prune(blocks).await?.into_iter().peekable();
        let (least, mut most) = OPENED_RECORDS;
        let mut least = self.shared.stride.load(Relaxed).max(least);
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
            while group.len() < OPENED_BLOCKS
                && let Some(block) = rest.next_if(|_| records < enough)
            {
                let count = block.entry.meta.count as usize;
                records += count.min(block.most as usize * SLACK);
                group.push(block.entry);
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
            self.shared.stride.store(least, Relaxed);
        }
        Ok(None)
    }

    /// Leaves out the blocks whose filter lacks what every match has.
    async fn prune(&mut self, blocks: Vec<Candidate>) -> Result<Vec<Candidate>, StoreError> {
        let mut kept = Vec::with_capacity(blocks.len());
        let mut open: Vec<(Candidate, Looks)> = Vec::new();
        for block in blocks {
            let has_filter = block.entry.meta.count as usize >= FILTER_MIN_RECORDS;
            match block.verdict {
                Verdict::Something if has_filter => open.push((block, Looks::default())),
                _ => kept.push(block),
            }
        }
        let slices = self.shared.plan.slices().to_vec();
        let mut slices = &slices[..];
        while !open.is_empty() && !slices.is_empty() {
            // Few blocks are asked for all that is left at once.
            let together = (db::block::SLICES_AT_ONCE / open.len()).clamp(1, slices.len());
            let (now, later) = slices.split_at(together);
            slices = later;
            let mut left = Vec::with_capacity(open.len());
            while !open.is_empty() {
                let count = open.len().min(db::block::SLICES_AT_ONCE / together);
                let some: Vec<_> = open.drain(..count).collect();
                let mut keys = Vec::with_capacity(some.len() * together);
                for (block, _) in &some {
                    keys.extend(now.iter().map(|slice| (block.entry.meta.first_id, *slice)));
                }
                let snapshot = self.snapshot().await?;
                let bits = match db::block::slices(snapshot.conn(), &keys).await {
                    // What cannot be read rules nothing out.
                    Err(error) if is_damage(&error) => Vec::new(),
                    bits => bits?,
                };
                left.extend(look(&self.shared, now, some, &bits));
            }
            open = left;
        }
        kept.extend(open.into_iter().map(|(block, _)| block));
        kept.sort_unstable_by_key(|block| block.entry.meta.first_id);
        if self.shared.order == Order::NewestFirst {
            kept.reverse();
        }
        Ok(kept)
    }

    /// Opens blocks that follow each other, and takes what they give.
    async fn group(&mut self, group: Vec<Arc<Entry>>) -> Result<Option<Stop>, StoreError> {
        let with_sketch = self.shared.plan.wants_sketch();
        let now = Instant::now();
        let (mut cached, mut others) = (HashMap::new(), Vec::new());
        for entry in &group {
            match self.shared.app.cache.get(entry, with_sketch, now) {
                Some(block) => _ = cached.insert(entry.meta.first_id, block),
                None => others.push(Arc::clone(entry)),
            }
        }
        self.shared.app.metrics.cache(cached.len(), others.len());
        let counts = self.counts(&cached).await?;
        let mut heads = match others.is_empty() {
            true => HashMap::new(),
            false => self.heads(&others).await?,
        };
        let mut found = Vec::with_capacity(group.len());
        let mut changed = None;
        for entry in group {
            let first_id = entry.meta.first_id;
            let is_as_told = |count: &u32| *count == entry.meta.count;
            let cached = cached.remove(&first_id);
            let cached = cached.filter(|_| counts.get(&first_id).is_some_and(is_as_told));
            let head = heads.remove(&first_id);
            let source = match (cached, head.filter(|head| is_as_told(&head.count))) {
                (Some(block), _) => Source::Cached(block),
                (None, Some(head)) => Source::Head(head),
                (None, None) if entry.is_damaged() => continue,
                (None, None) => {
                    changed = Some(entry);
                    break;
                }
            };
            found.push((entry, source));
        }
        let shared = Arc::clone(&self.shared);
        let ids = self.ids.clone();
        let opened = self
            .shared
            .app
            .workers
            .run(move || {
                let open = |(entry, source): (Arc<Entry>, Source)| {
                    let opened = open(&shared, &ids, &entry, source);
                    (entry, opened)
                };
                found.into_iter().map(open).collect::<Vec<_>>()
            })
            .await?;
        let stop = self.take(opened).await?;
        Ok(stop.or(changed.map(Stop::Changed)))
    }

    /// Takes what opened blocks give, some chunks at a time.
    async fn take(
        &mut self,
        opened: Vec<(Arc<Entry>, Result<Opened, BlockError>)>,
    ) -> Result<Option<Stop>, StoreError> {
        let mut sights = VecDeque::new();
        let mut entries = Vec::with_capacity(opened.len());
        for (entry, opened) in opened {
            match opened {
                Ok(opened) => {
                    let has_texts = self.shared.harvest.needs_chunks(&opened.block);
                    sights.extend(Sight::all(
                        entries.len(),
                        opened,
                        self.shared.order,
                        has_texts,
                    ));
                }
                Err(error) => self.damaged(&entry, &error),
            }
            entries.push(entry);
        }
        let mut some = 1;
        let mut is_first = true;
        while let Some(first) = sights.front() {
            // However short the time is, each group comes some chunks further.
            if !std::mem::take(&mut is_first) && Instant::now() >= self.shared.deadline {
                return Ok(Some(Stop::Late));
            }
            for entry in &entries[..first.place] {
                self.looked_at(entry);
            }
            let wanted = self.shared.harvest.wanted(&self.yields);
            let count = match wanted {
                usize::MAX if first.is_whole() => TAKEN_BLOCKS,
                usize::MAX => TAKEN_CHUNKS,
                // Where every row left passes, it is known how many are enough.
                // Else one often is; who wants more gets more at a time.
                wanted => Sight::enough(&sights, wanted).unwrap_or(some),
            };
            some *= 2;
            let now: Vec<Sight> = sights
                .drain(..sights.len().min(count.min(TAKEN_CHUNKS)))
                .collect();
            let parts = self.parts(&entries, &now).await?;
            let shared = Arc::clone(&self.shared);
            let work = move || take(&shared, now, parts, wanted);
            for given in self.shared.app.workers.run(work).await? {
                let Given { place, outcome } = given;
                match outcome {
                    Ok((yields, edge)) => {
                        self.yields.extend(yields);
                        for entry in &entries[..place] {
                            self.looked_at(entry);
                        }
                        if let Some(edge) = edge {
                            self.looked_at_row(&entries[place], edge);
                        }
                    }
                    Err(error) => {
                        self.damaged(&entries[place], &error);
                        sights.retain(|sight| sight.place != place);
                    }
                }
            }
            // Not even the last chunk need have been scanned to its end.
            if self.shared.harvest.wanted(&self.yields) == 0 {
                return Ok(Some(Stop::Full));
            }
        }
        entries.iter().for_each(|entry| self.looked_at(entry));
        Ok(None)
    }

    /// The parts of some chunks, as far as they can be read; by the place of
    /// their block and their number.
    async fn parts(
        &mut self,
        entries: &[Arc<Entry>],
        sights: &[Sight],
    ) -> Result<HashMap<(u64, usize), Vec<u8>>, StoreError> {
        let keys = |sights: &[Sight]| -> Vec<(u64, usize)> {
            let key = |sight: &Sight| Some((entries[sight.place].meta.first_id, sight.part()?));
            sights.iter().filter_map(key).collect()
        };
        let all = keys(sights);
        if all.is_empty() {
            return Ok(HashMap::new());
        }
        let conn = self.held_snapshot()?.conn();
        match db::block::some_parts(conn, &all).await {
            Err(error) if is_damage(&error) => {}
            parts => return Ok(parts?),
        }
        let mut parts = HashMap::new();
        for key in all {
            match db::block::some_parts(self.held_snapshot()?.conn(), &[key]).await {
                // It will be missed.
                Err(error) if is_damage(&error) => {}
                part => parts.extend(part?),
            }
        }
        Ok(parts)
    }

    /// How many records the database says that some blocks have, as far as they are
    /// there and it can be read.
    async fn counts(
        &mut self,
        blocks: &HashMap<u64, Arc<Block>>,
    ) -> Result<HashMap<u64, u32>, StoreError> {
        if blocks.is_empty() {
            return Ok(HashMap::new());
        }
        let snapshot = self.snapshot().await?;
        match db::block::counts(snapshot.conn(), blocks.keys().copied()).await {
            Err(error) if is_damage(&error) => Ok(HashMap::new()),
            counts => Ok(counts?),
        }
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
