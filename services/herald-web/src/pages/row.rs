//! One record as a row of the log.

use domain::{Level, Record, TextField};
use render::cut;
use serde::Serialize;

use super::fold::Fold;
use crate::{
    request::{Parameters, link},
    utc,
};

/// How far a record's own time may lie from its receipt without being shown.
const NOTICEABLE_US: u64 = 1_000_000;
/// Longest name shown in a row, and longest value that a link filters by, in
/// bytes.
const MAX_NAME_BYTES: usize = 200;
/// Longest message shown in a row.
const MAX_MESSAGE_LINES: usize = 12;
const MAX_MESSAGE_BYTES: usize = 1_200;
/// How much record text one page may hold, in bytes; each row has its share.
const PAGE_BYTES: usize = 2 << 20;

/// A record as a row.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    id: u64,
    received: Moment,
    created: Option<Moment>,
    /// How far `created` lies before or after the receipt.
    lag: String,
    level: LevelView,
    /// System, sub system, sub sub system.
    place: Vec<Value>,
    /// Product and the two user fields.
    tags: Vec<Value>,
    module: String,
    function: String,
    line: i64,
    package_version: String,
    message: String,
    /// Size of the whole message when it is not shown whole.
    message_bytes: Option<String>,
    exception: Option<Fold>,
    stack: Option<Fold>,
    extra: Option<Fold>,
}

/// A time in pieces.
#[derive(Debug, Serialize)]
pub(super) struct Moment {
    /// RFC 3339.
    iso: String,
    date: String,
    time: String,
}

/// A severity.
#[derive(Debug, Serialize)]
pub(super) struct LevelView {
    /// Class in the stylesheet.
    class: String,
    name: String,
    /// Shown when the name alone would mislead.
    number: Option<i32>,
    href: String,
}

/// A context field's value.
#[derive(Debug, Serialize)]
pub(super) struct Value {
    name: &'static str,
    value: String,
    /// The log with this value as a filter.
    href: Option<String>,
}

/// How many bytes of each text a row shows on a page of so many rows.
pub(super) fn share(rows: usize) -> usize {
    (PAGE_BYTES / rows.max(1) / 4).clamp(512, 4_096)
}

impl Row {
    /// `parameters` are the page's, kept by every link; `max_bytes` is for each
    /// text.
    pub(super) fn new(record: &Record, parameters: &Parameters, max_bytes: usize) -> Self {
        let lag_us = record.received_us.abs_diff(record.created_us);
        let is_lag_noticeable = lag_us >= NOTICEABLE_US;
        let direction = if record.created_us > record.received_us {
            "later"
        } else {
            "earlier"
        };
        let (message, is_whole) = cut::head(
            &record.message,
            max_bytes.min(MAX_MESSAGE_BYTES),
            MAX_MESSAGE_LINES,
        );
        let [place, tags] = [&TextField::CONTEXT[..3], &TextField::CONTEXT[3..]]
            .map(|fields| values(record, fields, parameters));
        Self {
            id: record.id,
            received: Moment::new(record.received_us),
            created: is_lag_noticeable.then(|| Moment::new(record.created_us)),
            lag: format!("{} {direction}", utc::distance(lag_us)),
            level: LevelView::new(record, parameters),
            place,
            tags,
            module: short(&record.module),
            function: short(&record.function),
            line: record.line,
            package_version: short(&record.package_version),
            message: message.to_owned(),
            message_bytes: (!is_whole).then(|| grouped(record.message.len())),
            exception: Fold::traceback(&record.exception, max_bytes),
            stack: Fold::traceback(&record.stack, max_bytes),
            extra: Fold::extra(&record.extra, max_bytes),
        }
    }
}

impl Moment {
    pub(super) fn new(micros: i64) -> Self {
        let iso = render::rfc3339(micros);
        Self {
            date: iso[..10].to_owned(),
            time: iso[11..23].to_owned(),
            iso,
        }
    }
}

impl LevelView {
    pub(super) fn new(record: &Record, parameters: &Parameters) -> Self {
        let level = Level::of(record.level);
        let name = match record.level_name.trim() {
            "" => level.name().to_owned(),
            name => cut::head(name, 24, 1).0.to_owned(),
        };
        let is_plain = record.level == level.number() && name == level.name();
        let least = if record.level == level.number() {
            level.name().to_owned()
        } else {
            record.level.to_string()
        };
        Self {
            class: level.name().to_lowercase(),
            name,
            number: (!is_plain).then_some(record.level),
            href: filtered(parameters, "level", &least),
        }
    }
}

fn values(record: &Record, fields: &[TextField], parameters: &Parameters) -> Vec<Value> {
    let filled = fields.iter().filter(|field| !field.of(record).is_empty());
    filled
        .map(|field| {
            let value = field.of(record);
            Value {
                name: field.name(),
                value: short(&value),
                href: is_filterable(&value).then(|| filtered(parameters, field.name(), &value)),
            }
        })
        .collect()
}

/// Whether a parameter can hold the value: parameters are trimmed and short.
pub(super) fn is_filterable(value: &str) -> bool {
    !value.is_empty() && value.len() <= MAX_NAME_BYTES && value.trim() == value
}

/// The log's first page with one more filter.
pub(super) fn filtered(parameters: &Parameters, name: &str, value: &str) -> String {
    link(
        parameters,
        &[("before", None), ("after", None), (name, Some(value))],
    )
}

fn short(name: &str) -> String {
    let (shown, is_whole) = cut::head(name, MAX_NAME_BYTES, 1);
    let dots = if is_whole { "" } else { "…" };
    format!("{shown}{dots}")
}

/// `1,048,576`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn large_numbers_are_grouped() {
        let check = |number, expected: &str| assert_eq!(grouped(number), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_048_576, "1,048,576");
    }
}
