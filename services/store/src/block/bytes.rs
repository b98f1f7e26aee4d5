//! The smallest pieces of the format: variable-length numbers, a reader that
//! never runs over the end, and the checksum that ends every part.

use super::BlockError;

/// Length of the checksum at the end of every part and filter slice.
pub(super) const CHECKSUM_LEN: usize = 4;

/// Writes a number in groups of 7 bits, lowest first; the high bit of a byte
/// says that another follows.
pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A signed number as an unsigned one that is small when the number is near 0.
pub(super) fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// The reverse of [`zigzag`].
pub(super) fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Ends a part with its checksum. The checksum also covers which part of which
/// block it is, so that a part in the wrong place does not pass.
pub(super) fn seal(part: &mut Vec<u8>, first_id: u64, place: u32) {
    let checksum = checksum(part, first_id, place);
    part.extend_from_slice(&checksum.to_le_bytes());
}

/// A part without its checksum.
pub(super) fn unseal(part: &[u8], first_id: u64, place: u32) -> Result<&[u8], BlockError> {
    let damaged = BlockError::Damaged("checksum differs");
    let Some((body, stored)) = part.split_last_chunk::<CHECKSUM_LEN>() else {
        return Err(damaged);
    };
    if checksum(body, first_id, place) == u32::from_le_bytes(*stored) {
        Ok(body)
    } else {
        Err(damaged)
    }
}

fn checksum(body: &[u8], first_id: u64, place: u32) -> u32 {
    let seed = crc32c::crc32c(&first_id.to_le_bytes());
    let seed = crc32c::crc32c_append(seed, &place.to_le_bytes());
    crc32c::crc32c_append(seed, body)
}

/// Reads from the front of some bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, BlockError> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], BlockError> {
        let split = self.rest.split_at_checked(len);
        let (taken, rest) = split.ok_or(BlockError::Damaged("bytes are missing"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn varint(&mut self) -> Result<u64, BlockError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(BlockError::Damaged("number has no end"))
    }

    /// A number that says how many of something follow.
    pub(super) fn length(&mut self, max: usize) -> Result<usize, BlockError> {
        match usize::try_from(self.varint()?) {
            Ok(length) if length <= max => Ok(length),
            _ => Err(BlockError::Damaged("length is out of range")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, put_varint, seal, unseal, unzigzag, zigzag};

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, -1, 63, -64, 64, 300, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, zigzag(number));
            let mut cursor = Cursor::new(&bytes);
            assert_eq!(cursor.varint().map(unzigzag).unwrap(), number);
            assert!(cursor.is_at_end());
        }
    }

    #[test]
    fn bytes_that_end_early_are_damaged() {
        let check = |bytes: &[u8]| assert!(Cursor::new(bytes).varint().is_err(), "{bytes:?}");
        check(&[]);
        check(&[0x80]);
        check(&[0xff; 11]);
        assert!(Cursor::new(&[5]).length(4).is_err());
        assert!(Cursor::new(&[1, 2]).take(3).is_err());
    }

    #[test]
    fn a_part_in_the_wrong_place_is_damaged() {
        let mut part = b"text".to_vec();
        seal(&mut part, 7, 1);
        assert_eq!(unseal(&part, 7, 1).unwrap(), b"text");
        assert!(unseal(&part, 7, 2).is_err());
        assert!(unseal(&part, 8, 1).is_err());
        assert!(unseal(&part[1..], 7, 1).is_err());
        assert!(unseal(&[], 7, 1).is_err());
    }
}
