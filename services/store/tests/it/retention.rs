//! Old records go, by age and by size, and the disk gets its room back.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use domain::{DeadLetter, Entry, Order, RecordQuery};
use testkit::wait_until;
use uuid::Uuid;

use crate::harness::{DEADLINE, Store, bulky, database, entries, gap};

const ONE: Uuid = Uuid::from_u128(1);

fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_micros() as i64
}

fn file_bytes(store: &Store) -> u64 {
    fs::metadata(database(store.folder.path())).unwrap().len()
}

#[tokio::test]
async fn records_dead_letters_and_gaps_go_by_age() {
    let store = Store::start_with(|config| {
        config.retention = Duration::from_secs(3);
        config.wal_bytes = 1 << 20;
    })
    .await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let future_us = now_us() + 3_600_000_000;
    bridge.append(1, bulky(1..1_001, future_us)).await.unwrap();
    for first in (1_001..10_001).step_by(1_000) {
        // Old from the start: may go at once.
        let batch = bulky(first..first + 1_000, now_us() - 2_000_000);
        bridge.append(first, batch).await.unwrap();
    }
    let letter = Entry::DeadLetter(Box::new(DeadLetter {
        head: vec![7; 60_000],
        ..DeadLetter::default()
    }));
    bridge.append(10_001, vec![letter, gap(3)]).await.unwrap();
    assert!(store.count("SELECT count(*) FROM dead_letter").await == 1);

    wait_until("the old ones are gone", DEADLINE, async || {
        let status = store.clients().get_status().await;
        (status.records, status.dead_letters) == (1_000, 0)
            && store.count("SELECT count(*) FROM gap").await == 0
    })
    .await;
    wait_until("the file has shrunk", DEADLINE, async || {
        file_bytes(&store) < 3 << 20
    })
    .await;
    let status = clients.get_status().await;
    assert_eq!((status.lost, status.newest_id), (3, 10_000));
    assert_eq!((status.retention_s, status.max_bytes), (3, 0));
    assert!((1..now_us()).contains(&status.started_us));
    let (mut bridge, next) = clients.open(ONE).await;
    assert_eq!(next, 10_005, "exactly-once outlives the records");
    bridge.append(10_005, bulky(1..2, future_us)).await.unwrap();
    let ids: Vec<u64> = clients
        .all(500)
        .await
        .iter()
        .map(|record| record.id)
        .collect();
    assert_eq!(ids, (1..1_001).chain([10_001]).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_oldest_go_when_there_are_too_many_bytes() {
    const MAX_BYTES: u64 = 4 << 20;
    let store = Store::start_with(|config| {
        config.max_bytes = Some(MAX_BYTES);
        config.wal_bytes = 1 << 20;
    })
    .await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    for first in (1..20_001).step_by(500) {
        bridge
            .append(first, bulky(first..first + 500, 7))
            .await
            .unwrap();
    }
    // The log is not yet in the file when it comes first.
    wait_until("the file has been cut to its limit", DEADLINE, async || {
        let oldest = RecordQuery {
            order: Order::OldestFirst,
            limit: 1,
            ..RecordQuery::default()
        };
        let page = store.clients().list(oldest).await;
        page.records[0].id > 1 && file_bytes(&store) <= MAX_BYTES
    })
    .await;
    let ids: Vec<u64> = clients
        .all(1_000)
        .await
        .iter()
        .map(|record| record.id)
        .collect();
    let oldest = ids[0];
    assert!(ids.len() > 1_000, "no more than needed: {}", ids.len());
    assert_eq!(ids, (oldest..20_001).collect::<Vec<_>>(), "and only they");
}

#[tokio::test]
async fn dead_letters_cannot_drive_out_the_records() {
    const MAX_BYTES: u64 = 4 << 20;
    let store = Store::start_with(|config| {
        config.max_bytes = Some(MAX_BYTES);
        config.wal_bytes = 1 << 20;
    })
    .await;
    let clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    bridge.append(1, entries("a", 1..1_001)).await.unwrap();
    for first in (1_001..1_201).step_by(20) {
        let letter = DeadLetter {
            head: vec![7; DeadLetter::HEAD_BYTES],
            ..DeadLetter::default()
        };
        let batch = vec![Entry::DeadLetter(Box::new(letter)); 20];
        bridge.append(first, batch).await.unwrap();
    }
    wait_until("the file is below its limit", DEADLINE, async || {
        file_bytes(&store) <= MAX_BYTES
    })
    .await;
    let status = store.clients().get_status().await;
    assert_eq!(status.records, 1_000);
    assert!(status.dead_letters < 200);
}
