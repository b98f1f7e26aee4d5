//! A frame: some bytes with their length, compressed when that pays. Each
//! column is in frames of its own, so that reading one does not open others.

use std::borrow::Cow;
use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::get_frame_content_size;

use super::bytes::{Cursor, put_varint};
use super::{BlockError, Effort};

/// Below this, a compressed frame's own header eats what compression gains.
const COMPRESS_MIN_LEN: usize = 192;
/// No frame is longer than this when opened; guards against absurd lengths.
const MAX_LEN: usize = 1 << 30;

/// Writes frames; keeps its compression state between them.
#[derive(Default)]
pub(super) struct Press {
    compressor: Option<Compressor<'static>>,
    level: i32,
    scratch: Vec<u8>,
}

impl Press {
    pub(super) fn set_effort(&mut self, effort: Effort) {
        let level = match effort {
            Effort::Fast => 1,
            Effort::Tight => 6,
        };
        if self.level != level {
            self.level = level;
            self.compressor = None;
        }
    }

    /// Appends a frame that holds `raw`.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, raw: &[u8]) {
        if raw.len() >= COMPRESS_MIN_LEN && self.compress(raw) {
            put_varint(out, (self.scratch.len() as u64) << 1 | 1);
            out.extend_from_slice(&self.scratch);
        } else {
            put_varint(out, (raw.len() as u64) << 1);
            out.extend_from_slice(raw);
        }
    }

    fn compress(&mut self, raw: &[u8]) -> bool {
        if self.compressor.is_none() {
            self.compressor = Compressor::new(self.level).ok();
        }
        let Some(compressor) = &mut self.compressor else {
            return false;
        };
        self.scratch.clear();
        self.scratch
            .reserve(zstd::zstd_safe::compress_bound(raw.len()));
        let compressed = compressor.compress_to_buffer(raw, &mut self.scratch);
        compressed.is_ok_and(|len| len < raw.len())
    }
}

/// A frame as it lies in a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    stored: &'a [u8],
    compressed: bool,
}

impl<'a> Frame<'a> {
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, BlockError> {
        let tag = cursor.length(MAX_LEN << 1)?;
        Ok(Self {
            stored: cursor.take(tag >> 1)?,
            compressed: tag & 1 == 1,
        })
    }

    /// What was put in.
    pub(super) fn open(&self) -> Result<Cow<'a, [u8]>, BlockError> {
        if !self.compressed {
            return Ok(Cow::Borrowed(self.stored));
        }
        let damaged = BlockError::Damaged("frame does not decompress");
        let len = match get_frame_content_size(self.stored) {
            Ok(Some(len)) if len <= MAX_LEN as u64 => len as usize,
            _ => return Err(damaged),
        };
        let mut raw = Vec::with_capacity(len);
        match decompress(self.stored, &mut raw) {
            Some(opened) if opened == len => Ok(Cow::Owned(raw)),
            _ => Err(damaged),
        }
    }

    /// What was put in, when it has this length.
    pub(super) fn open_exact(&self, len: usize) -> Result<Cow<'a, [u8]>, BlockError> {
        let expected = if self.compressed {
            matches!(get_frame_content_size(self.stored), Ok(Some(stored)) if stored == len as u64)
        } else {
            self.stored.len() == len
        };
        if !expected {
            return Err(BlockError::Damaged("frame has another length"));
        }
        self.open()
    }
}

fn decompress(stored: &[u8], raw: &mut Vec<u8>) -> Option<usize> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        if decompressor.is_none() {
            *decompressor = Decompressor::new().ok();
        }
        decompressor
            .as_mut()?
            .decompress_to_buffer(stored, raw)
            .ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Effort, Frame, Press};

    #[test]
    fn what_is_put_in_comes_out() {
        let mut press = Press::default();
        for effort in [Effort::Fast, Effort::Tight, Effort::Fast] {
            press.set_effort(effort);
            for raw in [&b""[..], b"a", &[7; 100_000], &[0xff; 300]] {
                let mut out = Vec::new();
                press.put(&mut out, raw);
                let frame = Frame::read(&mut Cursor::new(&out)).unwrap();
                assert_eq!(*frame.open().unwrap(), *raw);
                assert_eq!(*frame.open_exact(raw.len()).unwrap(), *raw);
                assert!(frame.open_exact(raw.len() + 1).is_err());
            }
        }
    }

    #[test]
    fn other_bytes_do_not_open() {
        let check = |bytes: &[u8]| {
            let opened = Frame::read(&mut Cursor::new(bytes)).and_then(|frame| frame.open());
            assert!(opened.is_err(), "{bytes:?}");
        };
        check(&[]);
        check(&[3]);
        check(&[3, 0]);
        check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    }
}
