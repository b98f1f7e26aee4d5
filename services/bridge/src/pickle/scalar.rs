//! The machine's instructions for values without parts.

use super::{
    PickleError,
    literal::{self, Number},
    machine::Machine,
    opcode as op,
};
use crate::decode::{
    document::Value,
    integer,
    limit::{self, Exceeded},
};

impl<'a> Machine<'a> {
    /// The value that an instruction gives by itself; `None` for another kind of
    /// instruction.
    pub(super) fn scalar(&mut self, opcode: u8) -> Result<Option<Value<'a>>, PickleError> {
        let reader = &mut self.reader;
        Ok(Some(match opcode {
            op::NEWTRUE => Value::Bool(true),
            op::NEWFALSE => Value::Bool(false),
            op::BININT => Value::Int(i64::from(i32::from_le_bytes(reader.array()?))),
            op::BININT1 => Value::Int(i64::from(reader.byte()?)),
            op::BININT2 => Value::Int(i64::from(u16::from_le_bytes(reader.array()?))),
            op::BINFLOAT => Value::Float(f64::from_be_bytes(reader.array()?)),
            op::LONG1 => long(reader.counted1()?)?,
            op::LONG4 => long(reader.counted4()?)?,
            op::BINUNICODE8 => Value::Text(reader.counted8()?),
            op::BINSTRING | op::BINBYTES => Value::Bytes(reader.counted4()?),
            op::SHORT_BINBYTES => Value::Bytes(reader.counted1()?),
            op::BINBYTES8 | op::BYTEARRAY8 => Value::Bytes(reader.counted8()?),
            op::INT => match reader.line()? {
                b"00" => Value::Bool(false),
                b"01" => Value::Bool(true),
                digits => self.integer(digits, "INT")?,
            },
            op::LONG => {
                let line = reader.line()?;
                self.integer(line.strip_suffix(b"L").unwrap_or(line), "LONG")?
            }
            op::FLOAT => {
                let line = reader.line()?;
                let text = std::str::from_utf8(line).ok();
                let float = text.and_then(|text| text.trim().parse().ok());
                Value::Float(float.ok_or_else(|| self.malformed("FLOAT"))?)
            }
            op::STRING => self.string()?,
            op::UNICODE => self.unicode()?,
            _ => return Ok(None),
        }))
    }

    fn integer(&self, digits: &'a [u8], name: &'static str) -> Result<Value<'a>, PickleError> {
        match literal::integer(digits) {
            Some(Number::Small(value)) => Ok(Value::Int(value)),
            Some(Number::Digits(digits)) if digits.len() <= limit::DIGITS => {
                Ok(Value::Digits(digits))
            }
            Some(Number::Digits(_)) => Err(Exceeded::Digits.into()),
            None => Err(self.malformed(name)),
        }
    }

    fn string(&mut self) -> Result<Value<'a>, PickleError> {
        let broken = self.malformed("STRING");
        let inside = literal::quoted(self.reader.line()?).ok_or_else(|| broken.clone())?;
        if memchr::memchr(b'\\', inside).is_none() {
            return Ok(Value::Bytes(inside));
        }
        let span = self
            .document
            .decode(|bytes| literal::unescape(inside, bytes).ok_or(broken))?;
        Ok(Value::DecodedBytes(span))
    }

    fn unicode(&mut self) -> Result<Value<'a>, PickleError> {
        let broken = self.malformed("UNICODE");
        let line = self.reader.line()?;
        if line.is_ascii() && memchr::memchr(b'\\', line).is_none() {
            return Ok(Value::Text(line));
        }
        let span = self
            .document
            .decode(|utf8| literal::raw_unicode(line, utf8).ok_or(broken))?;
        Ok(Value::DecodedText(span))
    }
}

fn long(bytes: &[u8]) -> Result<Value<'_>, PickleError> {
    match integer::small(bytes) {
        Some(value) => Ok(Value::Int(value)),
        None if bytes.len() <= limit::LONG_BYTES => Ok(Value::Long(bytes)),
        None => Err(Exceeded::Digits.into()),
    }
}
