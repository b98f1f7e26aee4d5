//! Conditions on `extra`, the JSON object of a record's further keys.

use std::{borrow::Cow, fmt, ops::Bound};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Decimal, TextTest};

/// Keys that lead to a value, outermost first. Arrays on the way, and at its
/// end, stand for each of their items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExtraPath(pub Vec<String>);

/// A test of the values at a path; one that passes is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtraTest {
    /// There is a value, whatever it is.
    Exists,
    /// A value's text passes: a string itself, a number as written, `true`,
    /// `false` or `null`. [`TextTest::Is`] with a number also takes every
    /// number that is equal to it.
    Text(TextTest),
    /// A number between two bounds; texts are no numbers.
    Number(Bound<Decimal>, Bound<Decimal>),
}

/// A value that is neither object nor array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtraValue<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number as it is written.
    Number(&'a str),
    /// `true`, `false` or `null`.
    Word(&'a str),
}

impl ExtraTest {
    /// Whether a value at the path of this JSON object passes. A text that is
    /// no JSON object has no values.
    #[must_use]
    pub fn passes(&self, extra: &str, path: &ExtraPath) -> bool {
        let mut found = false;
        at_path(extra, &path.0, &mut |raw| {
            found |= match self {
                Self::Exists => true,
                Self::Text(test) => ExtraValue::of(raw).is_some_and(|value| value.passes(test)),
                Self::Number(min, max) => match ExtraValue::of(raw) {
                    Some(ExtraValue::Number(number)) => number
                        .parse()
                        .is_ok_and(|number| is_between(&number, min, max)),
                    _ => false,
                },
            };
            found
        });
        found
    }
}

fn is_between(number: &Decimal, min: &Bound<Decimal>, max: &Bound<Decimal>) -> bool {
    let above = match min {
        Bound::Included(min) => number >= min,
        Bound::Excluded(min) => number > min,
        Bound::Unbounded => true,
    };
    above
        && match max {
            Bound::Included(max) => number <= max,
            Bound::Excluded(max) => number < max,
            Bound::Unbounded => true,
        }
}

impl<'a> ExtraValue<'a> {
    /// A value as it is written; `None` for objects, arrays, and what is no JSON.
    #[must_use]
    pub fn of(raw: &'a str) -> Option<Self> {
        match raw.as_bytes().first()? {
            b'{' | b'[' => None,
            b'"' => serde_json::from_str::<Text<'a>>(raw)
                .ok()
                .map(|text| Self::Text(text.0)),
            b't' | b'f' | b'n' => Some(Self::Word(raw)),
            _ => Some(Self::Number(raw)),
        }
    }

    /// The value as a text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Number(text) | Self::Word(text) => text,
        }
    }

    fn passes(&self, test: &TextTest) -> bool {
        test.passes(self.text())
            || match (self, test) {
                (Self::Number(number), TextTest::Is(value)) => {
                    let (left, right) = (number.parse::<Decimal>(), value.parse());
                    left.is_ok() && left == right
                }
                _ => false,
            }
    }

    /// Calls `visit` with every value of a JSON object and the keys that lead
    /// to it, down to `depth` keys.
    pub fn visit_all(extra: &'a str, depth: usize, visit: &mut impl FnMut(&[Cow<'a, str>], Self)) {
        visit_all(extra, depth, &mut Vec::new(), visit);
    }
}

fn visit_all<'a>(
    raw: &'a str,
    depth: usize,
    path: &mut Vec<Cow<'a, str>>,
    visit: &mut impl FnMut(&[Cow<'a, str>], ExtraValue<'a>),
) {
    match raw.as_bytes().first() {
        Some(b'{') if depth > path.len() => {
            for (key, value) in entries(raw) {
                path.push(key);
                visit_all(value, depth, path, visit);
                path.pop();
            }
        }
        Some(b'[') => {
            for item in items(raw) {
                visit_all(item, depth, path, visit);
            }
        }
        _ => {
            if let Some(value) = ExtraValue::of(raw) {
                visit(path, value);
            }
        }
    }
}

/// Calls `found` with the raw values at a path until it says that it is enough.
fn at_path(raw: &str, path: &[String], found: &mut impl FnMut(&str) -> bool) -> bool {
    let first = raw.as_bytes().first();
    match path {
        _ if first == Some(&b'[') => {
            path.is_empty() && found(raw) || items(raw).any(|item| at_path(item, path, found))
        }
        [] => first.is_some() && found(raw),
        [key, rest @ ..] if first == Some(&b'{') => {
            entries(raw).any(|(name, value)| name == key.as_str() && at_path(value, rest, found))
        }
        _ => false,
    }
}

/// The entries of a JSON object in order, doubles included, values as they are
/// written; none of what is no object.
pub fn entries(raw: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let entries = serde_json::from_str::<Entries<'_>>(raw);
    entries
        .map_or_else(|_| Vec::new(), |entries| entries.0)
        .into_iter()
}

/// The items of a JSON array in order, as they are written; none of what is no
/// array.
pub fn items(raw: &str) -> impl Iterator<Item = &str> {
    let items = serde_json::from_str::<Items<'_>>(raw);
    items
        .map_or_else(|_| Vec::new(), |items| items.0)
        .into_iter()
}

/// A string without a copy where it has no escapes.
struct Text<'a>(Cow<'a, str>);

/// An object's entries in order, doubles included.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a str)>);

/// An array's items in order.
struct Items<'a>(Vec<&'a str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Reader)
    }
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    entries.push((key.0, value.get()));
                }
                Ok(Entries(entries))
            }
        }
        from.deserialize_map(Reader)
    }
}

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Items<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element::<&'de RawValue>()? {
                    items.push(item.get());
                }
                Ok(Items(items))
            }
        }
        from.deserialize_seq(Reader)
    }
}
