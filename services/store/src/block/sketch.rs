//! The messages of a block without their variables, each form once: a few
//! hundred forms stand for thousands of messages, and tell of most of them
//! whether they contain a text, so that no chunk need be opened for it.
//!
//! A form is a message in which every word that has a digit is a [`HOLE`]; the rest
//! stands as it is. A text is in a message when it is in its form, with case or
//! without. When it is not, it can only reach into holes; which letters the block's
//! holes hold in a row is kept, too, so that most texts are not looked for there.
//!
//! Short numbers between spaces ("state 10", "status 404") stand as they are, too,
//! until a form has shown too many of them. So in one form all of these are kept,
//! or none is.

mod letters;
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
use letters::Letters;
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

/// Collects the forms of a block's messages.
#[derive(Default)]
pub(super) struct Sketcher {
    forms: Dictionary,
    letters: Letters,
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
    /// None in sketches that were made when forms had no case.
    cased: Option<Texts>,
    folded: Texts,
    codes: Codes,
    letters: Letters,
}

impl Sketcher {
    /// Starts over, for so many messages.
    pub(super) fn start(&mut self, rows: usize) {
        self.forms.start_forms(rows);
        self.kept_of.clear();
        self.most_kept = (rows / KEPT_SHARE).max(SMALL_ROWS);
        self.letters.clear();
    }

    /// Adds the next messages, each ended by [`END`].
    pub(super) fn add(&mut self, joined: &[u8]) {
        if self.forms.is_overflown() {
            return;
        }
        for text in joined.split_inclusive(|byte| *byte == END) {
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
            self.letters.add(piece.bytes);
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
        self.letters.put(press, &mut part);
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
        let letters = Letters::read(&mut cursor)?;
        let forms = Texts::read(forms, count)?;
        let folded = forms.fold()?;
        Ok(Self {
            count,
            cased: letters.are_new().then_some(forms),
            folded,
            codes,
            letters,
        })
    }

    /// The rows whose message contains the text that `finder` looks for, as far as
    /// its form tells; with case, or without for a text that has none.
    pub(super) fn sets(
        &self,
        finder: &Finder<'_>,
        outline: &Outline,
        is_cased: bool,
        rows: usize,
    ) -> Option<Sets> {
        let forms = match is_cased {
            true => self.cased.as_ref()?,
            false => &self.folded,
        };
        let mut sure = vec![false; self.count];
        forms.search(finder, |form| sure[form] = true);
        let mut possible = sure.clone();
        forms.search(&outline.opaque, |form| possible[form] = true);
        for (finder, words) in &outline.holed {
            if words.iter().all(|word| self.letters.may_hold(word)) {
                forms.search(finder, |form| possible[form] = true);
            }
        }
        let rows_of = |wanted: &[bool]| match wanted.contains(&true) {
            true => self.codes.rows(rows, wanted),
            false => Rows::none(rows),
        };
        Some(Sets {
            sure: rows_of(&sure),
            possible: rows_of(&possible),
        })
    }

    /// What it takes in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let cased = self.cased.as_ref().map_or(0, Texts::size);
        cased + self.folded.size() + self.codes.bytes() + self.letters.bytes()
    }

    /// Whether its forms have their case.
    pub(super) fn is_cased(&self) -> bool {
        self.cased.is_some()
    }

    /// Whether two sketches of so many messages are equal.
    pub(super) fn tells_the_same(&self, other: &Self) -> bool {
        let codes = |sketch: &Self, rows: usize| -> Vec<usize> {
            (0..rows).map(|row| sketch.codes.get(row)).collect()
        };
        let rows = self.codes.len();
        let forms = |sketch: &Self| -> Vec<Vec<u8>> {
            let texts = sketch.cased.as_ref().filter(|_| other.is_cased());
            let texts = texts.unwrap_or(&sketch.folded);
            let forms = 0..sketch.count;
            forms.map(|form| texts.bytes(form).to_vec()).collect()
        };
        rows == other.codes.len()
            && codes(self, rows) == codes(other, rows)
            && forms(self) == forms(other)
            && self.letters.tell_the_same(&other.letters)
    }
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
            sketcher.add(&[text.as_bytes(), &[0xff]].concat());
        }
        let part = sketcher.part(7, 63, &mut Press::default()).unwrap();
        assert!(Sketch::read(&part, 8, 63, texts.len()).is_err());
        Sketch::read(&part, 7, 63, texts.len()).unwrap()
    }

    /// For each text: whether it surely contains the needle, and whether it may.
    fn judge(texts: &[&str], needle: &str) -> Option<Vec<(bool, bool)>> {
        look(texts, &fold(needle), false)
    }

    fn look(texts: &[&str], needle: &str, is_cased: bool) -> Option<Vec<(bool, bool)>> {
        let outline = Outline::of(needle)?;
        let finder = Finder::new(needle.as_bytes());
        let sets = sketch(texts).sets(&finder, &outline, is_cased, texts.len())?;
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
    fn forms_tell_of_case() {
        let texts = ["Gone Away", "gone away", "n7Gone Away", "7phone"];
        let check = |needle: &str, expected: [(bool, bool); 4]| {
            assert_eq!(look(&texts, needle, true).unwrap(), expected, "{needle}");
        };
        let (yes, may, no) = ((true, true), (false, true), (false, false));
        check("Gone", [yes, no, may, may]);
        check("gone", [no, yes, may, may]);
        check("gone a", [no, yes, no, no]);
        check("e A", [yes, no, may, no]);
        check("GONE away", [no, no, no, no]);
        // Four letters in a row tell more than three by three.
        check("hone", [no, no, may, may]);
        check("ogon", [no, no, no, no]);
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
            texts in proptest::collection::vec("([a-cK_.1 é\u{212a}\u{1a}]{0,9}|.{0,9})", 1..20),
            needle in "[a-cKk_.1 ]{1,5}",
            place in any::<(prop::sample::Index, usize, usize)>(),
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let letters: Vec<char> = place.0.get(&texts).chars().collect();
            let start = place.1 % (letters.len() + 1);
            let end = start + place.2 % (letters.len() + 1 - start);
            for needle in [needle, letters[start..end].iter().collect()] {
                let folded = judge(&texts, &needle).into_iter().flatten();
                for (text, (sure, possible)) in texts.iter().zip(folded) {
                    let is_in = fold(text).contains(&*fold(&needle));
                    prop_assert!(!sure || is_in, "{text:?} {needle:?}");
                    prop_assert!(possible || !is_in, "{text:?} {needle:?}");
                }
                let cased = look(&texts, &needle, true).into_iter().flatten();
                for (text, (sure, possible)) in texts.iter().zip(cased) {
                    let is_in = text.contains(&needle);
                    prop_assert!(!sure || is_in, "{text:?} {needle:?} with case");
                    prop_assert!(possible || !is_in, "{text:?} {needle:?} with case");
                }
            }
        }
    }
}
