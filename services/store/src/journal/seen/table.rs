//! Systems by name, within bounds, and which of them have changed since they
//! were written.

use std::{collections::BTreeMap, ops::Bound};

use domain::{Micros, SeenSystem};

/// So many are kept. Of systems with several sub systems, the least recently seen
/// pairs are forgotten first: as long as there are such, every system stays known.
const MOST: usize = 100_000;
/// They are forgotten when there are so many more, because looking for them takes
/// some time.
const SLACK: usize = MOST / 20;
/// Names longer than this together are not kept.
const NAME_BYTES: usize = 512;

/// When a system was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) first_received_us: Micros,
    pub(super) last_received_us: Micros,
    pub(super) last_stored_us: Micros,
    pub(super) last_id: u64,
}

impl Sighting {
    /// It was seen at another time, too.
    pub(super) fn add(&mut self, other: Self, now_us: Micros) {
        self.correct(now_us);
        self.first_received_us = self.first_received_us.min(other.first_received_us);
        self.last_received_us = self.last_received_us.max(other.last_received_us);
        self.last_stored_us = self.last_stored_us.max(other.last_stored_us);
        self.last_id = self.last_id.max(other.last_id);
    }

    /// Nothing was seen after now, whatever a clock that was ahead has noted; true
    /// when it had.
    fn correct(&mut self, now_us: Micros) -> bool {
        let was_ahead = self.last_received_us.max(self.last_stored_us) > now_us;
        self.last_received_us = self.last_received_us.min(now_us);
        self.last_stored_us = self.last_stored_us.min(now_us);
        was_ahead
    }
}

/// A part of what has to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unwritten {
    pub(crate) systems: Vec<SeenSystem>,
    /// Names of those that are not kept any more.
    pub(crate) forgotten: Vec<(String, String)>,
    /// With this part everything up to an id is written.
    pub(crate) through_id: Option<u64>,
}

/// The systems.
#[derive(Debug)]
pub(super) struct Table {
    by_name: BTreeMap<String, BTreeMap<String, Known>>,
    count: usize,
    most: usize,
    slack: usize,
    /// None before it is known what the database has.
    through_id: Option<u64>,
    forgotten: Vec<(String, String)>,
    /// What is being written, and up to which id it is complete.
    writing: Option<(Unwritten, u64)>,
    written_id: u64,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    sighting: Sighting,
    is_written: bool,
}

impl Default for Table {
    fn default() -> Self {
        Self::new(MOST, SLACK)
    }
}

impl Table {
    fn new(most: usize, slack: usize) -> Self {
        Self {
            by_name: BTreeMap::new(),
            count: 0,
            most,
            slack,
            through_id: None,
            forgotten: Vec::new(),
            writing: None,
            written_id: 0,
        }
    }

    pub(super) fn load(&mut self, systems: Vec<SeenSystem>, through_id: u64) {
        for system in systems {
            let known = Known {
                sighting: Sighting {
                    first_received_us: system.first_received_us,
                    last_received_us: system.last_received_us,
                    last_stored_us: system.last_stored_us,
                    last_id: system.last_id,
                },
                is_written: true,
            };
            let sub_systems = self.by_name.entry(system.system_id).or_default();
            let former = sub_systems.insert(system.sub_system_id, known);
            self.count += usize::from(former.is_none());
        }
        self.through_id = Some(through_id);
        self.written_id = through_id;
    }

    pub(super) fn through_id(&self) -> Option<u64> {
        self.through_id
    }

    pub(super) fn came_to(&mut self, id: u64) {
        self.through_id = self.through_id.max(Some(id));
    }

    /// A system was seen. One without a name is none.
    pub(super) fn note(
        &mut self,
        system: &str,
        sub_system: &str,
        sighting: Sighting,
        now_us: Micros,
    ) {
        if system.is_empty() || system.len() + sub_system.len() > NAME_BYTES {
            return;
        }
        let known = self.by_name.get_mut(system);
        if let Some(known) = known.and_then(|known| known.get_mut(sub_system)) {
            known.sighting.add(sighting, now_us);
            known.is_written = false;
            return;
        }
        let known = Known {
            sighting,
            is_written: false,
        };
        let sub_systems = self.by_name.entry(system.to_owned()).or_default();
        sub_systems.insert(sub_system.to_owned(), known);
        self.count += 1;
    }

