//! How many records have which value, for as many values as fit.

use std::{collections::HashMap, sync::Arc};

/// Roughly what a value takes beside its text.
const VALUE_BYTES: usize = 80;

/// Values and their counts. Once it is full, values that it does not have are
/// counted together, so that the count of each that it has stays exact.
#[derive(Debug)]
pub(crate) struct Values {
    places: HashMap<Arc<str>, u32>,
    values: Vec<(Arc<str>, u64)>,
    room: Room,
    is_full: bool,
    others: u64,
}

/// The most frequent values and what is beside them. When there were more values
/// than fit, those that came late are among the others, however frequent they
/// are; the number of a listed one is always exact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Top {
    /// By falling number of records, then by value.
    pub(crate) values: Vec<(String, u64)>,
    /// Records with a value that is not listed.
    pub(crate) others: u64,
    /// There are values that are not listed.
    pub(crate) has_more: bool,
}

/// What fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) values: usize,
    pub(crate) bytes: usize,
}

impl Values {
    /// None yet.
    pub(crate) fn new(room: Room) -> Self {
        Self {
            places: HashMap::new(),
            values: Vec::new(),
            room,
            is_full: false,
            others: 0,
        }
    }

    /// Adds records with a value; gives its place when it has one.
    pub(crate) fn add(&mut self, value: &str, records: u64) -> Option<u32> {
        match self.places.get(value) {
            Some(place) => self.add_to(*place, records),
            None => self.enter(|| Arc::from(value), value.len(), records),
        }
    }

    /// The same for a value that is shared.
    pub(crate) fn add_shared(&mut self, value: &Arc<str>, records: u64) -> Option<u32> {
        match self.places.get(value) {
            Some(place) => self.add_to(*place, records),
            None => self.enter(|| Arc::clone(value), value.len(), records),
        }
    }

    fn add_to(&mut self, place: u32, records: u64) -> Option<u32> {
        self.values[place as usize].1 += records;
        Some(place)
    }

    fn enter(&mut self, text: impl FnOnce() -> Arc<str>, len: usize, records: u64) -> Option<u32> {
        let bytes = len + VALUE_BYTES;
        if self.is_full || self.room.values == 0 || self.room.bytes < bytes {
            self.is_full = true;
            self.others += records;
            return None;
        }
        self.room.values -= 1;
        self.room.bytes -= bytes;
        let place = u32::try_from(self.values.len()).expect("a room of fewer values");
        let text = text();
        self.values.push((Arc::clone(&text), records));
        self.places.insert(text, place);
        Some(place)
    }

    /// The places of the most frequent values, by falling count and then by
    /// value.
    pub(crate) fn ranking(&self, limit: usize) -> Vec<u32> {
        let mut places: Vec<u32> = (0..self.values.len()).map(|place| place as u32).collect();
        let by_rank = |one: &u32, other: &u32| {
            let (one, other) = (&self.values[*one as usize], &self.values[*other as usize]);
            other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0))
        };
        if limit < places.len() {
            places.select_nth_unstable_by(limit, by_rank);
            places.truncate(limit);
        }
        places.sort_unstable_by(by_rank);
        places
    }

    /// The value of a place.
    pub(crate) fn text(&self, place: u32) -> &str {
        &self.values[place as usize].0
    }

    /// The most frequent ones.
    pub(crate) fn top(&self, limit: usize) -> Top {
        let values = self.ranking(limit).into_iter().map(|place| {
            let (value, records) = &self.values[place as usize];
            (String::from(&**value), *records)
        });
        let values: Vec<(String, u64)> = values.collect();
        let all: u64 = self.values.iter().map(|(_, records)| records).sum();
        let listed: u64 = values.iter().map(|(_, records)| records).sum();
        Top {
            has_more: values.len() < self.values.len() || self.others > 0,
            others: all - listed + self.others,
            values,
        }
    }

    /// Keeps only the values of these places, and takes no others any more.
    /// Gives the new place of each.
    pub(crate) fn keep_only(&mut self, places: &[u32]) -> HashMap<u32, u32> {
        let all: u64 = self.values.iter().map(|(_, records)| records).sum();
        let kept: Vec<(Arc<str>, u64)> = places
            .iter()
            .map(|place| self.values[*place as usize].clone())
            .collect();
        self.others += all - kept.iter().map(|(_, records)| records).sum::<u64>();
        self.places = (0..)
            .zip(&kept)
            .map(|(place, (text, _))| (Arc::clone(text), place))
            .collect();
        self.values = kept;
        self.is_full = true;
        places.iter().copied().zip(0..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Room, Top, Values};

    const ROOM: Room = Room {
        values: 3,
        bytes: 1 << 10,
    };

    fn top(values: &[(&str, u64)], others: u64, has_more: bool) -> Top {
        let values = values
            .iter()
            .map(|(value, count)| ((*value).to_owned(), *count));
        Top {
            values: values.collect(),
            others,
            has_more,
        }
    }

    #[test]
    fn the_most_frequent_come_first_and_ties_by_value() {
        let mut values = Values::new(ROOM);
        for value in ["b", "", "a", "b", "a", ""] {
            values.add(value, 1);
        }
        assert_eq!(values.top(5), top(&[("", 2), ("a", 2), ("b", 2)], 0, false));
        assert_eq!(values.top(2), top(&[("", 2), ("a", 2)], 2, true));
        values.add("b", 1);
        assert_eq!(values.top(1), top(&[("b", 3)], 4, true));
        assert_eq!(values.top(0), top(&[], 7, true));
    }

    #[test]
    fn what_does_not_fit_is_counted_together() {
        let mut values = Values::new(ROOM);
        for (value, count) in [("a", 1), ("b", 2), ("c", 3), ("d", 9), ("a", 1), ("d", 9)] {
            values.add(value, count);
        }
        let expected = top(&[("c", 3), ("a", 2), ("b", 2)], 18, true);
        assert_eq!(values.top(9), expected);
        let mut values = Values::new(Room {
            values: 9,
            bytes: 200,
        });
        assert!(values.add(&"x".repeat(300), 1).is_none());
        // Nothing is let in later: it might have been sent away before.
        assert!(values.add("a", 1).is_none());
        assert_eq!(values.top(9), top(&[], 2, true));
    }

    #[test]
    fn only_some_are_kept() {
        let mut values = Values::new(ROOM);
        let (a, b) = (values.add("a", 1), values.add("b", 5));
        let moved = values.keep_only(&[b.unwrap()]);
        assert_eq!(moved.get(&b.unwrap()), Some(&0));
        assert_eq!(moved.get(&a.unwrap()), None);
        values.add("a", 1);
        values.add("b", 1);
        assert_eq!(values.top(9), top(&[("b", 6)], 2, true));
    }
}
