//! Integers of any size.

use super::limit::{self, Exceeded};

const CHUNK: u64 = 1_000_000_000;
const CHUNK_DIGITS: usize = 9;

/// The value of little-endian two's complement bytes, if it fits.
pub(crate) fn small(bytes: &[u8]) -> Option<i64> {
    let negative = bytes.last().is_some_and(|top| top & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 8];
    if bytes.len() > whole.len() {
        return None;
    }
    whole[..bytes.len()].copy_from_slice(bytes);
    Some(i64::from_le_bytes(whole))
}

/// The value of little-endian two's complement bytes, if it is a `u128`.
pub(crate) fn unsigned(bytes: &[u8]) -> Option<u128> {
    let (low, high) = bytes.split_at(bytes.len().min(16));
    let negative = bytes.last().is_some_and(|top| top & 0x80 != 0);
    if negative || high.iter().any(|&byte| byte != 0) || high.len() > 1 {
        return None;
    }
    let mut whole = [0; 16];
    whole[..low.len()].copy_from_slice(low);
    Some(u128::from_le_bytes(whole))
}

/// The decimal digits of little-endian two's complement bytes.
///
/// # Errors
/// When there are too many.
pub(crate) fn decimal(bytes: &[u8]) -> Result<String, Exceeded> {
    if bytes.len() > limit::LONG_BYTES {
        return Err(Exceeded::Digits);
    }
    let negative = bytes.last().is_some_and(|top| top & 0x80 != 0);
    let mut limbs = magnitude(bytes, negative);
    let mut chunks = Vec::with_capacity(limbs.len() * 32 / 29 + 1);
    while let Some(0) = limbs.last() {
        limbs.pop();
    }
    while !limbs.is_empty() {
        let mut rest = 0_u64;
        for limb in limbs.iter_mut().rev() {
            let part = rest << 32 | u64::from(*limb);
            *limb = (part / CHUNK) as u32;
            rest = part % CHUNK;
        }
        chunks.push(rest);
        while let Some(0) = limbs.last() {
            limbs.pop();
        }
    }
    let mut digits = String::with_capacity(chunks.len() * CHUNK_DIGITS + 1);
    if negative {
        digits.push('-');
    }
    digits.push_str(&chunks.pop().unwrap_or(0).to_string());
    for chunk in chunks.iter().rev() {
        digits.push_str(&format!("{chunk:0CHUNK_DIGITS$}"));
    }
    if digits.len() - usize::from(negative) > limit::DIGITS {
        return Err(Exceeded::Digits);
    }
    Ok(digits)
}

/// The absolute value as little-endian 32-bit limbs.
fn magnitude(bytes: &[u8], negative: bool) -> Vec<u32> {
    let fill = if negative { 0xff } else { 0 };
    let mut carry = negative;
    bytes
        .chunks(4)
        .map(|chunk| {
            let mut limb = [fill; 4];
            limb[..chunk.len()].copy_from_slice(chunk);
            let limb = u32::from_le_bytes(limb);
            if !negative {
                return limb;
            }
            let (limb, overflow) = (!limb).overflowing_add(u32::from(carry));
            carry = overflow;
            limb
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{decimal, small, unsigned};
    use crate::decode::limit::Exceeded;

    #[test]
    fn integers_are_read_as_python_writes_them() {
        let check = |bytes: &[u8], digits: &str| {
            assert_eq!(decimal(bytes).as_deref(), Ok(digits), "{bytes:?}");
            assert_eq!(small(bytes), digits.parse().ok(), "{bytes:?}");
            assert_eq!(unsigned(bytes), digits.parse().ok(), "{bytes:?}");
        };
        check(b"", "0");
        check(b"\x00", "0");
        check(b"\xff", "-1");
        check(b"\x80", "-128");
        check(b"\x80\x00", "128");
        check(b"\xff\xff\xff\xff\xff\xff\xff\x7f", "9223372036854775807");
        check(b"\x00\x00\x00\x00\x00\x00\x00\x80", "-9223372036854775808");
        check(
            b"\x00\x00\x00\x00\x00\x00\x00\x80\x00",
            "9223372036854775808",
        );
        check(
            b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff",
            "-79228162514264337593543950336",
        );
        check(b"\x00\x00\x64\xa7\xb3\xb6\xe0\x0d", "1000000000000000000");
    }

    #[test]
    fn digits_are_limited() {
        assert_eq!(decimal(&[1; 1786]).map(|digits| digits.len()), Ok(4299));
        let mut most = vec![0xff; 1786];
        most[1785] = 0x7f;
        assert_eq!(decimal(&most), Err(Exceeded::Digits));
        assert_eq!(decimal(&[0; 1787]), Err(Exceeded::Digits));
    }
}
