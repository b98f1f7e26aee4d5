//! What the spool holds at this moment: segments, identities, cursors. Pure
//! bookkeeping, no I/O; the disk is changed by whoever holds the answer.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::backlog::Backlog;
use super::cursor::{Cursor, CursorFile};
use super::identity::{Identities, Identity};

/// A segment as readers see it.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) path: Arc<PathBuf>,
    /// No entry of it has a lower number.
    pub(super) first: u64,
    pub(super) salt: u32,
    /// Bytes it takes from the limit.
    pub(super) bytes: u64,
    /// Bytes of it that are durable.
    pub(super) end: u64,
    /// When its first entry was received, or a little later.
    pub(super) created_us: i64,
}

/// A destination.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) cursor: Cursor,
    pub(super) file: Arc<Mutex<CursorFile>>,
    /// A reader is at work.
    pub(super) taken: bool,
    /// The file does not hold the cursor yet.
    pub(super) dirty: bool,
    /// The file's cursor would not survive the machine yet.
    pub(super) unsynced: bool,
    /// Every number below was given to the destination, by this or an earlier process.
    pub(super) given: u64,
    /// When the oldest entry that it lacks was received, at the latest.
    pub(super) waiting_since_us: Option<i64>,
    /// How far it may be behind.
    pub(super) backlog: Backlog,
    /// Numbers below are kept for it no longer, though it lacks them.
    pub(super) given_up: u64,
}

impl Destination {
    pub(super) fn new(cursor: Cursor, file: CursorFile, written: bool) -> Self {
        Self {
            cursor,
            file: Arc::new(Mutex::new(file)),
            taken: false,
            dirty: !written,
            unsynced: true,
            given: cursor.next,
            waiting_since_us: None,
            backlog: Backlog::default(),
            given_up: 0,
        }
    }

    /// The first number that is kept for it.
    pub(super) fn needs_from(&self) -> u64 {
        self.cursor.next.max(self.given_up)
    }
}

/// Where a number is to be found.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) identity: Identity,
    /// The segment that would hold it; `None` when it is gone.
    pub(super) segment: Option<Segment>,
    /// All this is true for the numbers below.
    pub(super) limit: u64,
}

/// The books.
#[derive(Debug)]
pub(super) struct Catalog {
    segments: VecDeque<Segment>,
    /// The last segment is being appended to.
    active: bool,
    pub(super) identities: Identities,
    /// The first number that is not durable.
    durable_next: u64,
    /// The first number of this run.
    pub(super) run_first: u64,
    /// By the name of the cursor's file.
    pub(super) destinations: BTreeMap<String, Destination>,
    /// Numbers below were looked at for losses.
    counted_to: u64,
    lost: u64,
}

impl Catalog {
    /// Books of a spool at its start; `segments` in order of their numbers.
    pub(super) fn new(segments: Vec<Segment>, identities: Identities, durable_next: u64) -> Self {
        Self {
            segments: segments.into(),
            active: false,
            identities,
            durable_next,
            run_first: durable_next,
            destinations: BTreeMap::new(),
            counted_to: 0,
            lost: 0,
        }
    }

    /// The first number that is not durable.
    pub(super) fn durable_next(&self) -> u64 {
        self.durable_next
    }

    /// Frames that were found destroyed in this run.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// The lowest number that may still be there.
    pub(super) fn oldest(&self) -> u64 {
        self.segments
            .front()
            .map_or(self.durable_next, |segment| segment.first)
    }

    /// A segment that the writer appends to from now on.
    pub(super) fn begin_segment(&mut self, segment: Segment) {
        self.segments.push_back(segment);
        self.active = true;
    }

    /// The writer is done with its segment, which takes `bytes`; an empty one is
    /// forgotten.
    pub(super) fn end_segment(&mut self, bytes: u64, empty: bool) {
        self.active = false;
        if empty {
            self.segments.pop_back();
        } else if let Some(last) = self.segments.back_mut() {
            last.bytes = bytes;
        }
    }

    /// Entries became durable: all below `next`, the segment up to `end`.
    pub(super) fn publish(&mut self, next: u64, end: u64, received_us: i64) {
        self.durable_next = next;
        if let Some(last) = self.segments.back_mut().filter(|_| self.active) {
            last.end = end;
        }
        for destination in self.destinations.values_mut() {
            destination.waiting_since_us.get_or_insert(received_us);
        }
    }

