//! The textual operands of protocol 0.

/// What a decimal literal stands for.
#[derive(Debug, PartialEq)]
pub(super) enum Number<'a> {
    Small(i64),
    /// Beyond `i64`: digits with an optional minus sign.
    Digits(&'a str),
}

/// A decimal integer as `repr` writes it.
pub(super) fn integer(text: &[u8]) -> Option<Number<'_>> {
    let text = text.trim_ascii();
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    let mut magnitude = Some(0_i64);
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        let digit = i64::from(byte - b'0');
        magnitude = magnitude.and_then(|value| value.checked_mul(10)?.checked_sub(digit));
    }
    let value = magnitude.and_then(|value| {
        if digits.len() == text.len() {
            value.checked_neg()
        } else {
            Some(value)
        }
    });
    match value {
        Some(value) => Some(Number::Small(value)),
        None if digits.starts_with(b"0") => None,
        None => std::str::from_utf8(text).ok().map(Number::Digits),
    }
}

/// What stands between the quotes of a Python 2 string literal, with its
/// escapes; `None` without matching quotes.
pub(super) fn quoted(text: &[u8]) -> Option<&[u8]> {
    match text.trim_ascii() {
        [b'\'', inside @ .., b'\''] | [b'"', inside @ .., b'"'] => Some(inside),
        _ => None,
    }
}

/// Appends the bytes that a Python 2 string literal's inside stands for; `None`
/// for a broken escape.
pub(super) fn unescape(mut text: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    while let Some(at) = memchr::memchr(b'\\', text) {
        bytes.extend_from_slice(&text[..at]);
        let (&escape, rest) = text[at + 1..].split_first()?;
        text = rest;
        match escape {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => bytes.push(escape),
            b'a' => bytes.push(0x07),
            b'b' => bytes.push(0x08),
            b'f' => bytes.push(0x0c),
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'v' => bytes.push(0x0b),
            b'x' => {
                let (hex, rest) = text.split_at_checked(2)?;
                bytes.push(code(hex, 16)? as u8);
                text = rest;
            }
            b'0'..=b'7' => {
                let more = text
                    .iter()
                    .take(2)
                    .take_while(|digit| matches!(digit, b'0'..=b'7'));
                let mut value = u32::from(escape - b'0');
                let mut length = 0;
                for digit in more {
                    value = value * 8 + u32::from(digit - b'0');
                    length += 1;
                }
                bytes.push(value as u8);
                text = &text[length..];
            }
            other => bytes.extend_from_slice(&[b'\\', other]),
        }
    }
    bytes.extend_from_slice(text);
    Some(())
}

/// Appends what a `raw-unicode-escape` text stands for, as UTF-8 with lone
/// surrogates; `None` for a broken escape.
pub(super) fn raw_unicode(text: &[u8], utf8: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            push_code(u32::from(byte), utf8)?;
            continue;
        }
        let length = match rest.first() {
            Some(b'u') => 4,
            Some(b'U') => 8,
            Some(&other) => {
                utf8.push(b'\\');
                push_code(u32::from(other), utf8)?;
                rest = &rest[1..];
                continue;
            }
            None => {
                utf8.push(b'\\');
                break;
            }
        };
        let (hex, after) = rest[1..].split_at_checked(length)?;
        push_code(code(hex, 16)?, utf8)?;
        rest = after;
    }
    Some(())
}

/// Appends a code point as UTF-8; a surrogate takes three bytes like its
/// neighbours. `None` beyond Unicode.
pub(crate) fn push_code(code: u32, utf8: &mut Vec<u8>) -> Option<()> {
    match char::from_u32(code) {
        Some(character) => {
            utf8.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        None if code <= 0xffff => utf8.extend_from_slice(&[
            0xe0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3f) as u8,
            0x80 | (code & 0x3f) as u8,
        ]),
        None => return None,
    }
    Some(())
}

fn code(digits: &[u8], radix: u32) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, &digit| {
        value
            .checked_mul(radix)?
            .checked_add(char::from(digit).to_digit(radix)?)
    })
}

#[cfg(test)]
mod tests {
    use super::{Number, integer, quoted, raw_unicode, unescape};

    #[test]
    fn integers() {
        let check = |text: &str, expected| assert_eq!(integer(text.as_bytes()), expected, "{text}");
        check("0", Some(Number::Small(0)));
        check("-17", Some(Number::Small(-17)));
        check(" 5 ", Some(Number::Small(5)));
        check("9223372036854775807", Some(Number::Small(i64::MAX)));
        check("-9223372036854775808", Some(Number::Small(i64::MIN)));
        check(
            "9223372036854775808",
            Some(Number::Digits("9223372036854775808")),
        );
        check("", None);
        check("-", None);
        check("1.5", None);
        check("0x10", None);
        check("+5", None);
    }

    #[test]
    fn strings_of_python_2() {
        let check = |literal: &[u8], expected: Option<&[u8]>| {
            let mut bytes = Vec::new();
            let read = quoted(literal).and_then(|inside| unescape(inside, &mut bytes));
            assert_eq!(read.map(|()| bytes.as_slice()), expected, "{literal:?}");
        };
        check(b"'plain'", Some(b"plain"));
        check(b"\"it's\"", Some(b"it's"));
        check(br"'\x00\xff\n\r\t\\\'\x41'", Some(b"\0\xff\n\r\t\\'A"));
        check(
            br"'\a\b\f\v\0\12\1234\q'",
            Some(b"\x07\x08\x0c\x0b\0\n\x534\\q"),
        );
        check(b"'a\\\nb'", Some(b"ab"));
        check(br"'\'", None);
        check(br"'\x4'", None);
        check(b"'open", None);
        check(b"", None);
        check(b"'", None);
    }

    #[test]
    fn unicode_of_protocol_0() {
        let check = |literal: &[u8], expected: Option<&[u8]>| {
            let mut utf8 = Vec::new();
            let read = raw_unicode(literal, &mut utf8);
            assert_eq!(read.map(|()| utf8.as_slice()), expected, "{literal:?}");
        };
        check(b"plain", Some(b"plain"));
        check(b"\xe4", Some("ä".as_bytes()));
        check(br"\u20ac\U0001f600", Some("€😀".as_bytes()));
        check(br"\u005cu0041", Some(br"\u0041"));
        check(br"\\u0041\n", Some(br"\\u0041\n"));
        check(br"\udcff", Some(b"\xed\xb3\xbf"));
        check(br"end\", Some(br"end\"));
        check(br"\u12", None);
        check(br"\U00110000", None);
        check(br"\uzzzz", None);
    }
}
