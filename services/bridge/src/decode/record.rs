//! Makes a record of a frame's dictionary. What does not fit the field its key
//! names is kept in `extra` under that key; nothing is dropped but what other
//! fields say already.

use domain::{Level, Micros, Record};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    document::{Document, Id, Items, Value},
    field::Field,
    limit::{self, Exceeded},
    render,
    writer::Writer,
};

/// Why a document is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoRecord {
    #[error("it is no dictionary")]
    NoDictionary,
    #[error("it has neither msg nor message")]
    NoMessage,
    #[error("{0}")]
    Exceeded(#[from] Exceeded),
}

/// Whose names the keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Python's.
    Attributes,
    /// Python's and those of Herald's interface.
    Json,
}

/// Makes a record of the dictionary `id` of a frame of so many bytes.
///
/// # Errors
/// When there is no message, or the values exceed a limit.
pub(super) fn record(
    document: &Document<'_>,
    id: Id,
    keys: Keys,
    frame_bytes: usize,
    received_us: Micros,
) -> Result<Record, NoRecord> {
    let Value::Dict(pairs) = document.get(id) else {
        return Err(NoRecord::NoDictionary);
    };
    let mut mapping = Mapping {
        document,
        record: Record {
            received_us,
            created_us: received_us,
            ..Record::default()
        },
        budget_bytes: limit::rendered_bytes(frame_bytes),
        seen: 0,
        file_name: None,
        alias: None,
        message: None,
        extra: Vec::with_capacity(8),
    };
    mapping.fields(pairs, mapping.field_names(pairs, keys))?;
    mapping.finish()
}

/// A key and its value.
type Pair = (Id, Id);

struct Mapping<'d, 'a> {
    document: &'d Document<'a>,
    record: Record,
    budget_bytes: usize,
    /// A bit for every field that has its value.
    seen: u64,
    file_name: Option<Pair>,
    alias: Option<Pair>,
    message: Option<Id>,
    extra: Vec<Pair>,
}

impl Mapping<'_, '_> {
    /// A JSON object with `levelno` is a record's `__dict__`: its `path` or
    /// `level`, if it has one, is the program's own.
    fn field_names(&self, pairs: Items, keys: Keys) -> fn(&[u8]) -> Option<Field> {
        if keys == Keys::Attributes {
            return Field::of_attribute;
        }
        let mut cursor = self.document.cursor(pairs);
        while let Some(key) = cursor.next(self.document) {
            if self.document.string(key) == Some(b"levelno") {
                return Field::of_attribute;
            }
            cursor.next(self.document);
        }
        Field::of_json
    }

    fn fields(
        &mut self,
        pairs: Items,
        field_of: fn(&[u8]) -> Option<Field>,
    ) -> Result<(), NoRecord> {
        let mut cursor = self.document.cursor(pairs);
        while let (Some(key), Some(value)) =
            (cursor.next(self.document), cursor.next(self.document))
        {
            let field = self.document.string(key).and_then(field_of);
            let taken = match field {
                Some(field) if self.seen & 1 << field as u32 == 0 => {
                    self.take(field, key, value)?
                }
                Some(Field::Optional) => self.take(Field::Optional, key, value)?,
                _ => false,
            };
            match field {
                Some(field) if taken => self.seen |= 1 << field as u32,
                _ => self.extra.push((key, value)),
            }
        }
        Ok(())
    }

    /// Puts a value where it belongs; false if it does not fit there.
    fn take(&mut self, field: Field, key: Id, value: Id) -> Result<bool, Exceeded> {
        let found = self.document.get(value);
        let is_none = matches!(found, Value::None);
        match field {
            Field::Alias => self.alias = Some((key, value)),
            Field::FileName => self.file_name = Some((key, value)),
            Field::Milliseconds => {}
            Field::Optional => return Ok(is_none),
            Field::Extra => return Ok(self.spread(value)),
            Field::Created => match self.created(value) {
                Some(created_us) => self.record.created_us = created_us,
                None => return Ok(is_none),
            },
            Field::Level => match self.level(value) {
                Some(level) => self.record.level = level,
                None => return Ok(is_none),
            },
            _ => {
                if field == Field::Message {
                    self.message = Some(value);
                }
                if let Some(number) = field.number(&mut self.record) {
                    match self.document.integer(value) {
                        Some(integer) => *number = integer,
                        None => return Ok(is_none),
                    }
                } else if !is_none || field == Field::Message {
                    self.text(field, value)?;
                }
            }
        }
        Ok(true)
    }