    /// Where to find `sequence`; `None` when it is not durable yet.
    pub(super) fn locate(&self, sequence: u64) -> Option<Place> {
        if sequence >= self.durable_next {
            return None;
        }
        let (identity, identity_end) = self.identities.at(sequence);
        let after = self
            .segments
            .partition_point(|segment| segment.first <= sequence);
        let next_first = self.segments.get(after).map_or(u64::MAX, |next| next.first);
        let segment = after
            .checked_sub(1)
            .map(|index| self.segments[index].clone());
        Some(Place {
            identity,
            segment,
            limit: identity_end.min(next_first).min(self.durable_next),
        })
    }

    /// Counts destroyed numbers, each once however many readers come across it.
    pub(super) fn count_lost(&mut self, from: u64, to: u64) {
        self.lost += to.saturating_sub(from.max(self.counted_to));
        self.counted_to = self.counted_to.max(to);
    }

    /// Bytes that segments take from the limit.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Bytes that segments hold.
    pub(super) fn filled_bytes(&self) -> u64 {
        let unfilled = self.segments.back().filter(|_| self.active);
        self.bytes() - unfilled.map_or(0, |last| last.bytes.saturating_sub(last.end))
    }

    /// Whether a segment could be removed.
    pub(super) fn has_removable(&self) -> bool {
        self.first_kept()
            .is_some_and(|kept| self.removable_below(kept) > 0)
    }

    /// Takes out the segments that all destinations have passed, and that hold no
    /// number from `safe` on.
    pub(super) fn take_removable(&mut self, safe: u64) -> Vec<Segment> {
        let Some(kept) = self.first_kept() else {
            return Vec::new();
        };
        let count = self.removable_below(kept.min(safe));
        self.segments.drain(..count).collect()
    }

    /// The slowest destination's number. Without destinations all is kept.
    fn first_kept(&self) -> Option<u64> {
        self.destinations
            .values()
            .map(Destination::needs_from)
            .min()
    }

    /// The segments, oldest first, each with the number behind it; not the one that
    /// is being appended to.
    pub(super) fn closed(&self) -> impl Iterator<Item = (&Segment, u64)> {
        let closed = self.segments.len() - usize::from(self.active);
        (0..closed).map(|index| {
            let next = self.segments.get(index + 1);
            let end = next.map_or(self.durable_next, |next| next.first);
            (&self.segments[index], end)
        })
    }

    fn removable_below(&self, kept: u64) -> usize {
        self.closed().take_while(|(_, end)| *end <= kept).count()
    }

    /// A destination got everything below `next`; `oldest_us` is when the oldest
    /// entry was received that it was given and has not acknowledged.
    pub(super) fn acknowledge(&mut self, name: &str, next: u64, oldest_us: Option<i64>) {
        let next = next.min(self.durable_next);
        let (identity, _) = self.identities.at(next);
        let done = next == self.durable_next;
        if let Some(destination) = self.destinations.get_mut(name)
            && destination.cursor.next < next
        {
            destination.cursor = Cursor {
                next,
                identity,
                ..destination.cursor
            };
            destination.dirty = true;
            destination.given = destination.given.max(next);
            destination.waiting_since_us = match done {
                true => None,
                false => oldest_us.or(destination.waiting_since_us),
            };
        }
    }

    /// Puts a destination's cursor anywhere.
    pub(super) fn move_cursor(&mut self, name: &str, next: u64) {
        let (identity, _) = self.identities.at(next);
        let waiting = (next < self.durable_next)
            .then(|| self.received_before(next))
            .flatten();
        if let Some(destination) = self.destinations.get_mut(name) {
            destination.cursor = Cursor {
                next,
                identity,
                ..destination.cursor
            };
            destination.dirty = true;
            destination.waiting_since_us = waiting;
        }
    }

    /// When the segment that would hold `sequence` was begun.
    pub(super) fn received_before(&self, sequence: u64) -> Option<i64> {
        let after = self
            .segments
            .partition_point(|segment| segment.first <= sequence);
        self.segments
            .get(after.saturating_sub(1))
            .map(|segment| segment.created_us)
    }

