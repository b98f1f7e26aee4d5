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
    let decoded = decode_with(items, hostile);
    assert_eq!((decoded.panics, decoded.batches.len()), (1, 1));
    let [
        Entry::Record(_),
        Entry::DeadLetter(letter),
        Entry::Record(_),
    ] = &decoded.batches[0][..]
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
        let decoded = decode_with(vec![frame(&bytes.to_string())], hostile);
        let reason = match &decoded.batches[0][0] {
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
        let decoded = decode_with(items, hostile);
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
    let Entry::DeadLetter(first) = stand_in(&item, 1, "why") else {
        panic!("a dead letter");
    };
    assert_eq!(first.reason, "refused by the store: why");
    assert_eq!(
        (&first.head[..], &first.peer[..]),
        (&b"{}"[..], "10.0.0.1:80")
    );
    let Entry::DeadLetter(second) = stand_in(&item, 2, "why") else {
        panic!("a dead letter");
    };
    assert_eq!(second.sha256, first.sha256);
    assert!(second.head.is_empty() && second.peer.is_empty() && second.reason.is_empty());
    let nothing = |count| {
        Entry::Gap(Gap {
            count,
            reason: String::new(),
        })
    };
    assert_eq!(stand_in(&item, 3, "why"), nothing(1));
    let gap = Item::Gap {
        count: 9,
        reason: "lost".to_owned(),
    };
    assert_eq!(stand_in(&gap, 1, "why"), nothing(9));
}
