//! Bytes of an unknown kind, as people look at them.

use std::fmt::Write;

/// How many bytes a line has.
const LINE_BYTES: usize = 16;

/// Offset, hexadecimal digits and, for what is printable ASCII, the letters.
pub(super) fn hexdump(bytes: &[u8]) -> String {
    let mut out = String::new();
    for (at, line) in bytes.chunks(LINE_BYTES).enumerate() {
        write!(out, "{:06x} ", at * LINE_BYTES).expect("a text takes everything");
        for column in 0..LINE_BYTES {
            if column % 8 == 0 {
                out.push(' ');
            }
            match line.get(column) {
                Some(byte) => write!(out, "{byte:02x} ").expect("a text takes everything"),
                None => out.push_str("   "),
            }
        }
        out.push(' ');
        out.extend(line.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '·',
        }));
        out.push('\n');
    }
    out
}

/// The bytes as text, when nearly all of them are: UTF-8 with few control characters.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let odd = |c: &char| *c == '\u{fffd}' || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    let count = text.chars().count();
    let is_text = count > 0 && text.chars().filter(odd).count() * 10 <= count;
    is_text.then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::{hexdump, text};

    #[test]
    fn bytes_stand_beside_their_letters() {
        let dump = hexdump(b"GET / HTTP/1.1\r\nx\xff");
        let expected = "000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1··\n\
                        000010  78 ff                                             x·\n";
        assert_eq!(dump, expected);
        assert_eq!(hexdump(b""), "");
    }

    #[test]
    fn text_is_what_is_nearly_all_text() {
        let check = |bytes: &[u8], expected: Option<&str>| {
            assert_eq!(text(bytes).as_deref(), expected, "{bytes:?}");
        };
        check(b"", None);
        check("[\"größe\"]".as_bytes(), Some("[\"größe\"]"));
        check(b"GET / HTTP/1.1\r\n", Some("GET / HTTP/1.1\r\n"));
        check(b"\x16\x03\x01abc", None);
        check(b"\xff\xfe", None);
    }
}
