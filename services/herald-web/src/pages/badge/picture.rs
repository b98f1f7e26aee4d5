//! The picture itself: a name, and a state told by word, shape and colour.

use std::fmt::Write;

use super::Health;

/// Longest name that is written out, in characters.
const MAX_NAME: usize = 40;
/// Room for a character, in tenths of a pixel; and beside a text, in pixels.
const CHARACTER_TENTHS: usize = 64;
const MARGIN: usize = 8;
/// Room for the shape before the state.
const SHAPE: usize = 14;

impl Health {
    fn label(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::NeverSeen => "never seen",
            Self::Firing => "firing",
            Self::Late => "late",
            Self::Up => "up",
            Self::Unknown => "unknown",
        }
    }

    /// White is read on each of them.
    fn colour(self) -> &'static str {
        match self {
            Self::Down => "#a81616",
            Self::NeverSeen => "#7a3b00",
            Self::Firing => "#b3141d",
            Self::Late => "#7a5200",
            Self::Up => "#2b6a3a",
            Self::Unknown => "#5a636b",
        }
    }

    /// In a square of 8 by 8.
    fn shape(self) -> &'static str {
        match self {
            Self::Down => "M0 0h8v8H0z",
            Self::NeverSeen => "M0 0h8v8H0zM2 2v4h4V2z",
            Self::Firing => "M4 0l4 8H0z",
            Self::Late => "M4 0l4 4-4 4-4-4z",
            Self::Up => "M4 0a4 4 0 1 1 0 8 4 4 0 0 1 0-8z",
            Self::Unknown => "M0 3h8v2H0z",
        }
    }
}

/// An SVG of 20 pixels in height.
pub(super) fn draw(name: &str, health: Health) -> String {
    let mut shown: String = name.chars().take(MAX_NAME).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    let (name, state) = (escaped(name), health.label());
    let text_width = room(&shown);
    let left = text_width + 2 * MARGIN;
    let state_width = room(state);
    let right = SHAPE + state_width + 2 * MARGIN;
    let (width, shown) = (left + right, escaped(&shown));
    let (colour, shape) = (health.colour(), health.shape());
    let (shape_x, state_x) = (left + MARGIN, left + MARGIN + SHAPE);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"20\" \
         viewBox=\"0 0 {width} 20\" role=\"img\" aria-label=\"{name}: {state}\">\
         <title>{name}: {state}</title>\
         <rect width=\"{width}\" height=\"20\" rx=\"4\" fill=\"#2b3136\"/>\
         <path d=\"M{left} 0h{edge}a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4h-{edge}z\" fill=\"{colour}\"/>\
         <g fill=\"#fff\" font-family=\"system-ui, Segoe UI, Roboto, DejaVu Sans, sans-serif\" \
         font-size=\"11\">\
         <text x=\"{MARGIN}\" y=\"14\" textLength=\"{text_width}\" \
         lengthAdjust=\"spacingAndGlyphs\">{shown}</text>\
         <path transform=\"translate({shape_x} 6)\" fill-rule=\"evenodd\" d=\"{shape}\"/>\
         <text x=\"{state_x}\" y=\"14\" textLength=\"{state_width}\" font-weight=\"600\" \
         lengthAdjust=\"spacingAndGlyphs\">{state}</text></g></svg>\n",
        edge = right - 4,
    )
}

fn room(text: &str) -> usize {
    (text.chars().count() * CHARACTER_TENTHS).div_ceil(10)
}

/// A text in XML; what XML cannot hold, and what turns or hides others, is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {
                let number = u32::from(c);
                write!(out, "U+{number:04X}").expect("a text takes everything");
            }
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Health, draw, escaped};

    #[test]
    fn a_name_is_text_and_nothing_else() {
        let check = |text: &str, expected: &str| assert_eq!(escaped(text), expected);
        check("shop", "shop");
        check(
            "</title><script>\"&",
            "&lt;/title&gt;&lt;script&gt;&quot;&amp;",
        );
        check("a\0\x1b\n\u{85}b", "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b");
        check("a\u{202e}b", "aU+202Eb");
    }

    #[test]
    fn the_whole_name_is_told_and_its_front_shown() {
        let name = "x".repeat(50);
        let picture = draw(&name, Health::Up);
        assert!(picture.contains(&format!("<title>{name}: up</title>")));
        assert!(picture.contains(&format!(">{}…</text>", "x".repeat(40))));
    }

    #[test]
    fn every_state_looks_otherwise() {
        let all = [
            Health::Down,
            Health::NeverSeen,
            Health::Firing,
            Health::Late,
            Health::Up,
            Health::Unknown,
        ];
        for (at, one) in all.into_iter().enumerate() {
            for other in &all[at + 1..] {
                assert_ne!(one.label(), other.label());
                assert_ne!(one.colour(), other.colour());
                assert_ne!(one.shape(), other.shape());
            }
        }
    }
}
