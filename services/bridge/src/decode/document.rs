//! The values of one frame, flat: everything lies in a few growing tables and
//! refers to the rest by number, so that nothing recurses, not even dropping,
//! and a shared or self-containing value costs nothing extra.

/// The number of a value in its document.
pub(crate) type Id = u32;

const NONE: u32 = u32::MAX;

/// A text or byte string that had to be unescaped: a range of
/// [`Document::decoded`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

/// What a container holds: a chain of segments of [`Document::items`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Items {
    first: u32,
    last: u32,
}

impl Items {
    pub(crate) const EMPTY: Self = Self {
        first: NONE,
        last: NONE,
    };

    pub(crate) fn is_empty(self) -> bool {
        self.first == NONE
    }
}

/// One value. Texts are UTF-8 in which lone surrogates may occur (three bytes
/// each), as Python's `surrogatepass` writes them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// An integer as little-endian two's complement.
    Long(&'a [u8]),
    /// An integer beyond `i64` as decimal digits, perhaps with a sign.
    Digits(&'a str),
    Text(&'a [u8]),
    DecodedText(Span),
    Bytes(&'a [u8]),
    DecodedBytes(Span),
    /// The bytes whose Latin-1 text is that value.
    Latin1(Id),
    List(Items),
    Tuple(Items),
    Set(Items),
    /// Keys and values in turn.
    Dict(Items),
    /// A class or function: module, line feed, name.
    Global(&'a [u8]),
    /// A class or function: the values that name its module and itself.
    StackGlobal(Id, Id),
    /// An entry of [`Document::objects`].
    Object(u32),
}

/// How an object says it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Making {
    /// A callable and its arguments.
    Call,
    /// A class and the arguments of its `__new__`.
    New,
}

/// Something that Python would make by running code. Herald keeps the recipe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object {
    pub(crate) making: Making,
    pub(crate) callable: Id,
    pub(crate) args: Id,
    pub(crate) state: Option<Id>,
    /// Appended or added values.
    pub(crate) items: Items,
    /// Set keys and values in turn.
    pub(crate) pairs: Items,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    start: u32,
    end: u32,
    next: u32,
}

/// The values of one frame.
#[derive(Debug, Default)]
pub(crate) struct Document<'a> {
    values: Vec<Value<'a>>,
    objects: Vec<Object>,
    segments: Vec<Segment>,
    items: Vec<Id>,
    decoded: Vec<u8>,
}

impl<'a> Document<'a> {
    /// An empty document with room for the values of an ordinary record.
    pub(crate) fn new() -> Self {
        Self {
            values: Vec::with_capacity(80),
            segments: Vec::with_capacity(4),
            items: Vec::with_capacity(64),
            ..Self::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn push(&mut self, value: Value<'a>) -> Id {
        let id = self.values.len() as Id;
        self.values.push(value);
        id
    }

    pub(crate) fn get(&self, id: Id) -> Value<'a> {
        self.values[id as usize]
    }

    pub(crate) fn set(&mut self, id: Id, value: Value<'a>) {
        self.values[id as usize] = value;
    }

    pub(crate) fn push_object(&mut self, making: Making, callable: Id, args: Id) -> Id {
        let number = self.objects.len() as u32;
        self.objects.push(Object {
            making,
            callable,
            args,
            state: None,
            items: Items::EMPTY,
            pairs: Items::EMPTY,
        });
        self.push(Value::Object(number))
    }

    pub(crate) fn object(&self, number: u32) -> &Object {
        &self.objects[number as usize]
    }

    pub(crate) fn object_mut(&mut self, number: u32) -> &mut Object {
        &mut self.objects[number as usize]
    }

    /// `items` with `added` behind them.
    pub(crate) fn extend(&mut self, items: Items, added: &[Id]) -> Items {
        if added.is_empty() {
            return items;
        }
        let start = self.items.len() as u32;
        self.items.extend_from_slice(added);
        let end = self.items.len() as u32;
        if let Some(last) = self.segments.get_mut(items.last as usize)
            && last.end == start
        {
            last.end = end;
            return items;
        }
        let segment = self.segments.len() as u32;
        self.segments.push(Segment {
            start,
            end,
            next: NONE,
        });
        match self.segments.get_mut(items.last as usize) {
            Some(last) => {
                last.next = segment;
                Items {
                    last: segment,
                    ..items
                }
            }
            None => Items {
                first: segment,
                last: segment,
            },
        }
    }

    /// Makes a decoded string of what `write` appends.
    pub(crate) fn decode<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Span, E> {
        let start = self.decoded.len() as u32;
        write(&mut self.decoded)?;
        Ok(Span {
            start,
            end: self.decoded.len() as u32,
        })
    }

    fn span(&self, span: Span) -> &[u8] {
        &self.decoded[span.start as usize..span.end as usize]
    }

    /// The text a value is, if it is one.
    pub(crate) fn text(&self, id: Id) -> Option<&[u8]> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            Value::DecodedText(span) => Some(self.span(span)),
            _ => None,
        }
    }

    /// The text or the bytes a value is, if it is one. (Python 2 has byte
    /// strings where Python 3 has texts.)
    pub(crate) fn string(&self, id: Id) -> Option<&[u8]> {
        match self.get(id) {
            Value::Bytes(bytes) => Some(bytes),
            Value::DecodedBytes(span) => Some(self.span(span)),
            _ => self.text(id),
        }
    }

    /// The whole number a value is or says, if it fits.
    pub(crate) fn integer(&self, id: Id) -> Option<i64> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self.get(id) {
            Value::Int(number) => Some(number),
            Value::Bool(value) => Some(i64::from(value)),
            Value::Float(number) if number.fract() == 0.0 && number.abs() <= EXACT => {
                Some(number as i64)
            }
            _ => std::str::from_utf8(self.string(id)?).ok()?.parse().ok(),
        }
    }

    /// What a list, tuple, set or dictionary holds.
    pub(crate) fn items(&self, id: Id) -> Option<Items> {
        match self.get(id) {
            Value::List(items) | Value::Tuple(items) | Value::Set(items) | Value::Dict(items) => {
                Some(items)
            }
            _ => None,
        }
    }

    /// Walks over `items`.
    pub(crate) fn cursor(&self, items: Items) -> Cursor {
        match self.segments.get(items.first as usize) {
            Some(first) => Cursor {
                at: first.start,
                end: first.end,
                next: first.next,
            },
            None => Cursor {
                at: 0,
                end: 0,
                next: NONE,
            },
        }
    }

    /// The first `N` values of `items`, if there are exactly as many.
    pub(crate) fn exactly<const N: usize>(&self, items: Items) -> Option<[Id; N]> {
        let mut cursor = self.cursor(items);
        let mut found = [0; N];
        for slot in &mut found {
            *slot = cursor.next(self)?;
        }
        cursor.next(self).is_none().then_some(found)
    }
}

