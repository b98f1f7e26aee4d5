//! Reads JSON into the same document as pickles, and more kindly than the
//! standard: Python's `json` writes lone surrogates, `NaN` and `Infinity`, and
//! integers of any length, all of which must survive.

#[cfg(test)]
mod tests;

use crate::{
    decode::{
        document::{Document, Id, Items, Value},
        limit::{self, Exceeded},
    },
    pickle,
};

/// Why bytes are no JSON that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("it ends too early")]
    Short,
    #[error("unexpected byte {0}")]
    Unexpected(usize),
    #[error("something follows its end at byte {0}")]
    Trailing(usize),
    #[error("{0}")]
    Exceeded(#[from] Exceeded),
}

/// The document of a JSON text and its outermost value.
///
/// # Errors
/// When the bytes are no JSON or demand too much.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Document<'_>, Id), JsonError> {
    Parser {
        bytes,
        at: 0,
        document: Document::new(),
        stack: Vec::with_capacity(64),
        open: Vec::new(),
    }
    .run()
}

/// A list or an object whose end is to come.
struct Open {
    is_object: bool,
    /// Where its parts begin on the stack.
    from: usize,
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    document: Document<'a>,
    stack: Vec<Id>,
    open: Vec<Open>,
}

impl<'a> Parser<'a> {
    fn run(mut self) -> Result<(Document<'a>, Id), JsonError> {
        loop {
            let mut whole = self.begin()?;
            while whole {
                let Some(container) = self.open.last() else {
                    return self.end();
                };
                let is_object = container.is_object;
                match self.token()? {
                    b',' if is_object => {
                        self.key()?;
                        whole = false;
                    }
                    b',' => whole = false,
                    b'}' if is_object => self.close()?,
                    b']' if !is_object => self.close()?,
                    _ => return Err(JsonError::Unexpected(self.at - 1)),
                }
            }
        }
    }

    fn end(mut self) -> Result<(Document<'a>, Id), JsonError> {
        self.blanks();
        if self.at < self.bytes.len() {
            return Err(JsonError::Trailing(self.at));
        }
        let outermost = self.stack.pop().ok_or(JsonError::Short)?;
        Ok((self.document, outermost))
    }

    /// Reads a value, or a container's beginning up to its first value; says
    /// whether a value is whole now.
    fn begin(&mut self) -> Result<bool, JsonError> {
        let value = match self.token()? {
            b'"' => self.string()?,
            opening @ (b'{' | b'[') => {
                if self.open.len() > limit::DEPTH {
                    return Err(Exceeded::Depth.into());
                }
                let is_object = opening == b'{';
                let from = self.stack.len();
                self.open.push(Open { is_object, from });
                self.blanks();
                let closing = if is_object { b'}' } else { b']' };
                if self.bytes.get(self.at) == Some(&closing) {
                    self.at += 1;
                    self.close()?;
                    return Ok(true);
                }
                if is_object {
                    self.key()?;
                }
                return Ok(false);
            }
            b't' => self.word("true", Value::Bool(true))?,
            b'f' => self.word("false", Value::Bool(false))?,
            b'n' => self.word("null", Value::None)?,
            b'N' => self.word("NaN", Value::Float(f64::NAN))?,
            b'I' => self.word("Infinity", Value::Float(f64::INFINITY))?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => return Err(JsonError::Unexpected(self.at - 1)),
        };
        self.push(value)?;
        Ok(true)
    }

    fn key(&mut self) -> Result<(), JsonError> {
        if self.token()? != b'"' {
            return Err(JsonError::Unexpected(self.at - 1));
        }
        let key = self.string()?;
        self.push(key)?;
        if self.token()? != b':' {
            return Err(JsonError::Unexpected(self.at - 1));
        }
        Ok(())
    }

