//! A small record that survives a crash while it is written: two checksummed
//! copies in one file, overwritten in turn and in place, which needs no room on
//! a full disk.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::fields::Fields;
use super::folder::read_at;

/// For payloads that fit a page: each slot in one of its own, so that one torn
/// page cannot hold both.
pub(super) const PAGE: usize = 4096;
const SLOT_HEAD_BYTES: usize = 24;

/// The file. While there is no room to create it, it exists in memory only.
#[derive(Debug)]
pub(super) struct Slots {
    path: PathBuf,
    magic: [u8; 8],
    /// Bytes from one slot to the next.
    stride: usize,
    file: Option<File>,
    generation: u64,
}

/// What was found on disk.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// The payload written last.
    pub(super) newest: Option<Vec<u8>>,
    /// A file is there, and both copies are as they were written.
    pub(super) intact: bool,
    /// The file's inode number; 0 without a file.
    pub(super) inode: u64,
}

impl Slots {
    /// Opens the file and finds the newer copy; a payload has less than `stride`
    /// bytes. Whatever is in its way is moved to `aside`.
    pub(super) fn load(
        path: &Path,
        magic: [u8; 8],
        stride: usize,
        aside: impl FnOnce(&Path),
    ) -> io::Result<(Self, Loaded)> {
        let mut slots = Self {
            path: path.to_owned(),
            magic,
            stride,
            file: None,
            generation: 0,
        };
        match path.symlink_metadata() {
            Ok(found) if found.is_file() => {}
            Ok(_) => {
                aside(path);
                return Ok((slots, Loaded::default()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((slots, Loaded::default()));
            }
            Err(error) => return Err(error),
        }
        let file = File::options().read(true).write(true).open(path)?;
        let inode = file.metadata()?.ino();
        let copies = [slots.read_slot(&file, 0), slots.read_slot(&file, 1)];
        let intact = copies.iter().all(Option::is_some);
        let newest = copies
            .into_iter()
            .flatten()
            .max_by_key(|(generation, _)| *generation);
        slots.file = Some(file);
        slots.generation = newest.as_ref().map_or(0, |(generation, _)| *generation);
        Ok((
            slots,
            Loaded {
                newest: newest.map(|(_, payload)| payload),
                intact,
                inode,
            },
        ))
    }

    /// Writes the payload over the older copy. It is in the page cache
    /// afterwards: it survives this process, and the machine after `sync`.
    pub(super) fn write(&mut self, payload: &[u8]) -> io::Result<()> {
        let Some(file) = &self.file else {
            return self.create(payload);
        };
        let generation = self.generation + 1;
        let slot = self.encode(payload, generation);
        file.write_all_at(&slot, generation % 2 * self.stride as u64)?;
        // After a failure the same copy is tried again: the other is the last good one.
        self.generation = generation;
        Ok(())
    }

    /// Makes what was written last as durable as the disk can.
    pub(super) fn sync(&self) -> io::Result<()> {
        match &self.file {
            Some(file) => Ok(rustix::fs::fdatasync(file)?),
            None => Ok(()),
        }
    }

    /// The file's inode number; 0 while it exists in memory only.
    pub(super) fn inode(&self) -> u64 {
        self.file
            .as_ref()
            .and_then(|file| file.metadata().ok())
            .map_or(0, |found| found.ino())
    }

    /// Both copies are written with bytes on disk behind them, so that no later
    /// write needs room.
    fn create(&mut self, payload: &[u8]) -> io::Result<()> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&self.path)?;
        let mut both = self.encode(payload, self.generation + 2);
        both.resize(self.stride, 0);
        both.extend(self.encode(payload, self.generation + 1));
        both.resize(2 * self.stride, 0);
        if let Err(error) = file.write_all_at(&both, 0) {
            // Half a file would look like a damaged one.
            let _ = std::fs::remove_file(&self.path);
            return Err(error);
        }
        // The even generation lies in the first slot, as `write` would put it.
        self.generation = (self.generation + 2) & !1;
        self.file = Some(file);
        Ok(())
    }

    fn encode(&self, payload: &[u8], generation: u64) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("a payload is small");
        let mut slot = Vec::with_capacity(self.stride);
        slot.extend_from_slice(&self.magic);
        slot.extend_from_slice(&[0; 4]);
        slot.extend_from_slice(&length.to_le_bytes());
        slot.extend_from_slice(&generation.to_le_bytes());
        slot.extend_from_slice(payload);
        let crc = crc32c::crc32c(&slot);
        slot[8..12].copy_from_slice(&crc.to_le_bytes());
        slot
    }

    fn read_slot(&self, file: &File, index: u64) -> Option<(u64, Vec<u8>)> {
        // A file that was cut has less.
        let mut slot = read_at(file, index * self.stride as u64, self.stride).ok()?;
        let mut fields = Fields::of(&slot);
        let magic = fields.bytes::<8>()?;
        let crc = fields.u32()?;
        let length = fields.u32()? as usize;
        let generation = fields.u64()?;
        if magic != self.magic || length > slot.len() - SLOT_HEAD_BYTES {
            return None;
        }
        slot.truncate(SLOT_HEAD_BYTES + length);
        slot[8..12].fill(0);
        (crc == crc32c::crc32c(&slot)).then(|| (generation, slot.split_off(SLOT_HEAD_BYTES)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 8] = *b"testslot";

    fn load(path: &Path) -> (Slots, Loaded) {
        Slots::load(path, MAGIC, PAGE, |_| panic!("nothing is in the way")).unwrap()
    }

    #[test]
    fn the_last_payload_is_found_after_any_number_of_writes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("slots");
        assert!(load(&path).1.newest.is_none());
        for count in 1_u8..6 {
            let (mut slots, _) = load(&path);
            for value in 1..=count {
                slots.write(&[value, count]).unwrap();
            }
            let loaded = load(&path).1;
            assert_eq!(loaded.newest, Some(vec![count, count]), "{count} writes");
            assert!(loaded.intact);
            assert_eq!(loaded.inode, slots.inode());
        }
    }

    #[test]
    fn any_damaged_byte_leaves_one_of_the_last_two_payloads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("slots");
        let (mut slots, _) = load(&path);
        slots.write(b"older").unwrap();
        slots.write(b"newer").unwrap();
        let good = std::fs::read(&path).unwrap();
        let used = [0..SLOT_HEAD_BYTES + 5, PAGE..PAGE + SLOT_HEAD_BYTES + 5];
        for at in used.into_iter().flatten() {
            let mut damaged = good.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&path, &damaged).unwrap();
            let (mut slots, loaded) = load(&path);
            let newest = loaded.newest.unwrap();
            assert!(newest == b"older" || newest == b"newer", "byte {at}");
            assert!(!loaded.intact, "byte {at}");
            slots.write(b"again").unwrap();
            slots.write(b"again").unwrap();
            let loaded = load(&path).1;
            assert_eq!(
                (loaded.newest.as_deref(), loaded.intact),
                (Some(&b"again"[..]), true)
            );
        }
    }

    #[test]
    fn a_folder_in_the_way_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("slots");
        std::fs::create_dir(&path).unwrap();
        let (mut slots, loaded) = Slots::load(&path, MAGIC, PAGE, |path| {
            std::fs::remove_dir(path).unwrap()
        })
        .unwrap();
        assert!(loaded.newest.is_none());
        slots.write(b"x").unwrap();
        assert_eq!(load(&path).1.newest.as_deref(), Some(&b"x"[..]));
    }
}
