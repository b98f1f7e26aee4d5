//! Several destinations: what each of them gets, and that none costs another one
//! anything.

use std::time::{Duration, Instant};

use bridge::spool;
use domain::{Entry, Record};
use testkit::{frame, record, wait_until};

use crate::{
    store::Store,
    under_test::{PATIENCE, UnderTest},
    zones::{arrive, burst, to},
};

/// Nobody listens there.
const DEAD: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_gets_what_its_rules_let_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let (own, outside) = (Store::start().await, Store::start().await);
    let rules = "query = \"level>=error\"\nfields = [\"message\", \"system_id\"]\n\
        extra = [\"attempt\"]\nmask = [\"email\"]";
    let routes = to("outside", &outside.url(), rules);
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &routes, &[]).await;
    let frames = (0..1_000).flat_map(|number| {
        frame::pickle(&Record {
            message: format!("record {number} of a{number}@example.org"),
            ..record(number)
        })
    });
    bridge.send(&frames.collect::<Vec<u8>>()).await;
    bridge.send(b"{\"secret\": \"a@b.org\"}\n").await;
    bridge.send(&burst(2_004..2_005)).await;
    arrive(&own, 1_001).await;
    let passes = |record: &&Record| record.level >= 40;
    let expected = own.records().iter().filter(passes).count();
    arrive(&outside, expected).await;
    bridge.stop().await.expect("a clean end");
    assert_eq!(own.dead_letters().len(), 1);
    assert!(outside.dead_letters().is_empty());
    for (sent, left) in own.records().iter().filter(passes).zip(outside.records()) {
        let message = match sent.message.split_once(" of ") {
            Some((before, _)) => format!("{before} of [email]"),
            None => sent.message.clone(),
        };
        let only = Record {
            received_us: sent.received_us,
            created_us: sent.created_us,
            level: sent.level,
            message,
            system_id: sent.system_id.clone(),
            extra: only_attempt(&sent.extra),
            ..Record::default()
        };
        assert_eq!(left, only);
    }
    // Every number has its place: neither rows nor losses, and none is lacking.
    let widths: u64 = outside.state().entries.iter().map(Entry::width).sum();
    assert_eq!(widths, 1_002);
    assert!(
        !outside
            .state()
            .entries
            .iter()
            .any(|it| matches!(it, Entry::Gap(_)))
    );
}

/// Guards against what one route leaves out being taken for what the other has sent.
#[tokio::test(flavor = "multi_thread")]
async fn two_destinations_may_be_the_same_receiver() {
    let folder = tempfile::tempdir().expect("a folder");
    let (own, outside) = (Store::start().await, Store::start().await);
    let routes = [
        to("errors", &outside.url(), "query = \"level>=error\""),
        to("others", &outside.url(), "query = \"level<error\""),
    ]
    .concat();
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &routes, &[]).await;
    bridge.send(&burst(0..1_000)).await;
    arrive(&own, 1_000).await;
    arrive(&outside, 1_000).await;
    bridge.stop().await.expect("a clean end");
}

fn only_attempt(extra: &str) -> String {
    let extra: serde_json::Value = serde_json::from_str(extra).expect("JSON");
    serde_json::json!({ "attempt": extra["attempt"] }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_destination_delays_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let (own, alive) = (Store::start().await, Store::start().await);
    // One refuses connections, one takes them and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", silent.local_addr().expect("a port"));
    let routes = [
        to("dead", DEAD, ""),
        to("silent", &silent, ""),
        to("alive", &alive.url(), ""),
    ]
    .concat();
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &routes, &[]).await;
    for number in 0..20 {
        let begun = Instant::now();
        bridge.send(&burst(number..number + 1)).await;
        arrive(&own, number as usize + 1).await;
        arrive(&alive, number as usize + 1).await;
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "{:?}",
            begun.elapsed()
        );
    }
    bridge.stop().await.expect("a clean end");
}

