//! Programs that number their records: what is acknowledged is durable, and whatever
//! is cut, each number counts once.

use std::{ops::Range, time::Duration};

use serde_json::{Value, json};
use testkit::{frame, record, wait_until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    store::Store,
    under_test::{PATIENCE, UnderTest},
};

const STREAM: &str = "5f0c8a4e6f5d4b7c9d3a1b2c3d4e5f60";

/// A program's side of a connection.
struct Program(TcpStream);

impl Program {
    async fn connect(bridge: &UnderTest) -> Self {
        Self(bridge.connect().await)
    }

    /// Says hello and returns the number expected.
    async fn hello(bridge: &UnderTest, stream: &str, first: u64) -> (Self, u64) {
        let mut program = Self::connect(bridge).await;
        let said = json!({"version": 1, "stream": stream, "first": first});
        program.say(&json!({ "herald_hello": said })).await;
        let answer = program.hear().await;
        assert_eq!(answer["herald_hello"]["version"], 1, "{answer}");
        let expected = answer["herald_hello"]["expected"].as_u64();
        (program, expected.expect("a number"))
    }

    async fn say(&mut self, what: &Value) {
        let bytes = frame::length_prefixed(what.to_string().as_bytes());
        self.0.write_all(&bytes).await.expect("the bridge reads");
    }

    async fn send(&mut self, numbers: Range<u64>) {
        let bytes: Vec<u8> = numbers
            .flat_map(|number| numbered(number, &frame::json(&record(number))[4..]))
            .collect();
        self.0.write_all(&bytes).await.expect("the bridge reads");
    }

    /// What the bridge says next.
    async fn hear(&mut self) -> Value {
        let hearing = async {
            let length = self.0.read_u32().await.expect("an answer");
            let mut body = vec![0; length as usize];
            self.0.read_exact(&mut body).await.expect("all of it");
            serde_json::from_slice(&body).expect("JSON")
        };
        let heard = tokio::time::timeout(PATIENCE, hearing).await;
        heard.expect("an answer in time")
    }

    /// Waits until everything up to `number` is acknowledged.
    async fn acknowledged(&mut self, number: u64) {
        let mut last = 0;
        while last < number {
            let heard = self.hear().await;
            let ack = heard["ack"].as_u64();
            let ack = ack.unwrap_or_else(|| panic!("no acknowledgement: {heard}"));
            assert!(ack > last && ack <= number, "{ack} after {last}");
            last = ack;
        }
    }

    /// The connection ends with this error.
    async fn refused(mut self, expected: &str) {
        let heard = self.hear().await;
        let error = heard["error"].as_str().unwrap_or_default();
        assert!(error.contains(expected), "{heard}, not {expected}");
        assert_eq!(self.0.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed");
    }
}

fn numbered(number: u64, body: &[u8]) -> Vec<u8> {
    frame::length_prefixed(&[&number.to_be_bytes(), body].concat())
}

fn messages(numbers: Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("record {number}")).collect()
}

