//! Records and filters for property tests: few letters, so that filters often
//! match, and every kind of column.

use std::ops::Bound;

use domain::{
    Condition, Decimal, ExtraPath, ExtraTest, Glob, NumberField, NumberRange, Pattern, Record,
    RecordFilter, TextField, TextTest,
};
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
            let line = numbers[2].unsigned_abs() % 100;
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
                if let Some(place) = column.of_mut(&mut record) {
                    place.clone_from(text);
                }
            }
            if line % 3 == 0 {
                record.extra = format!(
                    r#"{{"order":{},"who":{{"name":"{unique}","tags":["a",{}]}},"f":1.5}}"#,
                    line % 7,
                    level % 3,
                );
            }
            if line % 5 == 0 {
                record.exception = format!(
                    "Traceback\n  File \"a/b.py\", line {level}, in f{}\nValueError: {unique}",
                    line % 4,
                );
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

/// A part of a text, in another case or not.
fn part(texts: Vec<String>) -> impl Strategy<Value = String> {
    (0..texts.len(), any::<(u16, u16)>(), 0..3).prop_map(move |(text, (a, b), case)| {
        let letters: Vec<char> = texts[text].chars().collect();
        let start = usize::from(a) % (letters.len() + 1);
        let len = usize::from(b) % (letters.len() + 1 - start).max(1);
        let part: String = letters[start..start + len].iter().collect();
        match case {
            0 => part.to_uppercase(),
            1 => part.to_lowercase(),
            _ => part,
        }
    })
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let patterns = [
        "(?i)disk [a-c]+ full",
        "req-[0-9a-f]+",
        "a|b",
        "^$",
        "ValueError: .*7",
        "^[a-z]*$",
        "(?i)ſ|K",
        "x{3}",
        "(dis|req)[k-]",
        "full$",
    ];
    proptest::sample::select(patterns.to_vec()).prop_map(|text| Pattern::new(text).unwrap())
}

fn text_test(records: &[Record]) -> impl Strategy<Value = (TextField, TextTest)> + use<> {
    let values: Vec<(TextField, String)> = records
        .iter()
        .flat_map(|record| TextField::ALL.map(|field| (field, field.of(record).into_owned())))
        .collect();
    let other = (proptest::sample::select(TextField::ALL.to_vec()), text());
    let value = prop_oneof![4 => proptest::sample::select(values), 1 => other];
    (value, 0..7, pattern(), any::<u8>()).prop_map(|((field, value), kind, pattern, at)| {
        let letters: Vec<char> = value.chars().collect();
        let at = usize::from(at) % (letters.len() + 1);
        let (left, right) = (&letters[..at], &letters[at..]);
        let test = match kind {
            0 => TextTest::Contains(right.iter().collect::<String>().to_uppercase()),
            1 => TextTest::Finds(pattern),
            2 => TextTest::Like(Glob::new(vec![left.iter().collect(), String::new()])),
            3 => TextTest::Like(Glob::new(vec![String::new(), right.iter().collect()])),
            4 => TextTest::Like(Glob::new(vec![
                String::new(),
                right.iter().take(12).collect(),
                String::new(),
            ])),
            _ => TextTest::Is(value),
        };
        (field, test)
    })
}

fn extra_test() -> impl Strategy<Value = (ExtraPath, ExtraTest)> {
    let paths = [
        &["order"][..],
        &["who", "name"],
        &["who", "tags"],
        &["f"],
        &["none"],
    ];
    let decimal = || {
        let numbers = proptest::sample::select(vec!["0", "1", "1.5", "3", "3.0", "6"]);
        numbers.prop_map(|text| text.parse::<Decimal>().unwrap())
    };
    let values = proptest::sample::select(vec!["0", "2", "3.0", "1.5", "a", "null"]);
    let test = prop_oneof![
        Just(ExtraTest::Exists),
        values.prop_map(|value| ExtraTest::Text(TextTest::Is(value.to_owned()))),
        "[0-9a-f]".prop_map(|text| ExtraTest::Text(TextTest::Contains(text))),
        decimal().prop_map(|min| ExtraTest::Number(Bound::Excluded(min), Bound::Unbounded)),
        (decimal(), decimal())
            .prop_map(|(a, b)| ExtraTest::Number(Bound::Included(a), Bound::Included(b))),
    ];
    (proptest::sample::select(paths.to_vec()), test).prop_map(|(path, test)| {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        (ExtraPath(path), test)
    })
}

/// Conditions on parts of these records, or on something else, up to a few deep.
fn condition(records: &[Record]) -> impl Strategy<Value = Condition> + use<> {
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
    let numbers: Vec<(NumberField, i64)> = records
        .iter()
        .flat_map(|record| NumberField::ALL.map(|field| (field, field.of(record))))
        .collect();
    let number = (proptest::sample::select(numbers), 0i64..5, 0..4).prop_map(
        |((field, number), width, kind)| {
            let range = match kind {
                0 => NumberRange::from(number),
                1 => NumberRange::up_to(number),
                _ => NumberRange {
                    min: number,
                    max: number.saturating_add(width - 1),
                },
            };
            Condition::Number(field, range)
        },
    );
    let leaf = prop_oneof![
        3 => prop_oneof![4 => part(texts), 1 => text()].prop_map(Condition::Contains),
        3 => text_test(records).prop_map(|(field, test)| Condition::Text(field, test)),
        2 => number,
        1 => pattern().prop_map(Condition::Finds),
        1 => extra_test().prop_map(|(path, test)| Condition::Extra(path, test)),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 0..4).prop_map(Condition::All),
            2 => vec(inner.clone(), 0..3).prop_map(Condition::Any),
            1 => inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

/// A filter that looks for parts of these records, or for something else.
pub(super) fn filter(records: &[Record]) -> impl Strategy<Value = RecordFilter> + use<> {
    let times: Vec<i64> = records.iter().map(|record| record.received_us).collect();
    let time = proptest::sample::select(times);
    (
        condition(records),
        weighted(0.3, time.clone()),
        weighted(0.3, time),
    )
        .prop_map(|(condition, from_us, to_us)| RecordFilter {
            condition,
            from_us,
            to_us,
        })
}
