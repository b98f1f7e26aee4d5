//! A block's skip filter: what its searched texts are made of, as keys in
//! [`FILTER_SLICES`] sets. A block whose filter lacks one key of a search has
//! no match and need not be read.
//!
//! Three kinds of keys: every 3 bytes in a row (words); samples of identifiers
//! (any 8 characters in a row of them are found); whole context values.

use domain::ContextField;

use super::bytes::{seal, unseal};
use super::fuse::{contains, mix, put_everything, put_fuse};
use super::text::{END, fold_joined};
use super::{BlockError, FILTER_SLICES};

/// Where the slices' numbers begin in the checksum's sense of place.
const FIRST_PLACE: u32 = 1 << 16;
/// A slice's checksum does not say of which block it is.
const ANY_BLOCK: u64 = 0;
/// Length of an identifier's sample.
const SAMPLE: usize = 6;
/// Of this many samples in a row, one is taken.
const SAMPLES_IN_A_ROW: usize = 3;
/// So this many characters in a row hold at least one that is taken.
pub(super) const WINDOW: usize = SAMPLE + SAMPLES_IN_A_ROW - 1;

/// Keys of a slice at most. A block that has more, such as one of encoded
/// files, gets a filter that rules nothing out, rather than one of megabytes.
const MAX_SLICE_KEYS: usize = 1 << 16;
/// Grams of a block at most, for the same reason.
const MAX_GRAMS: usize = 1 << 20;

const GRAM: u64 = 1 << 56;
const ID: u64 = 2 << 56;
const CONTEXT: u64 = 3 << 56;

/// The key of 3 bytes in a row.
pub(super) fn gram_key(gram: [u8; 3]) -> u64 {
    mix(GRAM | u64::from(u32::from_le_bytes([gram[0], gram[1], gram[2], 0])))
}

/// The key of a context field's value.
pub(super) fn context_key(field: ContextField, value: &[u8]) -> u64 {
    let field = ContextField::ALL
        .iter()
        .position(|known| *known == field)
        .unwrap_or(0);
    let mut key = mix(CONTEXT | (field as u64) << 48 | value.len() as u64 & 0xffff_ffff);
    for word in value.chunks(8) {
        let mut bytes = [0; 8];
        bytes[..word.len()].copy_from_slice(word);
        key = mix(key ^ u64::from_le_bytes(bytes));
    }
    key
}

/// Calls `found` with the keys of the identifiers in folded texts. Each window
/// of [`WINDOW`] ASCII letters and digits, with a digit among them, gives the
/// one of its samples whose key's low half is lowest. That looks at nothing
/// outside the window, so a text gives all keys that a part of it gives.
pub(super) fn for_each_id_key(folded: &[u8], mut found: impl FnMut(u64)) {
    // Where the word at hand starts, where its last digit is (or was, before
    // it), and from where on samples have no key yet.
    let (mut start, mut digit, mut next) = (0, usize::MAX, 0);
    let mut keys = [0; SAMPLES_IN_A_ROW];
    let mut last = None;
    for (at, byte) in folded.iter().enumerate() {
        match CLASS[usize::from(*byte)] {
            OTHER => start = at + 1,
            DIGIT => digit = at,
            _ => {}
        }
        let end = at + 1;
        if end < start + WINDOW || digit.wrapping_add(WINDOW) < end {
            continue;
        }
        for sample in next.max(end - WINDOW)..=end - SAMPLE {
            keys[sample % SAMPLES_IN_A_ROW] = sample_key(&folded[sample..sample + SAMPLE]);
        }
        next = end - SAMPLE + 1;
        let lowest = keys.into_iter().min_by_key(|key| (*key as u32, *key));
        if lowest != last {
            last = lowest;
            found(lowest.unwrap_or(0));
        }
    }
}

const OTHER: u8 = 0;
const DIGIT: u8 = 1;
const LETTER: u8 = 2;
const CLASS: [u8; 256] = {
    let mut class = [OTHER; 256];
    let mut byte = 0u8;
    while byte < 128 {
        if byte.is_ascii_digit() {
            class[byte as usize] = DIGIT;
        } else if byte.is_ascii_alphabetic() {
            class[byte as usize] = LETTER;
        }
        byte += 1;
    }
    class
};

fn sample_key(sample: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..SAMPLE].copy_from_slice(sample);
    mix(ID | u64::from_le_bytes(bytes))
}

/// In which slice a key is.
pub(super) fn slice_of(key: u64) -> usize {
    (key >> 60) as usize * FILTER_SLICES / 16
}

/// Whether a slice may hold all these keys.
pub(super) fn slice_holds(slice: &[u8], index: usize, keys: &[u64]) -> Result<bool, BlockError> {
    let body = unseal(slice, ANY_BLOCK, FIRST_PLACE + index as u32)?;
    for key in keys {
        if !contains(body, *key)? {
            return Ok(false);
        }
    }
    Ok(true)
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
            keys: Default::default(),
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
        for_each_id_key(&folded, |key| self.add(key));
        self.folded = folded;
    }

    /// Adds a value of a context field.
    pub(super) fn add_context(&mut self, field: ContextField, value: &[u8]) {
        self.add(context_key(field, value));
    }

    fn add(&mut self, key: u64) {
        let place = key as usize % self.recent.len();
        if self.recent[place] == key || self.overflown {
            return;
        }
        self.recent[place] = key;
        let keys = &mut self.keys[slice_of(key)];
        keys.push(key);
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
                let key = gram_key(bytes);
                self.keys[slice_of(key)].push(key);
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
    use super::{Grams, WINDOW, for_each_id_key, gram_key, mix, slice_holds, slice_of};

    fn id_keys(text: &str) -> Vec<u64> {
        let mut keys = Vec::new();
        for_each_id_key(text.as_bytes(), |key| keys.push(key));
        keys
    }

    #[test]
    fn a_part_of_an_id_gives_keys_of_the_whole() {
        let whole = format!("a {:016x}-x {:032b}", mix(1), mix(2));
        let all = id_keys(&whole);
        for start in 0..whole.len() {
            for end in start..=whole.len() {
                let keys = id_keys(&whole[start..end]);
                assert!(keys.iter().all(|key| all.contains(key)), "{start}..{end}");
            }
        }
        let check = |text: &str, some: bool| assert_eq!(!id_keys(text).is_empty(), some, "{text}");
        check("0123456", false);
        check("01234567", true);
        check("abcdefgh", false);
        check("abcdefg1", true);
        check("1bcdefgh", true);
        check("1bcd-efgh", false);
        check("1abcdefghijk", true);
        check("1 abcdefghijk", false);
        check("äöü12345ß", false);
        assert_eq!(WINDOW, 8);
    }

    #[test]
    fn a_block_of_too_many_keys_rules_nothing_out() {
        let mut grams = Grams::default();
        let word = |n| format!("{:016x}", mix(n));
        let holds = |slices: &[Vec<u8>], key| {
            let slice = slice_of(key);
            slice_holds(&slices[slice], slice, &[key]).unwrap()
        };
        let text: String = (0..260_000).map(word).collect();
        grams.add_texts(format!("{text}\n").as_bytes(), 0);
        let slices = grams.take_slices();
        assert!(slices.concat().len() < 200);
        assert!(holds(&slices, gram_key(*b"xyz")));
        grams.add_texts(b"abc", 0);
        let slices = grams.take_slices();
        assert!(holds(&slices, gram_key(*b"abc")));
        assert!(!holds(&slices, gram_key(*b"xyz")));
    }
}
