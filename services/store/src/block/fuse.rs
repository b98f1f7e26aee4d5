//! A set of 64-bit keys as a binary fuse filter (Graf, Lemire 2022): one byte
//! at three places of an array; the three bytes combined are the key's
//! fingerprint. About 10 bits a key; a key that is not in passes once in 256.

use super::BlockError;
use super::bytes::{Cursor, put_varint};

/// How many seeds are tried before the array is made longer.
const SEEDS: u8 = 16;
/// Instead of a number of segments: every key passes.
const EVERYTHING: u64 = u32::MAX as u64;

/// Appends a filter of some keys. They are put in order and doubles removed.
pub(super) fn put_fuse(out: &mut Vec<u8>, keys: &mut Vec<u64>) {
    if keys.is_empty() {
        put_varint(out, 0);
        return;
    }
    for attempt in 0u8..=255 {
        if attempt == 1 {
            keys.sort_unstable();
            keys.dedup();
        }
        let shape = Shape::of(keys.len(), usize::from(attempt / SEEDS), attempt);
        if let Some(bytes) = build(keys, shape) {
            put_varint(out, shape.segments as u64);
            out.extend_from_slice(&[shape.segment_bits as u8, attempt]);
            out.extend_from_slice(&bytes);
            return;
        }
    }
    put_everything(out);
}

/// Appends a filter that every key passes.
pub(super) fn put_everything(out: &mut Vec<u8>) {
    put_varint(out, EVERYTHING);
}

/// Whether a key may be in a filter.
pub(super) fn contains(fuse: &[u8], key: u64) -> Result<bool, BlockError> {
    let mut cursor = Cursor::new(fuse);
    let segments = cursor.varint()?;
    if segments == 0 || segments == EVERYTHING {
        return Ok(segments != 0);
    }
    let (segment_bits, seed) = (u32::from(cursor.byte()?), cursor.byte()?);
    let bytes = cursor.take(cursor.len())?;
    let whole = segment_bits < 32
        && segments
            .checked_mul(1 << segment_bits)
            .is_some_and(|len| len.checked_add(2 << segment_bits) == Some(bytes.len() as u64));
    if !whole {
        return Err(BlockError::Damaged("filter has another length"));
    }
    let shape = Shape {
        segments: segments as usize,
        segment_bits,
        seed,
    };
    let hash = shape.hash(key);
    let found = shape
        .places(hash)
        .into_iter()
        .fold(0, |all, place| all ^ bytes[place]);
    Ok(found == fingerprint(hash))
}

#[derive(Clone, Copy)]
struct Shape {
    segments: usize,
    segment_bits: u32,
    seed: u8,
}

impl Shape {
    fn of(keys: usize, growth: usize, seed: u8) -> Self {
        let keys = keys as f64;
        let log = keys.max(2.0).ln();
        let segment_bits = ((log / 3.33_f64.ln() + 2.25).floor() as u32).min(18);
        let factor = (0.875 + 0.25 * 1e6_f64.ln() / log).max(1.125) * (1.0 + 0.1 * growth as f64);
        let segments = (keys * factor / f64::from(1 << segment_bits)).ceil() as usize;
        Self {
            segments: segments.saturating_sub(2).max(1),
            segment_bits,
            seed,
        }
    }

    fn len(self) -> usize {
        (self.segments + 2) << self.segment_bits
    }

    fn hash(self, key: u64) -> u64 {
        mix(key.wrapping_add(u64::from(self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// Three places in three neighbouring segments.
    fn places(self, hash: u64) -> [usize; 3] {
        let span = (self.segments as u128) << self.segment_bits;
        let first = ((u128::from(hash) * span) >> 64) as usize;
        let len = 1 << self.segment_bits;
        let within = |hash: u64| hash as usize & (len - 1);
        [
            first,
            (first + len) ^ within(hash >> 18),
            (first + 2 * len) ^ within(hash),
        ]
    }
}

/// A number's bits well mixed (the finaliser of splitmix64).
pub(super) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn fingerprint(hash: u64) -> u8 {
    (hash ^ (hash >> 32)) as u8
}

/// The array, or nothing when this seed does not work out: peels off, again
/// and again, a place that only one key is left at.
fn build(keys: &[u64], shape: Shape) -> Option<Vec<u8>> {
    let mut places = vec![Place::default(); shape.len()];
    for key in keys {
        let hash = shape.hash(*key);
        for place in shape.places(hash) {
            places[place].keys += 1;
            places[place].hashes ^= hash;
        }
    }
    let mut alone: Vec<u32> = (0..places.len() as u32)
        .filter(|place| places[*place as usize].keys == 1)
        .collect();
    let mut peeled = Vec::with_capacity(keys.len());
    while let Some(place) = alone.pop() {
        let Place {
            keys: 1,
            hashes: hash,
        } = places[place as usize]
        else {
            continue;
        };
        peeled.push((place, hash));
        for other in shape.places(hash) {
            places[other].keys -= 1;
            places[other].hashes ^= hash;
            if places[other].keys == 1 {
                alone.push(other as u32);
            }
        }
    }
    if peeled.len() < keys.len() {
        return None;
    }
    let mut bytes = vec![0; shape.len()];
    for (place, hash) in peeled.into_iter().rev() {
        let others = shape
            .places(hash)
            .into_iter()
            .fold(0, |all, place| all ^ bytes[place]);
        // Its own byte is still 0.
        bytes[place as usize] = fingerprint(hash) ^ others;
    }
    Some(bytes)
}

#[derive(Clone, Copy, Default)]
struct Place {
    /// How many keys are left at this place.
    keys: u32,
    /// Their hashes, combined: the hash itself when one is left.
    hashes: u64,
}

#[cfg(test)]
mod tests {
    use super::{contains, mix, put_fuse};

    #[test]
    fn keys_are_found_and_others_seldom() {
        for count in [0, 1, 2, 3, 10, 100, 1000, 6000, 100_000] {
            let mut keys: Vec<u64> = (0..count).map(mix).collect();
            keys.extend(keys.clone().first());
            let mut out = Vec::new();
            put_fuse(&mut out, &mut keys);
            let found = |key| contains(&out, key).unwrap();
            assert!((0..count).all(|n| found(mix(n))), "{count}");
            let wrong = (0..100_000).filter(|n| found(mix(n + 1_000_000))).count();
            assert!(wrong < 550, "{count}: {wrong} of 100,000");
            if count >= 1000 {
                let bits = out.len() as f64 * 8.0 / count as f64;
                assert!(bits < 12.0, "{count}: {bits} bits a key");
            }
        }
    }

    #[test]
    fn other_bytes_are_damaged() {
        let mut out = Vec::new();
        put_fuse(&mut out, &mut (0..1000).map(mix).collect());
        assert!(contains(&out[..out.len() - 1], 1).is_err());
        assert!(contains(&[], 1).is_err());
        assert!(contains(&[1, 255, 0], 1).is_err());
    }
}