    /// Segments whose numbers all are `first` or above.
    pub(super) fn segments_from(&self, first: u64) -> impl Iterator<Item = &Segment> {
        self.segments
            .iter()
            .filter(move |segment| segment.first >= first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::folder::Folder;

    fn segment(first: u64) -> Segment {
        let path = Arc::new(PathBuf::from(first.to_string()));
        Segment {
            path,
            first,
            salt: 0,
            bytes: 100,
            end: 80,
            created_us: first as i64 * 10,
        }
    }

    /// Segments from 10, 20 and 40; numbers below 50 are durable; the second
    /// identity begins at 35.
    fn catalog() -> Catalog {
        let mut identities = Identities::default();
        identities.insert(Identity::fresh(1, 1));
        identities.insert(Identity::fresh(35, 2));
        Catalog::new(vec![segment(10), segment(20), segment(40)], identities, 50)
    }

    fn add_destination(catalog: &mut Catalog, name: &str, next: u64) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::lock(dir.path()).unwrap();
        let (file, _) = CursorFile::load(&folder, name).unwrap();
        let cursor = Cursor {
            next,
            floor: 1,
            identity: catalog.identities.at(next).0,
        };
        catalog
            .destinations
            .insert(name.to_owned(), Destination::new(cursor, file, true));
    }

    #[test]
    fn a_number_is_found_in_the_last_segment_that_begins_before_it() {
        let catalog = catalog();
        let check = |sequence: u64, expected: Option<(u64, Option<u64>, u64)>| {
            let found = catalog.locate(sequence).map(|place| {
                (
                    place.identity.number,
                    place.segment.map(|segment| segment.first),
                    place.limit,
                )
            });
            assert_eq!(found, expected, "{sequence}");
        };
        check(1, Some((1, None, 10)));
        check(10, Some((1, Some(10), 20)));
        check(19, Some((1, Some(10), 20)));
        check(20, Some((1, Some(20), 35)));
        check(35, Some((2, Some(20), 40)));
        check(49, Some((2, Some(40), 50)));
        check(50, None);
    }

    #[test]
    fn a_segment_goes_when_the_slowest_destination_has_passed_it() {
        let check = |cursors: &[u64], expected: &[u64]| {
            let mut catalog = catalog();
            for (index, next) in cursors.iter().enumerate() {
                add_destination(&mut catalog, &index.to_string(), *next);
            }
            assert_eq!(catalog.has_removable(), !expected.is_empty(), "{cursors:?}");
            let removed: Vec<u64> = catalog
                .take_removable(u64::MAX)
                .iter()
                .map(|it| it.first)
                .collect();
            assert_eq!(removed, expected, "{cursors:?}");
        };
        check(&[], &[]);
        check(&[19], &[]);
        check(&[20], &[10]);
        check(&[45], &[10, 20]);
        check(&[50], &[10, 20, 40]);
        check(&[50, 21], &[10]);
    }

    #[test]
    fn the_segment_being_appended_to_stays() {
        let mut catalog = catalog();
        add_destination(&mut catalog, "store", 50);
        catalog.begin_segment(segment(50));
        catalog.publish(60, 90, 7);
        catalog.acknowledge("store", 60, None);
        assert_eq!(catalog.take_removable(u64::MAX).len(), 3);
        assert_eq!((catalog.bytes(), catalog.filled_bytes()), (100, 90));
        catalog.end_segment(90, false);
        assert_eq!((catalog.bytes(), catalog.filled_bytes()), (90, 90));
        assert_eq!(catalog.take_removable(u64::MAX).len(), 1);
        assert_eq!(catalog.oldest(), 60);
    }

    #[test]
    fn losses_are_counted_once() {
        let mut catalog = catalog();
        for (from, to, total) in [
            (10, 15, 5),
            (10, 15, 5),
            (12, 18, 8),
            (30, 31, 9),
            (2, 5, 9),
        ] {
            catalog.count_lost(from, to);
            assert_eq!(catalog.lost(), total, "{from}..{to}");
        }
    }

    #[test]
    fn waiting_begins_with_the_first_entry_that_is_lacking() {
        let mut catalog = catalog();
        add_destination(&mut catalog, "store", 50);
        let waiting = |catalog: &Catalog| catalog.destinations["store"].waiting_since_us;
        assert_eq!(waiting(&catalog), None);
        catalog.publish(60, 0, 700);
        catalog.publish(70, 0, 800);
        assert_eq!(waiting(&catalog), Some(700));
        catalog.acknowledge("store", 65, Some(800));
        assert_eq!(waiting(&catalog), Some(800));
        catalog.acknowledge("store", 70, None);
        assert_eq!(waiting(&catalog), None);
        catalog.move_cursor("store", 25);
        assert_eq!(waiting(&catalog), Some(200));
    }
}
