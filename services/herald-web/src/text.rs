//! Record text as HTML made inert: what could be markup or reorder and hide
//! other text becomes visible characters.

use std::{
    fmt::{self, Write},
    ops::Range,
};

use render::glyph::{self, Glyph};

/// Writes text as the content of an HTML element: markup escaped, control
/// characters as their Unicode pictures, invisible and reordering ones by
/// their numbers; both set off as `<span class="mark">`.
pub(crate) fn write_inert(out: &mut impl Write, text: &str) -> fmt::Result {
    write_marked(out, text, &[])
}

/// The same with places set off as `<mark>`: rising, apart, between characters.
pub(crate) fn write_marked(
    out: &mut impl Write,
    text: &str,
    places: &[Range<usize>],
) -> fmt::Result {
    let mut edges = places
        .iter()
        .flat_map(|place| [(place.start, "<mark>"), (place.end, "</mark>")])
        .peekable();
    let mut written = 0;
    for (at, c, glyph) in glyph::of(text) {
        while let Some((edge, tag)) = edges.next_if(|(edge, _)| *edge <= at) {
            out.write_str(&text[written..edge])?;
            written = edge;
            out.write_str(tag)?;
        }
        if entity(c).is_none() && glyph == Glyph::AsIs {
            continue;
        }
        out.write_str(&text[written..at])?;
        written = at + c.len_utf8();
        match (entity(c), glyph) {
            (Some(entity), _) => out.write_str(entity)?,
            (None, Glyph::AsIs | Glyph::Nothing) => {}
            (None, Glyph::Picture(picture)) => {
                write!(out, "<span class=\"mark\">{picture}</span>")?;
            }
            (None, Glyph::Number(number)) => {
                write!(out, "<span class=\"mark\">U+{number:04X}</span>")?;
            }
        }
    }
    out.write_str(&text[written..])?;
    // Only the end of a place is left, behind the last character.
    edges.try_for_each(|(_, tag)| out.write_str(tag))
}

/// The same text for an attribute: exact, but for NUL and the second set of
/// control characters, which HTML cannot hold.
pub(crate) fn attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match (entity(c), Glyph::of(None, c, None)) {
            (Some(entity), _) => out.push_str(entity),
            (None, Glyph::AsIs) => out.push(c),
            _ if matches!(c, '\0' | '\u{80}'..='\u{9f}') => out.push('\u{fffd}'),
            _ => out.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    out
}

fn entity(c: char) -> Option<&'static str> {
    match c {
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '&' => Some("&amp;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{attribute, write_inert, write_marked};

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
    fn places_are_set_off() {
        let check = |text: &str, places: &[(usize, usize)], expected: &str| {
            let places: Vec<_> = places.iter().map(|(start, end)| *start..*end).collect();
            let mut out = String::new();
            write_marked(&mut out, text, &places).unwrap();
            assert_eq!(out, expected, "{text:?}");
        };
        check("a<b", &[(0, 2)], "<mark>a&lt;</mark>b");
        check("a<b", &[(1, 3)], "a<mark>&lt;b</mark>");
        check("über", &[(0, 2), (3, 5)], "<mark>ü</mark>b<mark>er</mark>");
        check(
            "a\0b",
            &[(1, 2)],
            "a<mark><span class=\"mark\">␀</span></mark>b",
        );
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
}
