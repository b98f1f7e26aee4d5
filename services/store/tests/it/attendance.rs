//! Up to when everything is here, and since when: over bridges and stores that
//! start again, lag, or are gone.

use std::time::{SystemTime, UNIX_EPOCH};

use proto::v1::{self, append_request};
use testkit::wait_until;
use uuid::Uuid;

use crate::harness::{Bridge, Clients, DEADLINE, Store, entries};

const ONE: Uuid = Uuid::from_u128(1);
const TWO: Uuid = Uuid::from_u128(2);
const S: i64 = 1_000_000;

fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_micros() as i64
}

async fn state(clients: &mut Clients) -> v1::RunState {
    let request = v1::GetRunStateRequest {};
    let state = clients.runs.get_run_state(request).await.unwrap();
    state.into_inner().state.unwrap()
}

async fn report(bridge: &Bridge, lag_ms: u64) {
    let report = v1::BridgeReport {
        lag_ms,
        ..v1::BridgeReport::default()
    };
    bridge.send(append_request::Step::Report(report)).await;
}

/// Waits until what is not here yet is so old, by the store's clock.
async fn wait_for_lag(store: &Store, seconds: std::ops::Range<i64>) {
    wait_until("the bridge has reported", DEADLINE, async || {
        let state = state(&mut store.clients()).await;
        seconds.contains(&((state.now_us - state.complete_us) / S))
    })
    .await;
}

#[tokio::test]
async fn without_a_bridge_all_is_here() {
    let store = Store::start().await;
    let state = state(&mut store.clients()).await;
    assert_eq!(state.complete_us, state.now_us);
    assert_eq!(state.attended_since_us, 0);
}

#[tokio::test]
async fn a_bridge_tells_how_far_it_is() {
    let store = Store::start().await;
    let before_us = now_us();
    let (mut bridge, _) = store.clients().open(ONE).await;
    bridge.append(1, entries("a", 1..2)).await.unwrap();
    let told = state(&mut store.clients()).await;
    assert_eq!(
        told.complete_us, told.now_us,
        "it says nothing of a backlog"
    );
    assert!((before_us..=now_us()).contains(&told.attended_since_us));
    report(&bridge, 3_600_000).await;
    wait_for_lag(&store, 3_600..3_620).await;
    report(&bridge, 0).await;
    wait_for_lag(&store, 0..2).await;
}

#[tokio::test]
async fn a_bridge_that_is_gone_holds_the_time() {
    let store = Store::start().await;
    let (bridge, _) = store.clients().open(ONE).await;
    report(&bridge, 0).await;
    wait_until("it is here", DEADLINE, async || {
        let status = store.clients().get_status().await;
        status.bridges[0].report.is_some()
    })
    .await;
    drop(bridge);
    let first = state(&mut store.clients()).await;
    wait_until("time goes on", DEADLINE, async || {
        let state = state(&mut store.clients()).await;
        assert_eq!(state.complete_us, first.complete_us);
        state.now_us > first.now_us + S / 5
    })
    .await;
}

#[tokio::test]
async fn a_bridge_that_starts_again_is_another() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (bridge, _) = clients.open_as(ONE, "bridge").await;
    let first = state(&mut clients).await;
    report(&bridge, 0).await;
    drop(bridge);
    wait_until("it is gone", DEADLINE, async || {
        let state = state(&mut store.clients()).await;
        state.complete_us < state.now_us
    })
    .await;
    let (bridge, _) = clients.open_as(TWO, "bridge").await;
    wait_until("the new one counts", DEADLINE, async || {
        report(&bridge, 0).await;
        let state = state(&mut store.clients()).await;
        state.complete_us > first.now_us && state.now_us - state.complete_us < S
    })
    .await;
    let again = state(&mut clients).await;
    assert!(again.attended_since_us > first.attended_since_us);
    // The same identity again, as after a cut of the network: nothing was lost.
    drop(bridge);
    let (_bridge, _) = clients.open_as(TWO, "bridge").await;
    let back = state(&mut clients).await;
    assert_eq!(back.attended_since_us, again.attended_since_us);
}

/// Guards against a crash of a bridge going unnoticed because its new process sends
/// first what the spool of the old one still has.
#[tokio::test]
async fn an_absence_is_noted_though_the_spool_goes_on() {
    let mut store = Store::start().await;
    let clients = store.clients();
    let (bridge, _) = clients.open_as(ONE, "bridge").await;
    drop(bridge);
    let left = state(&mut store.clients()).await;
    wait_until("it was away for a while", DEADLINE, async || {
        state(&mut store.clients()).await.now_us > left.now_us + S / 2
    })
    .await;
    // It has been there for a tenth of a second, and for an hour: a mere cut.
    let (bridge, _) = clients.open_after(ONE, 100).await;
    drop(bridge);
    let (_bridge, _) = clients.open_after(ONE, 3_600_000).await;
    let told = state(&mut store.clients()).await.interruptions;
    let [absence] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(absence.from_us <= left.now_us, "{absence:?}");
    assert!(absence.to_us > left.now_us, "{absence:?}");
    store.restart().await;
    let (_bridge, _) = store.clients().open_after(ONE, 1).await;
    let after = state(&mut store.clients()).await.interruptions;
    assert_eq!(after[0], told[0]);
}

#[tokio::test]
async fn a_store_that_starts_again_waits_for_its_bridges() {
    let mut store = Store::start().await;
    let (bridge, _) = store.clients().open(ONE).await;
    report(&bridge, 0).await;
    wait_until("it has reported", DEADLINE, async || {
        store.clients().get_status().await.bridges[0]
            .report
            .is_some()
    })
    .await;
    let before = state(&mut store.clients()).await;
    store.restart().await;
    drop(bridge);
    let after = state(&mut store.clients()).await;
    assert!(
        after.complete_us <= before.now_us,
        "what came since is in its spool"
    );
    assert_eq!(after.attended_since_us, before.attended_since_us);
    let (bridge, _) = store.clients().open(ONE).await;
    let opened = state(&mut store.clients()).await;
    assert_eq!(
        opened.complete_us, after.complete_us,
        "it has not said how much"
    );
    report(&bridge, 60_000).await;
    wait_for_lag(&store, 60..80).await;
    report(&bridge, 0).await;
    wait_for_lag(&store, 0..2).await;
}

#[tokio::test]
async fn a_bridge_that_was_removed_is_given_up() {
    let mut store = Store::start().await;
    let (bridge, _) = store.clients().open(ONE).await;
    drop(bridge);
    store.stop().await;
    let mut conn = store.database().await;
    let hour_ago_us = now_us() - 3_600 * S;
    sqlx::query("UPDATE bridge SET first_contact_us = ?1, contact_us = ?1")
        .bind(hour_ago_us)
        .execute(&mut conn)
        .await
        .unwrap();
    drop(conn);
    store.resume().await;
    let state = state(&mut store.clients()).await;
    assert_eq!(state.complete_us, state.now_us);
    assert_eq!(state.attended_since_us, hour_ago_us);
}

#[tokio::test]
async fn an_import_is_no_bridge() {
    let store = Store::start().await;
    let (mut bridge, _) = store.clients().open(ONE).await;
    let batch = v1::Batch {
        first_sequence: 1,
        entries: entries("a", 1..2).into_iter().map(Into::into).collect(),
        mark: "row 1".to_owned(),
    };
    bridge.send(append_request::Step::Batch(batch)).await;
    bridge.acknowledged(2).await.unwrap();
    drop(bridge);
    let state = state(&mut store.clients()).await;
    assert_eq!(
        (state.complete_us, state.attended_since_us),
        (state.now_us, 0)
    );
}
