//! Opened blocks that are asked again and again: whoever refines a query, pages that look at
//! the same hours, a thousand rules over the same records. A block never changes, so what
//! has been opened stays true; whether it is still there is for who reads to ask.
//!
//! A walk over everything must not push out what others use. So a block is kept when it is
//! opened for the second time, and takes the place only of blocks that nobody has asked
//! for a while. What has not been used for a minute is let go of.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::Instant;

use crate::{block::Block, catalog::Entry};

/// Who has been used within this time keeps its place.
const IN_USE: Duration = Duration::from_secs(1);
/// Who has not been used for this long is let go of.
const UNUSED: Duration = Duration::from_mins(1);

/// The cache. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct BlockCache {
    kept: Arc<Mutex<Kept>>,
    /// Bytes of all blocks together, at most.
    limit: usize,
}

#[derive(Debug, Default)]
struct Kept {
    /// By first id.
    items: HashMap<u64, Item>,
    /// Of all of them.
    bytes: usize,
    /// When room was made last.
    made_room: Option<Instant>,
}

#[derive(Debug)]
struct Item {
    entry: Arc<Entry>,
    block: Arc<Block>,
    /// Its sketch has been looked for.
    has_sketch: bool,
    bytes: usize,
    used: Instant,
}

impl BlockCache {
    /// One that keeps at most so many bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            kept: Arc::default(),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        }
    }

    /// A block as it was opened before; where it is wanted, with its sketch.
    pub(crate) fn get(
        &self,
        entry: &Arc<Entry>,
        with_sketch: bool,
        now: Instant,
    ) -> Option<Arc<Block>> {
        let mut kept = self.lock();
        let item = kept.items.get_mut(&entry.meta.first_id)?;
        if !Arc::ptr_eq(&item.entry, entry) || with_sketch && !item.has_sketch {
            return None;
        }
        item.used = now;
        let block = Arc::clone(&item.block);
        // Columns have been opened since.
        let before = std::mem::replace(&mut item.bytes, block.bytes());
        let after = item.bytes;
        kept.bytes = kept.bytes - before + after;
        if kept.bytes > self.limit {
            kept.remove(entry.meta.first_id);
        }
        Some(block)
    }

    /// Gives an opened block back for use, and keeps it when there is room.
    pub(crate) fn keep(
        &self,
        entry: &Arc<Entry>,
        block: Block,
        has_sketch: bool,
        now: Instant,
    ) -> Arc<Block> {
        if !entry.set_opened() {
            // For now the sketch has done its work, and takes room.
            return Arc::new(block.without_sketch());
        }
        let bytes = block.bytes();
        let mut kept = self.lock();
        kept.remove(entry.meta.first_id);
        kept.make_room(now, self.limit.saturating_sub(bytes));
        if kept.bytes + bytes > self.limit {
            return Arc::new(block.without_sketch());
        }
        let block = Arc::new(block);
        let item = Item {
            entry: Arc::clone(entry),
            block: Arc::clone(&block),
            has_sketch,
            bytes,
            used: now,
        };
        kept.bytes += bytes;
        kept.items.insert(entry.meta.first_id, item);
        block
    }

    /// Lets go of what nobody has used for long.
    pub(crate) fn tidy(&self, now: Instant) {
        self.lock().let_go(now, UNUSED);
    }

    /// Bytes of all blocks in it.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        let kept = self.kept.lock();
        kept.expect("nothing panics while it holds this lock")
    }
}

impl Kept {
    /// Lets go of what is not in use, if more than so many bytes are kept.
    fn make_room(&mut self, now: Instant, most: usize) {
        let is_soon = |made_room: Instant| now.duration_since(made_room) < IN_USE / 4;
        if self.bytes > most && !self.made_room.is_some_and(is_soon) {
            self.made_room = Some(now);
            self.let_go(now, IN_USE);
        }
    }

    fn let_go(&mut self, now: Instant, unused: Duration) {
        self.items
            .retain(|_, item| now.duration_since(item.used) < unused);
        self.bytes = self.items.values().map(|item| item.bytes).sum();
    }

