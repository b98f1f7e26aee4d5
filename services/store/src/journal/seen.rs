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
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    /// Their blocks, in order.
    pub(crate) blocks: &'a [(BlockMeta, Facets)],
    /// All of them, in order.
    pub(crate) records: &'a [Record],
    /// Some were read in from elsewhere: of all, the time of receipt stands in for
    /// the store's.
    pub(crate) are_imported: bool,
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
        let mut rest = taken.records;
        let mut table = self.lock();
        for (meta, facets) in taken.blocks {
            let records;
            (records, rest) = rest.split_at(rest.len().min(meta.count as usize));
            if taken.are_imported {
                note_records(&mut table, meta.first_id, records, None, now_us);
            } else if facets.sources.is_none() || records.iter().any(is_note) {
                note_records(&mut table, meta.first_id, records, Some(now_us), now_us);
            } else {
                note_facets(&mut table, meta.first_id, facets, now_us);
            }
            table.came_to(meta.first_id + u64::from(meta.count) - 1);
        }
        table.forget_some();
    }

    /// A block was committed before this process knew of it: the time of receipt
    /// stands in for the store's.
    pub(crate) fn catch_up(&self, meta: &BlockMeta, records: &[Record], now_us: Micros) {
        let mut table = self.lock();
        note_records(&mut table, meta.first_id, records, None, now_us);
        table.forget_some();
    }

    /// All records up to an id are in it.
    pub(crate) fn came_to(&self, id: u64) {
        self.lock().came_to(id);
    }

    /// Those behind a system and sub system, in their order, and whether there are
    /// more.
    pub(crate) fn list(&self, after: (&str, &str), limit: usize) -> (Vec<SeenSystem>, bool) {
        self.lock().list(after, limit)
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
            table.note(system, sub_system, sighting);
        }
    }
}

/// Record by record, without notes; `stored_us` is none when their time of receipt
/// stands in for it.
fn note_records(
    table: &mut Table,
    first_id: u64,
    records: &[Record],
    stored_us: Option<Micros>,
    now_us: Micros,
) {
    let mut sightings: HashMap<(&str, &str), Sighting> = HashMap::new();
    for (id, record) in (first_id..)
        .zip(records)
        .filter(|(_, record)| !is_note(record))
    {
        let received_us = record.received_us.min(now_us);
        let sighting = Sighting {
            first_received_us: received_us,
            last_received_us: received_us,
            last_stored_us: stored_us.unwrap_or(received_us),
            last_id: id,
        };
        sightings
            .entry((&record.system_id, &record.sub_system_id))
            .and_modify(|known| known.add(sighting))
            .or_insert(sighting);
    }
    for ((system, sub_system), sighting) in sightings {
        table.note(system, sub_system, sighting);
    }
}

/// The predecessor's neelix wrote it, not the system that it names.
fn is_note(record: &Record) -> bool {
    record.message.starts_with(NOTE)
        && record.level == NOTE_LEVEL
        && record.logger.is_empty()
        && record.module.is_empty()
        && record.function.is_empty()
        && record.process_name.is_empty()
}
