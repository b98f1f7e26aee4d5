//! Text under construction, of bounded size.

use std::borrow::Cow;

/// Stands where the rest did not fit.
pub(crate) const TRUNCATED: &str = "<truncated>";

/// Collects text until a budget is spent. Content is cut there, visibly;
/// punctuation still goes in, so that what is open can be closed.
#[derive(Debug)]
pub(crate) struct Writer {
    text: String,
    left: usize,
    cut: bool,
    in_json_string: bool,
}

impl Writer {
    pub(crate) fn new(budget_bytes: usize) -> Self {
        Self {
            text: String::new(),
            left: budget_bytes,
            cut: false,
            in_json_string: false,
        }
    }

    /// The text so far and what is left of the budget.
    pub(crate) fn finish(self) -> (String, usize) {
        let mut text = self.text;
        if text.capacity() - text.len() > 64 * 1024 {
            text.shrink_to_fit();
        }
        (text, self.left)
    }

    /// Whether more content would be cut.
    pub(crate) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Charges for effort that shows in no text.
    pub(crate) fn charge(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Until [`Self::close_string`], content is escaped as a JSON string needs
    /// it.
    pub(crate) fn open_string(&mut self) {
        self.punctuation("\"");
        self.in_json_string = true;
    }

    pub(crate) fn close_string(&mut self) {
        self.in_json_string = false;
        self.punctuation("\"");
    }

    /// Text of ours that needs no escapes; always goes in.
    pub(crate) fn punctuation(&mut self, text: &str) {
        self.text.push_str(text);
        self.charge(text.len());
    }

    /// A JSON string.
    pub(crate) fn string(&mut self, content: &str) {
        self.open_string();
        self.content(content);
        self.close_string();
    }

    /// Text of others: as it is, or escaped within a JSON string.
    pub(crate) fn content(&mut self, text: &str) {
        if !self.in_json_string {
            self.run(text);
            return;
        }
        let mut clean = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.run(&text[clean..at]);
            clean = at + 1;
            match byte {
                b'"' => self.whole("\\\""),
                b'\\' => self.whole("\\\\"),
                b'\n' => self.whole("\\n"),
                b'\r' => self.whole("\\r"),
                b'\t' => self.whole("\\t"),
                _ => self.code("\\u", u32::from(byte), 4),
            }
            if self.cut {
                return;
            }
        }
        self.run(&text[clean..]);
    }

    /// Bytes of others as text that people can read; see [`readable`].
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.content(text),
            Err(_) => pieces(bytes, |piece| match piece {
                Piece::Valid(text) => self.content(text),
                Piece::Surrogate(code) if self.in_json_string => self.code("\\\\u", code, 4),
                Piece::Surrogate(code) => self.code("\\u", code, 4),
                Piece::Byte(byte) if self.in_json_string => self.code("\\\\x", byte.into(), 2),
                Piece::Byte(byte) => self.code("\\x", byte.into(), 2),
            }),
        }
    }

    /// A prefix and hexadecimal digits, whole or not at all.
    fn code(&mut self, prefix: &str, code: u32, digits: usize) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        if prefix.len() + digits > self.left {
            self.mark_cut();
            return;
        }
        self.text.push_str(prefix);
        for place in (0..digits).rev() {
            self.text
                .push(char::from(HEX[(code >> (4 * place) & 0xf) as usize]));
        }
        self.left -= prefix.len() + digits;
    }

    /// Text that may be cut between characters.
    fn run(&mut self, text: &str) {
        if text.len() <= self.left {
            self.text.push_str(text);
            self.left -= text.len();
        } else if !self.cut {
            self.text
                .push_str(&text[..text.floor_char_boundary(self.left)]);
            self.mark_cut();
        }
    }

    /// Text that must not be cut in itself.
    fn whole(&mut self, text: &str) {
        if text.len() <= self.left {
            self.text.push_str(text);
            self.left -= text.len();
        } else {
            self.mark_cut();
        }
    }

    fn mark_cut(&mut self) {
        if !self.cut {
            self.text.push_str(TRUNCATED);
            self.left = 0;
            self.cut = true;
        }
    }
}

/// Bytes as text that people can read: UTF-8 where it is valid; a surrogate as
/// `\udcff`, any other byte as `\xff`.
pub(crate) fn readable(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut writer = Writer::new(usize::MAX);
            writer.bytes(bytes);
            Cow::Owned(writer.text)
        }
    }
}

enum Piece<'a> {
    Valid(&'a str),
    Surrogate(u32),
    Byte(u8),
}

fn pieces<'a>(mut bytes: &'a [u8], mut take: impl FnMut(Piece<'a>)) {
    while let Some(chunk) = bytes.utf8_chunks().next() {
        if !chunk.valid().is_empty() {
            take(Piece::Valid(chunk.valid()));
        }
        bytes = &bytes[chunk.valid().len()..];
        if let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, rest @ ..] = bytes {
            let code = 0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f);
            take(Piece::Surrogate(code));
            bytes = rest;
        } else {
            for &byte in chunk.invalid() {
                take(Piece::Byte(byte));
            }
            bytes = &bytes[chunk.invalid().len()..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Writer, readable};

    #[test]
    fn bytes_become_readable() {
        let check = |bytes: &[u8], text: &str| assert_eq!(readable(bytes), text, "{bytes:?}");
        check(b"", "");
        check("grün\0".as_bytes(), "grün\0");
        check(b"gr\xfcn", "gr\\xfcn");
        check(b"\xff\xfe", "\\xff\\xfe");
        check(b"a\xed\xb3\xbfb", "a\\udcffb");
        check(b"\xed\xa0\x80\xed\xbf\xbf", "\\ud800\\udfff");
        check(b"\xed\xb3", "\\xed\\xb3");
        check(b"\xe2\x82", "\\xe2\\x82");
        check(b"\xf0\x9f\x98\x80\xf0\x9f", "😀\\xf0\\x9f");
    }

    #[test]
    fn json_strings_are_escaped_and_stay_whole_when_cut() {
        let check = |budget, content: &str, expected: &str| {
            let mut writer = Writer::new(budget);
            writer.string(content);
            let (text, _) = writer.finish();
            assert_eq!(text, expected, "{content:?} in {budget}");
            assert!(serde_json::from_str::<String>(&text).is_ok(), "{text}");
        };
        check(99, "a\"b\\c\nd\0e", r#""a\"b\\c\nd\u0000e""#);
        check(99, "grün😀", "\"grün😀\"");
        check(4, "grün", "\"gr<truncated>\"");
        check(3, "\n\n\n", r#""\n<truncated>""#);
        check(3, "\0\0\0", r#""<truncated>""#);
        check(0, "x", "\"<truncated>\"");
    }
}
