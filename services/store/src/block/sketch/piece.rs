//! The words of a message and what is between them.

/// Numbers of more digits are holes.
const KEPT_DIGITS: usize = 4;

/// A word of a text, or what is between two words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_word: bool,
    pub(super) has_digit: bool,
    /// The bytes beside it, where there are some.
    beside: [Option<u8>; 2],
}

impl Piece<'_> {
    /// Whether it is a short number between spaces.
    pub(super) fn is_kept(&self) -> bool {
        self.has_digit
            && self.bytes.len() <= KEPT_DIGITS
            && self.bytes.iter().all(u8::is_ascii_digit)
            && self
                .beside
                .iter()
                .all(|byte| byte.is_none_or(|byte| byte == b' '))
    }
}

/// A text's words and what is between them.
pub(super) fn pieces(text: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = &text[start..];
        let is_word = class_of(*rest.first()?) != OTHER;
        let mut classes = 0;
        let len = rest.iter().take_while(|byte| {
            let class = class_of(**byte);
            let is_same = (class != OTHER) == is_word;
            classes |= if is_same { class } else { 0 };
            is_same
        });
        let end = start + len.count();
        let before = start.checked_sub(1).map(|at| text[at]);
        let piece = Piece {
            bytes: &text[start..end],
            is_word,
            has_digit: classes & DIGIT != 0,
            beside: [before, text.get(end).copied()],
        };
        start = end;
        Some(piece)
    })
}

fn class_of(byte: u8) -> u8 {
    CLASS[usize::from(byte)]
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
