//! Duplicates, overlaps, holes and gaps, as tables.

use domain::{BridgeId, Entry, Gap, Record};
use uuid::Uuid;

use super::{Batch, Body, Group};
use crate::error::StoreError;

const ONE: BridgeId = Uuid::from_u128(1);
const TWO: BridgeId = Uuid::from_u128(2);

/// `r` is a record, `d` a dead letter, `s` skips three numbers, a digit is a gap
/// of so many.
fn batch(bridge_id: BridgeId, first_sequence: u64, kinds: &str) -> Batch {
    let entries = kinds
        .chars()
        .map(|kind| match kind {
            'r' => Entry::Record(Box::default()),
            'd' => Entry::DeadLetter(Box::default()),
            's' => Entry::Skipped(3),
            digit => Entry::Gap(Gap {
                count: u64::from(digit.to_digit(10).unwrap()),
                ..Gap::default()
            }),
        })
        .collect();
    Batch {
        bridge_id,
        first_sequence,
        entries,
        mark: format!("mark {first_sequence}"),
    }
}

/// Each slot as its number and kind.
fn shown(group: &Group) -> String {
    let slots = group.slots.iter().map(|slot| match &slot.body {
        Body::Record(_) => format!("{}r", slot.sequence),
        Body::Letter(_) => format!("{}d", slot.sequence),
        Body::Gap(gap) => format!("{}+{}", slot.sequence, gap.count),
        Body::Skipped(count) => format!("{}s{count}", slot.sequence),
    });
    slots.collect::<Vec<_>>().join(" ")
}

#[test]
fn only_what_is_new_is_taken() {
    let check = |next: u64, first: u64, kinds: &str, slots: &str, duplicates: u64| {
        let mut group = Group::default();
        group.take(batch(ONE, first, kinds), Some(next)).unwrap();
        assert_eq!(
            (shown(&group).as_str(), group.duplicates),
            (slots, duplicates),
            "{first} {kinds} at {next}"
        );
    };
    check(1, 1, "rdr", "1r 2d 3r", 0);
    check(4, 1, "rrr", "", 3);
    check(3, 1, "rrr", "3r", 2);
    check(1, 1, "r5r", "1r 2+5 7r", 0);
    check(7, 1, "r5r", "7r", 6);
    check(4, 1, "r5r", "4+3 7r", 1);
    check(9, 9, "", "", 0);
    check(1, 1, "rsr", "1r 2s3 5r", 0);
    check(3, 1, "rsr", "3s2 5r", 1);
    check(5, 1, "rsr", "5r", 4);
    check(9, 3, "", "", 0);
}

#[test]
fn holes_and_bad_numbers_are_refused_and_leave_nothing() {
    let check = |next: Option<u64>, first: u64, kinds: &str, refusal: &str| {
        let mut group = Group::default();
        let error = group.take(batch(ONE, first, kinds), next).unwrap_err();
        assert!(error.to_string().contains(refusal), "{error}");
        assert_eq!(shown(&group), "");
    };
    check(Some(1), 2, "r", "sent number 2, but 1 is next");
    check(Some(1), 2, "", "sent number 2, but 1 is next");
    check(Some(1), 0, "r", "out of range");
    check(Some(1), u64::MAX, "r", "out of range");
    check(Some(1), i64::MAX as u64, "r", "out of range");
    check(None, 1, "r", "is not known");
}

#[test]
fn batches_of_one_commit_build_on_each_other() {
    let mut group = Group::default();
    assert_eq!(group.take(batch(ONE, 1, "rr"), Some(1)).unwrap(), 2);
    assert_eq!(group.take(batch(TWO, 7, "r"), Some(7)).unwrap(), 3);
    assert_eq!(group.take(batch(ONE, 2, "rr"), Some(1)).unwrap(), 4);
    assert!(matches!(
        group.take(batch(ONE, 5, "r"), Some(1)),
        Err(StoreError::Hole { expected: 4, .. })
    ));
    assert_eq!(shown(&group), "1r 2r 7r 3r");
    assert_eq!(group.duplicates, 1);

    let advances = |range| {
        let advances = group.advances(&range).into_iter();
        let shown = advances.map(|a| (a.bridge_id, a.next_sequence, a.mark.unwrap_or_default()));
        shown.collect::<Vec<_>>()
    };
    assert_eq!(
        advances(0..4),
        [(ONE, 4, "mark 2".into()), (TWO, 8, "mark 7".into())]
    );
    assert_eq!(
        advances(0..1),
        [(ONE, 2, String::new())],
        "a mark belongs to the last entry of its batch"
    );
}

#[test]
fn records_of_a_range_are_consecutive() {
    let mut group = Group::default();
    let mut mixed = batch(ONE, 1, "rdr2r");
    for (number, entry) in mixed.entries.iter_mut().enumerate() {
        if let Entry::Record(record) = entry {
            **record = Record {
                line: number as i64,
                ..Record::default()
            };
        }
    }
    group.take(mixed, Some(1)).unwrap();
    let lines = |slots| {
        let records = &group.records[group.records_of(&slots)];
        records.iter().map(|record| record.line).collect::<Vec<_>>()
    };
    assert_eq!(lines(0..5), [0, 2, 4]);
    assert_eq!(lines(1..4), [2]);
    assert_eq!(lines(3..4), [] as [i64; 0]);
    assert_eq!(lines(4..5), [4]);
}
