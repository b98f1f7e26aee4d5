//! The messages of a block without their variables, each form once: a few
//! hundred forms stand for thousands of messages, and tell of most of them
//! whether they contain a text, so that no chunk need be opened for it.
//!
//! A form is a message without case in which every word that has a digit is a
//! [`HOLE`]; the rest stands as it is. A text without digits is in a message
//! when it is in its form. When it is not, it can only be in a hole, or reach
//! into one with its first or last word; which letters the block's holes hold
//! in a row is kept, too, so that most texts are not looked for there.

use memchr::memmem::Finder;

use super::BlockError;
use super::bytes::{Cursor, put_varint, seal, unseal};
use super::codes::{Codes, put_codes, read_codes};
use super::dictionary::Dictionary;
use super::frame::{Frame, Press};
use super::select::{Rows, Sets};
use super::text::{END, Texts};

/// Stands for a word with a digit.
const HOLE: u8 = 0x1a;
/// Stands for a whole message that is too long.
const OPAQUE: [u8; 2] = [HOLE, HOLE];
/// Longer messages are not looked into.
const MAX_TEXT: usize = 4 << 10;
/// One bit for every three letters in a row.
const LETTER_BYTES: usize = (26 * 26 * 26_usize).div_ceil(8);

/// Collects the forms of a block's messages.
#[derive(Default)]
pub(super) struct Sketcher {
    forms: Dictionary,
    letters: Vec<u8>,
    form: Vec<u8>,
}

/// The forms of a block's messages.
#[derive(Debug)]
pub(super) struct Sketch {
    count: usize,
    forms: Texts,
    codes: Codes,
    letters: Vec<u8>,
}

/// A text to be looked for in forms.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    /// How it looks with its first word, its last word, or both, in a hole; and
    /// the words that must fit there.
    holed: Vec<(Finder<'static>, Vec<String>)>,
    opaque: Box<Finder<'static>>,
}

impl Sketcher {
    /// Starts over, for so many messages.
    pub(super) fn start(&mut self, rows: usize) {
        self.forms.start_forms(rows);
        self.letters.clear();
        self.letters.resize(LETTER_BYTES, 0);
    }

    /// Adds the next messages, without case, each ended by [`END`].
    pub(super) fn add(&mut self, folded: &[u8]) {
        if self.forms.is_overflown() {
            return;
        }
        for text in folded.split_inclusive(|byte| *byte == END) {
            self.form.clear();
            self.outline(&text[..text.len() - 1]);
            self.forms.extend(std::iter::once(&self.form[..]));
        }
    }

    fn outline(&mut self, text: &[u8]) {
        if text.len() > MAX_TEXT {
            self.form.extend_from_slice(&OPAQUE);
            return;
        }
        let mut rest = text;
        while let Some(first) = rest.first() {
            let class = CLASS[usize::from(*first)];
            if class == OTHER {
                self.form.push(*first);
                rest = &rest[1..];
                continue;
            }
            let mut classes = 0;
            let len = rest.iter().take_while(|byte| {
                let class = CLASS[usize::from(**byte)];
                classes |= class;
                class != OTHER
            });
            let (word, after) = rest.split_at(len.count());
            if classes & DIGIT == 0 {
                self.form.extend_from_slice(word);
            } else {
                self.form.push(HOLE);
                for letters in word.array_windows::<3>() {
                    if let Some(place) = place_of(*letters) {
                        self.letters[place / 8] |= 1 << (place % 8);
                    }
                }
            }
            rest = after;
        }
    }

    /// The part of all that was added; none when the messages have too many
    /// forms.
    pub(super) fn part(&self, first_id: u64, place: u32, press: &mut Press) -> Option<Vec<u8>> {
        if self.forms.is_overflown() {
            return None;
        }
        let mut part = Vec::new();
        put_varint(&mut part, self.forms.len() as u64);
        put_codes(press, &mut part, self.forms.codes(), self.forms.len());
        let mut joined = Vec::new();
        for form in self.forms.values() {
            joined.extend_from_slice(form);
            joined.push(END);
        }
        press.put(&mut part, &joined);
        press.put(&mut part, &self.letters);
        seal(&mut part, first_id, place);
        Some(part)
    }
}