/// A destination that is there and full has not failed: it is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_destination_is_told_of_as_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let (own, full) = (Store::start().await, Store::start().await);
    full.state().is_full = true;
    let routes = [to("full", &full.url(), ""), to("dead", DEAD, "")].concat();
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &routes, &[]).await;
    bridge.send(&burst(0..10)).await;
    let waiting = |name: &str| {
        let report = own.state().report.clone()?;
        let found = report.destinations.into_iter().find(|it| it.name == name);
        found.map(|it| it.is_waiting)
    };
    wait_until("it is waited for", PATIENCE, async || {
        waiting("full") == Some(true)
    })
    .await;
    assert_eq!(waiting("dead"), Some(false));
    full.state().is_full = false;
    arrive(&full, 10).await;
    wait_until("the wait is over", PATIENCE, async || {
        waiting("full") == Some(false)
    })
    .await;
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn destinations_come_and_go_without_a_loss() {
    let folder = tempfile::tempdir().expect("a folder");
    let (own, late) = (Store::start().await, Store::start().await);
    let dead = to("dead", DEAD, "");
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &dead, &[]).await;
    bridge.send(&burst(0..100)).await;
    arrive(&own, 100).await;
    bridge.stop().await.expect("a clean end");

    // Reordered, with new ones: what the dead one lacks is there for the oldest.
    let newest = Store::start().await;
    let routes = [
        to("late", &late.url(), ""),
        dead.clone(),
        to("new", &newest.url(), "begin = \"newest\""),
    ]
    .concat();
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &routes, &[]).await;
    arrive(&late, 100).await;
    bridge.send(&burst(100..200)).await;
    for (store, count) in [(&own, 200), (&late, 200), (&newest, 100)] {
        arrive(store, count).await;
        assert_eq!(store.records().len(), count);
    }
    bridge.stop().await.expect("a clean end");

    // The dead one is removed, comes back to life, and gets all of it.
    let bridge = UnderTest::start_in_zone(folder.path(), &own, "", &[]).await;
    bridge.send(&burst(200..300)).await;
    arrive(&own, 300).await;
    bridge.stop().await.expect("a clean end");
    let back = Store::start().await;
    let routes = to("dead", &back.url(), "");
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &routes, &[]).await;
    arrive(&back, 300).await;
    let expected: Vec<_> = (0..300).map(|number| format!("record {number}")).collect();
    assert_eq!(back.messages(), expected);
    bridge.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_destination_is_forgotten_when_somebody_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = Store::start().await;
    let spool = folder.path().join("spool");
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &to("gone", DEAD, ""), &[]).await;
    bridge.send(&burst(0..10)).await;
    arrive(&own, 10).await;
    let forget = async |name: &str| {
        let forgotten = spool::forget(&spool, name, PATIENCE).await;
        forgotten.expect("a folder")
    };
    assert_eq!(
        forget("gone").await,
        spool::Forgotten::Kept,
        "it is at work"
    );
    assert_eq!(forget("nobody").await, spool::Forgotten::Unknown);
    bridge.stop().await.expect("a clean end");
    // While a bridge runs that has no route there, and while none runs.
    let bridge = UnderTest::start_in_zone(folder.path(), &own, "", &[]).await;
    assert_eq!(forget("gone").await, spool::Forgotten::Gone);
    assert_eq!(forget("store").await, spool::Forgotten::Kept);
    bridge.stop().await.expect("a clean end");
    assert_eq!(forget("gone").await, spool::Forgotten::Unknown);
    assert_eq!(forget("store").await, spool::Forgotten::Gone);
}

/// A full spool: the destination that is dead goes without its oldest entries, and
/// is told how many; the store gets everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_destination_does_not_fill_the_spool_for_the_others() {
    for rules in ["", "max_backlog = \"128KiB\""] {
        let folder = tempfile::tempdir().expect("a folder");
        let own = Store::start().await;
        let vars = [
            ("BRIDGE_SEGMENT_BYTES", "64KiB"),
            ("BRIDGE_SPOOL_MAX_BYTES", "512KiB"),
        ];
        let routes = to("dead", DEAD, rules);
        let bridge = UnderTest::start_in_zone(folder.path(), &own, &routes, &vars).await;
        for part in 0..30 {
            bridge.send(&burst(part * 100..(part + 1) * 100)).await;
            arrive(&own, (part as usize + 1) * 100).await;
        }
        bridge.stop().await.expect("a clean end");
        // The records that tell of a spool that fills up are no programs'.
        let sent = |store: &Store| {
            let messages = store.messages().into_iter();
            messages.filter(|it| it.starts_with("record ")).count()
        };
        assert_eq!(sent(&own), 3_000);
        assert!(!own.messages().iter().any(|it| it.contains("dropped")));
        let back = Store::start().await;
        let routes = to("dead", &back.url(), rules);
        let bridge = UnderTest::start_in_zone(folder.path(), &own, &routes, &vars).await;
        wait_until(
            "it has everything or knows what it lacks",
            PATIENCE,
            async || back.messages().last().is_some_and(|it| it == "record 2999"),
        )
        .await;
        let entries = back.state().entries.clone();
        let lost: u64 = entries
            .iter()
            .map(|entry| match entry {
                Entry::Gap(gap) => gap.frames(),
                _ => 0,
            })
            .sum();
        assert!(lost > 0 && sent(&back) < 3_000);
        let widths: u64 = entries.iter().map(Entry::width).sum();
        assert!(widths >= 3_000, "{widths}");
        bridge.stop().await.expect("a clean end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept_and_a_bridge_needs_no_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let slow = Store::start().await;
    let routes = to("slow", &slow.url(), "rate = 200");
    let vars = [("BRIDGE_STORE_URL", "none")];
    let bridge = UnderTest::start_in_zone(folder.path(), &slow, &routes, &vars).await;
    let begun = Instant::now();
    bridge.send(&burst(0..300)).await;
    arrive(&slow, 300).await;
    assert!(
        begun.elapsed() > Duration::from_millis(1_200),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(slow.records().len(), 300);
    bridge.stop().await.expect("a clean end");
}
