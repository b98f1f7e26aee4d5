//! Which value of a column's dictionary each row has.

use super::BlockError;
use std::sync::Arc;

use super::bytes::Cursor;
use super::frame::{Frame, Press};
use super::select::Rows;

/// One code a row.
#[derive(Debug)]
pub(super) enum Codes {
    /// All rows have value 0.
    One,
    /// Each row has a value of its own.
    Rows,
    /// At most 256 values.
    Bytes(Vec<u8>),
    /// More.
    Words(Vec<u16>),
    /// What a table says of another column's codes.
    Derived(Arc<Codes>, Box<Codes>),
}

/// Appends codes below `values`, one byte plane a frame.
pub(super) fn put_codes(press: &mut Press, out: &mut Vec<u8>, codes: &[u16], values: usize) {
    for shift in planes(values) {
        let plane: Vec<u8> = codes.iter().map(|code| (code >> shift) as u8).collect();
        press.put(out, &plane);
    }
}

fn planes(values: usize) -> std::iter::StepBy<std::ops::Range<u32>> {
    (0..if values <= 256 { 8 } else { 16 }).step_by(8)
}

/// Reads `count` codes below `values`.
pub(super) fn read_codes(
    cursor: &mut Cursor<'_>,
    count: usize,
    values: usize,
) -> Result<Codes, BlockError> {
    let low = Frame::read(cursor)?.open_exact(count)?.into_owned();
    let codes = if values <= 256 {
        Codes::Bytes(low)
    } else {
        let high = Frame::read(cursor)?.open_exact(count)?;
        let word = |(low, high): (&u8, &u8)| u16::from_le_bytes([*low, *high]);
        Codes::Words(low.iter().zip(high.iter()).map(word).collect())
    };
    if codes.max() >= values {
        return Err(BlockError::Damaged("code has no value"));
    }
    Ok(codes)
}

impl Codes {
    /// The code of a row.
    pub(super) fn get(&self, row: usize) -> usize {
        match self {
            Self::One => 0,
            Self::Rows => row,
            Self::Bytes(codes) => usize::from(codes[row]),
            Self::Words(codes) => usize::from(codes[row]),
            Self::Derived(parent, table) => table.get(parent.get(row)),
        }
    }

    /// How many there are, of those that are kept.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One | Self::Rows | Self::Derived(..) => 0,
            Self::Bytes(codes) => codes.len(),
            Self::Words(codes) => codes.len(),
        }
    }

    /// What they take in memory, in bytes; nothing for another column's.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::One | Self::Rows => 0,
            Self::Bytes(codes) => codes.capacity(),
            Self::Words(codes) => codes.capacity() * size_of::<u16>(),
            Self::Derived(_, table) => table.bytes(),
        }
    }

    fn max(&self) -> usize {
        match self {
            Self::One | Self::Rows | Self::Derived(..) => 0,
            Self::Bytes(codes) => usize::from(codes.iter().copied().max().unwrap_or(0)),
            Self::Words(codes) => usize::from(codes.iter().copied().max().unwrap_or(0)),
        }
    }

    /// The rows, of `count`, whose value is wanted.
    pub(super) fn rows(&self, count: usize, wanted: &[bool]) -> Rows {
        match self {
            Self::One if wanted[0] => Rows::range(count, 0..count),
            Self::One => Rows::range(count, 0..0),
            Self::Rows => Rows::from_bits(wanted.iter().copied()),
            Self::Bytes(codes) => {
                let mut table = [false; 256];
                table[..wanted.len()].copy_from_slice(wanted);
                Rows::from_bits(codes.iter().map(|code| table[usize::from(*code)]))
            }
            Self::Words(codes) => {
                Rows::from_bits(codes.iter().map(|code| wanted[usize::from(*code)]))
            }
            Self::Derived(parent, table) => {
                let codes = (0..table.len()).map(|code| wanted[table.get(code)]);
                parent.rows(count, &codes.collect::<Vec<bool>>())
            }
        }
    }
}
