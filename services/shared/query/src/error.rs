//! What is wrong with a query, where, and what would be right.

use std::ops::Range;

/// How much of a query's text a message quotes, in characters.
const SHOWN: usize = 40;
/// How many characters [`QueryError::render`] shows before the place, and how
/// many from there on.
const BEFORE: usize = 60;
const FROM: usize = 60;

/// A text that is no query. It displays as one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at column {column}: {hint}")]
pub struct QueryError {
    /// What is wrong; control characters of the query are escaped.
    pub message: String,
    /// What would be right; never empty.
    pub hint: String,
    /// Where, as bytes of the query; both ends lie between characters.
    pub span: Range<usize>,
    column: usize,
}

impl QueryError {
    pub(crate) fn new(
        text: &str,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
            column: text[..span.start].chars().count() + 1,
            span,
        }
    }

    /// Where, as the number of the character in the query, from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// Two lines: the query's line, or the part of it around the place, and
    /// carets under the place. Control characters appear as pictures of
    /// themselves, so that nothing in a query moves the cursor of a terminal.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        let start = text.floor_char_boundary(self.span.start.min(text.len()));
        let end = text.floor_char_boundary(self.span.end.min(text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |newline| start + newline);
        let before: Vec<char> = text[line_start..start].chars().collect();
        let cut = before.len().saturating_sub(BEFORE);

        let mut line = String::new();
        let mut carets = String::new();
        if cut > 0 {
            line.push('…');
            carets.push(' ');
        }
        for &letter in &before[cut..] {
            line.push(picture(letter));
            carets.extend(std::iter::repeat_n(' ', width(letter)));
        }
        let mut marked = 0;
        let mut from = text[start..line_end].char_indices();
        for (at, letter) in from.by_ref().take(FROM) {
            line.push(picture(letter));
            if start + at < end {
                marked += width(letter);
            }
        }
        if from.next().is_some() {
            line.push('…');
        }
        carets.extend(std::iter::repeat_n('^', marked.max(1)));
        format!("{line}\n{carets}")
    }
}

/// A piece of a query as a message quotes it: short, on one line.
pub(crate) fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let mut shown: String = letters.by_ref().take(SHOWN).map(picture).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a character is written by its number: it moves the cursor, or
/// cannot be seen.
pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn picture(letter: char) -> char {
    match letter {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or('�'),
        '\x7f' => '␡',
        letter if is_hidden(letter) => '�',
        letter => letter,
    }
}

/// How many columns a terminal usually gives a character.
fn width(letter: char) -> usize {
    match letter {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff01}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::QueryError;

    fn render(text: &str, part: &str) -> String {
        let start = text.find(part).unwrap();
        QueryError::new(text, start..start + part.len(), "wrong", "right").render(text)
    }

    #[test]
    fn carets_stand_under_the_place() {
        let check = |text: &str, part: &str, expected: &str| {
            assert_eq!(render(text, part), expected);
        };
        check("a level:errr", "errr", "a level:errr\n        ^^^^");
        check("größe x", "x", "größe x\n      ^");
        check("日本 x", "x", "日本 x\n     ^");
        check("one\ntwo x\nthree", "x", "two x\n    ^");
        check("a\tb\x1b[2Jx", "x", "a␉b␛[2Jx\n       ^");
        check("\u{202e}x", "x", "�x\n ^");
        check("", "", "\n^");
    }

    #[test]
    fn a_long_query_is_cut_around_the_place() {
        let text = format!("{}X{}", "a".repeat(10_000), "b".repeat(10_000));
        let expected = format!(
            "…{}X{}…\n {}^",
            "a".repeat(60),
            "b".repeat(59),
            " ".repeat(60)
        );
        assert_eq!(render(&text, "X"), expected);
    }

    #[test]
    fn another_text_than_its_own_is_no_harm() {
        let error = QueryError::new("abcdef", 3..6, "wrong", "right");
        assert_eq!(error.render("aä"), "aä\n  ^");
        assert_eq!(error.render("ää"), "ää\n ^");
    }

    #[test]
    fn it_displays_as_one_line() {
        let error = QueryError::new("ä b", 3..4, "wrong", "right");
        assert_eq!(error.to_string(), "wrong at column 3: right");
        assert_eq!(error.column(), 3);
    }
}
