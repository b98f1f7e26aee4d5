//! Writes values as JSON, and what JSON has no form for as text in Python's
//! notation inside a JSON string. Works off a list of open containers instead
//! of recursing; what contains itself ends in `<cycle>`.

use super::{
    container::{
        ALONE, BRACES, JSON_ARRAY, JSON_OBJECT, LIST, Notation, ONE_TUPLE, Open, Punctuation,
        TUPLE, Walk,
    },
    document::{Document, Id, Items, Value},
    integer,
    limit::{self, Exceeded},
    object::{self, Args, Shown},
    writer::{TRUNCATED, Writer},
};

const CYCLE: &str = "<cycle>";

/// Writes keys and values as a JSON object.
///
/// # Errors
/// When one exceeds a limit; the writer's text is broken then.
pub(super) fn pairs(
    document: &Document<'_>,
    pairs: &[(Id, Id)],
    writer: &mut Writer,
) -> Result<(), Exceeded> {
    writer.punctuation("{");
    for (at, &(key, value)) in pairs.iter().enumerate() {
        if at > 0 {
            writer.punctuation(",");
        }
        let mut renderer = Renderer::new(document, writer);
        if renderer.writer.is_spent() {
            writer.punctuation("\"<truncated>\":null");
            break;
        }
        renderer.json_key(key)?;
        renderer.finish()?;
        renderer.writer.punctuation(":");
        renderer.value(value, Notation::Json)?;
        renderer.finish()?;
    }
    writer.punctuation("}");
    Ok(())
}

/// Writes a value as JSON.
///
/// # Errors
/// As [`pairs`].
#[cfg(test)]
pub(super) fn json(document: &Document<'_>, id: Id, writer: &mut Writer) -> Result<(), Exceeded> {
    let mut renderer = Renderer::new(document, writer);
    renderer.value(id, Notation::Json)?;
    renderer.finish()
}

/// Writes a value as the text of a field: a string or an object without
/// quotes, anything else as JSON.
///
/// # Errors
/// As [`pairs`].
pub(super) fn text(document: &Document<'_>, id: Id, writer: &mut Writer) -> Result<(), Exceeded> {
    let notation = match document.get(id) {
        Value::Latin1(text) => {
            writer.bytes(&latin1(document, text));
            return Ok(());
        }
        Value::Object(_) | Value::Global(_) | Value::StackGlobal(..) => Notation::Python,
        _ => match document.string(id) {
            Some(bytes) => {
                writer.bytes(bytes);
                return Ok(());
            }
            None => Notation::Json,
        },
    };
    let mut renderer = Renderer::new(document, writer);
    renderer.value(id, notation)?;
    renderer.finish()
}

struct Renderer<'r, 'd, 'a> {
    document: &'d Document<'a>,
    writer: &'r mut Writer,
    open: Vec<Open>,
}

impl<'r, 'd, 'a> Renderer<'r, 'd, 'a> {
    fn new(document: &'d Document<'a>, writer: &'r mut Writer) -> Self {
        Self {
            document,
            writer,
            open: Vec::new(),
        }
    }

    /// Writes what is left of the open containers.
    fn finish(&mut self) -> Result<(), Exceeded> {
        while let Some(mut container) = self.open.pop() {
            match container.walk.next(self.document) {
                Some(part) => {
                    let is_key = container.in_pairs && container.written % 2 == 0;
                    self.separate(&container, is_key);
                    if self.writer.is_spent() && (is_key || !container.in_pairs) {
                        self.truncated(&container);
                        self.close(&container);
                        continue;
                    }
                    container.written += 1;
                    let notation = container.notation;
                    self.open.push(container);
                    if is_key && notation == Notation::Json {
                        self.json_key(part)?;
                    } else {
                        self.value(part, notation)?;
                    }
                }
                None => self.close(&container),
            }
        }
        Ok(())
    }

    fn separate(&mut self, container: &Open, is_key: bool) {
        if container.written > 0 {
            self.writer.punctuation(match container.notation {
                _ if is_key || !container.in_pairs => container.punctuation.between,
                Notation::Json => ":",
                Notation::Python => ": ",
            });
        }
    }

