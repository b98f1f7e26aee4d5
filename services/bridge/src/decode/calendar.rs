//! Dates and times from the byte strings in which Python's `datetime` module
//! pickles them (`Lib/_pydatetime.py`, the `_getstate` methods).

use super::{
    document::{Document, Id, Items, Value},
    object,
    writer::readable,
};

/// An object of module `datetime` as text: ISO 8601 where that has a form, the
/// words of Python's `str` for a duration. `None` when its arguments are
/// unusual.
pub(super) fn text(document: &Document<'_>, class: &str, args: Items) -> Option<String> {
    match class {
        "datetime" => {
            let (state, zone) = state::<10>(document, args)?;
            let [y1, y2, month, day, hour, minute, second, u1, u2, u3] = state;
            let date = date([y1, y2, month & 0x7f, day]);
            let time = time([hour, minute, second, u1, u2, u3]);
            Some(format!("{date}T{time}{}", suffix(document, zone)))
        }
        "date" => Some(date(state::<4>(document, args)?.0)),
        "time" => {
            let (state, zone) = state::<6>(document, args)?;
            let [hour, minute, second, u1, u2, u3] = state;
            let time = time([hour & 0x7f, minute, second, u1, u2, u3]);
            Some(format!("{time}{}", suffix(document, zone)))
        }
        "timedelta" => Some(duration(&Duration::of(document, args)?)),
        "timezone" => {
            let offset = document.cursor(args).next(document)?;
            Some(match fixed_offset(document, offset)?.as_str() {
                "+00:00" => "UTC".to_owned(),
                offset => format!("UTC{offset}"),
            })
        }
        _ => None,
    }
}

struct Duration {
    days: i64,
    seconds: i64,
    microseconds: i64,
}

impl Duration {
    fn of(document: &Document<'_>, args: Items) -> Option<Self> {
        let [days, seconds, microseconds] = document.exactly(args)?;
        let int = |id, limit: i64| match document.get(id) {
            Value::Int(number) if number.abs() < limit => Some(number),
            _ => None,
        };
        Some(Self {
            days: int(days, 1_000_000_000)?,
            seconds: int(seconds, 86_400)?,
            microseconds: int(microseconds, 1_000_000)?,
        })
    }
}

/// The byte string and the time zone among the arguments.
fn state<const N: usize>(document: &Document<'_>, args: Items) -> Option<([u8; N], Option<Id>)> {
    let mut cursor = document.cursor(args);
    let state = latin1(document, cursor.next(document)?)?;
    Some((state, cursor.next(document)))
}

/// A byte string of exactly `N` bytes, however the protocol wrote it.
fn latin1<const N: usize>(document: &Document<'_>, id: Id) -> Option<[u8; N]> {
    let text = match document.get(id) {
        Value::Latin1(text) => document.text(text)?,
        Value::Text(_) | Value::DecodedText(_) => document.text(id)?,
        _ => return document.string(id)?.try_into().ok(),
    };
    if text.len() > 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    let mut count = 0;
    for character in std::str::from_utf8(text).ok()?.chars() {
        *bytes.get_mut(count)? = u8::try_from(u32::from(character)).ok()?;
        count += 1;
    }
    (count == N).then_some(bytes)
}

fn date([y1, y2, month, day]: [u8; 4]) -> String {
    format!("{:04}-{month:02}-{day:02}", u16::from_be_bytes([y1, y2]))
}

fn time([hour, minute, second, u1, u2, u3]: [u8; 6]) -> String {
    let mut text = format!("{hour:02}:{minute:02}:{second:02}");
    let microseconds = u32::from_be_bytes([0, u1, u2, u3]);
    if microseconds > 0 {
        text.push_str(&format!(".{microseconds:06}"));
    }
    text
}

/// What follows a time that has a time zone: the offset where the pickle tells
/// it, else the zone's name in brackets.
fn suffix(document: &Document<'_>, zone: Option<Id>) -> String {
    let Some(id) = zone else {
        return String::new();
    };
    let Value::Object(number) = document.get(id) else {
        return String::new();
    };
    let zone = document.object(number);
    let class = object::shown_global(document, zone.callable);
    let args = document.items(zone.args).unwrap_or(Items::EMPTY);
    let mut cursor = document.cursor(args);
    let (first, second) = (cursor.next(document), cursor.next(document));
    let found = match class.as_str() {
        "<datetime.timezone>" => first.and_then(|offset| fixed_offset(document, offset)),
        "<pytz._UTC>" => Some("+00:00".to_owned()),
        "<pytz._p>" => match second.map(|id| document.get(id)) {
            Some(Value::Int(seconds)) if seconds.abs() < 86_400 => Some(offset(seconds, 0)),
            _ => None,
        },
        _ => None,
    };
    let name = || {
        let key = first.and_then(|id| document.string(id)).map(readable);
        match key {
            Some(key) if class.contains("ZoneInfo") || class.starts_with("<pytz.") => {
                format!("[{key}]")
            }
            _ => format!("[{}]", &class[1..class.len() - 1]),
        }
    };
    found.unwrap_or_else(name)
}

/// `+01:00` for the `timedelta` of a fixed zone.
fn fixed_offset(document: &Document<'_>, id: Id) -> Option<String> {
    let Value::Object(number) = document.get(id) else {
        return None;
    };
    let delta = Duration::of(document, document.items(document.object(number).args)?)?;
    Some(offset(
        delta.days * 86_400 + delta.seconds,
        delta.microseconds,
    ))
}

fn offset(seconds: i64, microseconds: i64) -> String {
    let whole = seconds * 1_000_000 + microseconds;
    let sign = if whole < 0 { '-' } else { '+' };
    let (seconds, microseconds) = (whole.abs() / 1_000_000, whole.abs() % 1_000_000);
    let mut text = format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 > 0 || microseconds > 0 {
        text.push_str(&format!(":{:02}", seconds % 60));
    }
    if microseconds > 0 {
        text.push_str(&format!(".{microseconds:06}"));
    }
    text
}

fn duration(delta: &Duration) -> String {
    let Duration {
        days,
        seconds,
        microseconds,
    } = *delta;
    let mut text = match days {
        0 => String::new(),
        -1 | 1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    text.push_str(&format!(
        "{}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    ));
    if microseconds > 0 {
        text.push_str(&format!(".{microseconds:06}"));
    }
    text
}
