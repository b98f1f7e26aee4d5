//! Poison: what the database refuses is halved until the one entry is found. It
//! becomes a dead letter, and its neighbours go in.

use std::ops::Range;

use domain::{DeadLetter, Gap, Record};
use prost::Message;
use proto::v1;
use sha2::{Digest, Sha256};

use super::group::{Body, Slot};

/// What stands in for an entry that was refused for `reason`; none when this
/// was a stand-in already, with nothing left to leave out.
pub(super) fn stand_in(slot: &Slot, records: &[Record], reason: &str) -> Option<Slot> {
    let body = match &slot.body {
        Body::Record(index) => Body::Letter(Box::new(letter_of(&records[*index], reason))),
        Body::Letter(letter) if letter.head.is_empty() && letter.peer.is_empty() => return None,
        Body::Letter(letter) => Body::Letter(Box::new(DeadLetter {
            received_us: letter.received_us,
            reason: format!("refused by the store: {reason}"),
            size_bytes: letter.size_bytes,
            sha256: letter.sha256,
            ..DeadLetter::default()
        })),
        Body::Gap(gap) if gap.reason.is_empty() => return None,
        Body::Gap(gap) => Body::Gap(Gap {
            reason: String::new(),
            ..*gap
        }),
        Body::Skipped(_) => return None,
    };
    Some(Slot {
        bridge_id: slot.bridge_id,
        sequence: slot.sequence,
        body,
    })
}

/// Both halves of a range of at least two slots.
pub(super) fn halves(slots: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let middle = slots.start + slots.len() / 2;
    (slots.start..middle, middle..slots.end)
}

/// A dead letter whose frame is the record as gRPC carries it.
fn letter_of(record: &Record, reason: &str) -> DeadLetter {
    let mut head = v1::Record::from(record.clone()).encode_to_vec();
    let size_bytes = head.len() as u64;
    let sha256 = Sha256::digest(&head).into();
    head.truncate(DeadLetter::HEAD_BYTES);
    DeadLetter {
        id: 0,
        received_us: record.received_us,
        peer: record.peer.clone(),
        reason: format!("refused by the store: {reason}"),
        size_bytes,
        sha256,
        head,
    }
}

#[cfg(test)]
mod tests {
    use domain::{DeadLetter, Gap, Record};
    use uuid::Uuid;

    use super::{Body, Slot, halves, stand_in};

    #[test]
    fn halves_cover_a_range() {
        let check = |range, expected| assert_eq!(halves(&range), expected);
        check(0..2, (0..1, 1..2));
        check(3..6, (3..4, 4..6));
    }

    #[test]
    fn an_entry_is_stripped_until_nothing_is_left_to_refuse() {
        let record = Record {
            message: "x".repeat(DeadLetter::HEAD_BYTES),
            peer: "peer".to_owned(),
            received_us: 7,
            ..Record::default()
        };
        let slot = |body| Slot {
            bridge_id: Uuid::nil(),
            sequence: 9,
            body,
        };
        let letter = stand_in(&slot(Body::Record(0)), &[record], "why").unwrap();
        let Body::Letter(whole) = &letter.body else {
            panic!("a record becomes a dead letter");
        };
        assert_eq!(whole.reason, "refused by the store: why");
        assert_eq!((whole.received_us, whole.peer.as_str()), (7, "peer"));
        assert_eq!(whole.head.len(), DeadLetter::HEAD_BYTES);
        assert!(whole.size_bytes > DeadLetter::HEAD_BYTES as u64);

        let bare = stand_in(&letter, &[], "still").unwrap();
        assert!(matches!(&bare.body, Body::Letter(letter) if letter.head.is_empty()));
        assert!(stand_in(&bare, &[], "still").is_none());

        let gap = slot(Body::Gap(Gap {
            count: 3,
            reason: "lost".to_owned(),
            ..Gap::default()
        }));
        let bare = stand_in(&gap, &[], "why").unwrap();
        assert_eq!(bare.next_sequence(), 12);
        assert!(stand_in(&bare, &[], "why").is_none());
    }
}
