//! The spool's folder: its lock, its room, the reserve that keeps it working on
//! a full disk, and the place where damaged bytes are set aside.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FlockOperation};
use tracing::warn;

use super::error::SpoolError;

const RESERVE_BYTES: u64 = 4 << 20;
/// More damage than this is not kept: it would fill the disk it came from.
const DAMAGED_LIMIT_BYTES: u64 = 64 << 20;

/// The folder, locked for this process.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The lock is on the folder itself: a lock file could not be made on a full disk.
    handle: File,
}

impl Folder {
    /// Makes the folder if need be and locks it.
    pub(super) fn lock(path: &Path) -> Result<Self, SpoolError> {
        std::fs::create_dir_all(path).map_err(SpoolError::io("create spool folder", path))?;
        let handle = File::open(path).map_err(SpoolError::io("open spool folder", path))?;
        match rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(SpoolError::Locked {
                    dir: path.to_owned(),
                });
            }
            Err(error) => return Err(SpoolError::io("lock spool folder", path)(error)),
        }
        rustix::fs::accessat(
            &handle,
            ".",
            rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
            rustix::fs::AtFlags::empty(),
        )
        .map_err(SpoolError::io("write to spool folder", path))?;
        Ok(Self {
            path: path.to_owned(),
            handle,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Lets another process have the folder, though readers still look at it.
    pub(super) fn unlock(&self) {
        let _ = rustix::fs::flock(&self.handle, FlockOperation::Unlock);
    }

    /// Makes created and removed names durable.
    pub(super) fn sync(&self) -> Result<(), SpoolError> {
        rustix::fs::fsync(&self.handle).map_err(SpoolError::io("sync spool folder", &self.path))
    }

    /// Bytes that this process may still write to the file system.
    pub(super) fn available_bytes(&self) -> u64 {
        match rustix::fs::fstatvfs(&self.handle) {
            Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
            Err(_) => u64::MAX,
        }
    }

    /// Takes room for hard times, if there is plenty.
    pub(super) fn make_reserve(&self) {
        let path = self.reserve();
        if path.symlink_metadata().is_ok() {
            return;
        }
        let bytes = RESERVE_BYTES.min(self.available_bytes() / 8);
        let made = File::create_new(&path).and_then(|file| {
            Ok(rustix::fs::fallocate(
                &file,
                FallocateFlags::empty(),
                0,
                bytes.max(1),
            )?)
        });
        if made.is_err() {
            let _ = std::fs::remove_file(&path);
        }
    }

    /// Gives the reserve's room back to the disk; whether there was any.
    pub(super) fn release_reserve(&self) -> bool {
        std::fs::remove_file(self.reserve()).is_ok()
    }

    /// Runs `write`; when there is no room, gives up the reserve and tries once more.
    pub(super) fn with_reserve<T>(
        &self,
        mut write: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        match write() {
            Err(error) if super::error::no_room(&error) && self.release_reserve() => write(),
            result => result,
        }
    }

    /// Moves something that is not ours out of the way: to the damaged bytes, or,
    /// where these have no place, under another name.
    pub(super) fn move_aside(&self, path: &Path) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let _ = std::fs::create_dir(self.damaged());
        let targets = (0..100).flat_map(|attempt| {
            let target = format!("aside.{attempt}.{name}");
            [self.damaged().join(&target), self.path.join(&target)]
        });
        let moved = targets
            .filter(|target| target.symlink_metadata().is_err())
            .any(|target| std::fs::rename(path, target).is_ok());
        if !moved {
            warn!(path = %path.display(), "cannot move an obstacle out of the spool");
        }
    }

    /// Keeps a copy of damaged bytes for whoever wants to look at them. Best
    /// effort: neither a full nor a read-only disk stops the spool.
    pub(super) fn keep_damaged(&self, segment: &Path, offset: u64, bytes: &[u8]) {
        if bytes.iter().all(|byte| *byte == 0) {
            return;
        }
        let name = segment
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let target = self.damaged().join(format!("{name}.at-{offset}"));
        let kept = std::fs::create_dir_all(self.damaged()).and_then(|()| {
            if folder_bytes(&self.damaged())? + bytes.len() as u64 > DAMAGED_LIMIT_BYTES {
                return Ok(());
            }
            match File::create_new(&target) {
                Ok(file) => file.write_all_at(bytes, 0),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                Err(error) => Err(error),
            }
        });
        if let Err(error) = kept {
            warn!(path = %target.display(), %error, "cannot keep a copy of damaged bytes");
        }
    }

    fn reserve(&self) -> PathBuf {
        self.path.join("reserve")
    }

    fn damaged(&self) -> PathBuf {
        self.path.join("damaged")
    }
}

fn folder_bytes(path: &Path) -> io::Result<u64> {
    std::fs::read_dir(path)?.try_fold(0, |sum, entry| Ok(sum + entry?.metadata()?.len()))
}

/// Reads up to `length` bytes. Pages that the disk cannot read any more come
/// back as zeros, so that their checksums tell which entries they cost.
pub(super) fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    const PAGE: usize = 4096;
    let mut bytes = Vec::with_capacity(length.max(1));
    while bytes.len() < length {
        let at = offset + bytes.len() as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut bytes), at) {
            Ok(0) => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::IO) => {
                let page = (length - bytes.len()).min(PAGE - (at % PAGE as u64) as usize);
                let mut part = vec![0; page];
                let read = file.read_at(&mut part, at).unwrap_or(page);
                if read == 0 {
                    break;
                }
                bytes.extend_from_slice(&part[..read]);
            }
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}