async fn arrive(store: &Store, count: usize) {
    let what = format!("{count} records are there");
    wait_until(&what, PATIENCE, async || store.records().len() >= count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_number_counts_once_over_cuts_and_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    let (mut program, expected) = Program::hello(&bridge, STREAM, 1).await;
    assert_eq!(expected, 0, "never heard of");
    program.send(1..101).await;
    program.acknowledged(100).await;

    // The same again on another connection, while the first one is open.
    let (mut again, expected) = Program::hello(&bridge, STREAM, 1).await;
    assert_eq!(expected, 101);
    again.send(50..151).await;
    again.acknowledged(150).await;
    program.send(101..131).await;
    program.acknowledged(130).await;
    bridge.stop().await.expect("a clean end");

    let bridge = UnderTest::start(folder.path(), &store).await;
    let (mut program, expected) = Program::hello(&bridge, STREAM, 120).await;
    assert_eq!(expected, 151);
    program.send(120..201).await;
    program.acknowledged(200).await;
    // Another stream has numbers of its own.
    let other = STREAM.replace('5', "6");
    let (mut program, expected) = Program::hello(&bridge, &other, 1).await;
    assert_eq!(expected, 0);
    program.send(1..2).await;
    program.acknowledged(1).await;
    arrive(&store, 201).await;
    bridge.stop().await.expect("a clean end");
    let expected = [messages(1..201), messages(1..2)].concat();
    assert_eq!(store.messages(), expected);
    assert_eq!(store.dead_letters(), []);
    assert!(store.records()[0].peer.starts_with("127.0.0.1:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_before_it_is_synced() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let vars = [
        ("BRIDGE_SYNC_INTERVAL", "1h"),
        ("BRIDGE_SYNC_BYTES", "64KiB"),
    ];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let (mut program, _) = Program::hello(&bridge, STREAM, 1).await;
    program.send(1..3).await;
    let early = tokio::time::timeout(Duration::from_millis(300), program.hear()).await;
    assert!(early.is_err(), "{early:?}");
    program.send(3..200).await;
    let heard = program.hear().await;
    assert!(heard["ack"].as_u64() > Some(2), "{heard}");
    drop(program);
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_record_is_a_dead_letter_and_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    let (mut program, _) = Program::hello(&bridge, STREAM, 7).await;
    let bodies: [&[u8]; 4] = [
        b"{}",
        b"\x00\x01",
        &vec![b'x'; 1_500_000],
        b"{\"msg\": \"m\"}",
    ];
    for (number, body) in (7..).zip(bodies) {
        let bytes = numbered(number, body);
        program.0.write_all(&bytes).await.expect("the bridge reads");
    }
    program.acknowledged(10).await;
    arrive(&store, 1).await;
    let sizes: Vec<u64> = store
        .dead_letters()
        .iter()
        .map(|it| it.size_bytes)
        .collect();
    assert_eq!(sizes, [2, 2, 1_500_000]);
    // Whoever has all acknowledged says farewell, and nothing comes of it.
    let farewell = numbered(11, b"");
    program
        .0
        .write_all(&farewell)
        .await
        .expect("an open socket");
    program.0.shutdown().await.expect("an open socket");
    assert_eq!(program.0.read(&mut [0; 1]).await.expect("an end"), 0);
    let (_, expected) = Program::hello(&bridge, STREAM, 11).await;
    assert_eq!(expected, 11);
    bridge.stop().await.expect("a clean end");
    assert_eq!(store.records().len() + store.dead_letters().len(), 4);
}

/// A spool that has lost what it had acknowledged, or was put back from a backup, takes
/// what the program still has.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_spool_has_forgotten_holds_up_nothing() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let store = Store::start().await;
    for folder in &folders {
        let bridge = UnderTest::start(folder.path(), &store).await;
        let (mut program, expected) = Program::hello(&bridge, STREAM, 300).await;
        assert_eq!(expected, 0);
        program.send(300..310).await;
        program.acknowledged(309).await;
        let (mut program, expected) = Program::hello(&bridge, STREAM, 500).await;
        assert_eq!(expected, 310);
        program.send(500..510).await;
        program.acknowledged(509).await;
        bridge.stop().await.expect("a clean end");
    }
    arrive(&store, 40).await;
    let once = [messages(300..310), messages(500..510)].concat();
    assert_eq!(store.messages(), [once.clone(), once].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_stops_acknowledging_and_drops_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    store.state().is_stuck = true;
    let vars = [
        ("BRIDGE_SPOOL_MAX_BYTES", "1MiB"),
        ("BRIDGE_SEGMENT_BYTES", "256KiB"),
        ("BRIDGE_DRAIN_TIMEOUT", "500ms"),
    ];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let (program, _) = Program::hello(&bridge, STREAM, 1).await;
    let (reads, mut writes) = program.0.into_split();
    let writing = tokio::spawn(async move {
        for number in 1..20_001 {
            let bytes = numbered(number, &frame::json(&record(number))[4..]);
            // The bridge ends before all is sent.
            if writes.write_all(&bytes).await.is_err() {
                break;
            }
        }
        writes
    });
    // As long as nothing moves it says so now and then.
    let mut reads = tokio::io::BufReader::new(reads);
    let mut last = 0;
    loop {
        let length = reads.read_u32().await.expect("an answer");
        let mut body = vec![0; length as usize];
        reads.read_exact(&mut body).await.expect("all of it");
        let heard: Value = serde_json::from_slice(&body).expect("JSON");
        let ack = heard["ack"].as_u64().expect("an acknowledgement");
        if ack == last {
            break;
        }
        last = ack;
    }
    assert!((1..20_000).contains(&last), "{last}");
    assert!(!writing.is_finished(), "it is not read any more");
    bridge.stop().await.expect("a clean end");
    drop(writing.await.expect("no panic"));

    store.state().is_stuck = false;
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let (mut program, expected) = Program::hello(&bridge, STREAM, last + 1).await;
    assert!(expected > last, "{expected} of {last}");
    let mut number = expected;
    while number < 20_001 {
        let end = (number + 500).min(20_001);
        program.send(number..end).await;
        program.acknowledged(end - 1).await;
        number = end;
    }
    arrive(&store, 20_000).await;
    bridge.stop().await.expect("a clean end");
    let told: Vec<String> = store.messages();
    let ours = told.into_iter().filter(|it| it.starts_with("record "));
    let ours: Vec<String> = ours.collect();
    assert_eq!(ours, messages(1..20_001), "each once and in order");
    let dropped = |text: &String| text.contains("dropped");
    assert!(!store.messages().iter().any(dropped));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_keep_to_it_is_told_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let vars = [("BRIDGE_FRAME_TIMEOUT", "300ms")];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    for (hello, error) in [
        (json!(1), "no hello"),
        (json!({"version": 9, "stream": STREAM}), "version 9"),
        (json!({"version": 1, "stream": "me"}), "no UUID"),
        (
            json!({"version": 1, "stream": STREAM, "x": "x".repeat(2_000)}),
            "at most 1024 bytes",
        ),
    ] {
        let mut program = Program::connect(&bridge).await;
        program.say(&json!({ "herald_hello": hello })).await;
        program.refused(error).await;
    }
    for (bytes, error) in [
        (numbered(0, b"{}"), "follow each other"),
        (numbered(2, b"{}"), "missing before the first"),
        (
            [numbered(1, b"{\"msg\":1}"), numbered(3, b"{}")].concat(),
            "follow each other",
        ),
        (b"\0\0\0\x01x".to_vec(), "no numbered frame has"),
        (b"\0\0\0\x20half".to_vec(), "not completed in time"),
    ] {
        let (mut program, _) = Program::hello(&bridge, STREAM, 1).await;
        program.0.write_all(&bytes).await.expect("the bridge reads");
        program.refused(error).await;
    }
    bridge.stop().await.expect("a clean end");
    // What came together with a wrong frame is not taken: the program still has it.
    assert_eq!(store.records().len() + store.dead_letters().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_for_them_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let vars = [
        ("BRIDGE_IDLE_TIMEOUT", "300ms"),
        ("BRIDGE_MAX_CONNECTIONS_PER_ADDRESS", "2"),
    ];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let (first, _) = Program::hello(&bridge, STREAM, 1).await;
    let (second, _) = Program::hello(&bridge, STREAM, 1).await;
    let mut third = bridge.connect().await;
    assert_eq!(third.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed");
    first.refused("idle for too long").await;
    second.refused("idle for too long").await;
    bridge.stop().await.expect("a clean end");
}
