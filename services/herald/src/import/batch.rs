//! Rows of the predecessor as batches of entries.

use domain::{DeadLetter, Entry};
use prost::Message;
use proto::v1;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use store::predecessor::Row;

use super::{clock::LocalClock, mark::Mark};

/// The most rows in a batch.
pub(super) const MAX_ROWS: u32 = 1_000;
/// A batch ends with the row that takes it past this size.
const BATCH_BYTES: usize = 1 << 20;
/// The most a record may have: what a bridge takes as one frame.
const MAX_RECORD_BYTES: usize = 1 << 20;

/// A batch without its number.
#[derive(Debug)]
pub(super) struct RowBatch {
    pub(super) entries: Vec<v1::Entry>,
    pub(super) rows: u64,
    pub(super) mark: Mark,
    /// The clock after the last row.
    pub(super) clock: LocalClock,
    pub(super) too_large: u64,
    pub(super) without_time: u64,
}

/// Takes rows from the front of `rows` until a batch is full; `None` when
/// there are none.
pub(super) fn next(
    rows: &mut impl Iterator<Item = Row>,
    clock: &mut LocalClock,
) -> Option<RowBatch> {
    let mut batch: Option<RowBatch> = None;
    let mut bytes = 0;
    for row in rows {
        let mark = Mark::of(&row);
        let (record, has_time) = record(row, clock);
        let size = record.encoded_len();
        let is_too_large = size > MAX_RECORD_BYTES;
        let entry = match is_too_large {
            true => Entry::DeadLetter(Box::new(dead_letter(&record, mark.rowid))).into(),
            false => v1::Entry {
                kind: Some(v1::entry::Kind::Record(record)),
                origin: None,
            },
        };
        let batch = batch.get_or_insert_with(|| RowBatch {
            entries: Vec::new(),
            rows: 0,
            mark: mark.clone(),
            clock: clock.clone(),
            too_large: 0,
            without_time: 0,
        });
        batch.entries.push(entry);
        batch.rows += 1;
        batch.mark = mark;
        batch.clock.clone_from(clock);
        batch.too_large += u64::from(is_too_large);
        batch.without_time += u64::from(!has_time);
        bytes += size.min(MAX_RECORD_BYTES);
        if bytes >= BATCH_BYTES {
            break;
        }
    }
    batch
}

/// The row's record with its time, and whether that could be read. If not, the
/// time of the row before stands in, and the text is kept.
fn record(row: Row, clock: &mut LocalClock) -> (v1::Record, bool) {
    let instant = clock.read(&row.created);
    let mut record = row.record;
    record.created_us = instant.unwrap_or_else(|| clock.last());
    record.received_us = record.created_us;
    if instant.is_none() && !row.created.is_empty() {
        let mut extra: Map<String, Value> = serde_json::from_str(&record.extra).unwrap_or_default();
        extra.insert("created".to_owned(), row.created.into());
        record.extra = Value::from(extra).to_string();
    }
    (record.into(), instant.is_some())
}

fn dead_letter(record: &v1::Record, rowid: i64) -> DeadLetter {
    let bytes = record.encode_to_vec();
    DeadLetter {
        id: 0,
        received_us: record.received_us,
        peer: String::new(),
        reason: format!("imported row {rowid} is larger than {MAX_RECORD_BYTES} bytes"),
        size_bytes: bytes.len() as u64,
        sha256: Sha256::digest(&bytes).into(),
        head: bytes[..DeadLetter::HEAD_BYTES.min(bytes.len())].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use domain::Record;
    use proto::v1::entry::Kind;
    use store::predecessor::Row;

    use super::{RowBatch, next};
    use crate::import::clock::{LocalClock, zone};

    fn row(rowid: i64, created: &str, message: String) -> Row {
        Row {
            rowid,
            digest: format!("digest {rowid}"),
            created: created.to_owned(),
            record: Record {
                message,
                ..Record::default()
            },
        }
    }

    fn batches(rows: Vec<Row>) -> Vec<RowBatch> {
        let mut rows = rows.into_iter();
        let mut clock = LocalClock::new(zone("UTC").unwrap());
        std::iter::from_fn(|| next(&mut rows, &mut clock)).collect()
    }

    #[test]
    fn a_batch_ends_when_it_is_large() {
        let text = |kib: usize| "x".repeat(kib << 10);
        let time = "2024-01-01 00:00:00.000000";
        let rows = vec![
            row(1, time, text(600)),
            row(2, time, text(600)),
            row(5, time, text(1_025)),
            row(6, time, text(1)),
        ];
        let batches = batches(rows);
        let shapes: Vec<_> = batches
            .iter()
            .map(|batch| (batch.entries.len(), batch.mark.rowid, batch.too_large))
            .collect();
        assert_eq!(shapes, [(2, 2, 0), (1, 5, 1), (1, 6, 0)]);
        let Some(Kind::DeadLetter(letter)) = &batches[1].entries[0].kind else {
            panic!("no dead letter")
        };
        assert!(letter.reason.contains("row 5"), "{}", letter.reason);
        assert_eq!(letter.head.len(), 64 << 10);
        assert!(letter.size_bytes > 1_025 << 10);
    }

    #[test]
    fn a_row_without_time_gets_that_of_the_row_before() {
        let rows = vec![
            row(1, "1970-01-01 00:00:01.5", String::new()),
            row(2, "yesterday", String::new()),
            row(3, "", String::new()),
        ];
        let batches = batches(rows);
        let records: Vec<_> = batches[0]
            .entries
            .iter()
            .map(|entry| match &entry.kind {
                Some(Kind::Record(record)) => (record.received_us, record.extra.as_str()),
                _ => panic!("no record"),
            })
            .collect();
        let expected = [
            (1_500_000, ""),
            (1_500_000, r#"{"created":"yesterday"}"#),
            (1_500_000, ""),
        ];
        assert_eq!(records, expected);
        assert_eq!(batches[0].without_time, 2);
    }
}
