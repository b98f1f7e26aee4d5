//! Systems that have been seen: what each commit took, in memory, written now
//! and then. They stay known when their records have been removed.

mod table;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{Micros, Record, SeenSystem};

use crate::{
    block::{BlockMeta, Facets},
    catalog::{SUB_SYSTEM, SYSTEM},
};
pub(crate) use table::Unwritten;
use table::{Sighting, Table};

/// How a note begins that the predecessor's neelix wrote in a system's name.
const NOTE: &str = "Neelix added Notification ";
const NOTE_LEVEL: i32 = 30;

/// All systems seen. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    table: Arc<Mutex<Table>>,
}

/// Records that a commit took.
pub(crate) struct Taken<'a> {
    /// Their blocks, in order.
    pub(crate) blocks: &'a [(BlockMeta, Facets)],
    /// All of them, in order.
    pub(crate) records: &'a [Record],
    /// Whether the one at a place was read in from elsewhere: its time of receipt
    /// stands in for the store's.
    pub(crate) is_imported: &'a dyn Fn(usize) -> bool,
}

impl Seen {
    /// What the database has, complete for records up to an id.
    pub(crate) fn load(&self, systems: Vec<SeenSystem>, through_id: u64) {
        self.lock().load(systems, through_id);
    }

    /// Up to which id all records are in it; none before [`Seen::load`].
    pub(crate) fn through_id(&self) -> Option<u64> {
        self.lock().through_id()
    }

    /// A commit took records; it was at `now_us`.
    pub(crate) fn took(&self, taken: &Taken<'_>, now_us: Micros) {
        let mut table = self.lock();
        let mut start = 0;
        for (meta, facets) in taken.blocks {
            let end = taken.records.len().min(start + meta.count as usize);
            let records = &taken.records[start..end];
            let stored_us =
                |place: usize, received_us: Micros| match (taken.is_imported)(start + place) {
                    true => received_us,
                    false => now_us,
                };
            let is_plain = facets.sources.is_some()
                && !records.iter().any(is_note)
                && !(start..end).any(taken.is_imported);
            match is_plain {
                true => note_facets(&mut table, meta.first_id, facets, now_us),
                false => note_records(&mut table, meta.first_id, records, stored_us, now_us),
            }
            table.came_to(meta.first_id + u64::from(meta.count) - 1);
            start = end;
        }
        table.forget_some();
    }

    /// A block was committed before this process knew of it: the time of receipt
    /// stands in for the store's.
    pub(crate) fn catch_up(&self, meta: &BlockMeta, records: &[Record], now_us: Micros) {
        let mut table = self.lock();
        let received = |_, received_us| received_us;
        note_records(&mut table, meta.first_id, records, received, now_us);
        table.forget_some();
    }

    /// All records up to an id are in it.
    pub(crate) fn came_to(&self, id: u64) {
        self.lock().came_to(id);
    }

    /// Those behind a system and sub system, in their order, and whether there are
    /// more.
    pub(crate) fn list(
        &self,
        after: (&str, &str),
        limit: usize,
        now_us: Micros,
    ) -> (Vec<SeenSystem>, bool) {
        self.lock().list(after, limit, now_us)
    }

    /// The next part of what has to be written; none when all has been.
    pub(crate) fn take_unwritten(&self, limit: usize) -> Option<Unwritten> {
        self.lock().take_unwritten(limit)
    }

    /// Nobody can say what has been written: all is to be.
    pub(crate) fn set_unwritten(&self) {
        self.lock().set_unwritten();
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the block knows of its sources is enough.
fn note_facets(table: &mut Table, first_id: u64, facets: &Facets, now_us: Micros) {
    let name = |field: usize, place: u32| {
        let (name, _) = facets.fields[field].as_deref()?.get(place as usize)?;
        Some(name.as_str())
    };
    for source in facets.sources.iter().flatten() {
        let system = name(SYSTEM, source.system);
        let sub_system = name(SUB_SYSTEM, source.sub_system);
        if let (Some(system), Some(sub_system)) = (system, sub_system) {
            let sighting = Sighting {
                first_received_us: source.first_received_us.min(now_us),
                last_received_us: source.last_received_us.min(now_us),
                last_stored_us: now_us,
                last_id: first_id + u64::from(source.last_row),
            };
            table.note(system, sub_system, sighting, now_us);
        }
    }
}

/// Record by record, without notes; `stored_us` tells of a place and a time of
/// receipt when the store took that record.
fn note_records(
    table: &mut Table,
    first_id: u64,
    records: &[Record],
    stored_us: impl Fn(usize, Micros) -> Micros,
    now_us: Micros,
) {
    let mut sightings: HashMap<(&str, &str), Sighting> = HashMap::new();
    for (place, record) in records.iter().enumerate() {
        if is_note(record) {
            continue;
        }
        let received_us = record.received_us.min(now_us);
        let sighting = Sighting {
            first_received_us: received_us,
            last_received_us: received_us,
            last_stored_us: stored_us(place, received_us),
            last_id: first_id + place as u64,
        };
        sightings
            .entry((&record.system_id, &record.sub_system_id))
            .and_modify(|known| known.add(sighting, now_us))
            .or_insert(sighting);
    }
    for ((system, sub_system), sighting) in sightings {
        table.note(system, sub_system, sighting, now_us);
    }
}

/// The predecessor's neelix wrote it, not the system that it names.
fn is_note(record: &Record) -> bool {
    // The text last: nearly every record is told apart without it.
    record.level == NOTE_LEVEL
        && record.logger.is_empty()
        && record.module.is_empty()
        && record.function.is_empty()
        && record.process_name.is_empty()
        && record.message.starts_with(NOTE)
}
