//! Record text made inert: what could be markup, steer a terminal or reorder
//! and hide other text becomes visible characters.

use std::fmt::{self, Write};

/// Writes text as the content of an HTML element: markup escaped, control
/// characters as their Unicode pictures, invisible and reordering ones by
/// their numbers; both set off as `<span class="mark">`.
pub(crate) fn write_inert(out: &mut impl Write, text: &str) -> fmt::Result {
    let mut written = 0;
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let after = rest.peek().map(|(_, c)| *c);
        let shown = Shown::of(before, c, after);
        before = Some(c);
        if matches!(shown, Shown::AsIs) {
            continue;
        }
        out.write_str(&text[written..at])?;
        written = at + c.len_utf8();
        shown.write(out)?;
    }
    out.write_str(&text[written..])
}

/// The same text for an attribute: exact, but for NUL and the second set of
/// control characters, which HTML cannot hold.
pub(crate) fn attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match Shown::of(None, c, None) {
            Shown::Entity(entity) => out.push_str(entity),
            Shown::AsIs => out.push(c),
            _ if matches!(c, '\0' | '\u{80}'..='\u{9f}') => out.push('\u{fffd}'),
            _ => out.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    out
}

/// The front of a text, at most so many bytes and lines, and whether that is
/// all of it.
pub(crate) fn head(text: &str, max_bytes: usize, max_lines: usize) -> (&str, bool) {
    let end = text
        .match_indices('\n')
        .nth(max_lines - 1)
        .map_or(text.len(), |(at, _)| at)
        .min(text.floor_char_boundary(max_bytes));
    (&text[..end], end == text.len())
}

/// The back of a text, at most so many bytes, and whether that is all of it.
pub(crate) fn tail(text: &str, max_bytes: usize) -> (&str, bool) {
    let start = text.ceil_char_boundary(text.len().saturating_sub(max_bytes));
    (&text[start..], start == 0)
}

/// The last line that is not blank: of a traceback, what went wrong.
pub(crate) fn last_line(text: &str) -> &str {
    text.trim_end()
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .trim()
}

enum Shown {
    AsIs,
    Entity(&'static str),
    Nothing,
    Picture(char),
    Number(u32),
}

impl Shown {
    fn of(before: Option<char>, c: char, after: Option<char>) -> Self {
        match c {
            '<' => Self::Entity("&lt;"),
            '>' => Self::Entity("&gt;"),
            '&' => Self::Entity("&amp;"),
            '"' => Self::Entity("&quot;"),
            '\'' => Self::Entity("&#39;"),
            '\n' | '\t' | ' '..='~' => Self::AsIs,
            '\r' if after == Some('\n') => Self::Nothing,
            '\0'..='\x1f' => Self::Picture(char::from_u32(0x2400 + u32::from(c)).unwrap_or('␦')),
            '\x7f' => Self::Picture('␡'),
            // Joiners shape emoji and many scripts, but only hide between Latin letters.
            '\u{200c}' | '\u{200d}' if is_beyond_ascii(before) && is_beyond_ascii(after) => {
                Self::AsIs
            }
            c if is_invisible(c) => Self::Number(u32::from(c)),
            _ => Self::AsIs,
        }
    }

    fn write(self, out: &mut impl Write) -> fmt::Result {
        match self {
            Self::AsIs | Self::Nothing => Ok(()),
            Self::Entity(entity) => out.write_str(entity),
            Self::Picture(picture) => write!(out, "<span class=\"mark\">{picture}</span>"),
            Self::Number(number) => write!(out, "<span class=\"mark\">U+{number:04X}</span>"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{attribute, head, last_line, tail, write_inert};

    #[test]
    fn markup_and_invisible_characters_become_visible() {
        let check = |text: &str, expected: &str| {
            let mut out = String::new();
            write_inert(&mut out, text).unwrap();
            let plain = out
                .replace("<span class=\"mark\">", "[")
                .replace("</span>", "]");
            assert_eq!(plain, expected, "{text:?}");
        };
        check("plain ü 漢 😀\ttab\nline", "plain ü 漢 😀\ttab\nline");
        check(
            "<b a=\"x\" c='y'>&amp;",
            "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;",
        );
        check("a\0b\x1b[31mc\x7f", "a[␀]b[␛]\u{5b}31mc[␡]");
        check("a\r\nb\rc", "a\nb[␍]c");
        check("\u{9b}31m", "[U+009B]31m");
        check("abc\u{202e}cba\u{2066}", "abc[U+202E]cba[U+2066]");
        check("pass\u{200b}word\u{feff}", "pass[U+200B]word[U+FEFF]");
        check("a\u{200d}b 👩\u{200d}🚀", "a[U+200D]b 👩\u{200d}🚀");
        check("\u{e0041}", "[U+E0041]");
    }

    #[test]
    fn attributes_are_exact() {
        let check = |text: &str, expected: &str| assert_eq!(attribute(text), expected);
        check("a\"><i>'&", "a&quot;&gt;&lt;i&gt;&#39;&amp;");
        check(
            "\0\u{9b}\x1b\r\u{202e}ü",
            "\u{fffd}\u{fffd}&#27;&#13;&#8238;ü",
        );
    }

    #[test]
    fn texts_are_cut_between_characters_and_lines() {
        let check_head = |text, bytes, lines, expected| {
            assert_eq!(head(text, bytes, lines), expected);
        };
        check_head("abc", 3, 1, ("abc", true));
        check_head("abcd", 3, 1, ("abc", false));
        check_head("aüb", 2, 1, ("a", false));
        check_head("a\nb\nc", 9, 2, ("a\nb", false));
        check_head("", 9, 2, ("", true));
        let check_tail = |text, bytes, expected| assert_eq!(tail(text, bytes), expected);
        check_tail("abc", 3, ("abc", true));
        check_tail("abü", 1, ("", false));
        check_tail("abü", 2, ("ü", false));
    }

    #[test]
    fn a_traceback_folds_to_what_went_wrong() {
        let check = |text, expected| assert_eq!(last_line(text), expected);
        check("Traceback:\n  File\nValueError: x\n", "ValueError: x");
        check("one", "one");
        check("\n \n", "");
    }
}