impl Sketch {
    /// Reads the part of a block of so many records.
    pub(super) fn read(
        part: &[u8],
        first_id: u64,
        place: u32,
        rows: usize,
    ) -> Result<Self, BlockError> {
        let mut cursor = Cursor::new(unseal(part, first_id, place)?);
        let count = cursor.length(rows)?;
        let codes = read_codes(&mut cursor, rows, count)?;
        let forms = Frame::read(&mut cursor)?.open()?.into_owned();
        let letters = Frame::read(&mut cursor)?.open_exact(LETTER_BYTES)?;
        Ok(Self {
            count,
            forms: Texts::read(forms, count)?,
            codes,
            letters: letters.into_owned(),
        })
    }

    /// The rows whose message contains a text, as far as its form tells.
    pub(super) fn sets(&self, finder: &Finder<'_>, outline: &Outline, rows: usize) -> Sets {
        let mut sure = vec![false; self.count];
        self.forms.search(finder, |form| sure[form] = true);
        let mut possible = sure.clone();
        self.forms
            .search(&outline.opaque, |form| possible[form] = true);
        for (finder, words) in &outline.holed {
            if words.iter().all(|word| self.fits_a_hole(word)) {
                self.forms.search(finder, |form| possible[form] = true);
            }
        }
        let rows_of = |wanted: &[bool]| match wanted.contains(&true) {
            true => self.codes.rows(rows, wanted),
            false => Rows::none(rows),
        };
        Sets {
            sure: rows_of(&sure),
            possible: rows_of(&possible),
        }
    }

    /// Whether two sketches of so many messages are equal.
    pub(super) fn tells_the_same(&self, other: &Self) -> bool {
        let codes = |sketch: &Self, rows: usize| -> Vec<usize> {
            (0..rows).map(|row| sketch.codes.get(row)).collect()
        };
        let rows = self.codes.len();
        let forms = |sketch: &Self| -> Vec<Vec<u8>> {
            let forms = 0..sketch.count;
            forms
                .map(|form| sketch.forms.bytes(form).to_vec())
                .collect()
        };
        rows == other.codes.len()
            && codes(self, rows) == codes(other, rows)
            && forms(self) == forms(other)
            && self.letters == other.letters
    }

    /// Whether a part of a word may be in a word with a digit.
    fn fits_a_hole(&self, word: &str) -> bool {
        let is_known = |letters: &[u8; 3]| {
            place_of(*letters).is_none_or(|place| self.letters[place / 8] >> (place % 8) & 1 == 1)
        };
        word.as_bytes().array_windows::<3>().all(is_known)
    }
}

impl Outline {
    /// None for a text that forms tell nothing of: with a digit, with letters
    /// that are not ASCII, or with the sign of a hole.
    pub(super) fn of(folded: &str) -> Option<Self> {
        let bytes = folded.as_bytes();
        let is_plain = |byte: &u8| byte.is_ascii() && !byte.is_ascii_digit() && *byte != HOLE;
        if bytes.is_empty() || !bytes.iter().all(is_plain) {
            return None;
        }
        let is_word = |byte: &u8| CLASS[usize::from(*byte)] != OTHER;
        let left = bytes.iter().take_while(|byte| is_word(byte)).count();
        let right = bytes.iter().rev().take_while(|byte| is_word(byte)).count();
        let hole = char::from(HOLE);
        let mut holed = Vec::new();
        let mut add = |text: String, words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            holed.push((Finder::new(text.as_bytes()).into_owned(), words));
        };
        if left == bytes.len() {
            add(hole.to_string(), &[folded]);
        } else {
            let (first, rest) = folded.split_at(left);
            let (middle, last) = rest.split_at(rest.len() - right);
            if !first.is_empty() {
                add(format!("{hole}{middle}{last}"), &[first]);
            }
            if !last.is_empty() {
                add(format!("{first}{middle}{hole}"), &[last]);
            }
            if !first.is_empty() && !last.is_empty() {
                add(format!("{hole}{middle}{hole}"), &[first, last]);
            }
        }
        Some(Self {
            holed,
            opaque: Box::new(Finder::new(&OPAQUE).into_owned()),
        })
    }
}

