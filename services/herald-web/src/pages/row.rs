//! One record as a row of a list; the same wherever records are listed.

mod extra;
mod level;
mod moment;

use domain::{Record, TextField};
use minijinja::Value as Html;
use render::cut;
use serde::Serialize;

use super::{columns::Columns, view::View};
use crate::{text, utc};

pub(super) use level::LevelView;
pub(super) use moment::{Moment, day};

/// How far a record's own time may lie from its receipt without being shown.
const NOTICEABLE_US: u64 = 1_000_000;
/// Longest name shown in a row, in bytes.
const MAX_NAME_BYTES: usize = 200;
/// Longest message shown in a row; the rest is in the opened row.
const MAX_MESSAGE_LINES: usize = 4;
const MAX_MESSAGE_BYTES: usize = 800;
/// Longest line that an exception is folded to, in bytes.
const MAX_SUMMARY_BYTES: usize = 300;

/// A record as a row.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    id: u64,
    /// The day above it, where another one begins.
    day: Option<String>,
    received: Moment,
    created: Moment,
    /// How far `created` lies before or after the receipt, when that is noticeable.
    lag: Option<String>,
    level: LevelView,
    /// System, sub system, sub sub system.
    place: Vec<Value>,
    /// Product and the two user fields.
    tags: Vec<Value>,
    logger: String,
    module: Html,
    function: Html,
    line: i64,
    package_version: String,
    process: i64,
    process_name: String,
    thread_name: String,
    peer: String,
    message: Html,
    /// Size of the whole message when it is not shown whole.
    message_bytes: Option<String>,
    /// The line that says what went wrong.
    exception: Option<Html>,
    has_stack: bool,
    extra: Vec<extra::Entry>,
    /// The list with this row opened, or closed again.
    toggle_href: String,
    /// What is shown below it, when it is open.
    details: Option<Html>,
}

/// A context field's value.
#[derive(Debug, Serialize)]
struct Value {
    name: &'static str,
    value: String,
    /// The list with this value only, and without it.
    include_href: Option<String>,
    exclude_href: Option<String>,
}

/// How rows are written on one page.
#[derive(Debug)]
pub(super) struct Style<'a> {
    view: &'a View,
    columns: &'a Columns,
    /// A row leads to its record's page instead of being opened in its list.
    leads_away: bool,
}

impl<'a> Style<'a> {
    /// Links keep what the view has.
    pub(super) fn new(view: &'a View, columns: &'a Columns) -> Self {
        Self {
            view,
            columns,
            leads_away: false,
        }
    }

    /// For lists whose address has no place for a row that is open.
    pub(super) fn leading_to_records(self) -> Self {
        Self {
            leads_away: true,
            ..self
        }
    }

    /// All of a list, with a line wherever a day begins.
    pub(super) fn rows<'r>(&self, records: impl IntoIterator<Item = &'r Record>) -> Vec<Row> {
        self.rows_after(&mut None, records)
    }

    /// The same as the rest of a list; `before` is the day of the row before.
    pub(super) fn rows_after<'r>(
        &self,
        before: &mut Option<String>,
        records: impl IntoIterator<Item = &'r Record>,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        for record in records {
            let day = day(record.received_us);
            let is_new = before.as_ref() != Some(&day);
            rows.push(Row {
                day: is_new.then(|| day.clone()),
                ..self.row(record)
            });
            *before = Some(day);
        }
        rows
    }

    /// One record, without a day above it.
    pub(super) fn row(&self, record: &Record) -> Row {
        let lag_us = record.received_us.abs_diff(record.created_us);
        let direction = if record.created_us > record.received_us {
            "later"
        } else {
            "earlier"
        };
        let [place, tags] = [&TextField::CONTEXT[..3], &TextField::CONTEXT[3..]]
            .map(|fields| self.values(record, fields));
        let (message, is_whole) = cut::head(&record.message, MAX_MESSAGE_BYTES, MAX_MESSAGE_LINES);
        let id = record.id.to_string();
        Row {
            id: record.id,
            day: None,
            received: Moment::new(record.received_us),
            created: Moment::new(record.created_us),
            lag: (lag_us >= NOTICEABLE_US)
                .then(|| format!("{} {direction}", utc::distance(lag_us))),
            level: LevelView::new(record, self.view.parameters()),
            place,
            tags,
            logger: short(&record.logger),
            module: self.marked(TextField::Module, &short(&record.module)),
            function: self.marked(TextField::Function, &short(&record.function)),
            line: record.line,
            package_version: short(&record.package_version),
            process: record.process,
            process_name: short(&record.process_name),
            thread_name: short(&record.thread_name),
            peer: short(&record.peer),
            message: self.marked(TextField::Message, message),
            message_bytes: (!is_whole).then(|| grouped(record.message.len() as u64)),
            exception: self.exception(record),
            has_stack: !record.stack.trim().is_empty(),
            extra: if self.columns.has_extra() {
                extra::entries(&record.extra)
            } else {
                Vec::new()
            },
            toggle_href: if self.leads_away {
                format!("/record/{id}#r{id}")
            } else {
                format!("{}#r{id}", self.view.here(&[("open", Some(&id))]))
            },
            details: None,
        }
    }

    fn exception(&self, record: &Record) -> Option<Html> {
        let line = cut::last_line(&record.exception);
        if line.is_empty() {
            return None;
        }
        let (shown, is_whole) = cut::head(line, MAX_SUMMARY_BYTES, 1);
        let dots = if is_whole { "" } else { "…" };
        Some(self.marked(TextField::Exception, &format!("{shown}{dots}")))
    }

    /// A text with what was looked for set off.
    fn marked(&self, field: TextField, shown: &str) -> Html {
        let places = self.view.highlights().places(field, shown);
        let mut html = String::with_capacity(shown.len());
        text::write_marked(&mut html, shown, &places).expect("a text takes everything");
        Html::from_safe_string(html)
    }

    fn values(&self, record: &Record, fields: &[TextField]) -> Vec<Value> {
        let filled = fields.iter().filter(|field| !field.of(record).is_empty());
        filled
            .map(|field| {
                let value = field.of(record);
                Value {
                    name: field.name(),
                    value: short(&value),
                    include_href: self.view.include(*field, &value),
                    exclude_href: self.view.exclude(*field, &value),
                }
            })
            .collect()
    }
}

impl Row {
    /// The record that it shows.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Opened: `details` is HTML of ours, `close_href` the list with it closed.
    pub(super) fn opened(self, details: String, close_href: String) -> Self {
        Self {
            details: Some(Html::from_safe_string(details)),
            toggle_href: close_href,
            ..self
        }
    }
}

/// A name as much as a row shows of it.
pub(super) fn short(name: &str) -> String {
    let (shown, is_whole) = cut::head(name, MAX_NAME_BYTES, 1);
    let dots = if is_whole { "" } else { "…" };
    format!("{shown}{dots}")
}

/// `1,048,576`
pub(super) fn grouped(number: u64) -> String {
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
