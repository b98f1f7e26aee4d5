//! Which letters stand in a row in the holes of a block's messages: for every three
//! of them exactly, for every four by a hash. Case does not count.

use domain::fold;

use super::super::BlockError;
use super::super::bytes::Cursor;
use super::super::frame::{Frame, Press};

/// One bit for every three letters in a row.
const THREE_BYTES: usize = (26 * 26 * 26_usize).div_ceil(8);
/// One bit for every hash of four letters in a row.
const FOUR_BYTES: usize = 1 << (FOUR_BITS - 3);
const FOUR_BITS: u32 = 15;

/// The letters of holes.
#[derive(Debug, Default)]
pub(super) struct Letters {
    threes: Vec<u8>,
    /// None where nobody has counted them.
    fours: Option<Vec<u8>>,
}

impl Letters {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.threes.clear();
        self.threes.resize(THREE_BYTES, 0);
        let fours = self.fours.get_or_insert_default();
        fours.clear();
        fours.resize(FOUR_BYTES, 0);
    }

    /// Adds those of a word.
    pub(super) fn add(&mut self, word: &[u8]) {
        match str::from_utf8(word) {
            // A letter that is not ASCII may be one without its case.
            Ok(text) if !text.is_ascii() => self.add_folded(fold(text).as_bytes()),
            _ => self.add_folded(&word.to_ascii_lowercase()),
        }
    }

    fn add_folded(&mut self, word: &[u8]) {
        for letters in word.array_windows() {
            set(&mut self.threes, place_of_three(letters));
        }
        let fours = self.fours.get_or_insert_default();
        for letters in word.array_windows() {
            set(fours, place_of_four(letters));
        }
    }

    /// Whether part of a word, in lower case, may be among them.
    pub(super) fn may_hold(&self, word: &str) -> bool {
        let word = word.as_bytes();
        let mut threes = word.array_windows();
        let mut fours = word.array_windows();
        threes.all(|letters| is_set(&self.threes, place_of_three(letters)))
            && self
                .fours
                .as_ref()
                .is_none_or(|known| fours.all(|letters| is_set(known, place_of_four(letters))))
    }

    /// What they take in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.threes.capacity() + self.fours.as_ref().map_or(0, Vec::capacity)
    }

    /// Whether they were written by a version that counts four in a row.
    pub(super) fn are_new(&self) -> bool {
        self.fours.is_some()
    }

    /// Appends them to a part.
    pub(super) fn put(&self, press: &mut Press, part: &mut Vec<u8>) {
        press.put(part, &self.threes);
        if let Some(fours) = &self.fours {
            press.put(part, fours);
        }
    }

    /// Reads them from the end of a part.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, BlockError> {
        let threes = Frame::read(cursor)?.open_exact(THREE_BYTES)?.into_owned();
        let fours = match cursor.is_at_end() {
            true => None,
            false => Some(Frame::read(cursor)?.open_exact(FOUR_BYTES)?.into_owned()),
        };
        Ok(Self { threes, fours })
    }

    /// Whether both tell the same, as far as both do.
    pub(super) fn tell_the_same(&self, other: &Self) -> bool {
        let mut fours = self.fours.iter().zip(&other.fours);
        self.threes == other.threes && fours.all(|(own, others)| own == others)
    }
}

fn set(bits: &mut [u8], place: Option<usize>) {
    if let Some(byte) = place.and_then(|place| bits.get_mut(place / 8)) {
        *byte |= 1 << (place.unwrap_or_default() % 8);
    }
}

/// What has no place may always be there.
fn is_set(bits: &[u8], place: Option<usize>) -> bool {
    place.is_none_or(|place| bits[place / 8] >> (place % 8) & 1 == 1)
}

/// The bit of three letters; none when one is no lower-case ASCII letter.
fn place_of_three(letters: &[u8; 3]) -> Option<usize> {
    number_of(letters)
}

/// The bit of four letters; none when one is no lower-case ASCII letter, and for
/// those of hexadecimal numbers, which have them all.
fn place_of_four(letters: &[u8; 4]) -> Option<usize> {
    if letters.iter().all(|letter| *letter <= b'f') {
        return None;
    }
    let hash = (number_of(letters)? as u32).wrapping_mul(0x9e37_79b1);
    Some((hash >> (32 - FOUR_BITS)) as usize)
}

fn number_of(letters: &[u8]) -> Option<usize> {
    letters.iter().try_fold(0, |number, letter| match letter {
        b'a'..=b'z' => Some(number * 26 + usize::from(letter - b'a')),
        _ => None,
    })
}
