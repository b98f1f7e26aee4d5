//! How far the spools of other bridges have come: for each, the number that is
//! expected next. What was taken tells it by itself, because every forwarded
//! entry is tagged with the number behind it, in the very bytes that are synced.
//! The file `upstreams` keeps what entries no longer tell: those whose segment was
//! removed, and numbers that stood for nothing. Whatever is in it is a lower bound,
//! so that neither an old file nor a lost write can make anything doubled or lost.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use super::error::SpoolError;
use super::fields::Fields;
use super::folder::Folder;
use super::forwarded::Progress;
use super::slots::Slots;

const MAGIC: [u8; 8] = *b"HRLDUP01";
/// Bytes of each of the file's two copies.
const COPY_BYTES: usize = 128 << 10;
/// More spools than this are not remembered: those heard of longest ago are
/// forgotten. A bridge takes a new one at each start.
const MAX_SPOOLS: usize = 4_000;

/// A spool further up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heard {
    next: u64,
    at_us: i64,
}

/// The numbers expected next, by spool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table(BTreeMap<Uuid, Heard>);

impl Table {
    pub(super) fn next(&self, upstream: Uuid) -> Option<u64> {
        self.0.get(&upstream).map(|heard| heard.next)
    }

    /// Everything below `progress.next` is taken.
    pub(super) fn advance(&mut self, progress: &Progress, at_us: i64) {
        let heard = self.0.entry(progress.upstream).or_insert(Heard {
            next: progress.next,
            at_us,
        });
        heard.next = heard.next.max(progress.next);
        heard.at_us = heard.at_us.max(at_us);
        if self.0.len() > MAX_SPOOLS
            && let Some(oldest) = self.0.iter().min_by_key(|(_, heard)| heard.at_us)
        {
            let oldest = *oldest.0;
            self.0.remove(&oldest);
        }
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
            table
                .0
                .insert(Uuid::from_bytes(upstream), Heard { next, at_us });
        }
        Some((table, covers))
    }
}

/// The table of a spool and its file.
#[derive(Debug)]
pub(super) struct Upstreams {
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
    /// nothing was ever forwarded to this spool.
    covers: Option<u64>,
}

impl Upstreams {
    /// Reads the file. What entries from `covers` on tell is still to be added.
    pub(super) fn load(folder: &Folder) -> Result<Self, SpoolError> {
        let path = folder.path().join("upstreams");
        let (slots, loaded) = Slots::load(&path, MAGIC, COPY_BYTES, |path| folder.move_aside(path))
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
        };
        Ok(Self {
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
        })
    }

    /// The first number that the file does not tell of; `None` when there cannot
    /// be a forwarded entry.
    pub(super) fn covers(&self) -> Option<u64> {
        self.state().covers
    }

    /// The number expected next of a spool, as far as it is durable.
    pub(super) fn next(&self, upstream: Uuid) -> Option<u64> {
        self.state().table.next(upstream)
    }

    /// What is told became durable.
    pub(super) fn advance(&self, progress: &[Progress], at_us: i64) {
        if progress.is_empty() {
            return;
        }
        let mut state = self.state();
        for it in progress {
            state.table.advance(it, at_us);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(number: u128, next: u64) -> Progress {
        Progress {
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
    fn the_spool_heard_of_longest_ago_is_forgotten_and_the_rest_fits_the_file() {
        let mut table = Table::default();
        for number in 0..=MAX_SPOOLS {
            let at_us = if number == 17 { -1 } else { number as i64 };
            table.advance(&progress(number as u128, 3), at_us);
        }
        assert_eq!(table.0.len(), MAX_SPOOLS);
        assert_eq!(table.next(Uuid::from_u128(17)), None);
        let bytes = table.encode(44);
        assert!(bytes.len() < COPY_BYTES - 24);
        assert_eq!(Table::decode(&bytes), Some((table, 44)));
    }

    #[test]
    fn the_file_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::lock(dir.path()).unwrap();
        let upstreams = Upstreams::load(&folder).unwrap();
        assert_eq!(upstreams.covers(), None);
        upstreams.advance(&[progress(1, 5), progress(2, 8)], 1);
        assert!(upstreams.save(&folder, 30).unwrap());
        let again = Upstreams::load(&folder).unwrap();
        assert_eq!(again.covers(), Some(30));
        assert_eq!(again.next(Uuid::from_u128(2)), Some(8));
        std::fs::write(dir.path().join("upstreams"), b"rubbish").unwrap();
        assert_eq!(Upstreams::load(&folder).unwrap().covers(), Some(0));
    }
}
