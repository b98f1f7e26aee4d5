//! Sources and what has been found of each, for as many as fit.

use std::{collections::HashMap, sync::Arc};

use domain::Micros;

use super::System;
use crate::block::Source;

/// How many sources fit.
const MAX_SYSTEMS: usize = 100_000;
/// How many counts of buckets fit, of all sources together: enough for as many
/// sources as are listed at most.
const MAX_CELLS: usize = 12_000_000;
/// Bytes of names that fit.
const MAX_BYTES: usize = 16 << 20;

/// Records of a source.
#[derive(Debug, Clone)]
pub(super) struct Part {
    first_received_us: Micros,
    last_received_us: Micros,
    last_id: u64,
    records: u64,
    /// Buckets with records; one may be there several times.
    recent: Vec<(usize, u64)>,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            first_received_us: Micros::MAX,
            last_received_us: Micros::MIN,
            last_id: 0,
            records: 0,
            recent: Vec::new(),
        }
    }
}

impl Part {
    /// Adds records of a block with this first id, all of them in the bucket.
    pub(super) fn add_source(&mut self, source: &Source, first_id: u64, bucket: Option<usize>) {
        let records = u64::from(source.records);
        self.first_received_us = self.first_received_us.min(source.first_received_us);
        self.last_received_us = self.last_received_us.max(source.last_received_us);
        self.last_id = self.last_id.max(first_id + u64::from(source.last_row));
        self.records += records;
        if let Some(bucket) = bucket {
            match self.recent.last_mut() {
                Some((last, sum)) if *last == bucket => *sum += records,
                _ => self.recent.push((bucket, records)),
            }
        }
    }
}

/// All sources found.
#[derive(Debug)]
pub(super) struct Table {
    buckets: usize,
    most: usize,
    places: HashMap<Arc<str>, HashMap<Arc<str>, usize>>,
    systems: Vec<System>,
    bytes: usize,
    /// Some did not fit; no new ones are taken any more, so that what is told of
    /// the others is right.
    is_full: bool,
}

impl Table {
    /// For so many buckets.
    pub(super) fn new(buckets: usize) -> Self {
        Self {
            buckets,
            most: MAX_SYSTEMS.min(MAX_CELLS / buckets.max(1)),
            places: HashMap::new(),
            systems: Vec::new(),
            bytes: 0,
            is_full: false,
        }
    }

    /// Adds records of a source.
    pub(super) fn add(&mut self, system_id: &str, sub_system_id: &str, part: &Part) {
        let known = self.places.get(system_id);
        let place = match known.and_then(|known| known.get(sub_system_id)) {
            Some(place) => *place,
            None => match self.enter(system_id, sub_system_id) {
                Some(place) => place,
                None => return,
            },
        };
        let system = &mut self.systems[place];
        system.first_received_us = system.first_received_us.min(part.first_received_us);
        system.last_received_us = system.last_received_us.max(part.last_received_us);
        system.last_id = system.last_id.max(part.last_id);
        system.records += part.records;
        for (bucket, records) in &part.recent {
            system.recent[*bucket] += records;
        }
    }

    fn enter(&mut self, system_id: &str, sub_system_id: &str) -> Option<usize> {
        let bytes = self.bytes + system_id.len() + sub_system_id.len();
        if self.is_full || self.systems.len() == self.most || bytes > MAX_BYTES {
            self.is_full = true;
            return None;
        }
        self.bytes = bytes;
        let place = self.systems.len();
        let known = self.places.get_key_value(system_id);
        let system_id = known.map_or_else(|| Arc::from(system_id), |(id, _)| Arc::clone(id));
        let sub_system_id: Arc<str> = Arc::from(sub_system_id);
        let places = self.places.entry(Arc::clone(&system_id)).or_default();
        places.insert(Arc::clone(&sub_system_id), place);
        self.systems.push(System {
            system_id,
            sub_system_id,
            first_received_us: Micros::MAX,
            last_received_us: Micros::MIN,
            last_id: 0,
            records: 0,
            recent: vec![0; self.buckets],
        });
        Some(place)
    }

    /// Those with the newest record, newest first, and whether there are more.
    pub(super) fn newest(&self, limit: usize) -> (Vec<System>, bool) {
        let mut systems: Vec<&System> = self.systems.iter().collect();
        systems.sort_unstable_by_key(|system| {
            std::cmp::Reverse((system.last_received_us, system.last_id))
        });
        let has_more = self.is_full || systems.len() > limit;
        systems.truncate(limit);
        (systems.into_iter().cloned().collect(), has_more)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_SYSTEMS, Part, Table};
    use crate::block::Source;

    fn part(time_us: i64, row: u32, bucket: Option<usize>) -> Part {
        let mut part = Part::default();
        let source = Source {
            system: 0,
            sub_system: 0,
            records: 1,
            first_received_us: time_us,
            last_received_us: time_us,
            last_row: row,
        };
        part.add_source(&source, 100, bucket);
        part
    }

    #[test]
    fn the_newest_come_first() {
        let mut table = Table::new(2);
        table.add("a", "x", &part(5, 0, Some(0)));
        table.add("b", "x", &part(9, 1, Some(1)));
        table.add("a", "x", &part(7, 2, Some(1)));
        let (systems, has_more) = table.newest(1);
        assert_eq!((&*systems[0].system_id, has_more), ("b", true));
        let (systems, has_more) = table.newest(2);
        let a = &systems[1];
        assert_eq!(
            (a.records, a.last_id, &*a.recent, has_more),
            (2, 102, &[1, 1][..], false)
        );
        assert_eq!((a.first_received_us, a.last_received_us), (5, 7));
    }

    #[test]
    fn sub_systems_without_end_leave_what_is_known_right() {
        let mut table = Table::new(0);
        for number in 0..MAX_SYSTEMS + 10 {
            table.add("a", &number.to_string(), &part(number as i64, 0, None));
            table.add("a", "0", &part(0, 1, None));
        }
        let (systems, has_more) = table.newest(usize::MAX);
        assert_eq!((systems.len(), has_more), (MAX_SYSTEMS, true));
        let zero = systems.iter().find(|system| &*system.sub_system_id == "0");
        assert_eq!(zero.unwrap().records, (MAX_SYSTEMS + 11) as u64);
    }
}