    fn remove(&mut self, first_id: u64) {
        if let Some(item) = self.items.remove(&first_id) {
            self.bytes -= item.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{Order, Record};
    use tokio::time::Instant;

    use super::{BlockCache, IN_USE, UNUSED};
    use crate::{
        block::{Block, Effort, EncodedBlock, encode},
        catalog::{Catalog, Change, Entry},
    };

    /// Some blocks of the same size, and what the catalog knows of them.
    fn blocks(count: u64) -> (Catalog, Vec<(Arc<Entry>, EncodedBlock)>) {
        let encoded: Vec<EncodedBlock> = (0..count)
            .map(|number| {
                let record = |id| Record {
                    id,
                    message: format!("line {id}"),
                    ..Record::default()
                };
                let ids = 1 + number * 50..51 + number * 50;
                let records: Vec<Record> = ids.map(record).collect();
                encode(1 + number * 50, &records, Effort::Tight)
            })
            .collect();
        let catalog = Catalog::new();
        catalog.apply(Change {
            removed: Vec::new(),
            added: encoded
                .iter()
                .map(|block| (block.meta.clone(), block.facets.clone()))
                .collect(),
        });
        let view = catalog.view();
        let entries: Vec<Arc<Entry>> = view
            .blocks(&(0..u64::MAX), Order::OldestFirst)
            .cloned()
            .collect();
        drop(view);
        (catalog, entries.into_iter().zip(encoded).collect())
    }

    fn open(block: &EncodedBlock) -> Block {
        Block::open(&block.meta, block.parts[0].clone()).unwrap()
    }

    /// Opens a block as a walk does; whether that was done before.
    fn is_cached(
        cache: &BlockCache,
        (entry, block): &(Arc<Entry>, EncodedBlock),
        now: Instant,
    ) -> bool {
        let cached = cache.get(entry, false, now);
        if cached.is_none() {
            cache.keep(entry, open(block), false, now);
        }
        cached.is_some()
    }

    #[test]
    fn what_is_opened_twice_is_kept() {
        let ((_, blocks), now) = (blocks(1), Instant::now());
        let cache = BlockCache::new(1 << 20);
        let seen: Vec<bool> = (0..4).map(|_| is_cached(&cache, &blocks[0], now)).collect();
        assert_eq!(seen, [false, false, true, true]);
        assert!(cache.bytes() > 0);
        // Nobody has looked for its sketch.
        assert!(cache.get(&blocks[0].0, true, now).is_none());
        cache.keep(&blocks[0].0, open(&blocks[0].1), true, now);
        assert!(cache.get(&blocks[0].0, true, now).is_some());
        let now = now + UNUSED;
        cache.tidy(now);
        assert_eq!(cache.bytes(), 0);
        assert!(!is_cached(&cache, &blocks[0], now));
    }

    #[test]
    fn who_is_in_use_keeps_its_place() {
        let ((_, blocks), now) = (blocks(3), Instant::now());
        let room = 2 * open(&blocks[0].1).bytes() + 100;
        let cache = BlockCache::new(room as u64);
        let all = |expected: [bool; 3]| {
            let seen: Vec<bool> = blocks
                .iter()
                .map(|block| is_cached(&cache, block, now))
                .collect();
            assert_eq!(seen, expected);
            assert!(cache.bytes() <= room);
        };
        all([false; 3]);
        all([false; 3]);
        all([true, true, false]);
        let now = now + IN_USE / 2;
        assert!(is_cached(&cache, &blocks[1], now));
        let now = now + IN_USE / 2;
        // Nobody has asked for the first one since.
        assert!(!is_cached(&cache, &blocks[2], now));
        assert!(is_cached(&cache, &blocks[2], now));
        assert!(is_cached(&cache, &blocks[1], now));
        assert!(!is_cached(&cache, &blocks[0], now));
    }

    #[test]
    fn another_block_of_the_same_ids_is_another() {
        let ((catalog, blocks), now) = (blocks(1), Instant::now());
        let cache = BlockCache::new(1 << 20);
        is_cached(&cache, &blocks[0], now);
        is_cached(&cache, &blocks[0], now);
        let meta = blocks[0].1.meta.clone();
        catalog.apply(Change {
            removed: vec![(meta.first_id, meta.count)],
            added: vec![(meta, blocks[0].1.facets.clone())],
        });
        let newer = catalog.find(1, 50).unwrap();
        assert!(cache.get(&newer, false, now).is_none());
    }

    #[test]
    fn columns_opened_since_count() {
        let ((_, blocks), now) = (blocks(1), Instant::now());
        let (entry, block) = &blocks[0];
        let cache = BlockCache::new(open(block).bytes() as u64);
        is_cached(&cache, &blocks[0], now);
        is_cached(&cache, &blocks[0], now);
        let cached = cache.get(entry, false, now).unwrap();
        let chunk = cached.open_chunk(0, block.parts.get(1).cloned().unwrap_or_default());
        cached.records(&chunk.unwrap(), &[0, 49]).unwrap();
        // It is given once more, and has become too large to be kept.
        assert!(cache.get(entry, false, now).is_some());
        assert_eq!(cache.bytes(), 0);
        assert!(cache.get(entry, false, now).is_none());
    }
}
