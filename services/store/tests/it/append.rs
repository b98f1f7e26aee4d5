//! Exactly once: batches sent twice, overlapping, with holes and gaps, by
//! several bridges, across a restart.

use domain::{DeadLetter, Entry, RecordQuery};
use proto::v1::{self, append_request};
use tonic::Code;
use uuid::Uuid;

use crate::harness::{Store, entries, gap};

const ONE: Uuid = Uuid::from_u128(1);
const TWO: Uuid = Uuid::from_u128(2);

fn messages(prefix: &str, numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("{prefix} {number}")).collect()
}

#[tokio::test]
async fn what_is_appended_is_listed_equal_and_newest_first() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, next) = clients.open(ONE).await;
    assert_eq!(next, 1);
    bridge.append(1, entries("a", 1..101)).await.unwrap();

    let page = clients.list(RecordQuery::default()).await;
    assert_eq!(page.records.len(), 50);
    assert_eq!(page.next, 51);
    for (position, record) in page.records.into_iter().enumerate() {
        let number = 100 - position as u64;
        let Some(Entry::Record(sent)) = entries("a", number..number + 1).pop() else {
            panic!("a record");
        };
        let sent = domain::Record {
            id: number,
            ..*sent
        };
        assert_eq!(domain::Record::from(record), sent);
    }
}

#[tokio::test]
async fn batches_sent_twice_or_overlapping_are_stored_once() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    bridge.append(1, entries("a", 1..11)).await.unwrap();
    bridge.append(1, entries("a", 1..11)).await.unwrap();
    bridge.append(6, entries("a", 6..16)).await.unwrap();
    bridge.append(3, entries("a", 3..5)).await.unwrap();
    let (mut again, next) = clients.open(ONE).await;
    assert_eq!(next, 16);
    again.append(16, entries("a", 16..18)).await.unwrap();
    assert_eq!(clients.messages().await, messages("a", 1..18));
}

#[tokio::test]
async fn a_hole_is_refused_and_a_gap_is_declared() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    bridge.append(1, entries("a", 1..3)).await.unwrap();
    let refused = bridge.append(4, entries("a", 4..5)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("3 is next"), "{refused}");

    let (mut bridge, next) = clients.open(ONE).await;
    assert_eq!(next, 3);
    let mut lossy = vec![gap(5)];
    lossy.extend(entries("a", 8..9));
    bridge.append(3, lossy).await.unwrap();
    assert_eq!(clients.messages().await, ["a 1", "a 2", "a 8"]);

    let request = v1::ListGapsRequest { limit: 0 };
    let gaps = clients.records.list_gaps(request).await.unwrap();
    let [declared] = &gaps.into_inner().gaps[..] else {
        panic!("one gap");
    };
    assert_eq!(declared.bridge_id, ONE.to_string());
    assert_eq!((declared.first_sequence, declared.count), (3, 5));
    assert_eq!(declared.reason, "destroyed");
    assert_eq!(clients.get_status().await.lost, 5);
}

#[tokio::test]
async fn bridges_do_not_disturb_each_other_and_survive_a_restart() {
    let mut store = Store::start().await;
    let clients = store.clients();
    let (mut one, _) = clients.open(ONE).await;
    let (mut two, _) = clients.open(TWO).await;
    for step in 0..10 {
        let numbers = step * 5 + 1..step * 5 + 6;
        one.send_batch(numbers.start, entries("one", numbers.clone()))
            .await;
        two.send_batch(numbers.start, entries("two", numbers)).await;
    }
    one.acknowledged(51).await.unwrap();
    two.acknowledged(51).await.unwrap();
    drop((one, two));

    store.restart().await;
    let mut clients = store.clients();
    assert_eq!(clients.open(ONE).await.1, 51);
    let (mut two, next) = clients.open(TWO).await;
    assert_eq!(next, 51);
    two.append(51, entries("two", 51..52)).await.unwrap();
    let stored = clients.messages().await;
    let of = |prefix: &str| -> Vec<String> {
        let mine = stored.iter().filter(|message| message.starts_with(prefix));
        mine.cloned().collect()
    };
    assert_eq!(of("one"), messages("one", 1..51));
    assert_eq!(of("two"), messages("two", 1..52));
    let ids: Vec<u64> = clients
        .all(7)
        .await
        .iter()
        .map(|record| record.id)
        .collect();
    assert_eq!(ids, (1..102).collect::<Vec<_>>());
}