    /// Forgets the least recently seen, when there are many too many.
    pub(super) fn forget_some(&mut self) {
        if self.count > self.most + self.slack {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let excess = self.count.saturating_sub(self.most);
        if excess == 0 {
            return;
        }
        let (mut newest, mut others) = (Vec::new(), Vec::new());
        for sub_systems in self.by_name.values() {
            let newest_of_system = newest_age(sub_systems);
            newest.extend(newest_of_system);
            let ages = sub_systems.values().map(age);
            others.extend(ages.filter(|age| Some(*age) != newest_of_system));
        }
        let rest = excess.saturating_sub(others.len());
        let others_through = nth_oldest(&mut others, excess);
        let newest_through = nth_oldest(&mut newest, rest);
        for (system, sub_systems) in &mut self.by_name {
            let newest_of_system = newest_age(sub_systems);
            sub_systems.retain(|sub_system, known| {
                let age = Some(age(known));
                let through = match age == newest_of_system {
                    true => newest_through,
                    false => others_through,
                };
                let is_kept = age > through;
                if !is_kept {
                    self.forgotten.push((system.clone(), sub_system.clone()));
                    self.count -= 1;
                }
                is_kept
            });
        }
        self.by_name
            .retain(|_, sub_systems| !sub_systems.is_empty());
    }

    pub(super) fn list(
        &mut self,
        after: (&str, &str),
        limit: usize,
        now_us: Micros,
    ) -> (Vec<SeenSystem>, bool) {
        self.forget();
        let (after_system, after_sub_system) = after;
        let from = (Bound::Included(after_system), Bound::Unbounded);
        let mut systems = Vec::new();
        for (system, sub_systems) in self.by_name.range_mut::<str, _>(from) {
            let from = match system == after_system {
                true => Bound::Excluded(after_sub_system),
                false => Bound::Unbounded,
            };
            for (sub_system, known) in sub_systems.range_mut::<str, _>((from, Bound::Unbounded)) {
                if systems.len() == limit {
                    return (systems, true);
                }
                // Once: from now on it is silent, as far as anybody can tell.
                if known.sighting.correct(now_us) {
                    known.is_written = false;
                }
                systems.push(seen(system, sub_system, known));
            }
        }
        (systems, false)
    }

    pub(super) fn take_unwritten(&mut self, limit: usize) -> Option<Unwritten> {
        if self.writing.is_none() {
            self.forget();
            let through_id = self.through_id?;
            let mut all = Unwritten {
                forgotten: std::mem::take(&mut self.forgotten),
                ..Unwritten::default()
            };
            for (system, sub_systems) in &mut self.by_name {
                for (sub_system, known) in sub_systems.iter_mut().filter(|(_, it)| !it.is_written) {
                    known.is_written = true;
                    all.systems.push(seen(system, sub_system, known));
                }
            }
            let is_nothing = all.systems.is_empty() && all.forgotten.is_empty();
            if is_nothing && self.written_id == through_id {
                return None;
            }
            self.writing = Some((all, through_id));
        }
        let (all, through_id) = self.writing.as_mut()?;
        let mut part = Unwritten {
            forgotten: split_off(&mut all.forgotten, limit),
            ..Unwritten::default()
        };
        // Removed first: one that was forgotten may have come back.
        if all.forgotten.is_empty() {
            part.systems = split_off(&mut all.systems, limit - part.forgotten.len());
        }
        if all.systems.is_empty() && all.forgotten.is_empty() {
            part.through_id = Some(*through_id);
            self.written_id = *through_id;
            self.writing = None;
        }
        Some(part)
    }

    pub(super) fn set_unwritten(&mut self) {
        if let Some((rest, _)) = self.writing.take() {
            self.forgotten.extend(rest.forgotten);
        }
        self.written_id = 0;
        let systems = self.by_name.values_mut().flat_map(BTreeMap::values_mut);
        systems.for_each(|known| known.is_written = false);
    }
}

/// How recently it was seen: the store's time, and an id that no other has.
type Age = (Micros, u64);

fn age(known: &Known) -> Age {
    (known.sighting.last_stored_us, known.sighting.last_id)
}

fn newest_age(sub_systems: &BTreeMap<String, Known>) -> Option<Age> {
    sub_systems.values().map(age).max()
}

/// The age of the oldest but so many, or of the youngest when there are fewer; none
/// for none.
fn nth_oldest(ages: &mut [Age], count: usize) -> Option<Age> {
    let last = count.min(ages.len()).checked_sub(1)?;
    let (_, youngest, _) = ages.select_nth_unstable(last);
    Some(*youngest)
}

/// The last entries of a list, at most `limit`.
fn split_off<T>(list: &mut Vec<T>, limit: usize) -> Vec<T> {
    list.split_off(list.len().saturating_sub(limit))
}

fn seen(system: &str, sub_system: &str, known: &Known) -> SeenSystem {
    SeenSystem {
        system_id: system.to_owned(),
        sub_system_id: sub_system.to_owned(),
        first_received_us: known.sighting.first_received_us,
        last_received_us: known.sighting.last_received_us,
        last_stored_us: known.sighting.last_stored_us,
        last_id: known.sighting.last_id,
    }
}

#[cfg(test)]
mod tests;
