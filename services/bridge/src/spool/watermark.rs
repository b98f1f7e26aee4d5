//! What the spool knows about itself besides its segments: which numbers were
//! durable, under which identity, and what was dropped but not yet declared.
//! After kill -9 it is exact; after a power failure it may lag behind, which the
//! boot id tells.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::drops::Drops;
use super::error::SpoolError;
use super::fields::Fields;
use super::folder::Folder;
use super::identity::Identity;
use super::slots::{self, Loaded, Slots};

const MAGIC: [u8; 8] = *b"HRLDWM01";

/// The record in the file `watermark`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watermark {
    pub(super) identity: Identity,
    pub(super) salt: u32,
    /// The first number that was not durable.
    pub(super) durable_next: u64,
    /// First number of the segment that was appended to; 0 without one.
    pub(super) segment_first: u64,
    /// Bytes of that segment that were durable.
    pub(super) segment_end: u64,
    /// The boot of the machine in which this was written.
    pub(super) boot_id: [u8; 16],
    /// Inode of the file itself: a restored copy has another.
    pub(super) inode: u64,
    /// Written by `close`, and durable.
    pub(super) clean: bool,
    /// Dropped and not declared.
    pub(super) drops: Drops,
}

impl Watermark {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        self.identity.encode(&mut out);
        out.extend_from_slice(&self.salt.to_le_bytes());
        out.extend_from_slice(&self.durable_next.to_le_bytes());
        out.extend_from_slice(&self.segment_first.to_le_bytes());
        out.extend_from_slice(&self.segment_end.to_le_bytes());
        out.extend_from_slice(&self.boot_id);
        out.extend_from_slice(&self.inode.to_le_bytes());
        out.push(u8::from(self.clean));
        self.drops.encode(&mut out);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        Some(Self {
            identity: Identity::decode(&mut fields)?,
            salt: fields.u32()?,
            durable_next: fields.u64()?,
            segment_first: fields.u64()?,
            segment_end: fields.u64()?,
            boot_id: fields.bytes()?,
            inode: fields.u64()?,
            clean: fields.u8()? != 0,
            drops: Drops::decode(&mut fields)?,
        })
    }
}

/// The file, shared by the writer and by whoever changes the identity.
#[derive(Debug)]
pub(super) struct WatermarkFile(Mutex<State>);

#[derive(Debug)]
struct State {
    slots: Slots,
    record: Watermark,
    /// Written, but not synced.
    stale: bool,
}

/// What was on disk at the start.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) slots: Slots,
    pub(super) record: Option<Watermark>,
    pub(super) loaded: Loaded,
}

/// Reads the file.
pub(super) fn load(folder: &Folder) -> Result<Found, SpoolError> {
    let path = path(folder.path());
    let (slots, loaded) = Slots::load(&path, MAGIC, slots::PAGE, |path| folder.move_aside(path))
        .map_err(SpoolError::io("read watermark", &path))?;
    let record = loaded.newest.as_deref().and_then(Watermark::decode);
    Ok(Found {
        slots,
        record,
        loaded,
    })
}

impl WatermarkFile {
    /// Writes the first record of this run and makes it durable. Without any
    /// room it stays in memory.
    pub(super) fn start(
        folder: &Folder,
        mut slots: Slots,
        record: Watermark,
    ) -> Result<Self, SpoolError> {
        let path = path(folder.path());
        match folder.with_reserve(|| slots.write(&record.encode())) {
            Err(error) if super::error::no_room(&error) => {}
            written => written.map_err(SpoolError::io("write watermark", &path))?,
        }
        let file = Self(Mutex::new(State {
            slots,
            record,
            stale: true,
        }));
        // Twice, so that neither slot tells of an earlier identity.
        file.update(folder, |_| ())?;
        file.sync(folder)?;
        Ok(file)
    }

    /// Changes the record and writes it: safe against the death of this process.
    pub(super) fn update(
        &self,
        folder: &Folder,
        change: impl FnOnce(&mut Watermark),
    ) -> Result<(), SpoolError> {
        let mut state = self.state();
        change(&mut state.record);
        state.record.inode = state.slots.inode();
        let bytes = state.record.encode();
        state.stale = true;
        match folder.with_reserve(|| state.slots.write(&bytes)) {
            // Copy-on-write file systems can be too full to overwrite. Nothing is
            // lost by an old watermark as long as the segments live.
            Err(error) if super::error::no_room(&error) => Ok(()),
            written => written.map_err(SpoolError::io("write watermark", &path(folder.path()))),
        }
    }

    /// Makes the record safe against the death of the machine.
    pub(super) fn sync(&self, folder: &Folder) -> Result<(), SpoolError> {
        let mut state = self.state();
        if state.stale {
            state
                .slots
                .sync()
                .map_err(SpoolError::io("sync watermark", &path(folder.path())))?;
            state.stale = false;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running boot of this machine; random where the system does not tell.
pub(super) fn boot_id() -> [u8; 16] {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .ok()
        .and_then(|text| uuid::Uuid::try_parse(text.trim()).ok())
        .unwrap_or_else(uuid::Uuid::new_v4)
        .into_bytes()
}

fn path(folder: &Path) -> std::path::PathBuf {
    folder.join("watermark")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_returns_what_it_was_given() {
        let record = Watermark {
            identity: Identity::fresh(5, 2),
            salt: 77,
            durable_next: 123,
            segment_first: 100,
            segment_end: 9_000,
            boot_id: [9; 16],
            inode: 44,
            clean: true,
            drops: Drops {
                records: 3,
                bytes: 1_800,
                from_us: 10,
                to_us: 20,
                ..Drops::default()
            },
        };
        let bytes = record.encode();
        assert_eq!(Watermark::decode(&bytes), Some(record));
        assert_eq!(Watermark::decode(&bytes[..bytes.len() - 1]), None);
    }
}
