//! How a block's counts by severity are kept beside it, in one small value.

use super::BlockError;
use super::bytes::{Cursor, put_varint, unzigzag, zigzag};

/// Counts by severity number as bytes: number and count, one after the other.
#[must_use]
pub fn encode_levels(levels: &[(i32, u32)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(levels.len() * 4);
    for (level, count) in levels {
        put_varint(&mut bytes, zigzag(i64::from(*level)));
        put_varint(&mut bytes, u64::from(*count));
    }
    bytes
}

/// The reverse of [`encode_levels`].
///
/// # Errors
/// When the bytes are no such counts.
pub fn decode_levels(bytes: &[u8]) -> Result<Vec<(i32, u32)>, BlockError> {
    let mut cursor = Cursor::new(bytes);
    let mut levels = Vec::new();
    while !cursor.is_at_end() {
        let level = i32::try_from(unzigzag(cursor.varint()?));
        let count = u32::try_from(cursor.varint()?);
        match (level, count) {
            (Ok(level), Ok(count)) => levels.push((level, count)),
            _ => return Err(BlockError::Damaged("count of a level is out of range")),
        }
    }
    Ok(levels)
}

#[cfg(test)]
mod tests {
    use super::{decode_levels, encode_levels};

    #[test]
    fn counts_come_back() {
        let check = |levels: &[(i32, u32)]| {
            assert_eq!(decode_levels(&encode_levels(levels)).unwrap(), levels);
        };
        check(&[]);
        check(&[(20, 8192)]);
        check(&[(i32::MIN, 1), (0, u32::MAX), (i32::MAX, 7)]);
        assert!(decode_levels(&[0x80]).is_err());
        assert!(decode_levels(&[20]).is_err());
    }
}
