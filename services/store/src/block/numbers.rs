//! A sequence of integers: as offsets from the smallest or as steps from one
//! to the next, cut into byte planes that compress each by itself.

use super::BlockError;
use super::bytes::{Cursor, put_varint, unzigzag, zigzag};
use super::frame::{Frame, Press};

const OFFSETS: u8 = 0;
const STEPS: u8 = 1;

/// Appends a sequence; its length is not stored.
pub(super) fn put_numbers(press: &mut Press, out: &mut Vec<u8>, values: &[i64]) {
    let base = values.iter().copied().min().unwrap_or(0);
    let first = values.first().copied().unwrap_or(0);
    let offset = |value: i64| value.wrapping_sub(base) as u64;
    let step = |pair: &[i64]| zigzag(pair[1].wrapping_sub(pair[0]));
    let offset_bits: u64 = values.iter().map(|value| bits(offset(*value))).sum();
    let step_bits: u64 = values.windows(2).map(|pair| bits(step(pair))).sum();
    if offset_bits <= step_bits {
        out.push(OFFSETS);
        put_varint(out, zigzag(base));
        let offsets: Vec<u64> = values.iter().map(|value| offset(*value)).collect();
        put_planes(press, out, &offsets);
    } else {
        out.push(STEPS);
        put_varint(out, zigzag(first));
        let steps: Vec<u64> = values.windows(2).map(step).collect();
        put_planes(press, out, &steps);
    }
}

/// How many bits [`put_numbers`] would have to store before compression.
pub(super) fn cost_bits(values: &[i64]) -> u64 {
    let base = values.iter().copied().min().unwrap_or(0);
    let offsets = values
        .iter()
        .map(|value| bits(value.wrapping_sub(base) as u64));
    let steps = values
        .windows(2)
        .map(|pair| bits(zigzag(pair[1].wrapping_sub(pair[0]))));
    offsets.sum::<u64>().min(steps.sum())
}

fn bits(number: u64) -> u64 {
    u64::from(u64::BITS - number.leading_zeros())
}

fn put_planes(press: &mut Press, out: &mut Vec<u8>, values: &[u64]) {
    let all = values.iter().fold(0, |all, value| all | value);
    let width = bits(all).div_ceil(8) as usize;
    out.push(width as u8);
    for plane in 0..width {
        let bytes: Vec<u8> = values
            .iter()
            .map(|value| (value >> (8 * plane)) as u8)
            .collect();
        press.put(out, &bytes);
    }
}

/// Reads a sequence of a known length.
pub(super) fn read_numbers(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, BlockError> {
    let transform = cursor.byte()?;
    let base = unzigzag(cursor.varint()?);
    match transform {
        OFFSETS => {
            let offsets = read_planes(cursor, count)?;
            let value = |offset: u64| base.wrapping_add(offset as i64);
            Ok(offsets.into_iter().map(value).collect())
        }
        STEPS => {
            let steps = read_planes(cursor, count.saturating_sub(1))?;
            let mut value = base;
            let mut values = Vec::with_capacity(count);
            values.push(value);
            for step in steps {
                value = value.wrapping_add(unzigzag(step));
                values.push(value);
            }
            Ok(values)
        }
        _ => Err(BlockError::Damaged("numbers of an unknown kind")),
    }
}

fn read_planes(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u64>, BlockError> {
    let mut values = vec![0; count];
    let width = cursor.length(8)?;
    for plane in 0..width {
        let bytes = Frame::read(cursor)?.open_exact(count)?;
        for (value, byte) in values.iter_mut().zip(bytes.iter()) {
            *value |= u64::from(*byte) << (8 * plane);
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Press, put_numbers, read_numbers};

    #[test]
    fn numbers_come_back() {
        let check = |values: &[i64], max_len: usize| {
            let mut out = Vec::new();
            put_numbers(&mut Press::default(), &mut out, values);
            assert!(out.len() <= max_len, "{} bytes", out.len());
            let read = read_numbers(&mut Cursor::new(&out), values.len()).unwrap();
            assert_eq!(read, values);
        };
        check(&[7], 3);
        check(&[7; 1000], 4);
        check(&[i64::MIN, i64::MAX, 0, -1], 64);
        check(
            &(0..1000)
                .map(|n| 1_700_000_000_000_000 + n * 100)
                .collect::<Vec<_>>(),
            1100,
        );
        check(&(0..1000).map(|n| n * n % 251).collect::<Vec<_>>(), 1100);
    }
}
