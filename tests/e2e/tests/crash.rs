//! kill -9 of bridge and store at random moments under load: what was synced
//! is neither lost nor doubled, and everything starts again within 5 s.
//! `HERALD_KILLS=500` kills more often, `HERALD_SEED` repeats a run.

#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{env, time::Duration};

use e2e::{
    account::arrived,
    api,
    chance::Chance,
    sender::Sender,
    spool::{Promise, promise},
};
use serde_json::Value;
use testkit::{Installation, wait_until};

/// Records per second of each of two senders.
const RATE: u64 = 1_000;
const SOON: Duration = Duration::from_secs(60);

fn kills() -> u64 {
    env::var("HERALD_KILLS").map_or(50, |kills| kills.parse().expect("HERALD_KILLS is a number"))
}

fn senders(herald: &Installation) -> [Sender; 2] {
    ["left", "right"].map(|name| Sender::start(name, herald.bridge_address(), RATE))
}

fn sent(senders: &[Sender; 2]) -> u64 {
    senders.iter().map(Sender::sent).sum()
}

/// Lets the load go on until `more` records have been sent.
async fn until_sent(senders: &[Sender; 2], more: u64) {
    let goal = sent(senders) + more;
    wait_until("the load goes on", SOON, async || sent(senders) >= goal).await;
}

#[tokio::test]
async fn what_a_killed_bridge_had_synced_is_stored_exactly_once() {
    let mut chance = Chance::from_environment();
    // Small segments, so that kills meet their beginnings and ends too.
    let herald = Installation::new().with("BRIDGE_SEGMENT_BYTES", "256KiB");
    let _store = herald.store().await;
    let _web = herald.web().await;
    let senders = senders(&herald);
    let mut promises = Vec::new();
    for _ in 0..kills() {
        // Installation::bridge fails when that takes longer than 5 s.
        let mut bridge = herald.bridge().await;
        until_sent(&senders, chance.below(400)).await;
        wait_for_moment(&mut chance).await;
        bridge.kill().await;
        promises.extend(promise(&herald.spool()));
    }
    let _bridge = herald.bridge().await;
    let mut expected_last = Vec::new();
    for sender in senders {
        let goal = sender.sent() + 1;
        wait_until("it sends again", SOON, async || sender.sent() >= goal).await;
        expected_last.push(sender.stop().await.pop_last().unwrap());
    }
    let records = settled(&herald, &expected_last).await;

    // No duplicate, no hole, and the order of every connection.
    let counts = arrived(&records);
    // Nothing went wrong with the last connections: they are complete.
    for (connection, count) in &expected_last {
        assert_eq!(counts.get(connection), Some(count), "{connection}");
    }
    let status = api::status(&herald.web_url()).await;
    check_promises(&promises, &status);
    assert!(
        records.len() as u64 > 20 * kills(),
        "hardly any load: {status}"
    );
    assert_eq!(status["lost"], 0, "{status}");
    assert_eq!(status["dead_letters"], 0, "{status}");
    assert_eq!(status["records"], records.len(), "{status}");
}

/// A moment that has nothing to do with what anybody is doing.
async fn wait_for_moment(chance: &mut Chance) {
    let moment = chance.time(Duration::ZERO, Duration::from_millis(30));
    let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
}

/// Every number that was synced has been taken by the store.
fn check_promises(promises: &[Promise], status: &Value) {
    assert!(!promises.is_empty());
    let bridges = status["bridges"].as_array().unwrap();
    for promise in promises {
        let taken = bridges
            .iter()
            .find(|bridge| bridge["bridge_id"] == promise.bridge_id.as_str())
            .map_or(promise.first, |bridge| {
                bridge["next_sequence"].as_u64().unwrap()
            });
        assert!(
            taken >= promise.durable_next,
            "the store took up to {taken} of {promise:?}"
        );
    }
}

#[tokio::test]
async fn a_killed_store_loses_and_doubles_nothing() {
    let mut chance = Chance::from_environment();
    let herald = Installation::new();
    let _bridge = herald.bridge().await;
    let senders = senders(&herald);
    for _ in 0..kills() {
        let mut store = herald.store().await;
        until_sent(&senders, chance.below(400)).await;
        wait_for_moment(&mut chance).await;
        store.kill().await;
    }
    let _store = herald.store().await;
    let _web = herald.web().await;
    let mut expected = Vec::new();
    for sender in senders {
        expected.extend(sender.stop().await);
    }
    assert_eq!(expected.len(), 2, "the bridge kept its connections");
    let records = settled(&herald, &expected).await;
    let counts: Vec<_> = arrived(&records).into_iter().collect();
    assert_eq!(counts, expected);
    let status = api::status(&herald.web_url()).await;
    assert_eq!(status["lost"], 0, "{status}");
    assert_eq!(status["records"], records.len(), "{status}");
}

/// Waits until the last record of each of these connections is there, and with
/// it everything that the bridge took before; returns all records.
async fn settled(herald: &Installation, last: &[(String, u64)]) -> Vec<Value> {
    for (connection, count) in last {
        let newest = format!("user_spec_1={connection}&limit=1");
        let message = format!("record {}", count - 1);
        wait_until("the last record is there", SOON, async || {
            let url = format!("{}/api/v1/records?{newest}", herald.web_url());
            let page = testkit::http::get_json(&url).await;
            page.is_some_and(|page| page["records"][0]["message"] == message.as_str())
        })
        .await;
    }
    api::all(&herald.web_url(), "").await
}
