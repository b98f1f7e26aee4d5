//! Systems that have been seen: by the store's clock, without the notes of the
//! predecessor's neelix, longer than their records.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{Entry, Record};
use proto::v1::{self, append_request};
use tempfile::TempDir;
use testkit::wait_until;
use uuid::Uuid;

use crate::{
    crash::{serving, start},
    harness::{Clients, DEADLINE, Store, as_entries},
};

const ONE: Uuid = Uuid::from_u128(1);

fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_micros() as i64
}

fn record(system: &str, host: &str, received_us: i64) -> Record {
    Record {
        system_id: system.to_owned(),
        sub_system_id: host.to_owned(),
        received_us,
        ..testkit::record(1)
    }
}

/// As the predecessor's neelix wrote it.
fn note(system: &str, received_us: i64) -> Record {
    Record {
        system_id: system.to_owned(),
        message: format!("Neelix added Notification AGE for {system}"),
        level: 30,
        level_name: "WARNING".to_owned(),
        received_us,
        ..Record::default()
    }
}

async fn seen(clients: &mut Clients) -> Vec<v1::SeenSystem> {
    let request = v1::ListSeenSystemsRequest {
        limit: 10_000,
        ..v1::ListSeenSystemsRequest::default()
    };
    let seen = clients.runs.list_seen_systems(request).await.unwrap();
    seen.into_inner().systems
}

async fn names(clients: &mut Clients) -> Vec<String> {
    let name = |it: v1::SeenSystem| format!("{}/{}", it.system_id, it.sub_system_id);
    seen(clients).await.into_iter().map(name).collect()
}

#[tokio::test]
async fn systems_are_seen_when_the_store_takes_their_records() {
    let mut store = Store::start().await;
    let mut clients = store.clients();
    let before_us = now_us();
    let (mut bridge, _) = clients.open(ONE).await;
    let records = [
        record("shop", "h2", 5_000),
        record("shop", "h1", 7_000),
        record("shop", "h2", before_us + 3_600_000_000),
        record("", "h1", 7_000),
    ];
    bridge.append(1, as_entries(&records)).await.unwrap();
    let check = |systems: &[v1::SeenSystem]| {
        let [one, two] = systems else {
            panic!("{systems:?}");
        };
        assert_eq!(
            (&*one.system_id, &*one.sub_system_id, one.last_id),
            ("shop", "h1", 2)
        );
        assert_eq!(
            (one.first_received_us, one.last_received_us),
            (7_000, 7_000)
        );
        assert!((before_us..=now_us()).contains(&one.last_stored_us));
        assert_eq!((&*two.sub_system_id, two.last_id), ("h2", 3));
        assert_eq!(two.first_received_us, 5_000);
        assert_eq!(
            two.last_received_us, two.last_stored_us,
            "no clock is ahead of the store's"
        );
    };
    check(&seen(&mut clients).await);
    store.restart().await;
    check(&seen(&mut store.clients()).await);
    let table = "SELECT count(*) FROM system";
    assert_eq!(store.count(table).await, 2);
}

#[tokio::test]
async fn pages_go_on_behind_a_name() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let records = [("a", "1"), ("a", "2"), ("b", "")].map(|(it, host)| record(it, host, 1));
    bridge.append(1, as_entries(&records)).await.unwrap();
    let mut request = v1::ListSeenSystemsRequest {
        limit: 2,
        ..v1::ListSeenSystemsRequest::default()
    };
    let page = clients
        .runs
        .list_seen_systems(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!((page.systems.len(), page.more), (2, true));
    request
        .after_system_id
        .clone_from(&page.systems[1].system_id);
    request
        .after_sub_system_id
        .clone_from(&page.systems[1].sub_system_id);
    let page = clients
        .runs
        .list_seen_systems(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!((&*page.systems[0].system_id, page.more), ("b", false));
    request.limit = 10_001;
    assert!(clients.runs.list_seen_systems(request).await.is_err());
}

#[tokio::test]
async fn notes_of_the_predecessor_are_no_sign_of_life() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let mut told = note("till", 9);
    told.logger = "till".to_owned();
    let records = [
        note("dead", 9),
        record("shop", "", 5),
        note("shop", 9),
        told,
    ];
    bridge.append(1, as_entries(&records)).await.unwrap();
    let systems = seen(&mut clients).await;
    let last: Vec<_> = systems
        .iter()
        .map(|it| (&*it.system_id, it.last_id))
        .collect();
    assert_eq!(last, [("shop", 2), ("till", 4)]);
}

#[tokio::test]
async fn what_is_read_in_was_seen_when_it_was_received() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let entries: Vec<Entry> = as_entries(&[record("old", "", 5_000)]);
    let batch = v1::Batch {
        first_sequence: 1,
        entries: entries.into_iter().map(Into::into).collect(),
        mark: "row 1".to_owned(),
    };
    bridge.send(append_request::Step::Batch(batch)).await;
    bridge.acknowledged(2).await.unwrap();
    assert_eq!(seen(&mut clients).await[0].last_stored_us, 5_000);
}

#[tokio::test]
async fn they_outlive_their_records() {
    let mut store = Store::start_with(|config| config.retention = Duration::from_secs(1)).await;
    let (mut bridge, _) = store.clients().open(ONE).await;
    bridge
        .append(1, as_entries(&[record("shop", "h1", 5_000)]))
        .await
        .unwrap();
    wait_until("the record is gone", DEADLINE, async || {
        store.clients().get_status().await.records == 0
    })
    .await;
    assert_eq!(names(&mut store.clients()).await, ["shop/h1"]);
    store.restart().await;
    assert_eq!(names(&mut store.clients()).await, ["shop/h1"]);
}

#[tokio::test]
async fn a_killed_store_catches_up() {
    let folder = TempDir::new().unwrap();
    let mut process = start(&folder);
    let clients = serving(&process).await;
    let (mut bridge, _) = clients.open(ONE).await;
    let records = [
        record("shop", "h1", 5_000),
        note("dead", 9),
        record("till", "", 6_000),
    ];
    bridge.append(1, as_entries(&records)).await.unwrap();
    process.kill().await;
    let process = start(&folder);
    let mut clients = serving(&process).await;
    let systems = seen(&mut clients).await;
    let stored: Vec<_> = systems
        .iter()
        .map(|it| (&*it.system_id, it.last_stored_us, it.last_id))
        .collect();
    assert_eq!(stored, [("shop", 5_000, 1), ("till", 6_000, 3)]);
}

#[tokio::test]
async fn the_least_recently_seen_of_too_many_are_forgotten() {
    let mut store = Store::start().await;
    let (mut bridge, _) = store.clients().open(ONE).await;
    for first in (0..106_000_u64).step_by(1_000) {
        let records: Vec<_> = (first..first + 1_000)
            .map(|number| record(&format!("s{number:06}"), "", 1))
            .collect();
        bridge
            .append(first + 1, as_entries(&records))
            .await
            .unwrap();
    }
    let first = |systems: &[v1::SeenSystem]| systems[0].system_id.clone();
    assert_eq!(first(&seen(&mut store.clients()).await), "s006000");
    store.restart().await;
    assert_eq!(first(&seen(&mut store.clients()).await), "s006000");
    assert_eq!(store.count("SELECT count(*) FROM system").await, 100_000);
}
