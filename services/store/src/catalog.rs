//! What is known of every block without reading any: kept in memory, brought
//! up to date by the writer right after each of its commits.
//!
//! Who searches looks here first and opens its snapshot of the database after
//! that. So a snapshot is never older than what the catalog said, and a block
//! that is not in the snapshot any more has been merged or removed since:
//! look again.

mod symbols;

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use domain::Order;
use tokio::sync::watch;

use crate::block::{BlockMeta, FACET_FIELDS, Facets, MAX_RECORDS, Source};
pub(crate) use symbols::Symbols;

/// All blocks. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    blocks: RwLock<Blocks>,
    /// Id of the newest record that can be read.
    newest_id: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Blocks {
    entries: BTreeMap<u64, Arc<Entry>>,
    symbols: Symbols,
    /// How many sources all entries have together.
    sources: usize,
}

/// Of so many sources, 32 MiB, the catalog keeps count; where the records of
/// further blocks come from is read from these.
const MAX_SOURCES: usize = 1 << 20;

/// One block.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) meta: BlockMeta,
    /// By place in [`FACET_FIELDS`].
    pub(crate) values: Values,
    /// Where its records come from: systems and sub systems are symbols of the
    /// fields at [`SYSTEM`] and [`SUB_SYSTEM`]; none when that is not known.
    pub(crate) sources: Option<Box<[Source]>>,
    /// The summary is what was written: it may rule the block out.
    pub(crate) is_sure: bool,
    damaged: AtomicBool,
    opened: AtomicBool,
}

/// The place of `system_id` in [`FACET_FIELDS`].
pub(crate) const SYSTEM: usize = 0;
/// The place of `sub_system_id` in [`FACET_FIELDS`].
pub(crate) const SUB_SYSTEM: usize = 1;

/// The catalog at one moment.
#[derive(Debug)]
pub(crate) struct View<'a> {
    blocks: RwLockReadGuard<'a, Blocks>,
}

impl View<'_> {
    /// The blocks that hold an id of the range, in this order.
    pub(crate) fn blocks(
        &self,
        ids: &Range<u64>,
        order: Order,
    ) -> Box<dyn Iterator<Item = &Arc<Entry>> + '_> {
        if ids.is_empty() {
            return Box::new(std::iter::empty());
        }
        let entries = &self.blocks.entries;
        let before = entries.range(..ids.start).next_back();
        let before = before.filter(|(_, entry)| entry.end() > ids.start);
        let before = before.into_iter().map(|(_, entry)| entry);
        let within = entries.range(ids.clone()).map(|(_, entry)| entry);
        match order {
            Order::OldestFirst => Box::new(before.chain(within)),
            Order::NewestFirst => Box::new(within.rev().chain(before)),
        }
    }

    /// What their values are called.
    pub(crate) fn symbols(&self) -> &Symbols {
        &self.blocks.symbols
    }
}

/// Symbols of a field's values, rising, and how many records have each.
pub(crate) type SymbolCounts = Box<[(u32, u32)]>;
/// Of each field; none when they are not known.
type Values = [Option<SymbolCounts>; FACET_FIELDS.len()];

/// What a transaction of the writer did to blocks.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// First ids and counts of those that are gone.
    pub(crate) removed: Vec<(u64, u32)>,
    /// Those that are new.
    pub(crate) added: Vec<(BlockMeta, Facets)>,
}

impl Entry {
    /// The first id behind it.
    pub(crate) fn end(&self) -> u64 {
        self.meta.first_id + u64::from(self.meta.count)
    }

    /// Whether somebody has met damage in it: it is left out of answers.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Sets it aside; false when it had been already.
    pub(crate) fn set_damaged(&self) -> bool {
        !self.damaged.swap(true, Ordering::Relaxed)
    }

    /// Somebody opens it; false for the first one.
    pub(crate) fn set_opened(&self) -> bool {
        self.opened.swap(true, Ordering::Relaxed)
    }

    fn source_count(&self) -> usize {
        self.sources.as_deref().map_or(0, <[_]>::len)
    }

    /// Whether a record of it may come from a system and a sub system; symbols
    /// are none for values that no block has.
    pub(crate) fn may_come_from(&self, system: Option<u32>, sub_system: Option<u32>) -> bool {
        let Some(sources) = &self.sources else {
            return true;
        };
        let is_it = |source: &Source| {
            (Some(source.system), Some(source.sub_system)) == (system, sub_system)
        };
        sources.iter().any(is_it)
    }

    /// How many of its records have a value, if that is known.
    pub(crate) fn count_of(&self, field: usize, symbol: Option<u32>) -> Option<u32> {
        let values = self.values[field].as_deref()?;
        let found = symbol.and_then(|symbol| {
            let place = values.binary_search_by_key(&symbol, |(symbol, _)| *symbol);
            place.ok().map(|place| values[place].1)
        });
        Some(found.unwrap_or(0))
    }
}

