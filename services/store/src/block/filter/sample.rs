//! Which parts of a text are kept as keys: a choice that looks at nothing but
//! the part itself and its nearest neighbours, so that a part of a text gives
//! only keys that the whole text gives.

use super::Key;

/// Length of an identifier's sample.
const SAMPLE: usize = 6;
/// Of this many samples in a row, one is taken.
const SAMPLES_IN_A_ROW: usize = 3;
/// So this many characters in a row hold at least one that is taken.
pub(in crate::block) const WINDOW: usize = SAMPLE + SAMPLES_IN_A_ROW - 1;
/// Length of a phrase's sample.
const PHRASE: usize = 8;
/// One phrase's sample in so many is taken: of a sentence, several.
const PHRASES_IN_ONE: u64 = 4;

/// Calls `found` with the keys of the identifiers in folded texts. Each window
/// of [`WINDOW`] ASCII letters and digits, with a digit among them, gives the
/// one of its samples whose hash's low half is lowest.
pub(in crate::block) fn for_each_id(folded: &[u8], mut found: impl FnMut(Key)) {
    // Where the word at hand starts, where its last digit is (or was, before
    // it), and from where on samples have no key yet.
    let (mut start, mut digit, mut next) = (0, usize::MAX, 0);
    let mut keys = [Key { slice: 0, hash: 0 }; SAMPLES_IN_A_ROW];
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
            keys[sample % SAMPLES_IN_A_ROW] = id_key(&folded[sample..sample + SAMPLE]);
        }
        next = end - SAMPLE + 1;
        let lowest = keys
            .into_iter()
            .min_by_key(|key| (key.hash as u32, key.hash));
        if lowest != last {
            last = lowest;
            lowest.into_iter().for_each(&mut found);
        }
    }
}

/// Calls `found` with the keys of the phrases in folded texts: one in
/// [`PHRASES_IN_ONE`] of all samples that hold no digit, chosen by its bytes;
/// and all that end with the first one or two digits of a number after a space,
/// as in "in state 10".
pub(in crate::block) fn for_each_phrase(folded: &[u8], mut found: impl FnMut(Key)) {
    for sample in folded.array_windows::<PHRASE>() {
        let word = u64::from_le_bytes(*sample);
        let [.., before, first, last] = *sample;
        let letters = match (before, first, last) {
            (_, b' ', b'0'..=b'9') => &sample[..PHRASE - 1],
            (b' ', b'0'..=b'9', b'0'..=b'9') => &sample[..PHRASE - 2],
            _ if word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & (PHRASES_IN_ONE - 1) == 0 => {
                &sample[..]
            }
            _ => continue,
        };
        let is_plain = |byte: &u8| !byte.is_ascii_digit() && *byte != 0xff;
        if letters.iter().all(is_plain) {
            found(Key::phrase(word));
        }
    }
}

fn id_key(sample: &[u8]) -> Key {
    let mut bytes = [0; 8];
    bytes[..SAMPLE].copy_from_slice(sample);
    Key::id(u64::from_le_bytes(bytes))
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

#[cfg(test)]
mod tests {
    use super::{Key, WINDOW, for_each_id, for_each_phrase};
    use crate::block::fuse::mix;

    fn ids(text: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        for_each_id(text.as_bytes(), |key| keys.push(key));
        keys
    }

    fn phrases(text: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        for_each_phrase(text.as_bytes(), |key| keys.push(key));
        keys
    }

    #[test]
    fn a_part_gives_keys_of_the_whole() {
        let whole = format!("a {:016x}-x äö no such file {:032b}", mix(1), mix(2));
        let (all_ids, all_phrases) = (ids(&whole), phrases(&whole));
        assert!(!all_phrases.is_empty());
        for start in 0..whole.len() {
            for end in start..=whole.len() {
                let Some(part) = whole.get(start..end) else {
                    continue;
                };
                assert!(ids(part).iter().all(|key| all_ids.contains(key)), "{part}");
                let mut part_phrases = phrases(part).into_iter();
                assert!(part_phrases.all(|key| all_phrases.contains(&key)), "{part}");
            }
        }
    }

    #[test]
    fn an_id_of_a_window_gives_a_key() {
        let check = |text: &str, some: bool| assert_eq!(!ids(text).is_empty(), some, "{text}");
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
}
