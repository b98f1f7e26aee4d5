//! Records and filters for property tests: few letters, so that filters often
//! match, and every kind of column.

use domain::{ContextField, Record, RecordFilter};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use crate::block::column::TextColumn;

/// Texts of every sort: plain, with an id, with letters whose lower case is
/// longer or shorter or depends on neighbours, empty, with NUL.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        4 => "[abAB ]{0,6}",
        2 => "(disk|DISK|Disk) [a-c]{1,3} (full|FULL)",
        2 => "req-[0-9a-f]{8,16}",
        2 => "[ΣσςİıßẞÀà\u{212a}kK\0\u{10ffff}]{0,5}",
        1 => any::<String>(),
    ]
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 0i64..5,
        2 => 1_700_000_000_000_000i64..1_700_000_000_010_000,
        1 => any::<i64>(),
        1 => Just(i64::MIN),
        1 => Just(i64::MAX),
    ]
}

/// A record whose texts come from a short list: values repeat as they do in
/// a log.
fn record(texts: Vec<String>) -> impl Strategy<Value = Record> {
    let pick = prop_oneof![3 => Just(0), 3 => 0..texts.len(), 1 => Just(usize::MAX)];
    let level = prop_oneof![4 => Just(20), 2 => 0i32..60, 1 => any::<i32>()];
    (vec(number(), 5), level, vec(pick, 20), "[0-9a-f]{16}").prop_map(
        move |(numbers, level, picks, unique)| {
            let mut record = Record {
                received_us: numbers[0],
                created_us: numbers[1],
                level,
                line: numbers[2],
                process: numbers[3],
                thread: numbers[4],
                ..Record::default()
            };
            for (column, pick) in TextColumn::ALL.into_iter().zip(picks) {
                let text = texts.get(pick).unwrap_or(&unique);
                column.of_mut(&mut record).clone_from(text);
            }
            record
        },
    )
}

/// Up to 400 records, in id order from 1,000: with a filter or without.
pub(super) fn records() -> impl Strategy<Value = Vec<Record>> {
    let rows = prop_oneof![2 => 1..5usize, 3 => 5..100usize, 2 => 256..400usize];
    (vec(text(), 1..8), rows)
        .prop_flat_map(|(texts, rows)| vec(record(texts), rows))
        .prop_map(|mut records| {
            for (id, record) in (1000..).zip(&mut records) {
                record.id = id;
            }
            records
        })
}

/// A filter that looks for parts of these records, or for something else.
pub(super) fn filter(records: &[Record]) -> impl Strategy<Value = RecordFilter> + use<> {
    let texts: Vec<String> = records
        .iter()
        .flat_map(|r| {
            [
                &r.message,
                &r.exception,
                &r.module,
                &r.function,
                &r.system_id,
            ]
        })
        .cloned()
        .collect();
    let part = (0..texts.len(), any::<(u16, u16)>(), 0..3).prop_map(move |(text, (a, b), case)| {
        let letters: Vec<char> = texts[text].chars().collect();
        let start = usize::from(a) % (letters.len() + 1);
        let len = usize::from(b) % (letters.len() + 1 - start).max(1);
        let part: String = letters[start..start + len].iter().collect();
        match case {
            0 => part.to_uppercase(),
            1 => part.to_lowercase(),
            _ => part,
        }
    });
    let substring = prop_oneof![4 => part, 1 => text()];
    let values: Vec<(ContextField, String)> = records
        .iter()
        .flat_map(|record| ContextField::ALL.map(|field| (field, field.of(record).to_owned())))
        .collect();
    let other = (proptest::sample::select(ContextField::ALL.to_vec()), text());
    let context = prop_oneof![4 => proptest::sample::select(values), 1 => other];
    let times: Vec<i64> = records.iter().map(|record| record.received_us).collect();
    let time = proptest::sample::select(times);
    (
        vec(substring, 0..3),
        vec(context, 0..2),
        weighted(0.3, prop_oneof![0i32..60, any::<i32>()]),
        weighted(0.3, time.clone()),
        weighted(0.3, time),
    )
        .prop_map(
            |(substrings, context, min_level, from_us, to_us)| RecordFilter {
                substrings,
                context,
                min_level,
                from_us,
                to_us,
            },
        )
}
