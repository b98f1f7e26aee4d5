//! One that sends too much, and one that may not send at all: nobody else notices.

use testkit::wait_until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    store::Store,
    under_test::{PATIENCE, UnderTest},
    zones::{arrive, burst, messages},
};

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_too_much_is_slowed_and_named_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let vars = [
        ("BRIDGE_RATE_PER_ADDRESS", "400"),
        ("BRIDGE_BURST_PER_ADDRESS", "10"),
    ];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let mut noisy = bridge.connect_from([127, 0, 0, 2]).await;
    let sending = tokio::spawn(async move {
        noisy.write_all(&burst(0..4_000)).await.expect("it is read");
        noisy
    });
    arrive(&store, 100).await;
    let mut quiet = bridge.connect_from([127, 0, 0, 3]).await;
    quiet
        .write_all(&burst(9_000..9_001))
        .await
        .expect("it is read");
    let is_there = async || store.messages().contains(&"record 9000".to_owned());
    wait_until("the quiet one is heard", PATIENCE, is_there).await;
    assert!(store.messages().len() < 4_001, "the noisy one is not done");

    let is_named = async || {
        let report = store.state().report.clone();
        report.is_some_and(|report| !report.slowed.is_empty())
    };
    wait_until("the report names it", PATIENCE, is_named).await;
    let report = store.state().report.clone().expect("a report");
    let [slowed] = &report.slowed[..] else {
        panic!("one address: {:?}", report.slowed);
    };
    assert_eq!(slowed.address, "127.0.0.2");
    assert!(slowed.since_us > 0);
    arrive(&store, 4_001).await;
    drop(sending.await.expect("it was read"));
    bridge.stop().await.expect("a clean end");
    let mut told = store.messages();
    told.retain(|message| message != "record 9000");
    assert_eq!(told, messages(0..4_000));
}

/// What waits in the socket of somebody who is slowed is read when the bridge stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_waits_for_no_rate() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let vars = [
        ("BRIDGE_RATE_PER_ADDRESS", "1"),
        ("BRIDGE_BURST_PER_ADDRESS", "1"),
    ];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let mut stream = bridge.connect().await;
    stream.write_all(&burst(0..200)).await.expect("it is read");
    arrive(&store, 1).await;
    bridge.stop().await.expect("a clean end");
    assert_eq!(store.messages(), messages(0..200));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_addresses_are_let_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let vars = [("BRIDGE_ALLOW", "10.0.0.0/8, 127.0.0.2")];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    let mut refused = bridge.connect_from([127, 0, 0, 3]).await;
    assert_eq!(refused.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed");
    let mut allowed = bridge.connect_from([127, 0, 0, 2]).await;
    allowed.write_all(&burst(0..5)).await.expect("it is read");
    arrive(&store, 5).await;
    bridge.stop().await.expect("a clean end");
}