#[tokio::test]
async fn malformed_requests_are_refused() {
    let store = Store::start().await;
    let clients = store.clients();
    let check = async |step: append_request::Step, text: &str| {
        let (mut bridge, _) = clients.open(ONE).await;
        bridge.send(step).await;
        let refused = bridge.answer().await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(refused.message().contains(text), "{refused}");
    };
    let batch = |first_sequence, entries: Vec<Entry>| {
        append_request::Step::Batch(v1::Batch {
            first_sequence,
            entries: entries.into_iter().map(Into::into).collect(),
            mark: String::new(),
        })
    };
    check(batch(0, entries("a", 0..1)), "out of range").await;
    check(batch(1, entries("a", 0..1_001)), "at most 1000 entries").await;
    let huge = Entry::Record(Box::new(domain::Record {
        message: "x".repeat(16 << 20),
        ..testkit::record(1)
    }));
    check(batch(1, vec![huge]), "bytes").await;
    check(batch(1, vec![gap(0)]), "covers no number").await;
    check(batch(1, vec![gap(u64::MAX)]), "out of range").await;
    check(
        append_request::Step::Batch(v1::Batch {
            first_sequence: 1,
            entries: vec![v1::Entry::default()],
            mark: String::new(),
        }),
        "neither a record",
    )
    .await;
    check(
        append_request::Step::Batch(v1::Batch {
            first_sequence: 1,
            entries: Vec::new(),
            mark: "x".repeat(1_025),
        }),
        "mark",
    )
    .await;
    let again = append_request::Step::Open(v1::OpenSpool::default());
    check(again, "once").await;
    assert_eq!(store.clients().get_status().await.records, 0);
}

#[tokio::test]
async fn marks_reports_and_dead_letters_are_kept() {
    let mut store = Store::start().await;
    let (mut bridge, _) = store.clients().open(ONE).await;
    let batch = |first_sequence, mark: &str, entries: Vec<Entry>| {
        append_request::Step::Batch(v1::Batch {
            first_sequence,
            entries: entries.into_iter().map(Into::into).collect(),
            mark: mark.to_owned(),
        })
    };
    let letter = DeadLetter {
        received_us: 5,
        peer: "10.0.0.1:5".to_owned(),
        reason: "no frame of ours".to_owned(),
        size_bytes: 70_000,
        sha256: [7; 32],
        head: b"GET / HTTP/1.1".to_vec(),
        ..DeadLetter::default()
    };
    let letters = vec![Entry::DeadLetter(Box::new(letter.clone()))];
    bridge.send(batch(1, "here", letters)).await;
    bridge.send(batch(2, "", entries("a", 2..3))).await;
    let report = v1::BridgeReport {
        lag_entries: 3,
        version: "9.9".to_owned(),
        ..v1::BridgeReport::default()
    };
    bridge
        .send(append_request::Step::Report(report.clone()))
        .await;
    bridge.acknowledged(3).await.unwrap();
    drop(bridge);

    store.restart().await;
    let mut clients = store.clients();
    let (bridge, next) = clients.open(ONE).await;
    assert_eq!((next, bridge.mark.as_str()), (3, "here"));
    let status = clients.get_status().await;
    assert_eq!(
        (status.records, status.dead_letters, status.newest_id),
        (1, 1, 1)
    );
    let [known] = &status.bridges[..] else {
        panic!("one bridge");
    };
    assert_eq!((known.name.as_str(), known.next_sequence), ("bridge 1", 3));
    assert_eq!(known.report.as_ref(), Some(&report));

    let request = v1::ListDeadLettersRequest::default();
    let letters = clients.records.list_dead_letters(request).await.unwrap();
    let [stored] = &letters.into_inner().dead_letters[..] else {
        panic!("one dead letter");
    };
    assert_eq!((stored.id, stored.sequence), (1, 1));
    assert_eq!(stored.bridge_id, ONE.to_string());
    let read = DeadLetter::try_from(stored.clone()).unwrap();
    assert_eq!(read, DeadLetter { id: 1, ..letter });
}
