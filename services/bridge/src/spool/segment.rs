//! A segment's file: its name, its header, how it comes into being.
//!
//! The first 4,096 bytes hold the header twice, at 0 and at 2,048:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | `HRLDSEG1` |
//! | 8 | 4 | CRC32C of the bytes 12..68 |
//! | 12 | 4 | salt of the entries' checksums |
//! | 16 | 16 | identity: bridge_id |
//! | 32 | 8 | identity: first sequence number |
//! | 40 | 8 | identity: its place among the spool's identities |
//! | 48 | 8 | first sequence number of the segment |
//! | 56 | 8 | time of creation, microseconds since 1970 |
//! | 64 | 4 | 0 |

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::fields::Fields;
use super::folder::Folder;
use super::identity::Identity;

/// Where the entries begin.
pub(super) const DATA_START: u64 = 4096;
/// No segment is made smaller than this.
pub(super) const MIN_SEGMENT_BYTES: u64 = 64 << 10;

const MAGIC: [u8; 8] = *b"HRLDSEG1";
const HEADER_BYTES: usize = 68;
const COPIES: [usize; 2] = [0, 2048];

/// A segment's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) salt: u32,
    pub(super) identity: Identity,
    /// No entry of the segment has a lower number.
    pub(super) first: u64,
    pub(super) created_us: i64,
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut checked = Vec::with_capacity(HEADER_BYTES);
        checked.extend_from_slice(&self.salt.to_le_bytes());
        self.identity.encode(&mut checked);
        checked.extend_from_slice(&self.first.to_le_bytes());
        checked.extend_from_slice(&self.created_us.to_le_bytes());
        checked.extend_from_slice(&[0; 4]);
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&crc32c::crc32c(&checked).to_le_bytes());
        out.extend(checked);
        out
    }

    /// The bytes in front of the entries.
    fn block(&self) -> Vec<u8> {
        let mut block = vec![0; DATA_START as usize];
        for at in COPIES {
            block[at..at + HEADER_BYTES].copy_from_slice(&self.encode());
        }
        block
    }

    /// Reads either copy from a segment's first bytes.
    pub(super) fn decode(block: &[u8]) -> Option<Self> {
        COPIES
            .iter()
            .find_map(|at| Self::decode_copy(block.get(*at..at + HEADER_BYTES)?))
    }

    fn decode_copy(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let valid = fields.bytes()? == MAGIC && fields.u32()? == crc32c::crc32c(&bytes[12..]);
        let header = Self {
            salt: fields.u32()?,
            identity: Identity::decode(&mut fields)?,
            first: fields.u64()?,
            created_us: fields.i64()?,
        };
        valid.then_some(header)
    }

    /// Puts the header into an existing file, one copy after the other, so that
    /// one is whole at any time.
    pub(super) fn rewrite(&self, path: &Path) -> io::Result<()> {
        let file = File::options().write(true).open(path)?;
        for at in COPIES {
            file.write_all_at(&self.encode(), at as u64)?;
            rustix::fs::fdatasync(&file)?;
        }
        Ok(())
    }
}

/// A segment that was just made.
#[derive(Debug)]
pub(super) struct NewSegment {
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// Bytes that can be written without running out of room.
    pub(super) bytes: u64,
}

/// Whether a file name is a segment's: its first number, and a suffix where an
/// obstacle was in the way.
pub(super) fn is_segment(file_name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    file_name
        .strip_suffix(".seg")
        .is_some_and(|stem| match stem.split_once('.') {
            Some((first, attempt)) => digits(first) && digits(attempt),
            None => digits(stem),
        })
}

/// The name of a segment, by the first number it may hold.
pub(super) fn file_name(first: u64, attempt: u32) -> String {
    match attempt {
        0 => format!("{first:020}.seg"),
        _ => format!("{first:020}.{attempt}.seg"),
    }
}

/// Makes a segment of `wanted` bytes, or of fewer where the disk has no room,
/// but at least of `needed`. Its name and header are not durable yet.
pub(super) fn create(
    folder: &Folder,
    header: &Header,
    wanted: u64,
    needed: u64,
) -> io::Result<NewSegment> {
    let (file, path) = create_file(folder, header.first)?;
    let made = allocate(&file, wanted, needed)
        .and_then(|bytes| file.write_all_at(&header.block(), 0).map(|()| bytes));
    match made {
        Ok(bytes) => Ok(NewSegment { file, path, bytes }),
        Err(error) => {
            let _ = std::fs::remove_file(&path);
            Err(error)
        }
    }
}

fn create_file(folder: &Folder, first: u64) -> io::Result<(File, PathBuf)> {
    let mut attempt = 0;
    loop {
        let path = folder.path().join(file_name(first, attempt));
        match File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
        {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Room is taken beforehand, so that a full disk shows here and not in the
/// middle of an entry.
fn allocate(file: &File, wanted: u64, needed: u64) -> io::Result<u64> {
    let mut bytes = wanted.max(needed);
    loop {
        match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes) {
            Ok(()) => return Ok(bytes),
            Err(Errno::INTR) => {}
            // This file system cannot: the file grows with its entries.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(bytes),
            Err(Errno::NOSPC | Errno::DQUOT) if bytes > needed => {
                rustix::fs::ftruncate(file, 0)?;
                bytes = (bytes / 2).max(needed);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            salt: 7,
            identity: Identity::fresh(3, 2),
            first: 9,
            created_us: -5,
        }
    }

    #[test]
    fn any_damaged_byte_of_the_header_is_survived() {
        let header = header();
        let block = header.block();
        assert_eq!(header.encode().len(), HEADER_BYTES);
        for at in 0..block.len() {
            let mut damaged = block.clone();
            damaged[at] ^= 1;
            assert_eq!(Header::decode(&damaged), Some(header), "byte {at}");
        }
        let mut damaged = block.clone();
        damaged[20] ^= 1;
        damaged[2048 + 20] ^= 1;
        assert_eq!(Header::decode(&damaged), None);
        assert_eq!(Header::decode(&block[..40]), None);
        assert_eq!(Header::decode(&[0; 4096]), None);
    }

    #[test]
    fn a_rewritten_header_replaces_both_copies() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::lock(dir.path()).unwrap();
        let made = create(&folder, &header(), 1 << 20, 1 << 16).unwrap();
        assert_eq!(made.bytes, 1 << 20);
        let other = Header {
            identity: Identity::fresh(9, 3),
            ..header()
        };
        other.rewrite(&made.path).unwrap();
        let bytes = std::fs::read(&made.path).unwrap();
        assert_eq!(bytes.len(), 1 << 20);
        assert_eq!(bytes[..4096], other.block());
    }

    #[test]
    fn names() {
        let check = |name: &str, expected| assert_eq!(is_segment(name), expected, "{name}");
        check(&file_name(1, 0), true);
        check(&file_name(u64::MAX, 3), true);
        check("1.seg", true);
        check("x.seg", false);
        check(".seg", false);
        check("1.x.seg", false);
        check("1.2.3.seg", false);
        check("1.seg.gz", false);
        assert!(file_name(9, 0) < file_name(10, 0));
    }

    #[test]
    fn an_obstacle_is_stepped_around() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::lock(dir.path()).unwrap();
        std::fs::create_dir(dir.path().join(file_name(9, 0))).unwrap();
        let made = create(&folder, &header(), 1 << 16, 1 << 16).unwrap();
        assert_eq!(made.path, dir.path().join(file_name(9, 1)));
    }
}
