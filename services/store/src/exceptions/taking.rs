//! Exceptions as what is taken from records that a walk finds.

use std::collections::HashMap;

use domain::{Micros, TextField};

use crate::{
    block::{Block, BlockError, Chunk},
    search::Harvest,
    timeline::Timeline,
};

/// Blocks that are read together: each may have another exception in every
/// record.
const MOST_BLOCKS: usize = 16;

/// Takes exceptions, over this time.
#[derive(Debug)]
pub(super) struct Exceptions {
    timeline: Option<Timeline>,
}

/// What some rows of a block give.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Those with the highest id first.
    pub(super) groups: Vec<FoundGroup>,
    /// Texts of the systems in the groups.
    pub(super) systems: Vec<String>,
}

/// Records of one fingerprint.
#[derive(Debug)]
pub(super) struct FoundGroup {
    pub(super) fingerprint: u64,
    pub(super) records: u64,
    pub(super) first_received_us: Micros,
    pub(super) last_received_us: Micros,
    pub(super) first_id: u64,
    pub(super) last_id: u64,
    /// Place of the system in the texts, records; one may be there several
    /// times.
    pub(super) systems: Vec<(u32, u32)>,
    /// Bucket, records; one may be there several times.
    pub(super) recent: Vec<(u32, u32)>,
}

impl Exceptions {
    pub(super) fn new(timeline: Option<Timeline>) -> Self {
        Self { timeline }
    }
}

impl Harvest for Exceptions {
    type Yield = Found;
    type Sums = ();

    fn most_blocks(&self) -> usize {
        MOST_BLOCKS
    }

    fn needs_chunks(&self, block: &Block) -> bool {
        block.is_chunked(TextField::System)
    }

    fn wanted(&self, _so_far: &[Found]) -> usize {
        usize::MAX
    }

    fn of_rows(
        &self,
        block: &Block,
        chunk: Option<&Chunk>,
        rows: &[u32],
    ) -> Result<Found, BlockError> {
        let fingerprints = block.coded(TextField::Fingerprint, chunk)?;
        let systems = block.coded(TextField::System, chunk)?;
        let received = block.received()?;
        let mut cursor = self.timeline.as_ref().map(Timeline::cursor);
        let mut found = Found::default();
        let mut places: HashMap<usize, usize> = HashMap::new();
        let mut system_places: HashMap<usize, u32> = HashMap::new();
        for row in rows {
            let id = block.meta().first_id + u64::from(*row);
            let time_us = received.get(*row);
            let code = fingerprints.code(*row);
            let place = match places.get(&code) {
                Some(place) => *place,
                None => {
                    let fingerprint = number(fingerprints.text(code)?)?;
                    found.groups.push(FoundGroup::new(fingerprint, id, time_us));
                    places.insert(code, found.groups.len() - 1);
                    found.groups.len() - 1
                }
            };
            let system = systems.code(*row);
            let system = match system_places.get(&system) {
                Some(place) => *place,
                None => {
                    let place = found.systems.len() as u32;
                    found.systems.push(systems.text(system)?.to_owned());
                    system_places.insert(system, place);
                    place
                }
            };
            let bucket = cursor.as_mut().and_then(|cursor| cursor.part_of(time_us));
            found.groups[place].add(id, time_us, system, bucket);
        }
        found
            .groups
            .sort_unstable_by_key(|group| std::cmp::Reverse(group.last_id));
        Ok(found)
    }
}

impl FoundGroup {
    fn new(fingerprint: u64, id: u64, time_us: Micros) -> Self {
        Self {
            fingerprint,
            records: 0,
            first_received_us: time_us,
            last_received_us: time_us,
            first_id: id,
            last_id: id,
            systems: Vec::new(),
            recent: Vec::new(),
        }
    }

    fn add(&mut self, id: u64, time_us: Micros, system: u32, bucket: Option<usize>) {
        self.records += 1;
        self.first_received_us = self.first_received_us.min(time_us);
        self.last_received_us = self.last_received_us.max(time_us);
        self.first_id = self.first_id.min(id);
        self.last_id = self.last_id.max(id);
        add(&mut self.systems, system);
        if let Some(bucket) = bucket {
            add(&mut self.recent, bucket as u32);
        }
    }
}

fn add(counts: &mut Vec<(u32, u32)>, key: u32) {
    match counts.last_mut() {
        Some((last, count)) if *last == key => *count += 1,
        _ => counts.push((key, 1)),
    }
}

fn number(fingerprint: &str) -> Result<u64, BlockError> {
    let number = u64::from_str_radix(fingerprint, 16);
    number.map_err(|_| BlockError::Damaged("a fingerprint is no number"))
}
