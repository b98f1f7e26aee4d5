//! Texts without their case.

use std::borrow::Cow;

/// A text without its case: the Unicode lower case of each character by
/// itself, with the two letters that have a second lower-case form (final
/// sigma, long s) as their first. Since no character looks at its neighbours
/// (`str::to_lowercase` does, for sigma), every part of a text is found in that
/// text, and folding twice changes nothing more.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    let unchanged = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if text.bytes().all(unchanged) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    Cow::Owned(text.chars().flat_map(fold_char).collect())
}

/// A character without its case; most have one character, some more.
pub fn fold_char(letter: char) -> impl Iterator<Item = char> {
    letter.to_lowercase().map(|lower| match lower {
        'ς' => 'σ',
        'ſ' => 's',
        lower => lower,
    })
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_does_not_count() {
        let check = |text: &str, needle: &str, found| {
            assert_eq!(
                fold(text).contains(&*fold(needle)),
                found,
                "{text} / {needle}"
            );
        };
        check("Disk FULL", "disk full", true);
        check("disk full", "Disk Full", true);
        check("disk full", "", true);
        check("disk full", "disc", false);
        check("GRÖSSE", "größe", false);
        check("Größe", "GRÖ", true);
        check("ΟΔΟΣ ΑΒ", "οδος", true);
        check("οδος", "ΟΔΟΣ", true);
        check("ΟΔΟΣΑ", "οδος", true);
        check("İstanbul", "i\u{307}s", true);
        check("\u{212a}elvin", "kelvin", true);
        check("mi\u{17f}s", "MISS", true);
        check("nul\0byte", "L\0B", true);
    }

    #[test]
    fn folding_twice_changes_nothing_more() {
        for letter in '\0'..=char::MAX {
            let once = fold(letter.encode_utf8(&mut [0; 4])).into_owned();
            assert_eq!(fold(&once), once, "{letter:?}");
        }
    }
}
