//! What is kept of a frame above the size limit: its size, its hash and its
//! beginning. The frame itself passes through without being gathered.

use domain::DeadLetter;
use sha2::{Digest, Sha256};

const SHA256_BYTES: usize = 32;

/// The note about a frame above the size limit. Stored form: the frame's size
/// as `u64`, little-endian; 32 bytes of SHA-256; the beginning of the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oversize<'a> {
    /// Length of the whole frame in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the whole frame.
    pub sha256: [u8; SHA256_BYTES],
    /// At most [`DeadLetter::HEAD_BYTES`] from its beginning.
    pub head: &'a [u8],
}

impl<'a> Oversize<'a> {
    /// The note in its stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + SHA256_BYTES + self.head.len());
        bytes.extend_from_slice(&self.size_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.sha256);
        bytes.extend_from_slice(self.head);
        bytes
    }

    /// Reads the stored form; `None` when it is too short.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (size, rest) = bytes.split_first_chunk()?;
        let (sha256, head) = rest.split_first_chunk()?;
        Some(Self {
            size_bytes: u64::from_le_bytes(*size),
            sha256: *sha256,
            head: &head[..head.len().min(DeadLetter::HEAD_BYTES)],
        })
    }
}

/// A frame above the size limit that is passing through.
#[derive(Debug)]
pub(super) struct Skipping {
    end: End,
    size_bytes: u64,
    hash: Sha256,
    head: Vec<u8>,
}

/// Where the frame ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    After(u64),
    LineFeed,
}

impl Skipping {
    pub(super) fn frame(size_bytes: u64) -> Self {
        Self::until(End::After(size_bytes))
    }

    pub(super) fn line() -> Self {
        Self::until(End::LineFeed)
    }

    fn until(end: End) -> Self {
        Self {
            end,
            size_bytes: 0,
            hash: Sha256::new(),
            head: Vec::new(),
        }
    }

    pub(super) fn is_line(&self) -> bool {
        self.end == End::LineFeed
    }

    /// How many bytes of it have passed.
    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// How many of the bytes belong to it, and whether it ends among them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let (content, used, whole) = match self.end {
            End::After(size_bytes) => {
                let left = usize::try_from(size_bytes - self.size_bytes).unwrap_or(usize::MAX);
                let length = bytes.len().min(left);
                (&bytes[..length], length, length == left)
            }
            End::LineFeed => match memchr::memchr(b'\n', bytes) {
                Some(end) => (&bytes[..end], end + 1, true),
                None => (bytes, bytes.len(), false),
            },
        };
        self.size_bytes += content.len() as u64;
        self.hash.update(content);
        let room = DeadLetter::HEAD_BYTES - self.head.len();
        self.head
            .extend_from_slice(&content[..content.len().min(room)]);
        (used, whole)
    }

    /// The note about what has passed, in its stored form.
    pub(super) fn note(&mut self) -> Vec<u8> {
        Oversize {
            size_bytes: self.size_bytes,
            sha256: self.hash.finalize_reset().into(),
            head: &self.head,
        }
        .to_bytes()
    }
}
