//! What the recipe of a Python object shows to people. Nothing is run: types
//! that programs log often are recognised by name, and everything else is
//! written as a call, or as `<module.Class>`.

use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{
    calendar,
    document::{Document, Id, Items, Making, Object, Value},
    integer, limit,
    writer::readable,
};

/// What an object is shown as.
#[derive(Debug)]
pub(super) enum Shown<'d> {
    /// A text.
    Text(Cow<'d, str>),
    /// The byte string that stands for it.
    Same(Id),
    /// The bytes whose Latin-1 text the value is.
    Latin1(Id),
    /// An array of values.
    Items(Items),
    /// An object of keys and values in turn.
    Pairs(Items),
    /// An object of lists of a key and a value.
    ListedPairs(Items),
    /// A name and arguments.
    Call(String, Args),
}

/// Arguments of a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Args {
    All(Items),
    One(Id),
}

/// What the object is shown as. The effort is in proportion to the text that
/// comes of it, so that a bound on the text bounds the effort.
pub(super) fn shown<'d>(document: &'d Document<'_>, object: &Object) -> Shown<'d> {
    let (making, class, args) = recipe(document, object);
    let (module, name) = qualified(document, class);
    if let Args::All(args) = args
        && let Some(shown) = known(document, object, (&module, &name), args)
    {
        return shown;
    }
    if let Args::One(base) = args {
        match document.get(base) {
            Value::Dict(pairs) => return Shown::Pairs(pairs),
            Value::List(items) | Value::Set(items) => return Shown::Items(items),
            _ => {}
        }
    }
    if !object.pairs.is_empty() {
        return Shown::Pairs(object.pairs);
    }
    if !object.items.is_empty() {
        return Shown::Items(object.items);
    }
    let is_empty = matches!(args, Args::All(items) if items.is_empty());
    if is_empty && (making == Making::New || object.state.is_some()) {
        Shown::Text(format!("<{}>", dotted(&module, &name)).into())
    } else {
        Shown::Call(short(&module, &name), args)
    }
}

/// A class or function outside a call.
pub(super) fn shown_global(document: &Document<'_>, id: Id) -> String {
    let (module, name) = qualified(document, id);
    format!("<{}>", dotted(&module, &name))
}

fn known<'d>(
    document: &'d Document<'_>,
    object: &Object,
    (module, name): (&str, &str),
    args: Items,
) -> Option<Shown<'d>> {
    let first = document.cursor(args).next(document);
    match (module, name) {
        ("datetime", _) => calendar::text(document, name, args).map(text),
        ("decimal" | "_decimal" | "cdecimal", "Decimal") | ("fractions", "Fraction") => {
            match (
                first.and_then(|id| document.string(id)),
                pair(document, args),
            ) {
                (Some(digits), _) => Some(Shown::Text(readable(digits))),
                (None, Some((top, bottom))) => Some(text(format!("{top}/{bottom}"))),
                _ => None,
            }
        }
        ("uuid", "UUID") => uuid(document, object).map(text),
        ("builtins", "set" | "frozenset") | ("sets", _) => Some(Shown::Items(match first {
            Some(id) => document.items(id).unwrap_or(Items::EMPTY),
            None => object.items,
        })),
        ("collections", "deque") if object.items.is_empty() => first
            .and_then(|id| document.items(id))
            .map(Shown::Items)
            .or(Some(Shown::Items(Items::EMPTY))),
        ("builtins", "bytes" | "bytearray") => match first {
            Some(id) if document.text(id).is_some() => Some(Shown::Latin1(id)),
            Some(id) => Some(Shown::Same(id)),
            None => Some(text(String::new())),
        },
        ("builtins", "complex") => complex(document, args).map(text),
        ("builtins", "getattr") => match document.exactly(args) {
            Some([owner, attribute]) => attribute_of(document, owner, attribute)
                .map(|(module, name)| text(short(&module, &name))),
            None => None,
        },
        ("collections", "OrderedDict" | "defaultdict" | "Counter") => {
            Some(mapping(document, object, first))
        }
        ("ipaddress", _) => address(document, name, first?).map(text),
        ("pathlib" | "pathlib._local", _) => path(document, name, args).map(text),
        _ => None,
    }
}

fn text<'d>(text: String) -> Shown<'d> {
    Shown::Text(text.into())
}