    fn text(&mut self, field: Field, value: Id) -> Result<(), Exceeded> {
        let text = self.render_text(value)?;
        if let Some(place) = field.text(&mut self.record)
            && !(field.may_say_none() && text == "None")
        {
            *place = text;
        }
        Ok(())
    }

    fn render_text(&mut self, value: Id) -> Result<String, Exceeded> {
        if let Some(bytes) = self.document.string(value)
            && bytes.len() <= self.budget_bytes
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            self.budget_bytes -= bytes.len();
            return Ok(text.to_owned());
        }
        let mut writer = Writer::new(self.budget_bytes);
        render::text(self.document, value, &mut writer)?;
        let (text, left) = writer.finish();
        self.budget_bytes = left;
        Ok(text)
    }

    /// Puts an object's members into `extra`.
    fn spread(&mut self, value: Id) -> bool {
        let Value::Dict(pairs) = self.document.get(value) else {
            return matches!(self.document.get(value), Value::None);
        };
        let mut cursor = self.document.cursor(pairs);
        while let (Some(key), Some(value)) =
            (cursor.next(self.document), cursor.next(self.document))
        {
            self.extra.push((key, value));
        }
        true
    }

    /// Seconds since 1970, or RFC 3339.
    fn created(&self, value: Id) -> Option<Micros> {
        match self.document.get(value) {
            Value::Float(seconds) => micros(seconds),
            Value::Int(seconds) => seconds.checked_mul(1_000_000),
            _ => {
                let text = std::str::from_utf8(self.document.text(value)?).ok()?;
                let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
                Micros::try_from(moment.unix_timestamp_nanos().div_euclid(1_000)).ok()
            }
        }
    }

    /// A number, or one of Python's names.
    fn level(&self, value: Id) -> Option<i32> {
        match self.document.integer(value) {
            Some(number) => number.try_into().ok(),
            None => {
                let text = std::str::from_utf8(self.document.text(value)?).ok()?;
                text.parse().map(Level::number).ok()
            }
        }
    }

    fn finish(mut self) -> Result<Record, NoRecord> {
        match (self.message, self.alias.take()) {
            (None, None) => return Err(NoRecord::NoMessage),
            (None, Some((_, value))) => self.text(Field::Message, value)?,
            (Some(_), None) => {}
            (Some(_), Some((key, value))) => {
                if self.document.string(value) != Some(self.record.message.as_bytes()) {
                    self.extra.push((key, value));
                }
            }
        }
        if let Some((key, value)) = self.file_name {
            let last = self.record.path.rsplit(['/', '\\']).next();
            if self.document.string(value) != last.map(str::as_bytes) {
                self.extra.push((key, value));
            }
        }
        self.complete_level();
        if !self.extra.is_empty() {
            let mut writer = Writer::new(self.budget_bytes);
            render::pairs(self.document, &self.extra, &mut writer)?;
            self.record.extra = writer.finish().0;
        }
        Ok(self.record)
    }

    /// The level's name and number follow from each other where one is absent.
    fn complete_level(&mut self) {
        let has_level = self.seen & 1 << Field::Level as u32 != 0;
        let record = &mut self.record;
        if has_level && record.level_name.is_empty() {
            let level = Level::of(record.level);
            record.level_name = match record.level {
                number if number == level.number() => level.name().to_owned(),
                number => format!("Level {number}"),
            };
        } else if !has_level && let Ok(level) = record.level_name.parse::<Level>() {
            record.level = level.number();
        }
    }
}

/// Microseconds of a time in seconds, rounded as Python's `datetime` rounds:
/// half to even.
fn micros(seconds: f64) -> Option<Micros> {
    const LARGEST_SECONDS: f64 = 9.2e12;
    if seconds.is_nan() || seconds.abs() > LARGEST_SECONDS {
        return None;
    }
    let fraction = (seconds.fract() * 1e6).round_ties_even();
    Some(seconds.trunc() as Micros * 1_000_000 + fraction as Micros)
}

#[cfg(test)]
mod tests {
    use super::micros;

    #[test]
    fn times_are_rounded_as_python_rounds() {
        let check = |seconds, expected| assert_eq!(micros(seconds), expected, "{seconds}");
        check(0.0, Some(0));
        check(1_795_392_000.123_456_7, Some(1_795_392_000_123_457));
        check(1_234_567_890.000_001, Some(1_234_567_890_000_001));
        check(0.000_000_5, Some(0));
        check(0.000_001_5, Some(2));
        check(-0.25, Some(-250_000));
        check(1e12, Some(1_000_000_000_000_000_000));
        check(1e13, None);
        check(f64::NAN, None);
        check(f64::NEG_INFINITY, None);
    }
}