const OTHER: u8 = 0;
const LETTER: u8 = 1;
const DIGIT: u8 = 2;
/// Words are ASCII letters, digits, underscores, and all that is not ASCII.
const CLASS: [u8; 256] = {
    let mut class = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        if (byte as u8).is_ascii_digit() {
            class[byte] = DIGIT;
        } else if byte >= 128 || (byte as u8).is_ascii_alphabetic() || byte as u8 == b'_' {
            class[byte] = LETTER;
        }
        byte += 1;
    }
    class
};

/// The bit of three letters; none when one is no lower-case ASCII letter.
fn place_of(letters: [u8; 3]) -> Option<usize> {
    letters.iter().try_fold(0, |place, letter| match letter {
        b'a'..=b'z' => Some(place * 26 + usize::from(letter - b'a')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use domain::fold;
    use memchr::memmem::Finder;
    use proptest::prelude::*;

    use super::{Outline, Sketch, Sketcher};
    use crate::block::frame::Press;

    fn sketch(texts: &[&str]) -> Sketch {
        let mut sketcher = Sketcher::default();
        sketcher.start(texts.len());
        for text in texts {
            let mut folded = fold(text).into_owned().into_bytes();
            folded.push(0xff);
            sketcher.add(&folded);
        }
        let part = sketcher.part(7, 63, &mut Press::default()).unwrap();
        assert!(Sketch::read(&part, 8, 63, texts.len()).is_err());
        Sketch::read(&part, 7, 63, texts.len()).unwrap()
    }

    /// For each text: whether it surely contains the needle, and whether it may.
    fn judge(texts: &[&str], needle: &str) -> Option<Vec<(bool, bool)>> {
        let folded = fold(needle);
        let outline = Outline::of(&folded)?;
        let finder = Finder::new(folded.as_bytes());
        let sets = sketch(texts).sets(&finder, &outline, texts.len());
        let has = |rows: &super::Rows, row| rows.iter().any(|known| known == row);
        let rows = 0..texts.len();
        Some(
            rows.map(|row| (has(&sets.sure, row), has(&sets.possible, row)))
                .collect(),
        )
    }

    #[test]
    fn forms_tell_what_is_in_messages() {
        let texts = [
            "Block blk_4711 terminating on node12x",
            "block  terminating",
            "core.dump9ing failed",
        ];
        let check = |needle: &str, expected: [(bool, bool); 3]| {
            assert_eq!(judge(&texts, needle).unwrap(), expected, "{needle}");
        };
        let (yes, may, no) = ((true, true), (false, true), (false, false));
        check("TERMINATING", [yes, yes, no]);
        check("terminating on", [yes, no, no]);
        check("on no", [may, no, no]);
        check("on xo", [may, no, no]);
        check("on xyz", [no, no, no]);
        check("unobtainium", [no, no, no]);
        check("dump", [may, no, may]);
        check("ing failed", [no, no, may]);
        check(".", [no, no, yes]);
        check("  ", [no, yes, no]);
        for needle in ["4711", "blk_4", "größe", "\u{1a}", ""] {
            assert!(judge(&texts, needle).is_none(), "{needle}");
        }
    }

    proptest! {
        #[test]
        fn forms_never_lie(
            texts in proptest::collection::vec("([a-c_.1 é\u{1a}]{0,9}|.{0,9})", 1..20),
            needle in "[a-c_. ]{1,4}",
            place in any::<(prop::sample::Index, usize, usize)>(),
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let letters: Vec<char> = place.0.get(&texts).chars().collect();
            let start = place.1 % (letters.len() + 1);
            let end = start + place.2 % (letters.len() + 1 - start);
            for needle in [needle, letters[start..end].iter().collect()] {
                let Some(judged) = judge(&texts, &needle) else {
                    continue;
                };
                for (text, (sure, possible)) in texts.iter().zip(judged) {
                    let is_in = fold(text).contains(&*fold(&needle));
                    prop_assert!(!sure || is_in, "{text:?} {needle:?}");
                    prop_assert!(possible || !is_in, "{text:?} {needle:?}");
                }
            }
        }
    }
}