impl Catalog {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                blocks: RwLock::default(),
                newest_id: watch::Sender::new(0),
            }),
        }
    }

    /// Takes over what the database holds, by rising id. Gives those that
    /// cannot be what was written; whoever searches will not read them.
    pub(crate) fn replace(&self, blocks: Vec<(BlockMeta, Option<Facets>)>) -> Vec<Arc<Entry>> {
        let mut fresh = Blocks::default();
        let mut impossible = Vec::new();
        let mut rest = blocks.into_iter().peekable();
        while let Some((mut meta, facets)) = rest.next() {
            let room = rest.peek().map_or(u64::MAX, |(next, _)| next.first_id) - meta.first_id;
            let most = room.min(MAX_RECORDS as u64) as u32;
            let is_possible = (1..=most).contains(&meta.count);
            meta.count = meta.count.clamp(1, most);
            let entry = fresh.add(meta, facets);
            if !is_possible {
                impossible.push(entry);
            }
        }
        let mut blocks = self.write();
        for (first_id, entry) in &fresh.entries {
            let known = blocks.entries.get(first_id);
            if known.is_some_and(|known| known.meta == entry.meta && known.is_damaged()) {
                entry.set_damaged();
            }
        }
        *blocks = fresh;
        let newest_id = blocks.newest_id();
        drop(blocks);
        self.shared.newest_id.send_replace(newest_id);
        impossible
    }

    /// The block that has these, if there is one.
    pub(crate) fn find(&self, first_id: u64, count: u32) -> Option<Arc<Entry>> {
        let blocks = self.read();
        let entry = blocks.entries.get(&first_id);
        entry.filter(|entry| entry.meta.count == count).cloned()
    }

    /// Takes over what a transaction did.
    pub(crate) fn apply(&self, change: Change) {
        let mut blocks = self.write();
        for (first_id, count) in change.removed {
            if let Some(entry) = blocks.entries.get(&first_id)
                && entry.meta.count == count
            {
                blocks.remove(first_id);
            }
        }
        let mut newest_id = 0;
        for (meta, facets) in change.added {
            newest_id = meta.first_id + u64::from(meta.count) - 1;
            blocks.add(meta, Some(facets));
        }
        if blocks.symbols.is_crowded() {
            blocks.tidy_symbols();
        }
        drop(blocks);
        self.shared.newest_id.send_if_modified(|known| {
            let is_newer = newest_id > *known;
            *known = newest_id.max(*known);
            is_newer
        });
    }

    /// What is known now. Nothing changes while somebody looks, and the writer
    /// waits: symbols mean the same throughout, but not afterwards.
    pub(crate) fn view(&self) -> View<'_> {
        View {
            blocks: self.read(),
        }
    }

    /// How many blocks have been set aside.
    pub(crate) fn damaged_blocks(&self) -> u64 {
        let blocks = self.read();
        let damaged = blocks.entries.values().filter(|entry| entry.is_damaged());
        damaged.count() as u64
    }

    /// Id of the newest record that can be read, and word of newer ones.
    pub(crate) fn newest_id(&self) -> watch::Receiver<u64> {
        self.shared.newest_id.subscribe()
    }

    fn read(&self) -> RwLockReadGuard<'_, Blocks> {
        let blocks = self.shared.blocks.read();
        blocks.expect("nothing panics while it holds this lock")
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Blocks> {
        let blocks = self.shared.blocks.write();
        blocks.expect("nothing panics while it holds this lock")
    }
}

impl Blocks {
    fn add(&mut self, meta: BlockMeta, facets: Option<Facets>) -> Arc<Entry> {
        let is_sure = facets.is_some();
        let mut values = Values::default();
        let facets = facets.unwrap_or_default();
        for (field, counts) in facets.fields.iter().enumerate() {
            let counts = counts.as_deref();
            values[field] = counts.and_then(|counts| self.symbols.enter(field, counts));
        }
        let symbol = |field: usize, place: u32| {
            let (value, _) = facets.fields[field].as_deref()?.get(place as usize)?;
            self.symbols.find(field, value)
        };
        let sources = facets.sources.as_deref();
        let sources = sources.filter(|sources| self.sources + sources.len() <= MAX_SOURCES);
        let sources: Option<Box<[Source]>> = sources.and_then(|sources| {
            let source = |source: &Source| {
                Some(Source {
                    system: symbol(SYSTEM, source.system)?,
                    sub_system: symbol(SUB_SYSTEM, source.sub_system)?,
                    ..*source
                })
            };
            sources.iter().map(source).collect()
        });
        let entry = Arc::new(Entry {
            damaged: AtomicBool::new(false),
            opened: AtomicBool::new(false),
            meta,
            values,
            sources,
            is_sure,
        });
        self.remove(entry.meta.first_id);
        self.sources += entry.source_count();
        self.entries.insert(entry.meta.first_id, Arc::clone(&entry));
        entry
    }

    fn remove(&mut self, first_id: u64) {
        if let Some(entry) = self.entries.remove(&first_id) {
            self.sources -= entry.source_count();
        }
    }

    fn newest_id(&self) -> u64 {
        let newest = self.entries.values().next_back();
        newest.map_or(0, |entry| entry.end() - 1)
    }

    /// Forgets values that no block has any more.
    fn tidy_symbols(&mut self) {
        let mut fresh = Symbols::default();
        for entry in self.entries.values_mut() {
            let mut values = Values::default();
            for (field, known) in entry.values.iter().enumerate() {
                values[field] = known
                    .as_deref()
                    .and_then(|known| fresh.take_over(&self.symbols, field, known));
            }
            let symbol = |field, symbol| fresh.find(field, self.symbols.text(field, symbol));
            let sources = entry.sources.as_deref().and_then(|sources| {
                let source = |source: &Source| {
                    Some(Source {
                        system: symbol(SYSTEM, source.system)?,
                        sub_system: symbol(SUB_SYSTEM, source.sub_system)?,
                        ..*source
                    })
                };
                sources.iter().map(source).collect()
            });
            *entry = Arc::new(Entry {
                meta: entry.meta.clone(),
                values,
                sources,
                is_sure: entry.is_sure,
                damaged: AtomicBool::new(entry.is_damaged()),
                opened: AtomicBool::new(entry.opened.load(Ordering::Relaxed)),
            });
        }
        fresh.settle();
        self.symbols = fresh;
        let counts = self.entries.values().map(|entry| entry.source_count());
        self.sources = counts.sum();
    }
}

#[cfg(test)]
mod tests;
