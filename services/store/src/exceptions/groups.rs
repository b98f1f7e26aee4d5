//! The groups to be listed, filled from the newest record to the oldest.

use std::collections::HashMap;

use super::{ExceptionGroup, taking::Found};
use crate::values::{Room, Values};

/// How many systems of a group are told.
const SYSTEMS: usize = 20;
/// Of how many systems a group keeps count.
const ROOM: Room = Room {
    values: 256,
    bytes: 32 << 10,
};

/// Groups. What comes first has the highest ids, so that what comes when they
/// are enough is of older groups, or of these.
#[derive(Debug)]
pub(super) struct Groups {
    limit: usize,
    buckets: usize,
    places: HashMap<u64, usize>,
    groups: Vec<(ExceptionGroup, Values)>,
    has_more: bool,
}

impl Groups {
    /// At most so many, each with so many buckets.
    pub(super) fn new(limit: usize, buckets: usize) -> Self {
        Self {
            limit,
            buckets,
            places: HashMap::new(),
            groups: Vec::new(),
            has_more: false,
        }
    }

    /// Adds older records.
    pub(super) fn add(&mut self, found: &Found) {
        for more in &found.groups {
            let place = match self.places.get(&more.fingerprint) {
                Some(place) => *place,
                None if self.groups.len() == self.limit => {
                    self.has_more = true;
                    continue;
                }
                None => {
                    let group = ExceptionGroup {
                        fingerprint: more.fingerprint,
                        first_received_us: more.first_received_us,
                        last_received_us: more.last_received_us,
                        first_id: more.first_id,
                        recent: vec![0; self.buckets],
                        ..ExceptionGroup::default()
                    };
                    self.places.insert(more.fingerprint, self.groups.len());
                    self.groups.push((group, Values::new(ROOM)));
                    self.groups.len() - 1
                }
            };
            let (group, systems) = &mut self.groups[place];
            group.records += more.records;
            group.first_received_us = group.first_received_us.min(more.first_received_us);
            group.last_received_us = group.last_received_us.max(more.last_received_us);
            group.first_id = group.first_id.min(more.first_id);
            group.last_id = group.last_id.max(more.last_id);
            for (system, records) in &more.systems {
                systems.add(&found.systems[*system as usize], u64::from(*records));
            }
            for (bucket, records) in &more.recent {
                group.recent[*bucket as usize] += u64::from(*records);
            }
        }
    }

    /// The groups, newest first, and whether there are more.
    pub(super) fn newest(self) -> (Vec<ExceptionGroup>, bool) {
        let with_systems = |(group, systems): (ExceptionGroup, Values)| ExceptionGroup {
            systems: systems.top(SYSTEMS).values,
            ..group
        };
        let groups = self.groups.into_iter().map(with_systems).collect();
        (groups, self.has_more)
    }
}
