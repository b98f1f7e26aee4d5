//! What is asked of a record, as a tree. [`Condition::matches`] is the
//! definition that every faster way of searching must agree with.

mod decimal;
mod extra;
mod glob;
mod pattern;

pub use decimal::Decimal;
pub use extra::{ExtraPath, ExtraTest, ExtraValue, entries, items};
pub use glob::Glob;
pub use pattern::{Pattern, PatternError};

use crate::{NumberField, Record, TextField, fold};

/// A condition on one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Each of them holds; without any, every record passes.
    All(Vec<Condition>),
    /// At least one of them holds; without any, no record passes.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// One of [`TextField::SEARCHED`] contains this text, without case.
    Contains(String),
    /// In one of [`TextField::SEARCHED`] the pattern finds something.
    Finds(Pattern),
    /// A field's text passes a test.
    Text(TextField, TextTest),
    /// A field's number is in a range, both ends included.
    Number(NumberField, NumberRange),
    /// A value at this path of `extra` passes a test.
    Extra(ExtraPath, ExtraTest),
}

/// A test of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextTest {
    /// It is this text, case included.
    Is(String),
    /// It looks like this, case included.
    Like(Glob),
    /// It contains this text, without case.
    Contains(String),
    /// The pattern finds something in it.
    Finds(Pattern),
}

/// Numbers from `min` to `max`, both included; none when `min` is above `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRange {
    /// The lowest.
    pub min: i64,
    /// The highest.
    pub max: i64,
}

impl Default for Condition {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl Condition {
    /// Whether the record fulfils it.
    #[must_use]
    pub fn matches(&self, record: &Record) -> bool {
        let mut searched = TextField::SEARCHED.iter().map(|field| field.of(record));
        match self {
            Self::All(all) => all.iter().all(|condition| condition.matches(record)),
            Self::Any(any) => any.iter().any(|condition| condition.matches(record)),
            Self::Not(inner) => !inner.matches(record),
            Self::Contains(text) => {
                let needle = fold(text);
                searched.any(|text| fold(&text).contains(&*needle))
            }
            Self::Finds(pattern) => searched.any(|text| pattern.finds(&text)),
            Self::Text(field, test) => test.passes(&field.of(record)),
            Self::Number(field, range) => range.contains(field.of(record)),
            Self::Extra(path, test) => test.passes(&record.extra, path),
        }
    }

    /// Whether every record passes, as far as its form tells.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        match self {
            Self::All(all) => all.iter().all(Self::is_everything),
            _ => false,
        }
    }

    /// Both of two conditions, in a tree no deeper than needed.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut all = Vec::new();
        for condition in [self, other] {
            match condition {
                Self::All(inner) => all.extend(inner),
                condition => all.push(condition),
            }
        }
        match all.len() {
            1 => all.remove(0),
            _ => Self::All(all),
        }
    }

    /// At least this severity.
    #[must_use]
    pub fn at_least(level: i32) -> Self {
        Self::Number(NumberField::Level, NumberRange::from(i64::from(level)))
    }
}

impl TextTest {
    /// Whether a text passes.
    #[must_use]
    pub fn passes(&self, text: &str) -> bool {
        match self {
            Self::Is(value) => text == value,
            Self::Like(glob) => glob.matches(text),
            Self::Contains(needle) => fold(text).contains(&*fold(needle)),
            Self::Finds(pattern) => pattern.finds(text),
        }
    }
}

impl NumberRange {
    /// One number.
    #[must_use]
    pub const fn only(number: i64) -> Self {
        Self {
            min: number,
            max: number,
        }
    }

    /// This number and all above.
    #[must_use]
    pub const fn from(min: i64) -> Self {
        Self { min, max: i64::MAX }
    }

    /// This number and all below.
    #[must_use]
    pub const fn up_to(max: i64) -> Self {
        Self { min: i64::MIN, max }
    }

    /// Whether a number is in it.
    #[must_use]
    pub const fn contains(self, number: i64) -> bool {
        self.min <= number && number <= self.max
    }
}

#[cfg(test)]
mod tests;