    /// Ends the innermost container.
    fn close(&mut self) -> Result<(), JsonError> {
        let Some(container) = self.open.pop() else {
            return Err(JsonError::Unexpected(self.at));
        };
        let parts = self.stack.get(container.from..).unwrap_or_default();
        let items = self.document.extend(Items::EMPTY, parts);
        self.stack.truncate(container.from);
        self.push(match container.is_object {
            true => Value::Dict(items),
            false => Value::List(items),
        })
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), JsonError> {
        if self.document.len() >= limit::NODES {
            return Err(Exceeded::Nodes.into());
        }
        let id = self.document.push(value);
        self.stack.push(id);
        Ok(())
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is not blank.
    fn token(&mut self) -> Result<u8, JsonError> {
        self.blanks();
        let byte = *self.bytes.get(self.at).ok_or(JsonError::Short)?;
        self.at += 1;
        Ok(byte)
    }

    /// The rest of a word whose first letter is behind us.
    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, JsonError> {
        let rest = &self.bytes[self.at - 1..];
        if !rest.starts_with(word.as_bytes()) {
            return Err(JsonError::Unexpected(self.at - 1));
        }
        self.at += word.len() - 1;
        Ok(value)
    }

    fn number(&mut self) -> Result<Value<'a>, JsonError> {
        let start = self.at - 1;
        let rest = &self.bytes[start..];
        if rest.starts_with(b"-Infinity") {
            self.at = start + b"-Infinity".len();
            return Ok(Value::Float(f64::NEG_INFINITY));
        }
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .unwrap_or(rest.len());
        let (text, _) = rest.split_at(length);
        self.at = start + length;
        let text = std::str::from_utf8(text).map_err(|_| JsonError::Unexpected(start))?;
        let digits = text.strip_prefix('-').unwrap_or(text);
        let well_formed = match digits.as_bytes() {
            [b'0', b'0'..=b'9', ..] => false,
            [b'0'..=b'9', ..] => true,
            _ => false,
        };
        if !well_formed {
            return Err(JsonError::Unexpected(start));
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let float = text.parse().map_err(|_| JsonError::Unexpected(start))?;
            return Ok(Value::Float(float));
        }
        match text.parse() {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) if digits.len() > limit::DIGITS => Err(Exceeded::Digits.into()),
            Err(_) => Ok(Value::Digits(text)),
        }
    }

    /// A string whose opening quote is behind us.
    fn string(&mut self) -> Result<Value<'a>, JsonError> {
        let start = self.at;
        let rest = &self.bytes[start..];
        let end = memchr::memchr2(b'"', b'\\', rest).ok_or(JsonError::Short)?;
        if rest[end] == b'"' {
            self.at = start + end + 1;
            return Ok(Value::Text(&rest[..end]));
        }
        let mut at = 0;
        let span = self.document.decode(|utf8| {
            loop {
                let left = rest.get(at..).ok_or(JsonError::Short)?;
                let end = memchr::memchr2(b'"', b'\\', left).ok_or(JsonError::Short)?;
                utf8.extend_from_slice(&left[..end]);
                at += end + 1;
                if left[end] == b'"' {
                    return Ok::<(), JsonError>(());
                }
                at += escape(&rest[at..], utf8).ok_or(JsonError::Unexpected(start + at))?;
            }
        })?;
        self.at = start + at;
        Ok(Value::DecodedText(span))
    }
}

/// Appends what an escape stands for and tells its length, the backslash not
/// counted; `None` when there is no such escape.
fn escape(text: &[u8], utf8: &mut Vec<u8>) -> Option<usize> {
    let plain = match text.first()? {
        b'u' => {
            let high = hex4(text.get(1..)?)?;
            let low = match text.get(5..) {
                Some([b'\\', b'u', rest @ ..]) if (0xd800..0xdc00).contains(&high) => hex4(rest),
                _ => None,
            };
            return match low {
                Some(low @ 0xdc00..0xe000) => {
                    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    pickle::push_code(code, utf8)?;
                    Some(11)
                }
                _ => {
                    pickle::push_code(high, utf8)?;
                    Some(5)
                }
            };
        }
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        &byte @ (b'"' | b'\\' | b'/') => byte,
        _ => return None,
    };
    utf8.push(plain);
    Some(1)
}

fn hex4(text: &[u8]) -> Option<u32> {
    text.first_chunk::<4>()?
        .iter()
        .try_fold(0, |value, &digit| {
            Some(value << 4 | char::from(digit).to_digit(16)?)
        })
}
