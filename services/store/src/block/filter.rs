//! A block's skip filter: what its records hold, as keys in
//! [`FILTER_SLICES`] sets. A block whose filter lacks a key that every match
//! has need not be read.
//!
//! Keys of searched texts: every 3 bytes in a row; samples of identifiers (any
//! 8 characters in a row of them are found); samples of phrases. Keys of
//! fields: whole values, pairs of values, numbers, values in `extra`.

mod extra;
mod key;
mod sample;

pub(super) use extra::{EXTRA_DEPTH, EXTRA_VALUES, extra_text};
pub(super) use key::{Key, MANY_EXTRA, many_pairs};
pub(super) use sample::{for_each_id, for_each_phrase};

use domain::TextField;

use super::bytes::{seal, unseal};
use super::fuse::{contains, put_everything, put_fuse};
use super::text::{END, fold_joined};
use super::{BlockError, FILTER_SLICES};

/// Where the slices' numbers begin in the checksum's sense of place.
const FIRST_PLACE: u32 = 1 << 16;
/// A slice's checksum does not say of which block it is.
const ANY_BLOCK: u64 = 0;

/// Keys of a slice at most. A block that has more, such as one of encoded
/// files, gets a filter that rules nothing out, rather than one of megabytes.
const MAX_SLICE_KEYS: usize = 1 << 14;
/// Grams of a block at most, for the same reason.
const MAX_GRAMS: usize = 1 << 20;

/// A slice's bytes without their checksum.
pub(super) fn open_slice(slice: &[u8], index: usize) -> Result<&[u8], BlockError> {
    unseal(slice, ANY_BLOCK, FIRST_PLACE + index as u32)
}

/// Whether an opened slice may hold a key.
pub(super) fn holds(body: &[u8], key: Key) -> Result<bool, BlockError> {
    contains(body, key.hash)
}

/// Collects a block's keys.
pub(super) struct Grams {
    /// A bit for each 3 bytes: seen in this block.
    seen: Vec<u64>,
    /// Those of them that are set.
    grams: Vec<u32>,
    /// The other keys by slice, most of them once.
    keys: [Vec<u64>; FILTER_SLICES],
    /// Some keys that came last, each at the place that its bits say.
    recent: Vec<u64>,
    distinct: KeySet,
    overflown: bool,
    folded: Vec<u8>,
}

impl Default for Grams {
    fn default() -> Self {
        Self {
            seen: vec![0; 1 << 18],
            grams: Vec::new(),
            keys: std::array::from_fn(|_| Vec::new()),
            recent: vec![0; 1 << 12],
            distinct: KeySet::default(),
            overflown: false,
            folded: Vec::new(),
        }
    }
}

impl Grams {
    /// Adds texts, each ended by [`END`].
    pub(super) fn add_texts(&mut self, joined: &[u8], ends: usize) {
        let mut folded = std::mem::take(&mut self.folded);
        fold_joined(joined, ends, &mut folded).expect("texts are UTF-8");
        let mut gram = u32::from(END) * 0x1_0101;
        for byte in &folded {
            gram = (gram << 8 | u32::from(*byte)) & 0xff_ffff;
            let (word, bit) = ((gram >> 6) as usize, 1 << (gram & 63));
            if self.seen[word] & bit == 0 {
                if self.grams.len() == MAX_GRAMS {
                    self.overflown = true;
                    break;
                }
                self.seen[word] |= bit;
                self.grams.push(gram);
            }
        }
        for_each_id(&folded, |key| self.add(key));
        for_each_phrase(&folded, |key| self.add(key));
        self.folded = folded;
    }

    /// Adds a field's whole value.
    pub(super) fn add_value(&mut self, field: TextField, value: &[u8]) {
        self.add(Key::value(field, value));
    }

    /// Adds a mark that lies beside all keys.
    pub(super) fn add_mark(&mut self, mark: u64) {
        Key::in_each_slice(mark).for_each(|key| self.add(key));
    }

    /// Adds a key.
    pub(super) fn add(&mut self, key: Key) {
        let Key { slice, hash } = key;
        let place = (hash as usize ^ slice << 4) % self.recent.len();
        let known = hash ^ slice as u64;
        if self.recent[place] == known || self.overflown {
            return;
        }
        self.recent[place] = known;
        let keys = &mut self.keys[slice];
        keys.push(hash);
        if keys.len() >= MAX_SLICE_KEYS {
            keys.clone_from(self.distinct.of(keys));
            self.overflown = keys.len() > MAX_SLICE_KEYS / 2;
        }
    }

    /// The slices of all that was added; starts over.
    pub(super) fn take_slices(&mut self) -> Vec<Vec<u8>> {
        for gram in self.grams.drain(..) {
            self.seen[(gram >> 6) as usize] = 0;
            let [_, bytes @ ..] = gram.to_be_bytes();
            // What spans two texts is in no search.
            if !bytes.contains(&END) {
                let key = Key::gram(bytes);
                self.keys[key.slice].push(key.hash);
            }
        }
        self.recent.fill(0);
        let slices = self.keys.iter_mut().enumerate().map(|(index, keys)| {
            let mut slice = Vec::new();
            if self.overflown {
                put_everything(&mut slice);
            } else {
                put_fuse(&mut slice, self.distinct.of(keys));
            }
            keys.clear();
            keys.shrink_to(MAX_SLICE_KEYS);
            seal(&mut slice, ANY_BLOCK, FIRST_PLACE + index as u32);
            slice
        });
        let slices = slices.collect();
        self.overflown = false;
        slices
    }
}

/// Removes doubles from keys that are already well mixed.
#[derive(Default)]
struct KeySet {
    /// Open addressing; 0 is free. A power of two, never more than half full.
    table: Vec<u64>,
    keys: Vec<u64>,
}

impl KeySet {
    /// Each of these keys once.
    fn of(&mut self, keys: &[u64]) -> &mut Vec<u64> {
        self.table.clear();
        self.table.resize((keys.len() * 2).next_power_of_two(), 0);
        self.keys.clear();
        let mask = self.table.len() - 1;
        for key in keys {
            let mut slot = *key as usize & mask;
            while self.table[slot] != 0 && self.table[slot] != *key {
                slot = (slot + 1) & mask;
            }
            if self.table[slot] == 0 {
                self.table[slot] = *key;
                self.keys.push(*key);
            }
        }
        &mut self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::{Grams, Key, holds, open_slice};
    use crate::block::fuse::mix;

    #[test]
    fn a_block_of_too_many_keys_rules_nothing_out() {
        let mut grams = Grams::default();
        let word = |n| format!("{:016x}", mix(n));
        let may_hold = |slices: &[Vec<u8>], key: Key| {
            let slice = open_slice(&slices[key.slice], key.slice).unwrap();
            holds(slice, key).unwrap()
        };
        let text: String = (0..260_000).map(word).collect();
        grams.add_texts(format!("{text}\n").as_bytes(), 0);
        let slices = grams.take_slices();
        assert!(slices.iter().all(|slice| slice.len() < 16));
        assert!(may_hold(&slices, Key::gram(*b"xyz")));
        grams.add_texts(b"abc", 0);
        let slices = grams.take_slices();
        assert!(may_hold(&slices, Key::gram(*b"abc")));
        assert!(!may_hold(&slices, Key::gram(*b"xyz")));
    }
}
