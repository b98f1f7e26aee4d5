//! Exactly once, whatever happens to the store and the way to it.

use domain::Entry;
use testkit::{frame, record, wait_until};
use tokio::io::AsyncWriteExt;

use crate::{
    store::Store,
    under_test::{PATIENCE, UnderTest},
};

fn burst(numbers: std::ops::Range<u64>) -> Vec<u8> {
    numbers
        .flat_map(|number| frame::pickle(&record(number)))
        .collect()
}

fn assert_exactly(store: &Store, numbers: std::ops::Range<u64>) {
    let expected: Vec<_> = numbers.map(|number| format!("record {number}")).collect();
    assert_eq!(store.messages(), expected);
}

async fn arrive(store: &Store, count: usize) {
    wait_until("the records are there", PATIENCE, async || {
        store.records().len() >= count
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_wait_for_a_store_that_is_down_and_survive_a_restart_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::start().await;
    store.stop().await;
    let vars = [("BRIDGE_DRAIN_TIMEOUT", "100ms")];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    bridge.send(&burst(0..500)).await;
    bridge
        .stop()
        .await
        .expect("it stops with records in the spool");
    let bridge = UnderTest::start(folder.path(), &store).await;
    bridge.send(&burst(500..600)).await;
    let store = store.restart().await;
    arrive(&store, 600).await;
    assert_exactly(&store, 0..600);
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_cut_before_its_acknowledgement_repeats_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    store.state().cut_after = Some(2);
    let bridge = UnderTest::start(folder.path(), &store).await;
    bridge.send(&burst(0..9_000)).await;
    wait_until("it was cut three times", PATIENCE, async || {
        store.state().streams > 3
    })
    .await;
    store.state().cut_after = None;
    arrive(&store, 9_000).await;
    assert_exactly(&store, 0..9_000);
    bridge.stop().await.expect("a clean end");
}

/// The cursor is older than what the store has, as after a power failure: the
/// frames of the next run go out under their own identity, not the former one.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_carries_its_own_identity_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let cursor = folder.path().join("spool/cursor.store");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    wait_until("there is a cursor", PATIENCE, async || cursor.exists()).await;
    let early = std::fs::read(&cursor).expect("a cursor");
    bridge.send(&burst(0..10)).await;
    arrive(&store, 10).await;
    bridge.stop().await.expect("a clean end");
    std::fs::write(&cursor, early).expect("the cursor is put back");
    for run in 1..3 {
        let bridge = UnderTest::start(folder.path(), &store).await;
        bridge.send(&burst(run * 10..(run + 1) * 10)).await;
        arrive(&store, (run as usize + 1) * 10).await;
        bridge.stop().await.expect("a clean end");
    }
    assert_exactly(&store, 0..30);
    let mut next: Vec<u64> = store.state().next.values().copied().collect();
    next.sort_unstable();
    assert_eq!(next, [11, 21, 31]);
}

/// Whatever the store refuses for good, the rest arrives, and of the refused as
/// much as it takes.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_the_store_refuses_holds_up_nobody() {
    fn is_poison(entry: &Entry) -> bool {
        matches!(entry, Entry::Record(record) if record.message.starts_with("record 30"))
    }
    fn is_letter(entry: &Entry) -> bool {
        is_poison(entry) || matches!(entry, Entry::DeadLetter(letter) if !letter.head.is_empty())
    }
    fn is_any_letter(entry: &Entry) -> bool {
        is_poison(entry) || matches!(entry, Entry::DeadLetter(_))
    }
    let check = async |refuses: fn(&Entry) -> bool, check_stand_in: fn(&Entry)| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::start().await;
        store.state().refuses = Some(refuses);
        let bridge = UnderTest::start(folder.path(), &store).await;
        bridge
            .send(&[burst(28..33), burst(100..105)].concat())
            .await;
        arrive(&store, 9).await;
        let expected = (28..33).chain(100..105).filter(|number| *number != 30);
        let expected: Vec<_> = expected.map(|number| format!("record {number}")).collect();
        assert_eq!(store.messages(), expected);
        let entries = store.state().entries.clone();
        let stand_ins: Vec<_> = entries
            .iter()
            .filter(|entry| !matches!(entry, Entry::Record(_)))
            .collect();
        assert_eq!(stand_ins.len(), 1, "{stand_ins:?}");
        check_stand_in(stand_ins[0]);
        bridge.stop().await.expect("a clean end");
    };
    check(is_poison, |entry| {
        let Entry::DeadLetter(letter) = entry else {
            panic!("{entry:?}");
        };
        assert_eq!(letter.reason, "refused by the store: not this one");
        assert!(letter.size_bytes > 0 && letter.head.len() as u64 == letter.size_bytes);
    })
    .await;
    check(is_letter, |entry| {
        assert!(matches!(entry, Entry::DeadLetter(letter) if letter.size_bytes > 0));
    })
    .await;
    check(is_any_letter, |entry| {
        assert!(matches!(entry, Entry::Gap(gap) if gap.count == 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_ahead_of_the_spool_swallows_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    bridge.send(&burst(0..10)).await;
    arrive(&store, 10).await;
    bridge.stop().await.expect("a clean end");
    // As if the spool had been put back from an older copy of the disk.
    store
        .state()
        .next
        .values_mut()
        .for_each(|next| *next += 1_000);
    let bridge = UnderTest::start(folder.path(), &store).await;
    bridge.send(&burst(10..20)).await;
    arrive(&store, 20).await;
    assert_exactly(&store, 0..20);
    assert_eq!(store.state().next.len(), 2, "a new identity");
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_reads_every_socket_empty_and_forwards() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    let mut open = Vec::new();
    for number in 0..50 {
        let mut stream = bridge.connect().await;
        stream
            .write_all(&burst(number * 20..(number + 1) * 20))
            .await
            .expect("the bridge reads");
        open.push(stream);
    }
    bridge.stop().await.expect("a clean end");
    let mut messages = store.messages();
    messages.sort_by_key(|text| text[7..].parse::<u64>().expect("a number"));
    let expected: Vec<_> = (0..1_000)
        .map(|number| format!("record {number}"))
        .collect();
    assert_eq!(messages, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_stuck_does_not_hold_up_the_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    store.state().is_stuck = true;
    let vars = [("BRIDGE_DRAIN_TIMEOUT", "100ms")];
    let bridge = UnderTest::start_with(folder.path(), &store, &vars).await;
    bridge.send(&burst(0..20_000)).await;
    let stopped = tokio::time::timeout(PATIENCE, bridge.stop()).await;
    stopped.expect("it stops in time").expect("a clean end");
    store.state().is_stuck = false;
    let bridge = UnderTest::start(folder.path(), &store).await;
    arrive(&store, 20_000).await;
    assert_exactly(&store, 0..20_000);
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_told_how_the_bridge_is_doing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start(folder.path(), &store).await;
    let _open = bridge.connect().await;
    bridge.send(&burst(0..7)).await;
    wait_until("a report counts it", PATIENCE, async || {
        let state = store.state();
        state
            .report
            .as_ref()
            .is_some_and(|it| it.received == 7 && it.connections == 1)
    })
    .await;
    let report = store.state().report.clone().expect("just seen");
    assert_eq!(report.dropped, 0);
    assert!(report.spool_limit_bytes > 0);
    bridge.stop().await.expect("a clean end");
}