    /// Stands for all further parts.
    fn truncated(&mut self, container: &Open) {
        match container.notation {
            Notation::Json => {
                self.writer.punctuation("\"");
                self.writer.punctuation(TRUNCATED);
                self.writer.punctuation("\"");
                if container.in_pairs {
                    self.writer.punctuation(":null");
                }
            }
            Notation::Python => self.writer.punctuation(TRUNCATED),
        }
    }

    fn close(&mut self, container: &Open) {
        self.writer.punctuation(container.punctuation.close);
        if container.ends_string {
            self.writer.close_string();
        }
    }

    /// Keys are strings in JSON; others are put in Python's notation.
    fn json_key(&mut self, id: Id) -> Result<(), Exceeded> {
        match self.document.get(id) {
            Value::Latin1(_) => self.scalar(id, Notation::Json),
            _ if self.document.string(id).is_some() => self.scalar(id, Notation::Json),
            _ => {
                self.writer.open_string();
                self.open.push(Open {
                    id: Id::MAX,
                    walk: Walk::One(Some(id)),
                    punctuation: &ALONE,
                    notation: Notation::Python,
                    in_pairs: false,
                    written: 0,
                    ends_string: true,
                });
                Ok(())
            }
        }
    }

    fn value(&mut self, id: Id, notation: Notation) -> Result<(), Exceeded> {
        if self.open.iter().any(|container| container.id == id) {
            self.plain(CYCLE, notation);
            return Ok(());
        }
        let python = notation == Notation::Python;
        match self.document.get(id) {
            Value::List(items) => {
                let punctuation = if python { &LIST } else { &JSON_ARRAY };
                self.container(id, items, punctuation, notation, false)
            }
            Value::Tuple(items) => {
                let is_single = self.document.exactly::<1>(items).is_some();
                let punctuation = match (python, is_single) {
                    (true, true) => &ONE_TUPLE,
                    (true, false) => &TUPLE,
                    (false, _) => &JSON_ARRAY,
                };
                self.container(id, items, punctuation, notation, false)
            }
            Value::Set(items) => {
                let punctuation = if python { &BRACES } else { &JSON_ARRAY };
                self.container(id, items, punctuation, notation, false)
            }
            Value::Dict(items) => {
                let punctuation = if python { &BRACES } else { &JSON_OBJECT };
                self.container(id, items, punctuation, notation, true)
            }
            Value::Object(number) => self.object(id, number, notation),
            _ => self.scalar(id, notation),
        }
    }

    fn object(&mut self, id: Id, number: u32, notation: Notation) -> Result<(), Exceeded> {
        let python = notation == Notation::Python;
        let (array, object) = match python {
            true => (&LIST, &BRACES),
            false => (&JSON_ARRAY, &JSON_OBJECT),
        };
        match object::shown(self.document, self.document.object(number)) {
            Shown::Text(text) => {
                self.plain(&text, notation);
                Ok(())
            }
            Shown::Latin1(text) => {
                self.quoted(&latin1(self.document, text), notation);
                Ok(())
            }
            Shown::Same(same) if self.is_scalar(same) => self.scalar(same, notation),
            Shown::Same(same) => self.call(id, "bytes", Walk::One(Some(same)), notation),
            Shown::Items(items) => self.container(id, items, array, notation, false),
            Shown::Pairs(items) => self.container(id, items, object, notation, true),
            Shown::ListedPairs(lists) => {
                let outer = self.document.cursor(lists);
                let walk = Walk::Listed { outer, value: None };
                self.enter(id, walk, object, notation, true, false)
            }
            Shown::Call(name, args) => {
                let walk = match args {
                    Args::All(items) => Walk::Items(self.document.cursor(items)),
                    Args::One(id) => Walk::One(Some(id)),
                };
                self.call(id, &name, walk, notation)
            }
        }
    }

    fn call(&mut self, id: Id, name: &str, walk: Walk, notation: Notation) -> Result<(), Exceeded> {
        let opens_string = notation == Notation::Json;
        if opens_string {
            self.writer.open_string();
        }
        self.writer.content(name);
        self.enter(id, walk, &TUPLE, Notation::Python, false, opens_string)
    }

