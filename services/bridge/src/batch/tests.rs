//! Batches of hostile frames, and what stands in for refused entries.

use domain::Record;
use sha2::{Digest, Sha256};

use super::*;

fn frame(text: &str) -> Item {
    Item::Frame(StoredFrame {
        received_us: 7,
        connection: 1,
        peer: Some(([10, 0, 0, 1], 80).into()),
        kind: FrameKind::JsonLine as u8,
        bytes: text.as_bytes().to_vec().into(),
    })
}

/// Makes a record of as many bytes as the frame says; panics when it says none.
fn hostile(_: FrameKind, bytes: &[u8], _: Micros, _: &str) -> Entry {
    let text = std::str::from_utf8(bytes).unwrap();
    let bytes: usize = text.parse().unwrap();
    Entry::Record(Box::new(Record {
        message: "x".repeat(bytes),
        ..Record::default()
    }))
}

#[test]
fn a_frame_that_makes_the_decoder_panic_costs_nobody_else() {
    let items = vec![frame("1"), frame("poison"), frame("2")];
    let decoded = decode_with(items, &Policy::default(), hostile);
    assert_eq!((decoded.panics, decoded.batches.len()), (1, 1));
    let entries: Vec<&Entry> = decoded.batches[0].iter().map(|it| &it.entry).collect();
    let [
        Entry::Record(_),
        Entry::DeadLetter(letter),
        Entry::Record(_),
    ] = entries[..]
    else {
        panic!("{decoded:?}");
    };
    assert_eq!(letter.reason, "the decoder panicked: a defect of Herald");
    assert_eq!(letter.head, b"poison");
    assert_eq!(letter.sha256, <[u8; 32]>::from(Sha256::digest(b"poison")));
    assert_eq!((letter.received_us, letter.size_bytes), (7, 6));
    assert_eq!(letter.peer, "10.0.0.1:80");
}

#[test]
fn an_entry_that_no_batch_can_carry_is_a_dead_letter() {
    let largest = ENTRY_BYTES - NUMBERS_AND_TAGS;
    let check = |bytes: usize, expected: Option<&str>| {
        let decoded = decode_with(vec![frame(&bytes.to_string())], &Policy::default(), hostile);
        let reason = match &decoded.batches[0][0].entry {
            Entry::DeadLetter(letter) => Some(letter.reason.as_str()),
            _ => None,
        };
        assert_eq!((reason, decoded.panics), (expected, 0), "{bytes}");
    };
    check(largest, None);
    check(
        largest + 1,
        Some("a record of 12582913 bytes, above the limit"),
    );
}

#[test]
fn batches_are_ended_before_they_are_too_large_and_none_is_empty() {
    let sizes = |items: Vec<Item>| -> Vec<usize> {
        let decoded = decode_with(items, &Policy::default(), hostile);
        decoded.batches.iter().map(Vec::len).collect()
    };
    let half = (BATCH_BYTES / 2).to_string();
    assert_eq!(sizes(Vec::new()), [0; 0]);
    assert_eq!(sizes(vec![frame("1"), frame("2")]), [2]);
    assert_eq!(sizes(vec![frame(&half), frame(&half), frame("1")]), [1, 2]);
    assert_eq!(sizes(vec![frame("3000000"), frame("1")]), [1, 1]);
}

#[test]
fn a_stand_in_has_ever_less_to_refuse_and_as_many_numbers() {
    let item = frame("{}");
    let open = Policy::default();
    let Entry::DeadLetter(first) = stand_in(&item, &open, 1, "why") else {
        panic!("a dead letter");
    };
    assert_eq!(first.reason, "refused by the store: why");
    assert_eq!(
        (&first.head[..], &first.peer[..]),
        (&b"{}"[..], "10.0.0.1:80")
    );
    let Entry::DeadLetter(second) = stand_in(&item, &open, 2, "why") else {
        panic!("a dead letter");
    };
    assert_eq!(second.sha256, first.sha256);
    assert!(second.head.is_empty() && second.peer.is_empty() && second.reason.is_empty());
    let nothing = |count| {
        Entry::Gap(Gap {
            count,
            ..Gap::default()
        })
    };
    assert_eq!(stand_in(&item, &open, 3, "why"), nothing(1));
    let gap = Item::Gap {
        count: 9,
        reason: "lost".to_owned(),
    };
    assert_eq!(stand_in(&gap, &open, 1, "why"), nothing(9));
}

fn only_warnings() -> Policy {
    let query = query::parse("level>=warning", 0).unwrap();
    Policy {
        query: Some(query),
        ..Policy::default()
    }
}

#[test]
fn what_rules_keep_takes_its_numbers_and_nothing_else() {
    let record = |level| frame(&format!("{{\"message\":\"m\",\"level\":{level}}}"));
    let items = vec![
        record(20),
        frame("no record"),
        record(30),
        record(10),
        Item::Gap {
            count: 7,
            reason: String::new(),
        },
    ];
    let decoded = decode(items, &only_warnings());
    let shown: Vec<String> = decoded.batches[0]
        .iter()
        .map(|it| match &it.entry {
            Entry::Skipped(count) => format!("skip {count}"),
            Entry::Gap(gap) => format!("gap {}", gap.count),
            Entry::Record(record) => format!("level {}", record.level),
            Entry::DeadLetter(_) => "letter".to_owned(),
        })
        .collect();
    assert_eq!(shown, ["skip 2", "level 30", "skip 1", "gap 7"]);
    assert_eq!(decoded.tally.filtered, 3);
    let stand_in = stand_in(&frame("secret"), &only_warnings(), 1, "why");
    assert!(matches!(stand_in, Entry::Gap(gap) if gap.reason.is_empty()));
}