/// The class or function and the arguments, seen through the helpers with
/// which old protocols make instances.
fn recipe(document: &Document<'_>, object: &Object) -> (Making, Id, Args) {
    let args = document.items(object.args).unwrap_or(Items::EMPTY);
    let (module, name) = qualified(document, object.callable);
    if module == "copyreg" && object.making == Making::Call {
        match (name.as_ref(), document.exactly(args)) {
            ("_reconstructor", Some([class, _base, state])) => {
                let args = match document.get(state) {
                    Value::None => Args::All(Items::EMPTY),
                    Value::Tuple(items) => Args::All(items),
                    _ => Args::One(state),
                };
                return (Making::New, class, args);
            }
            ("__newobj_ex__", Some([class, args, _kwargs])) => {
                let args = document.items(args).unwrap_or(Items::EMPTY);
                return (Making::New, class, Args::All(args));
            }
            _ => {}
        }
    }
    (object.making, object.callable, Args::All(args))
}

/// Module and name of a class or function, as Python 3 has them.
fn qualified<'d>(document: &'d Document<'_>, id: Id) -> (Cow<'d, str>, Cow<'d, str>) {
    let (module, name): (&[u8], &[u8]) = match document.get(id) {
        Value::Global(both) => {
            let end = memchr::memchr(b'\n', both).unwrap_or(both.len());
            (&both[..end], both.get(end + 1..).unwrap_or_default())
        }
        Value::StackGlobal(module, name) => (
            document.string(module).unwrap_or_default(),
            document.string(name).unwrap_or_default(),
        ),
        Value::Object(number) => return made_callable(document, number),
        _ => (b"", b"?"),
    };
    // Protocols below 3 carry the names of Python 2, whoever writes them.
    let (module, name): (&[u8], &[u8]) = match (module, name) {
        (b"__builtin__", b"long") => (b"builtins", b"int"),
        (b"__builtin__", b"unicode") => (b"builtins", b"str"),
        (b"__builtin__", b"xrange") => (b"builtins", b"range"),
        (b"__builtin__" | b"exceptions", name) => (b"builtins", name),
        (b"copy_reg", name) => (b"copyreg", name),
        same => same,
    };
    (name_text(module), name_text(name))
}

/// A name as text, cut where no honest name is that long.
fn name_text(name: &[u8]) -> Cow<'_, str> {
    readable(&name[..name.len().min(limit::NAME_BYTES)])
}

/// Module and name of a callable that is itself made: an attribute of a class,
/// or a class whose `__new__` has its keyword arguments bound, as protocols
/// below 4 write them.
fn made_callable<'d>(document: &'d Document<'_>, number: u32) -> (Cow<'d, str>, Cow<'d, str>) {
    let attribute = attribute_maker(document, number).or_else(|| {
        let object = document.object(number);
        let bound = document
            .cursor(document.items(object.args)?)
            .next(document)?;
        match document.get(bound) {
            Value::Object(bound)
                if is_global(document, object.callable, "functools", "partial") =>
            {
                attribute_maker(document, bound)
            }
            _ => None,
        }
    });
    match attribute {
        Some((module, name)) => match name.strip_suffix(".__new__") {
            Some(class) => (module, class.to_owned().into()),
            None => (module, name.into()),
        },
        None => ("".into(), "?".into()),
    }
}

/// Module and name of the attribute that an object is, if it is one.
fn attribute_maker<'d>(document: &'d Document<'_>, number: u32) -> Option<(Cow<'d, str>, String)> {
    let object = document.object(number);
    if !is_global(document, object.callable, "builtins", "getattr") {
        return None;
    }
    let [owner, attribute] = document.exactly(document.items(object.args)?)?;
    attribute_of(document, owner, attribute)
}

fn is_global(document: &Document<'_>, id: Id, module: &str, name: &str) -> bool {
    match document.get(id) {
        Value::Global(_) | Value::StackGlobal(..) => {
            let found = qualified(document, id);
            found.0 == module && found.1 == name
        }
        _ => false,
    }
}