    fn container(
        &mut self,
        id: Id,
        items: Items,
        punctuation: &'static Punctuation,
        notation: Notation,
        in_pairs: bool,
    ) -> Result<(), Exceeded> {
        let walk = Walk::Items(self.document.cursor(items));
        self.enter(id, walk, punctuation, notation, in_pairs, false)
    }

    fn enter(
        &mut self,
        id: Id,
        walk: Walk,
        punctuation: &'static Punctuation,
        notation: Notation,
        in_pairs: bool,
        ends_string: bool,
    ) -> Result<(), Exceeded> {
        if self.open.len() >= limit::DEPTH {
            return Err(Exceeded::Depth);
        }
        self.writer.punctuation(punctuation.open);
        self.open.push(Open {
            id,
            walk,
            punctuation,
            notation,
            in_pairs,
            written: 0,
            ends_string,
        });
        Ok(())
    }

    fn is_scalar(&self, id: Id) -> bool {
        matches!(self.document.get(id), Value::Latin1(_)) || self.document.string(id).is_some()
    }

    fn scalar(&mut self, id: Id, notation: Notation) -> Result<(), Exceeded> {
        let python = notation == Notation::Python;
        match self.document.get(id) {
            Value::None => self
                .writer
                .punctuation(if python { "None" } else { "null" }),
            Value::Bool(true) => self
                .writer
                .punctuation(if python { "True" } else { "true" }),
            Value::Bool(false) => self
                .writer
                .punctuation(if python { "False" } else { "false" }),
            Value::Int(number) => self.writer.punctuation(&number.to_string()),
            Value::Float(number) => self.float(number, notation),
            Value::Digits(digits) => self.digits(digits, notation),
            Value::Long(bytes) => {
                let digits = integer::decimal(bytes)?;
                self.writer.charge(digits.len() * digits.len() / 256);
                self.digits(&digits, notation);
            }
            Value::Global(_) | Value::StackGlobal(..) => {
                let name = object::shown_global(self.document, id);
                self.plain(&name, notation);
            }
            Value::Latin1(text) => self.quoted(&latin1(self.document, text), notation),
            Value::Bytes(_) | Value::DecodedBytes(_) => {
                self.quoted(self.document.string(id).unwrap_or_default(), notation);
            }
            _ => self.quoted(self.document.string(id).unwrap_or_default(), notation),
        }
        Ok(())
    }

    /// Text that stands for itself: in quotes only where JSON needs them.
    fn plain(&mut self, text: &str, notation: Notation) {
        match notation {
            Notation::Json => self.writer.string(text),
            Notation::Python => self.writer.content(text),
        }
    }

    /// A string.
    fn quoted(&mut self, bytes: &[u8], notation: Notation) {
        match notation {
            Notation::Json => {
                self.writer.open_string();
                self.writer.bytes(bytes);
                self.writer.close_string();
            }
            Notation::Python => {
                let has = |quote| memchr::memchr(quote, bytes).is_some();
                let quote = if has(b'\'') && !has(b'"') { "\"" } else { "'" };
                self.writer.content(quote);
                self.writer.bytes(bytes);
                self.writer.content(quote);
            }
        }
    }

    /// JSON numbers end where 64-bit integers do; longer ones are strings.
    fn digits(&mut self, digits: &str, notation: Notation) {
        if notation == Notation::Json && digits.parse::<u64>().is_err() {
            self.writer.string(digits);
        } else {
            self.writer.content(digits);
        }
    }

    fn float(&mut self, number: f64, notation: Notation) {
        if number.is_finite() {
            let mut buffer = zmij::Buffer::new();
            self.writer.punctuation(buffer.format_finite(number));
        } else if number.is_nan() {
            self.plain("nan", notation);
        } else {
            self.plain(if number > 0.0 { "inf" } else { "-inf" }, notation);
        }
    }
}

/// The bytes whose Latin-1 text a value is; its UTF-8 when it is no such text.
fn latin1(document: &Document<'_>, id: Id) -> Vec<u8> {
    let utf8 = document.text(id).unwrap_or_default();
    let bytes = std::str::from_utf8(utf8).ok().and_then(|text| {
        text.chars()
            .map(|character| u8::try_from(u32::from(character)).ok())
            .collect()
    });
    bytes.unwrap_or_else(|| utf8.to_vec())
}
