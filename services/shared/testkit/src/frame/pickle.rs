//! Python's pickle protocol 1, as far as a log record needs it: written by
//! hand, so that load can be made without a Python and so that no test of the
//! decoder depends on the decoder's own crate.

use serde_json::{Map, Value};

/// Writes one pickle.
#[derive(Debug, Default)]
pub struct Pickler {
    bytes: Vec<u8>,
    memo: u32,
}

impl Pickler {
    /// An empty pickle.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `None`, `True`, a number, a text, a list or a dictionary.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.bytes.push(b'N'),
            Value::Bool(true) => self.bytes.extend_from_slice(b"I01\n"),
            Value::Bool(false) => self.bytes.extend_from_slice(b"I00\n"),
            Value::Number(number) => match number.as_i64() {
                Some(number) => self.integer(number),
                None => self.float(number.as_f64().expect("a number fits a double")),
            },
            Value::String(text) => self.text(text),
            Value::Array(items) => self.list(items),
            Value::Object(items) => self.dict(items),
        }
    }

    /// A dictionary with text keys.
    pub fn dict(&mut self, items: &Map<String, Value>) {
        self.bytes.push(b'}');
        self.memoize();
        if items.is_empty() {
            return;
        }
        self.bytes.push(b'(');
        for (key, value) in items {
            self.text(key);
            self.value(value);
        }
        self.bytes.push(b'u');
    }

    /// The finished pickle.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(b'.');
        self.bytes
    }

    fn list(&mut self, items: &[Value]) {
        self.bytes.push(b']');
        self.memoize();
        if items.is_empty() {
            return;
        }
        self.bytes.push(b'(');
        for item in items {
            self.value(item);
        }
        self.bytes.push(b'e');
    }

    fn text(&mut self, text: &str) {
        let length = u32::try_from(text.len()).expect("a text below 4 GiB");
        self.bytes.push(b'X');
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self.memoize();
    }

    fn integer(&mut self, number: i64) {
        if let Ok(number) = u8::try_from(number) {
            self.bytes.extend_from_slice(&[b'K', number]);
        } else if let Ok(number) = u16::try_from(number) {
            self.bytes.push(b'M');
            self.bytes.extend_from_slice(&number.to_le_bytes());
        } else if let Ok(number) = i32::try_from(number) {
            self.bytes.push(b'J');
            self.bytes.extend_from_slice(&number.to_le_bytes());
        } else {
            self.bytes
                .extend_from_slice(format!("L{number}L\n").as_bytes());
        }
    }

    fn float(&mut self, number: f64) {
        self.bytes.push(b'G');
        self.bytes.extend_from_slice(&number.to_be_bytes());
    }

    /// What CPython does after every text and container, needed or not.
    fn memoize(&mut self) {
        if let Ok(index) = u8::try_from(self.memo) {
            self.bytes.extend_from_slice(&[b'q', index]);
        } else {
            self.bytes.push(b'r');
            self.bytes.extend_from_slice(&self.memo.to_le_bytes());
        }
        self.memo += 1;
    }
}
