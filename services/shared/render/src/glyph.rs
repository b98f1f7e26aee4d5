//! Characters that would steer a terminal or reorder and hide other text, and
//! what is shown instead of them.

/// How a character is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    /// By itself.
    AsIs,
    /// Not at all: the first half of a line's end.
    Nothing,
    /// By its Unicode picture.
    Picture(char),
    /// By its number, as `U+202E`.
    Number(u32),
}

impl Glyph {
    /// How `c` is shown between its neighbours. Line feeds and tabs are shown
    /// by themselves.
    #[must_use]
    pub fn of(before: Option<char>, c: char, after: Option<char>) -> Self {
        match c {
            '\n' | '\t' | ' '..='~' => Self::AsIs,
            '\r' if after == Some('\n') => Self::Nothing,
            '\0'..='\x1f' | '\x7f' => Self::Picture(picture(c)),
            // Joiners shape emoji and many scripts, but only hide between Latin letters.
            '\u{200c}' | '\u{200d}' if is_beyond_ascii(before) && is_beyond_ascii(after) => {
                Self::AsIs
            }
            c if is_invisible(c) => Self::Number(u32::from(c)),
            _ => Self::AsIs,
        }
    }
}

/// The Unicode picture of one of the first 32 control characters or of delete;
/// the replacement character for any other.
#[must_use]
pub fn picture(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '␡',
        _ => '\u{fffd}',
    }
}

/// Each character of a text with where it begins and how it is shown.
pub fn of(text: &str) -> impl Iterator<Item = (usize, char, Glyph)> {
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (at, c) = rest.next()?;
        let after = rest.peek().map(|(_, c)| *c);
        let glyph = Glyph::of(before, c, after);
        before = Some(c);
        Some((at, c, glyph))
    })
}

fn is_beyond_ascii(c: Option<char>) -> bool {
    c.is_some_and(|c| !c.is_ascii())
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' // second set of control characters
        | '\u{ad}' // soft hyphen
        | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}' // fillers
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' // direction
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{feff}' // zero width
        | '\u{2028}' | '\u{2029}' // line and paragraph separators
        | '\u{fff0}'..='\u{fffb}' // annotations
        | '\u{1d173}'..='\u{1d17a}' // musical formatting
        | '\u{e0000}'..='\u{e0fff}' // tags
    )
}