/// A place in a chain of items.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    at: u32,
    end: u32,
    next: u32,
}

impl Cursor {
    /// The item here; moves on.
    pub(crate) fn next(&mut self, document: &Document<'_>) -> Option<Id> {
        if self.at == self.end {
            let segment = document.segments.get(self.next as usize)?;
            (self.at, self.end, self.next) = (segment.start, segment.end, segment.next);
        }
        self.at += 1;
        Some(document.items[self.at as usize - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::{Document, Items, Value};

    #[test]
    fn containers_grown_in_turns_keep_their_items() {
        let mut document = Document::new();
        let ids: Vec<_> = (0..6).map(|n| document.push(Value::Int(n))).collect();
        let (mut even, mut odd) = (Items::EMPTY, Items::EMPTY);
        for pair in ids.chunks(2) {
            even = document.extend(even, &pair[..1]);
            even = document.extend(even, &[]);
            odd = document.extend(odd, &pair[1..]);
        }
        assert_eq!(document.exactly(even), Some([ids[0], ids[2], ids[4]]));
        assert_eq!(document.exactly(odd), Some([ids[1], ids[3], ids[5]]));
        assert_eq!(document.exactly::<2>(odd), None);
        assert_eq!(document.exactly::<0>(Items::EMPTY), Some([]));
    }
}
