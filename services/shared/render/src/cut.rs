//! Parts of long texts.

/// The front of a text, at most so many bytes and lines (at least one), and
/// whether that is all of it.
#[must_use]
pub fn head(text: &str, max_bytes: usize, max_lines: usize) -> (&str, bool) {
    let end = text
        .match_indices('\n')
        .nth(max_lines.saturating_sub(1))
        .map_or(text.len(), |(at, _)| at)
        .min(text.floor_char_boundary(max_bytes));
    (&text[..end], end == text.len())
}

/// The back of a text, at most so many bytes, and whether that is all of it.
#[must_use]
pub fn tail(text: &str, max_bytes: usize) -> (&str, bool) {
    let start = text.ceil_char_boundary(text.len().saturating_sub(max_bytes));
    (&text[start..], start == 0)
}

/// The last line that is not blank: of a traceback, what went wrong.
#[must_use]
pub fn last_line(text: &str) -> &str {
    text.trim_end()
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .trim()
}

#[cfg(test)]
mod tests {
    use super::{head, last_line, tail};

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
