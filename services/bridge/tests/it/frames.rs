//! However bytes are cut, frames come out whole and in order.

use std::fmt::Write as _;

use domain::{Level, Record};
use testkit::{frame, record, wait_until};
use tokio::io::AsyncWriteExt;

use crate::{
    store::Store,
    under_test::{PATIENCE, UnderTest},
};

fn expected(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("record {number}")).collect()
}

async fn arrive(store: &Store, count: usize) {
    let what = format!("{count} records are there");
    wait_until(&what, PATIENCE, async || store.records().len() >= count).await;
}

/// The predecessor keeps 155 of these 3,000.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_in_one_send_arrives_whole_and_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    let burst: Vec<u8> = (0..3_000)
        .flat_map(|number| frame::pickle(&record(number)))
        .collect();
    bridge.send(&burst).await;
    arrive(&store, 3_000).await;
    assert_eq!(store.messages(), expected(0..3_000));
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_split_point_of_two_frames_gives_two_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    let pair = [frame::pickle(&record(1)), frame::json(&record(2))].concat();
    for split in 1..pair.len() {
        let mut stream = bridge.connect().await;
        stream
            .write_all(&pair[..split])
            .await
            .expect("the bridge reads");
        stream.flush().await.expect("an open socket");
        stream
            .write_all(&pair[split..])
            .await
            .expect("the bridge reads");
    }
    let pairs = pair.len() - 1;
    arrive(&store, 2 * pairs).await;
    let messages = store.messages();
    assert_eq!(messages.len(), 2 * pairs);
    assert_eq!(
        messages.iter().filter(|text| *text == "record 1").count(),
        pairs
    );
    assert_eq!(store.dead_letters(), []);
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_byte_per_send_is_enough() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    let mut stream = bridge.connect().await;
    for byte in (0..20).flat_map(|number| frame::pickle(&record(number))) {
        stream.write_all(&[byte]).await.expect("the bridge reads");
    }
    arrive(&store, 20).await;
    assert_eq!(store.messages(), expected(0..20));
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_forms_are_told_apart_on_one_port() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    let sent = Record {
        extra: r#"{"order":4711,"relativeCreated":1234.5}"#.to_owned(),
        ..record(3)
    };
    for bytes in [
        frame::pickle(&sent),
        frame::json(&sent),
        frame::json_line(&sent),
    ] {
        let before = store.records().len();
        bridge.send(&bytes).await;
        arrive(&store, before + 1).await;
    }
    for got in store.records() {
        let peer = got.peer.clone();
        assert!(peer.starts_with("127.0.0.1:"), "{peer}");
        assert!(got.received_us > 1_700_000_000_000_000);
        let extra: serde_json::Value = serde_json::from_str(&got.extra).expect("a JSON object");
        assert_eq!(extra["order"], 4711);
        let (received_us, extra) = (got.received_us, got.extra.clone());
        assert_eq!(
            got,
            Record {
                received_us,
                peer,
                extra,
                ..sent.clone()
            }
        );
    }
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_netcat_is_a_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    let mut lines = String::new();
    for number in 0..3 {
        writeln!(lines, r#"{{"message": "line {number}", "level": "ERROR"}}"#).expect("a string");
    }
    bridge.send(lines.trim_end().as_bytes()).await;
    arrive(&store, 3).await;
    assert_eq!(store.messages(), ["line 0", "line 1", "line 2"]);
    assert!(
        store
            .records()
            .iter()
            .all(|record| record.level == Level::Error.number())
    );
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_record_becomes_a_dead_letter_with_reason_and_peer() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    let code = b"\x80\x02cposix\nsystem\nX\x08\x00\x00\x00touch /x\x85R.";
    let hostile: [(&str, Vec<u8>); 4] = [
        ("code to run", frame::length_prefixed(code)),
        ("no pickle", frame::length_prefixed(b"\x00\x01\x02")),
        ("too large", frame::length_prefixed(&vec![b'x'; 1_500_000])),
        (
            "a browser",
            b"GET / HTTP/1.1\r\nHost: herald\r\n\r\n".to_vec(),
        ),
    ];
    for (count, (what, bytes)) in hostile.iter().enumerate() {
        let mut stream = bridge.connect().await;
        stream.write_all(bytes).await.expect("the bridge reads");
        wait_until(what, PATIENCE, async || store.dead_letters().len() > count).await;
        let letter = store.dead_letters().pop().expect("just seen");
        assert!(
            !letter.reason.is_empty() && letter.peer.starts_with("127.0.0.1:"),
            "{letter:?}"
        );
        assert!(letter.head.len() <= 65_536, "{what}");
    }
    let large = &store.dead_letters()[2];
    assert_eq!((large.size_bytes, large.head.len()), (1_500_000, 65_536));
    bridge.send(&frame::pickle(&record(9))).await;
    arrive(&store, 1).await;
    bridge.stop().await.expect("a clean end");
}
