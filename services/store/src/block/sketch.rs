//! The messages of a block without their variables, each form once: a few
//! hundred forms stand for thousands of messages, and tell of most of them
//! whether they contain a text, so that no chunk need be opened for it.
//!
//! A form is a message without case in which every word that has a digit is a
//! [`HOLE`]; the rest stands as it is. A text is in a message when it is in its
//! form. When it is not, it can only reach into holes; which letters the block's
//! holes hold in a row is kept, too, so that most texts are not looked for there.
//!
//! Short numbers between spaces ("state 10", "status 404") stand as they are, too,
//! until a form has shown too many of them. So in one form all of these are kept,
//! or none is.

mod outline;
mod piece;

use std::collections::HashMap;

use memchr::memmem::Finder;

use super::BlockError;
use super::bytes::{Cursor, put_varint, seal, unseal};
use super::codes::{Codes, put_codes, read_codes};
use super::dictionary::{Dictionary, SMALL_ROWS, hash_of};
use super::frame::{Frame, Press};
use super::select::{Rows, Sets};
use super::text::{END, Texts};
pub(super) use outline::Outline;
use piece::pieces;

/// Stands for a word with a digit.
const HOLE: u8 = 0x1a;
/// Stands for a whole message that is too long.
const OPAQUE: [u8; 2] = [HOLE, HOLE];
/// Longer messages are not looked into.
const MAX_TEXT: usize = 4 << 10;
/// A form with holes is followed by so many that keep their numbers.
const KEPT_FORMS: u8 = 16;
/// Numbers are kept as long as there are fewer forms than one in so many rows.
const KEPT_SHARE: usize = 8;
/// One bit for every three letters in a row.
const LETTER_BYTES: usize = (26 * 26 * 26_usize).div_ceil(8);

/// Collects the forms of a block's messages.
#[derive(Default)]
pub(super) struct Sketcher {
    forms: Dictionary,
    letters: Vec<u8>,
    form: Vec<u8>,
    /// The form at hand with its short numbers.
    kept: Vec<u8>,
    /// How many forms with numbers there are of a form, by its hash: when two
    /// share one, fewer numbers are kept.
    kept_of: HashMap<u32, u8>,
    most_kept: usize,
}

/// The forms of a block's messages.
#[derive(Debug)]
pub(super) struct Sketch {
    count: usize,
    forms: Texts,
    codes: Codes,
    letters: Vec<u8>,
}

impl Sketcher {
    /// Starts over, for so many messages.
    pub(super) fn start(&mut self, rows: usize) {
        self.forms.start_forms(rows);
        self.kept_of.clear();
        self.most_kept = (rows / KEPT_SHARE).max(SMALL_ROWS);
        self.letters.clear();
        self.letters.resize(LETTER_BYTES, 0);
    }

    /// Adds the next messages, without case, each ended by [`END`].
    pub(super) fn add(&mut self, folded: &[u8]) {
        if self.forms.is_overflown() {
            return;
        }
        for text in folded.split_inclusive(|byte| *byte == END) {
            self.outline(&text[..text.len() - 1]);
            let before = self.forms.len();
            let kept_of = match self.kept.len() {
                0 => None,
                _ => Some(self.kept_of.entry(hash_of(&self.form)).or_default()),
            };
            match kept_of.filter(|count| **count < KEPT_FORMS && before < self.most_kept) {
                Some(count) => {
                    self.forms.extend(std::iter::once(&self.kept[..]));
                    *count += u8::from(self.forms.len() > before);
                }
                None => self.forms.extend(std::iter::once(&self.form[..])),
            }
        }
    }

    /// Makes the form of a text and, when it differs, the form with numbers.
    fn outline(&mut self, text: &[u8]) {
        self.form.clear();
        self.kept.clear();
        if text.len() > MAX_TEXT {
            self.form.extend_from_slice(&OPAQUE);
            return;
        }
        let mut has_kept = false;
        for piece in pieces(text) {
            let is_kept = piece.is_kept();
            has_kept |= is_kept;
            match piece.has_digit {
                false => self.form.extend_from_slice(piece.bytes),
                true => self.form.push(HOLE),
            }
            if !piece.has_digit || is_kept {
                self.kept.extend_from_slice(piece.bytes);
                continue;
            }
            self.kept.push(HOLE);
            for letters in piece.bytes.array_windows::<3>() {
                if let Some(place) = place_of(*letters) {
                    self.letters[place / 8] |= 1 << (place % 8);
                }
            }
        }
        if !has_kept {
            self.kept.clear();
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
        check("block blk_4711 term", [may, no, no]);
        check("blk_4711 terminating", [may, no, no]);
        for needle in ["4711", "blk_4", "größe", "\u{1a}", ""] {
            assert!(judge(&texts, needle).is_none(), "{needle}");
        }
    }

    #[test]
    fn few_short_numbers_stand_many_do_not() {
        let few = [
            "state 10 of 12",
            "state 9",
            "state 10x",
            "state 10 (a 12345 b)",
        ];
        let check = |texts: &[&str], needle: &str, expected: &[(bool, bool)]| {
            assert_eq!(judge(texts, needle).unwrap(), expected, "{needle}");
        };
        let (yes, may, no) = ((true, true), (false, true), (false, false));
        check(&few, "state 10", &[yes, no, may, yes]);
        check(&few, "state 1", &[yes, no, may, yes]);
        check(&few, "state 10 of", &[yes, no, no, no]);
        check(&few, "state 11 of 12", &[no, no, no, no]);
        check(&few, "a 123", &[no, no, no, may]);
        check(&few, "a 12345 b", &[no, no, no, may]);
        let many: Vec<String> = (0..40)
            .map(|number| format!("state {number} of x"))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let judged = judge(&many, "state 7 of").unwrap();
        assert_eq!(judged[7], yes);
        assert_eq!((judged[6], judged[30]), (no, may));
        assert_eq!(judge(&many, "state 30 of").unwrap()[30], may);
    }

    proptest! {
        #[test]
        fn forms_never_lie(
            texts in proptest::collection::vec("([a-c_.1 é\u{1a}]{0,9}|.{0,9})", 1..20),
            needle in "[a-c_.1 ]{1,5}",
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
