//! Keys: what a block's filter says that a block holds. Each key belongs to one
//! slice. The keys of pairs of values lie beside the key of the first value, so
//! that one slice answers a search for several values.

use domain::{Level, TextField};

use crate::block::{FILTER_SLICES, fuse::mix};

/// A key and the slice it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::block) struct Key {
    pub(in crate::block) slice: usize,
    pub(in crate::block) hash: u64,
}

const GRAM: u64 = 1 << 56;
const ID: u64 = 2 << 56;
const VALUE: u64 = 3 << 56;
const PHRASE: u64 = 4 << 56;
const NUMBER: u64 = 5 << 56;
const EXTRA: u64 = 6 << 56;
const PAIR: u64 = 7 << 56;
const MANY_PAIRS: u64 = 8 << 56;

/// Mark: `extra` has more values than are kept.
pub(in crate::block) const MANY_EXTRA: u64 = 9 << 56;

/// Mark: the pairs of these two fields are too many to be kept. A field and the
/// severity are told as the field and `level_name`.
pub(in crate::block) fn many_pairs(first: TextField, second: TextField) -> u64 {
    mix(MANY_PAIRS | (first as u64) << 8 | second as u64)
}

impl Key {
    fn alone(hash: u64) -> Self {
        Self {
            slice: (hash >> 58) as usize * FILTER_SLICES / 64,
            hash,
        }
    }

    fn beside(self, hash: u64) -> Self {
        Self {
            slice: self.slice,
            hash,
        }
    }

    /// 3 bytes in a row of a searched text, without case.
    pub(in crate::block) fn gram(gram: [u8; 3]) -> Self {
        let number = u32::from_le_bytes([gram[0], gram[1], gram[2], 0]);
        Self::alone(mix(GRAM | u64::from(number)))
    }

    /// A sample of an identifier.
    pub(in crate::block) fn id(sample: u64) -> Self {
        Self::alone(mix(ID | sample & 0xffff_ffff_ffff))
    }

    /// A sample of a phrase.
    pub(in crate::block) fn phrase(sample: u64) -> Self {
        Self::alone(mix(mix(PHRASE) ^ sample))
    }

    /// A field's whole value.
    pub(in crate::block) fn value(field: TextField, value: &[u8]) -> Self {
        let kind = VALUE | (field as u64) << 48 | value.len() as u64 & 0xffff_ffff;
        Self::alone(of_bytes(kind, value))
    }

    /// A number of a field, told apart by a number of the caller.
    pub(in crate::block) fn number(field: u64, number: i64) -> Self {
        Self::alone(mix(mix(NUMBER | field << 48) ^ number.cast_unsigned()))
    }

    /// A value of `extra` at a path.
    pub(in crate::block) fn extra<'a>(path: impl Iterator<Item = &'a str>, value: &str) -> Self {
        let mut hash = EXTRA;
        for key in path {
            hash = of_bytes(hash.wrapping_add(key.len() as u64), key.as_bytes());
        }
        Self::alone(of_bytes(!hash, value.as_bytes()))
    }

    /// The same once more in another slice: what few blocks have is worth it.
    pub(in crate::block) fn again(self) -> Self {
        Self::alone(mix(!self.hash))
    }

    /// Two fields' values in one record; lies beside the first.
    pub(in crate::block) fn pair(first: Self, second: Self) -> Self {
        first.beside(mix(mix(PAIR ^ first.hash) ^ second.hash))
    }

    /// A field's value and the severity of a record that has it.
    pub(in crate::block) fn level(value: Self, level: Level) -> Self {
        value.beside(mix(mix(PAIR ^ value.hash) ^ level.number() as u64))
    }

    /// A mark, beside whatever is looked for.
    pub(in crate::block) fn mark(self, mark: u64) -> Self {
        self.beside(mark)
    }

    /// A mark in every slice: it lies beside whatever is looked for.
    pub(in crate::block) fn in_each_slice(hash: u64) -> impl Iterator<Item = Self> {
        (0..FILTER_SLICES).map(move |slice| Self { slice, hash })
    }
}

fn of_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = mix(seed);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash ^ u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = mix(hash ^ u64::from_le_bytes(word));
    }
    hash
}
