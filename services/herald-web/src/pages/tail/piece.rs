//! What the store tells of a tail, as events for browsers: made once, whoever many
//! get it.

use std::{fmt::Write, ops::Range};

use axum::body::Bytes;
use domain::Record;
use proto::v1::TailRecordsResponse;
use serde::Serialize;

use crate::{
    app::App,
    pages::{
        columns::Columns,
        page::{PageError, fill},
        row::{Row, Style, day},
        view::View,
    },
};

/// Rows of one event: a browser takes so many at once without being felt.
const EVENT_ROWS: usize = 50;

/// An answer of the store as events. Each has the id up to which it tells.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) through: u64,
    whole: Bytes,
    /// Ids of the rows, and where they stand in it.
    rows: Vec<(u64, Range<usize>)>,
    /// Where what is told besides the rows begins.
    rest: usize,
}

/// Makes pieces for those who see the same.
#[derive(Debug)]
pub(super) struct Writer {
    app: App,
    view: View,
    columns: Columns,
    /// The day of the row before.
    day: Option<String>,
}

#[derive(Serialize)]
struct RowsView<'a> {
    columns: &'a Columns,
    rows: Vec<Row>,
}

impl Piece {
    /// For somebody who knows all up to this id.
    pub(super) fn events(&self, told: u64) -> Vec<Bytes> {
        let known = self.rows.partition_point(|(id, _)| *id <= told);
        if known == 0 {
            return vec![self.whole.clone()];
        }
        let new = &self.rows[known..];
        let mut events = Vec::with_capacity(new.len() + 3);
        if !new.is_empty() {
            events.push(Bytes::from(format!("id: {}\n", self.through)));
            let rows = new.iter().map(|(_, place)| self.whole.slice(place.clone()));
            events.extend(rows);
            events.push(Bytes::from_static(b"\n"));
        }
        events.push(self.whole.slice(self.rest..));
        events
    }
}

impl Writer {
    /// For a view, from today on.
    pub(super) fn new(app: App, view: View, columns: Columns) -> Self {
        let day = Some(day(view.now()));
        Self {
            app,
            view,
            columns,
            day,
        }
    }

    /// Rows, each event up to the id that it carries, so that none is told twice or
    /// never; then how many were left out. Without any, a sign of life.
    pub(super) fn piece(&mut self, answer: TailRecordsResponse) -> Result<Piece, PageError> {
        let through = answer.through;
        let records: Vec<Record> = answer.records.into_iter().map(Record::from).collect();
        let mut out = String::new();
        let mut rows = Vec::with_capacity(records.len());
        let mut chunks = records.chunks(EVENT_ROWS).peekable();
        while let Some(chunk) = chunks.next() {
            let last = match (chunk.last(), chunks.peek()) {
                (Some(last), Some(_)) => last.id,
                _ => through,
            };
            put(&mut out, &format!("id: {last}"));
            for (record, html) in chunk.iter().zip(self.rows(chunk)?) {
                let start = out.len();
                html.lines()
                    .for_each(|line| put(&mut out, &format!("data: {line}")));
                rows.push((record.id, start..out.len()));
            }
            out.push('\n');
        }
        let rest = out.len();
        if answer.left_out > 0 {
            let left_out = answer.left_out;
            put(&mut out, "event: sampled");
            put(&mut out, &format!("data: {{\"left_out\":{left_out}}}\n"));
        }
        if out.is_empty() {
            out = sign_of_life(through);
        }
        Ok(Piece {
            through,
            whole: out.into(),
            rows,
            rest,
        })
    }

    /// Each row by itself, with the day above it where one begins.
    fn rows(&mut self, records: &[Record]) -> Result<Vec<String>, PageError> {
        let style = Style::new(&self.view, &self.columns).leading_to_records();
        let rows = style.rows_after(&mut self.day, records).into_iter();
        let html = rows.map(|row| {
            let shown = RowsView {
                columns: &self.columns,
                rows: vec![row],
            };
            fill(&self.app, "tail/rows.html", &shown)
        });
        html.collect()
    }
}

/// An event that says that all ids up to this one have been looked at.
pub(super) fn sign_of_life(through: u64) -> String {
    format!("event: alive\nid: {through}\ndata: {through}\n\n")
}

fn put(out: &mut String, line: &str) {
    writeln!(out, "{line}").expect("a text takes everything");
}

#[cfg(test)]
mod tests {
    use super::Piece;

    #[test]
    fn what_somebody_knows_is_left_out() {
        let text = "id: 9\ndata: five\ndata: nine\n\nevent: sampled\ndata: {\"left_out\":4}\n\n";
        let piece = Piece {
            through: 10,
            rows: vec![(5, 6..17), (9, 17..28)],
            rest: 29,
            whole: text.into(),
        };
        let check = |told: u64, expected: &str| {
            let events = piece.events(told).concat();
            assert_eq!(String::from_utf8(events).unwrap(), expected, "{told}");
        };
        let sampled = "event: sampled\ndata: {\"left_out\":4}\n\n";
        check(0, text);
        check(4, text);
        check(5, &format!("id: 10\ndata: nine\n\n{sampled}"));
        check(9, sampled);
    }
}
