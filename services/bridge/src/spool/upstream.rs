//! How far those have come who number what they send, the spools of other bridges and
//! the streams of programs: for each, the number that is expected next. What was taken
//! tells it by itself, because every such entry is tagged with the number behind it,
//! in the very bytes that are synced. The files `upstreams` and `streams` keep what
//! entries no longer tell: those whose segment was removed, and numbers that stood for
//! nothing. Whatever is in them is a lower bound, so that neither an old file nor a
//! lost write can make anything doubled or lost.

mod senders;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use super::error::SpoolError;
use super::fields::Fields;
use super::folder::Folder;
use super::forwarded::Progress;
use super::slots::Slots;

pub(super) use senders::Senders;

/// A file of numbers expected next.
#[derive(Debug, Clone, Copy)]
struct Book {
    file: &'static str,
    magic: [u8; 8],
    /// Bytes of each of the file's two copies.
    copy_bytes: usize,
    /// More than this are not remembered: those heard of longest ago are forgotten.
    most: usize,
    /// So many are forgotten at a time.
    forgotten: usize,
}

/// A bridge takes a new spool at each start.
const UPSTREAMS: Book = Book {
    file: "upstreams",
    magic: *b"HRLDUP01",
    copy_bytes: 128 << 10,
    most: 4_000,
    forgotten: 1,
};

/// A program takes a new stream at each start, and many live for a moment only.
const STREAMS: Book = Book {
    file: "streams",
    magic: *b"HRLDST01",
    copy_bytes: 512 << 10,
    most: 16_000,
    forgotten: 1_000,
};

/// A spool further up, or a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heard {
    next: u64,
    at_us: i64,
    /// It has ended, with everything acknowledged. No file tells that.
    parted: bool,
}

/// The numbers expected next, by spool or stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Table(BTreeMap<Uuid, Heard>);

impl Table {
    fn next(&self, upstream: Uuid) -> Option<u64> {
        self.0.get(&upstream).map(|heard| heard.next)
    }

    /// Everything below `progress.next` is taken.
    fn advance(&mut self, progress: &Progress, at_us: i64) {
        let heard = self.0.entry(progress.upstream).or_insert(Heard {
            next: progress.next,
            at_us,
            parted: false,
        });
        heard.next = heard.next.max(progress.next);
        heard.at_us = heard.at_us.max(at_us);
    }

    /// Forgets some if there are too many: first those that have ended, then those
    /// heard of longest ago. Returns how many of them might still send.
    fn forget(&mut self, book: &Book) -> u64 {
        if self.0.len() <= book.most {
            return 0;
        }
        let excess = self.0.len() - book.most + book.forgotten - 1;
        let order = |heard: &Heard| (!heard.parted, heard.at_us);
        let mut known: Vec<_> = self
            .0
            .iter()
            .map(|(it, heard)| (order(heard), *it))
            .collect();
        known.select_nth_unstable(excess);
        let going = &known[..excess];
        for (_, upstream) in going {
            self.0.remove(upstream);
        }
        going.iter().filter(|((may_send, _), _)| *may_send).count() as u64
    }

    fn encode(&self, covers: u64) -> Vec<u8> {
        let mut out = covers.to_le_bytes().to_vec();
        for (upstream, heard) in &self.0 {
            out.extend_from_slice(upstream.as_bytes());
            out.extend_from_slice(&heard.next.to_le_bytes());
            out.extend_from_slice(&heard.at_us.to_le_bytes());
        }
        out
    }

    fn decode(bytes: &[u8]) -> Option<(Self, u64)> {
        let mut fields = Fields::of(bytes);
        let covers = fields.u64()?;
        let mut table = Self::default();
        while let Some(upstream) = fields.bytes() {
            let (next, at_us) = (fields.u64()?, fields.i64()?);
            table.0.insert(
                Uuid::from_bytes(upstream),
                Heard {
                    next,
                    at_us,
                    parted: false,
                },
            );
        }
        Some((table, covers))
    }
}

/// One table of a spool and its file.
#[derive(Debug)]
pub(super) struct Upstreams {
    book: Book,
    state: Mutex<State>,
    /// Rises whenever the table does.
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    slots: Slots,
    /// What is durable.
    table: Table,
    /// The file tells of every entry below; `None` while there is no file, because
    /// nothing ever came so to this spool.
    covers: Option<u64>,
    /// How many were forgotten in this run that might still send.
    forgotten: u64,
}

impl Upstreams {
    /// Reads the file. What entries from `covers` on tell is still to be added.
    fn load(folder: &Folder, book: Book) -> Result<Self, SpoolError> {
        let path = folder.path().join(book.file);
        let aside = |path: &_| folder.move_aside(path);
        let (slots, loaded) = Slots::load(&path, book.magic, book.copy_bytes, aside)
            .map_err(SpoolError::io("read", &path))?;
        let is_there = loaded.inode != 0;
        let (table, covers) = loaded
            .newest
            .as_deref()
            .and_then(Table::decode)
            .unwrap_or_default();
        let state = State {
            slots,
            table,
            covers: is_there.then_some(covers),
            forgotten: 0,
        };
        Ok(Self {
            book,
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
        })
    }

    /// The first number that the file does not tell of; `None` when there cannot
    /// be an entry of this kind of senders.
    pub(super) fn covers(&self) -> Option<u64> {
        self.state().covers
    }

