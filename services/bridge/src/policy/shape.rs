//! What a text would need to hold something that a mask is for, found far faster than by
//! its expression: most texts have none of it. A shape may say that something could be
//! there when it is not, never the other way round.

use std::ops::{BitOr, BitOrAssign};

/// Traits of a text, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shape(u16);

/// A sign that stands between a name and its value.
pub(crate) const ASSIGNS: Shape = Shape(1);
pub(crate) const AT: Shape = Shape(1 << 1);
pub(crate) const COLON: Shape = Shape(1 << 2);
/// Twelve digits with nothing but spaces and hyphens between them.
pub(crate) const TWELVE_DIGITS: Shape = Shape(1 << 3);
/// A word that begins with two capital letters and two digits.
pub(crate) const ACCOUNT: Shape = Shape(1 << 4);
/// The same, of letters in any case.
pub(crate) const SMALL_ACCOUNT: Shape = Shape(1 << 11);
/// Four numbers with dots between them.
pub(crate) const QUAD: Shape = Shape(1 << 5);
/// Two colons in a row, or six anywhere.
pub(crate) const COLONS: Shape = Shape(1 << 6);
/// A name that a token may have.
pub(crate) const TOKEN_NAME: Shape = Shape(1 << 7);
pub(crate) const AUTHORIZATION_NAME: Shape = Shape(1 << 8);
/// A name that a password may have.
pub(crate) const PASSWORD_NAME: Shape = Shape(1 << 9);
/// How a token begins of which it is known.
pub(crate) const TOKEN_BEGIN: Shape = Shape(1 << 10);
/// What a look at every place tells.
const NAMED: Shape = Shape(
    TOKEN_NAME.0
        | AUTHORIZATION_NAME.0
        | PASSWORD_NAME.0
        | TOKEN_BEGIN.0
        | ACCOUNT.0
        | SMALL_ACCOUNT.0,
);
/// What is not ASCII may be a letter or a digit in other guise.
const ALL: Shape = Shape(u16::MAX);

/// What is looked for at every place at once: eight sets of words, then the two accounts.
/// A place at which each byte could be that of some word of a set counts.
const SETS: [(Shape, &[&str]); 8] = [
    (TOKEN_NAME, &["token", "api_key", "api-key", "apikey"]),
    (TOKEN_NAME, &["access", "signature"]),
    (AUTHORIZATION_NAME, &["authorization"]),
    (PASSWORD_NAME, &["passw", "passphrase", "secret"]),
    (PASSWORD_NAME, &["pwd"]),
    (TOKEN_BEGIN, &["eyj", "xox", "sk-"]),
    (
        TOKEN_BEGIN,
        &["bearer", "basic", "akia", "asia", "github_", "glpat-"],
    ),
    (TOKEN_BEGIN, &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]),
];
const CAPITAL_PLACE: usize = 8;
const ANY_PLACE: usize = 9;
/// So many bytes are looked at of each place.
const WIDTH: usize = 5;

/// For each byte of a place, and each value: the sets that it could be of.
static COULD_BE: [[u16; 256]; WIDTH] = {
    let mut could_be = [[0; 256]; WIDTH];
    let mut set = 0;
    while set < SETS.len() {
        let mut word = 0;
        while word < SETS[set].1.len() {
            let bytes = SETS[set].1[word].as_bytes();
            let mut at = 0;
            while at < WIDTH {
                let mut value = 0;
                while value < 256 {
                    let lower = (value as u8).to_ascii_lowercase();
                    if at >= bytes.len() || bytes[at] == lower {
                        could_be[at][value] |= 1 << set;
                    }
                    value += 1;
                }
                at += 1;
            }
            word += 1;
        }
        set += 1;
    }
    let mut value = 0;
    while value < 256 {
        let byte = value as u8;
        let is_word = byte.is_ascii_alphanumeric() || byte == b'_';
        let kinds = [!is_word, byte.is_ascii_alphabetic(), byte.is_ascii_digit()];
        let account = [kinds[0], kinds[1], kinds[1], kinds[2], kinds[2]];
        let mut at = 0;
        while at < WIDTH {
            if account[at] {
                could_be[at][value] |= 1 << ANY_PLACE;
                could_be[at][value] |= (!byte.is_ascii_lowercase() as u16) << CAPITAL_PLACE;
            }
            at += 1;
        }
        value += 1;
    }
    could_be
};

impl Shape {
    /// Which of the traits in `wanted` a text has; more than these is no harm.
    pub(crate) fn of(text: &str, wanted: Self) -> Self {
        if wanted == Self::default() {
            return Self::default();
        }
        if !text.is_ascii() {
            return ALL;
        }
        let bytes = text.as_bytes();
        let counts = Counts::of(bytes);
        let mut shape = Self::default();
        let mut add = |traits: Self, has_it: bool| {
            if has_it {
                shape |= traits;
            }
        };
        add(COLON, counts.colons > 0);
        add(ASSIGNS, counts.colons + counts.equals > 0);
        let is_doubled = || counts.colons >= 2 && text.contains("::");
        add(COLONS, counts.colons >= 6 || is_doubled());
        add(AT, counts.ats > 0);
        add(
            TWELVE_DIGITS,
            counts.digits >= 12 && has_twelve_digits(bytes),
        );
        add(
            QUAD,
            counts.dots >= 3 && counts.digits >= 4 && has_quad(bytes),
        );
        if wanted.has_any(NAMED) {
            let places = places(bytes);
            for (set, (traits, _)) in SETS.iter().enumerate() {
                add(*traits, places >> set & 1 == 1);
            }
            add(ACCOUNT, places >> CAPITAL_PLACE & 1 == 1);
            add(SMALL_ACCOUNT, places >> ANY_PLACE & 1 == 1);
        }
        shape
    }

