//! Texts between quotes.

use crate::{
    cursor::Cursor,
    error::{QueryError, is_hidden},
};

/// Reads a quoted text from its opening quote to behind its closing one.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<String, QueryError> {
    let start = cursor.at();
    cursor.bump();
    let mut text = String::new();
    loop {
        let at = cursor.at();
        match cursor.bump() {
            Some('"') => return Ok(text),
            Some('\\') => text.push(escaped(cursor, at)?),
            Some(letter) => text.push(letter),
            None => {
                return Err(cursor.error(
                    start..start + 1,
                    "this quote is not closed",
                    "put a `\"` at its end; inside, `\\\"` is a quote",
                ));
            }
        }
    }
}

fn escaped(cursor: &mut Cursor<'_>, start: usize) -> Result<char, QueryError> {
    let letter = match cursor.bump() {
        Some(letter @ ('"' | '\\')) => Some(letter),
        Some('n') => Some('\n'),
        Some('r') => Some('\r'),
        Some('t') => Some('\t'),
        Some('0') => Some('\0'),
        Some('u') => by_number(cursor),
        _ => None,
    };
    letter.ok_or_else(|| {
        cursor.error(
            start..cursor.at(),
            "this escape is unknown",
            "inside quotes use `\\\"`, `\\\\`, `\\n`, `\\r`, `\\t`, `\\0` or a code point as in `\\u{e4}`",
        )
    })
}

fn by_number(cursor: &mut Cursor<'_>) -> Option<char> {
    if !cursor.eat('{') {
        return None;
    }
    let mut number = 0;
    let mut count = 0;
    while let Some(digit) = cursor.peek().and_then(|letter| letter.to_digit(16)) {
        number = number * 16 + digit;
        count += 1;
        cursor.bump();
        if count > 6 {
            return None;
        }
    }
    if count == 0 || !cursor.eat('}') {
        return None;
    }
    char::from_u32(number)
}

/// Appends a text such that it is read back, without quotes where none are
/// needed.
pub(crate) fn write(text: &str, out: &mut String) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            letter if is_hidden(letter) => out.extend(letter.escape_unicode()),
            letter => out.push(letter),
        }
    }
    out.push('"');
}

fn is_plain(text: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    text.starts_with(|first: char| first.is_alphanumeric() || first == '_')
        && text.chars().all(is_word)
        && !matches!(text, "AND" | "OR" | "NOT")
}
