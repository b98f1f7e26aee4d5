//! No peer takes more than its share.

use std::time::Duration;

use testkit::{frame, record, wait_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    store::Store,
    under_test::{PATIENCE, UnderTest},
};

#[tokio::test(flavor = "multi_thread")]
async fn connections_above_the_limit_are_closed_and_the_others_live() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let vars = [("BRIDGE_MAX_CONNECTIONS_PER_ADDRESS", "3")];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let mut held = Vec::new();
    for number in 0..3 {
        let mut stream = bridge.connect().await;
        stream
            .write_all(&frame::pickle(&record(number)))
            .await
            .expect("the bridge reads");
        held.push(stream);
    }
    wait_until("three are served", PATIENCE, async || {
        store.records().len() == 3
    })
    .await;
    let mut fourth = bridge.connect().await;
    assert_eq!(fourth.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed");
    drop(held.pop());
    wait_until("there is a place again", PATIENCE, async || {
        let mut stream = bridge.connect().await;
        let _closed = stream.write_all(&frame::pickle(&record(7))).await;
        store.messages().contains(&"record 7".to_owned())
    })
    .await;
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_sent_frame_ends_in_time_and_a_quiet_connection_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let vars = [("BRIDGE_FRAME_TIMEOUT", "200ms")];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let mut quiet = bridge.connect().await;
    quiet
        .write_all(&frame::pickle(&record(1)))
        .await
        .expect("the bridge reads");
    let mut half = bridge.connect().await;
    let bytes = frame::pickle(&record(2));
    half.write_all(&bytes[..bytes.len() / 2])
        .await
        .expect("the bridge reads");
    let closed = tokio::time::timeout(PATIENCE, half.read(&mut [0; 1])).await;
    assert_eq!(closed.expect("it is closed in time").unwrap_or(0), 0);
    quiet
        .write_all(&frame::pickle(&record(3)))
        .await
        .expect("it is still open");
    wait_until("the quiet one is served", PATIENCE, async || {
        store.records().len() == 2
    })
    .await;
    assert_eq!(store.messages(), ["record 1", "record 3"]);
    bridge.stop().await.expect("a clean end");
}

/// Half-sent large frames hold all the memory there is for them; small frames
/// do not need any of it.
#[tokio::test(flavor = "multi_thread")]
async fn half_sent_large_frames_do_not_hold_up_small_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let vars = [("BRIDGE_PARTIAL_MAX_BYTES", "1MiB")];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let mut hoarders = Vec::new();
    for _ in 0..20 {
        let mut stream = bridge.connect().await;
        stream
            .write_all(&1_000_000_u32.to_be_bytes())
            .await
            .expect("the bridge reads");
        stream
            .write_all(&[b'x'; 50_000])
            .await
            .expect("the system takes it");
        hoarders.push(stream);
    }
    let served = async {
        bridge.send(&frame::pickle(&record(5))).await;
        wait_until("it is there", PATIENCE, async || store.records().len() == 1).await;
    };
    tokio::time::timeout(Duration::from_secs(5), served)
        .await
        .expect("not held up");
    drop(hoarders);
    bridge.stop().await.expect("a clean end");
}

/// A byte now and then is no reason to wait longer for the rest, whatever it is
/// part of.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_drips_is_closed_in_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let vars = [
        ("BRIDGE_FRAME_TIMEOUT", "300ms"),
        ("BRIDGE_FRAME_MAX_BYTES", "1KiB"),
    ];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let check = async |what: &str, begin: &[u8], drop: u8| {
        let (mut reads, mut writes) = bridge.connect().await.into_split();
        writes.write_all(begin).await.expect("the bridge reads");
        let mut drops = tokio::time::interval(Duration::from_millis(20));
        let mut answer = [0; 1];
        let closed = tokio::time::timeout(Duration::from_secs(5), async {
            loop {
                tokio::select! {
                    read = reads.read(&mut answer) => return read.unwrap_or(0),
                    _ = drops.tick() => {
                        let _closed = writes.write_all(&[drop]).await;
                    }
                }
            }
        });
        assert_eq!(closed.await.expect(what), 0, "{what}");
    };
    check("a frame", &1_000_u32.to_be_bytes(), b'x').await;
    check("a frame above the limit", &900_000_u32.to_be_bytes(), b'x').await;
    check("a line", b"{", b'x').await;
    check("a line above the limit", &[b'{'; 2_000], b'x').await;
    check("blanks", b"\n\n\n\n", b'\n').await;
    bridge.stop().await.expect("a clean end");
}