    /// The number expected next of a spool or stream, as far as it is durable.
    pub(super) fn next(&self, upstream: Uuid) -> Option<u64> {
        self.state().table.next(upstream)
    }

    /// It has ended, with everything acknowledged.
    pub(super) fn part(&self, upstream: Uuid) {
        if let Some(heard) = self.state().table.0.get_mut(&upstream) {
            heard.parted = true;
        }
    }

    /// How many were forgotten in this run that might still send.
    pub(super) fn forgotten(&self) -> u64 {
        self.state().forgotten
    }

    /// What is told became durable.
    fn advance<'p>(&self, progress: impl IntoIterator<Item = &'p Progress>, at_us: i64) {
        let mut progress = progress.into_iter().peekable();
        if progress.peek().is_none() {
            return;
        }
        let mut state = self.state();
        for it in progress {
            state.table.advance(it, at_us);
        }
        state.forget(&self.book);
        drop(state);
        self.changed.send_modify(|version| *version += 1);
    }

    /// Resolves when the table changes after the receiver was made.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Makes the file tell of everything below `covers`, durably. `false` when
    /// there was no room: what it told before still holds.
    pub(super) fn save(&self, folder: &Folder, covers: u64) -> Result<bool, SpoolError> {
        Self::write(folder, covers, &mut self.state())
    }

    /// The same, with `progress` that no entry tells of; it counts once it is in
    /// the file.
    pub(super) fn save_with(
        &self,
        folder: &Folder,
        covers: u64,
        progress: &[Progress],
        at_us: i64,
    ) -> Result<bool, SpoolError> {
        let mut state = self.state();
        let before = state.table.clone();
        for it in progress {
            state.table.advance(it, at_us);
        }
        state.forget(&self.book);
        // Nobody looks at the table before it is written or put back.
        let saved = Self::write(folder, covers, &mut state);
        if !matches!(saved, Ok(true)) {
            state.table = before;
            return saved;
        }
        drop(state);
        self.changed.send_modify(|version| *version += 1);
        Ok(true)
    }

    fn write(folder: &Folder, covers: u64, state: &mut State) -> Result<bool, SpoolError> {
        let bytes = state.table.encode(covers);
        let failed = || SpoolError::io("write upstreams in", folder.path());
        match folder.with_reserve(|| state.slots.write(&bytes)) {
            Err(error) if super::error::no_room(&error) => return Ok(false),
            written => written.map_err(failed())?,
        }
        state.slots.sync().map_err(failed())?;
        if state.covers.replace(covers).is_none() {
            folder.sync()?;
        }
        Ok(true)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, book: &Book) {
        self.forgotten += self.table.forget(book);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Sender;

    fn progress(number: u128, next: u64) -> Progress {
        Progress {
            sender: Sender::Bridge,
            upstream: Uuid::from_u128(number),
            next,
        }
    }

    #[test]
    fn a_number_only_rises() {
        let mut table = Table::default();
        for (next, expected) in [(5, 5), (9, 9), (7, 9)] {
            table.advance(&progress(1, next), 0);
            assert_eq!(table.next(Uuid::from_u128(1)), Some(expected));
        }
        assert_eq!(table.next(Uuid::from_u128(2)), None);
    }

    #[test]
    fn what_was_heard_of_longest_ago_is_forgotten_and_the_rest_fits_the_file() {
        for book in [UPSTREAMS, STREAMS] {
            let mut table = Table::default();
            for number in 0..=book.most {
                assert_eq!(table.forget(&book), 0);
                let at_us = if number == 17 { -1 } else { number as i64 };
                table.advance(&progress(number as u128, 3), at_us);
            }
            assert_eq!(table.forget(&book), book.forgotten as u64);
            assert_eq!(table.0.len(), book.most + 1 - book.forgotten);
            assert_eq!(table.next(Uuid::from_u128(17)), None);
            assert_eq!(table.next(Uuid::from_u128(book.most as u128)), Some(3));
            let bytes = table.encode(44);
            assert!(book.most * 32 + 8 < book.copy_bytes - 24);
            assert_eq!(Table::decode(&bytes), Some((table, 44)));
        }
    }

    #[test]
    fn those_that_have_ended_go_first_and_are_not_missed() {
        let mut table = Table::default();
        let first = STREAMS.most / 2;
        for number in 0..=STREAMS.most {
            table.advance(&progress(number as u128, 3), number as i64);
            if number >= first {
                let heard = table.0.get_mut(&Uuid::from_u128(number as u128)).unwrap();
                heard.parted = true;
            }
        }
        assert_eq!(table.forget(&STREAMS), 0);
        assert_eq!(table.next(Uuid::from_u128(0)), Some(3));
        assert_eq!(table.next(Uuid::from_u128(first as u128)), None);
    }

    #[test]
    fn the_file_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::lock(dir.path()).unwrap();
        let load = || Upstreams::load(&folder, UPSTREAMS).unwrap();
        let upstreams = load();
        assert_eq!(upstreams.covers(), None);
        upstreams.advance(&[progress(1, 5), progress(2, 8)], 1);
        assert!(upstreams.save(&folder, 30).unwrap());
        let again = load();
        assert_eq!(again.covers(), Some(30));
        assert_eq!(again.next(Uuid::from_u128(2)), Some(8));
        std::fs::write(dir.path().join("upstreams"), b"rubbish").unwrap();
        assert_eq!(load().covers(), Some(0));
    }
}