/// Module and name of `Owner.attribute`, where the owner is a class or an
/// attribute itself.
fn attribute_of<'d>(
    document: &'d Document<'_>,
    owner: Id,
    attribute: Id,
) -> Option<(Cow<'d, str>, String)> {
    const DEEPEST: usize = 8;
    let mut names = vec![name_text(document.string(attribute)?)];
    let mut owner = owner;
    while let Value::Object(number) = document.get(owner) {
        if names.len() == DEEPEST {
            return None;
        }
        let args = document.items(document.object(number).args)?;
        let [outer, attribute] = document.exactly(args)?;
        names.push(name_text(document.string(attribute)?));
        owner = outer;
    }
    let (module, name) = qualified(document, owner);
    names.push(name);
    names.reverse();
    Some((module, names.join(".")))
}

fn dotted(module: &str, name: &str) -> String {
    match module {
        "" => name.to_owned(),
        module => format!("{module}.{name}"),
    }
}

/// The name with its module, unless everybody knows where it is from
/// (tracebacks follow the same rule).
fn short(module: &str, name: &str) -> String {
    match module {
        "builtins" | "__main__" => name.to_owned(),
        module => dotted(module, name),
    }
}

fn pair(document: &Document<'_>, args: Items) -> Option<(i64, i64)> {
    let [first, second] = document.exactly(args)?;
    match (document.get(first), document.get(second)) {
        (Value::Int(first), Value::Int(second)) => Some((first, second)),
        _ => None,
    }
}

fn complex(document: &Document<'_>, args: Items) -> Option<String> {
    let [real, imaginary] = document.exactly(args)?;
    match (document.get(real), document.get(imaginary)) {
        (Value::Float(real), Value::Float(imaginary)) => Some(format!("({real}{imaginary:+}j)")),
        _ => None,
    }
}

/// The dictionary types of `collections`: filled afterwards, made from a
/// dictionary, or (Python 2) from a list of pairs.
fn mapping<'d>(document: &Document<'_>, object: &Object, first: Option<Id>) -> Shown<'d> {
    if !object.pairs.is_empty() {
        return Shown::Pairs(object.pairs);
    }
    match first.map(|id| document.get(id)) {
        Some(Value::Dict(pairs)) => Shown::Pairs(pairs),
        Some(Value::List(lists)) => Shown::ListedPairs(lists),
        _ => Shown::Pairs(Items::EMPTY),
    }
}

/// The parts of a path joined; `None` for parts that no path has.
fn path(document: &Document<'_>, name: &str, args: Items) -> Option<String> {
    const LONGEST_BYTES: usize = 64 * 1024;
    let separator = if name.contains("Windows") { '\\' } else { '/' };
    let mut path = String::new();
    let mut cursor = document.cursor(args);
    while let Some(part) = cursor.next(document) {
        let part = document.string(part)?;
        if part.is_empty() || path.len() + part.len() > LONGEST_BYTES {
            return None;
        }
        if !path.is_empty() && !path.ends_with(separator) {
            path.push(separator);
        }
        path.push_str(&readable(part));
    }
    Some(match path.is_empty() {
        true => ".".to_owned(),
        false => path,
    })
}

/// A UUID's canonical form: its state is a dictionary with one large integer.
fn uuid(document: &Document<'_>, object: &Object) -> Option<String> {
    const STATE_ENTRIES: usize = 8;
    let Value::Dict(state) = document.get(object.state?) else {
        return None;
    };
    let mut cursor = document.cursor(state);
    for _ in 0..STATE_ENTRIES {
        let (key, value) = (cursor.next(document)?, cursor.next(document)?);
        if document.string(key) != Some(b"int") {
            continue;
        }
        let number = wide(document, value)?;
        return Some(uuid::Uuid::from_u128(number).to_string());
    }
    None
}

/// An address or a network of module `ipaddress`: its text, or an address as a
/// number.
fn address(document: &Document<'_>, name: &str, first: Id) -> Option<String> {
    if let Some(text) = document.string(first) {
        return Some(readable(text).into_owned());
    }
    let number = wide(document, first)?;
    match name {
        "IPv4Address" => Some(Ipv4Addr::from_bits(number.try_into().ok()?).to_string()),
        "IPv6Address" => Some(Ipv6Addr::from_bits(number).to_string()),
        _ => None,
    }
}

fn wide(document: &Document<'_>, id: Id) -> Option<u128> {
    match document.get(id) {
        Value::Int(number) => number.try_into().ok(),
        Value::Long(bytes) => integer::unsigned(bytes),
        Value::Digits(digits) => digits.parse().ok(),
        _ => None,
    }
}
