//! How far those have come who number what they send, the spools of other bridges and
//! the streams of programs: for each, the number that is expected next. What was taken
//! tells it by itself, because every such entry is tagged with the number behind it,
//! in the very bytes that are synced. The files `upstreams` and `streams` keep what
//! entries no longer tell: those whose segment was removed, and numbers that stood for
//! nothing. Whatever is in them is a lower bound, so that neither an old file nor a
//! lost write can make anything doubled or lost.

mod senders;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
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
    /// How the file began before it told of callers.
    former: Option<[u8; 8]>,
    /// Bytes of each of the file's two copies.
    copy_bytes: usize,
    /// More than this are not remembered: those of the caller that has most are
    /// forgotten, first those heard of longest ago.
    most: usize,
    /// So many are forgotten at a time.
    forgotten: usize,
}

/// A bridge takes a new spool at each start.
const UPSTREAMS: Book = Book {
    file: "upstreams",
    magic: *b"HRLDUP02",
    former: Some(*b"HRLDUP01"),
    copy_bytes: 128 << 10,
    most: 2_700,
    forgotten: 1,
};

/// A program takes a new stream at each start, and many live for a moment only.
const STREAMS: Book = Book {
    file: "streams",
    magic: *b"HRLDST01",
    former: None,
    copy_bytes: 768 << 10,
    most: 16_000,
    forgotten: 1_000,
};

/// More who have said who they are, but sent nothing yet, are not remembered.
const MOST_INTRODUCED: usize = 1_000;

/// Whose spool it is, as digests of what it says and where it calls from; zeros where
/// nobody knows. Where there is no room to remember all spools, who calls from one
/// place pushes out none of another place, whatever it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The name in its certificate, or its address.
    pub from: u64,
    /// What it calls itself.
    pub name: u64,
}

/// A spool further up, or a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heard {
    next: u64,
    at_us: i64,
    /// It has ended, with everything acknowledged. No file tells that.
    parted: bool,
    caller: Caller,
}

/// The numbers expected next, by spool or stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Table {
    heard: BTreeMap<Uuid, Heard>,
    /// Whose spools are of which nothing was taken yet.
    introduced: HashMap<Uuid, Caller>,
}

impl Table {
    fn next(&self, upstream: Uuid) -> Option<u64> {
        self.heard.get(&upstream).map(|heard| heard.next)
    }

    /// Everything below `progress.next` is taken.
    fn advance(&mut self, progress: &Progress, at_us: i64) {
        let introduced = &mut self.introduced;
        let heard = self
            .heard
            .entry(progress.upstream)
            .or_insert_with(|| Heard {
                next: progress.next,
                at_us,
                parted: false,
                caller: introduced.remove(&progress.upstream).unwrap_or_default(),
            });
        heard.next = heard.next.max(progress.next);
        heard.at_us = heard.at_us.max(at_us);
    }

    fn introduce(&mut self, upstream: Uuid, caller: Caller) {
        if let Some(heard) = self.heard.get_mut(&upstream) {
            heard.caller = caller;
            return;
        }
        if self.introduced.len() >= MOST_INTRODUCED {
            self.introduced.clear();
        }
        self.introduced.insert(upstream, caller);
    }

    /// Forgets some if there are too many: first those that have ended, then those of
    /// the caller that has most, and of them those heard of longest ago. Returns how many
    /// of them might still send.
    fn forget(&mut self, book: &Book) -> u64 {
        if self.heard.len() <= book.most {
            return 0;
        }
        let excess = self.heard.len() - book.most + book.forgotten - 1;
        let (mut from, mut named) = (HashMap::new(), HashMap::new());
        for heard in self.heard.values() {
            *from.entry(heard.caller.from).or_insert(0_usize) += 1;
            *named.entry(heard.caller).or_insert(0_usize) += 1;
        }
        let order = |heard: &Heard| {
            let caller = &heard.caller;
            let most = Reverse((from[&caller.from], named[caller]));
            (!heard.parted, most, heard.at_us)
        };
        let mut known: Vec<_> = self
            .heard
            .iter()
            .map(|(it, heard)| (order(heard), *it))
            .collect();
        known.select_nth_unstable(excess);
        let going = &known[..excess];
        for (_, upstream) in going {
            self.heard.remove(upstream);
        }
        going.iter().filter(|((may_send, ..), _)| *may_send).count() as u64
    }

    fn encode(&self, covers: u64) -> Vec<u8> {
        let mut out = covers.to_le_bytes().to_vec();
        for (upstream, heard) in &self.heard {
            out.extend_from_slice(upstream.as_bytes());
            out.extend_from_slice(&heard.next.to_le_bytes());
            out.extend_from_slice(&heard.at_us.to_le_bytes());
            out.extend_from_slice(&heard.caller.from.to_le_bytes());
            out.extend_from_slice(&heard.caller.name.to_le_bytes());
        }
        out
    }

    /// Reads the stored form; the `former` one tells of no callers.
    fn decode(bytes: &[u8], former: bool) -> Option<(Self, u64)> {
        let mut fields = Fields::of(bytes);
        let covers = fields.u64()?;
        let mut table = Self::default();
        while let Some(upstream) = fields.bytes() {
            let (next, at_us) = (fields.u64()?, fields.i64()?);
            let caller = match former {
                true => Caller::default(),
                false => Caller {
                    from: fields.u64()?,
                    name: fields.u64()?,
                },
            };
            table.heard.insert(
                Uuid::from_bytes(upstream),
                Heard {
                    next,
                    at_us,
                    parted: false,
                    caller,
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
        let told = |newest: Option<Vec<u8>>, former| Table::decode(&newest?, former);
        let mut found = told(loaded.newest, false);
        if let (None, Some(magic)) = (&found, book.former) {
            let (_, loaded) = Slots::load(&path, magic, book.copy_bytes, aside)
                .map_err(SpoolError::io("read", &path))?;
            found = told(loaded.newest, true);
        }
        let (table, covers) = found.unwrap_or_default();
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

    /// Whose spool it is.
    pub(super) fn introduce(&self, upstream: Uuid, caller: Caller) {
        self.state().table.introduce(upstream, caller);
    }

    /// It has ended, with everything acknowledged.
    pub(super) fn part(&self, upstream: Uuid) {
        if let Some(heard) = self.state().table.heard.get_mut(&upstream) {
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