    /// Whether it has all of these traits.
    pub(crate) fn has(self, traits: Self) -> bool {
        self.0 & traits.0 == traits.0
    }

    fn has_any(self, traits: Self) -> bool {
        self.0 & traits.0 != 0
    }
}

impl BitOr for Shape {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Shape {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// How often some bytes stand in a text.
#[derive(Default)]
struct Counts {
    colons: usize,
    equals: usize,
    ats: usize,
    dots: usize,
    digits: usize,
}

impl Counts {
    fn of(bytes: &[u8]) -> Self {
        let mut counts = Self::default();
        // Short enough for sums of one byte each, which a processor adds up sixteen at a time.
        for part in bytes.chunks(255) {
            let count = |is_it: fn(u8) -> bool| {
                let sum = part
                    .iter()
                    .fold(0_u8, |sum, byte| sum.wrapping_add(u8::from(is_it(*byte))));
                usize::from(sum)
            };
            counts.colons += count(|byte| byte == b':');
            counts.equals += count(|byte| byte == b'=');
            counts.ats += count(|byte| byte == b'@');
            counts.dots += count(|byte| byte == b'.');
            counts.digits += count(|byte| byte.wrapping_sub(b'0') < 10);
        }
        counts
    }
}

/// The sets of which a word could stand somewhere. A word at the very end that has fewer
/// bytes than a place is none: something always follows the names that are looked for.
fn places(bytes: &[u8]) -> u16 {
    let could_be = |place: [u8; WIDTH]| {
        let each = COULD_BE.iter().zip(place);
        each.fold(u16::MAX, |sets, (table, byte)| {
            sets & table[usize::from(byte)]
        })
    };
    let inner = bytes
        .array_windows()
        .fold(0, |all, place| all | could_be(*place));
    match bytes.first_chunk() {
        Some([a, b, c, d]) => inner | could_be([b' ', *a, *b, *c, *d]),
        None => inner,
    }
}

fn has_twelve_digits(bytes: &[u8]) -> bool {
    const TWELVE: usize = 12;
    let is_other = |byte: &u8| !matches!(byte, b'0'..=b'9' | b' ' | b'-');
    let mut rest = bytes;
    // Whatever other byte stands in the first twelve, nothing up to it counts.
    while let Some(first) = rest.get(..TWELVE) {
        if let Some(other) = first.iter().rposition(is_other) {
            rest = &rest[other + 1..];
            continue;
        }
        let end = rest.iter().position(is_other).unwrap_or(rest.len());
        let digits = rest[..end].iter().filter(|byte| byte.is_ascii_digit());
        if digits.count() >= TWELVE {
            return true;
        }
        rest = &rest[end..];
    }
    false
}

/// Whether three dots stand each between digits, at most three from one to the next.
fn has_quad(bytes: &[u8]) -> bool {
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let (mut dots, mut last) = (0, 0);
    let places = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'.');
    for (at, _) in places {
        let follows = dots > 0 && (last + 2..=last + 4).contains(&at);
        dots = match at > 0 && is_digit(at - 1) {
            true if follows && (last + 1..at).all(is_digit) => dots + 1,
            true => 1,
            false => 0,
        };
        last = at;
        if dots >= 3 && is_digit(at + 1) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traits_are_seen() {
        let check = |text: &str, expected: &[Shape]| {
            let expected = expected.iter().fold(Shape::default(), |all, it| all | *it);
            assert_eq!(Shape::of(text, ALL), expected, "{text}");
        };
        check("nothing to see", &[]);
        check("a: b", &[ASSIGNS, COLON]);
        check("12:34:56 a=b", &[ASSIGNS, COLON]);
        check("a::b", &[ASSIGNS, COLON, COLONS]);
        check("1:2:3:4:5:6:7", &[ASSIGNS, COLON, COLONS]);
        check("a@b", &[AT]);
        check("4000 0000-0002", &[TWELVE_DIGITS]);
        check("4000 0000/0002", &[]);
        check("DE89", &[ACCOUNT, SMALL_ACCOUNT]);
        check("x dE89", &[SMALL_ACCOUNT]);
        check("node12 _de89 xDE89", &[]);
        check("12345678901,2 12345678901 2", &[TWELVE_DIGITS]);
        check("12345678901, 1234567890a1234567890", &[]);
        check("1.2.3.4", &[QUAD]);
        check("1234.567.8.91", &[QUAD]);
        check("1.2345.6.7, 1.2.3. 4", &[]);
        check("API_Key", &[TOKEN_NAME]);
        check("a basic Secret=x", &[TOKEN_BEGIN, PASSWORD_NAME, ASSIGNS]);
        check("my pwd=x", &[PASSWORD_NAME, ASSIGNS]);
        check("my base", &[]);
        assert_eq!(Shape::of("ä", AT), ALL);
        assert_eq!(Shape::of("ä", Shape::default()), Shape::default());
    }
}
