//! Who reads slowly does not keep the write-ahead log from being cut: nobody
//! within the store can; somebody else with a transaction on the file can, until
//! it ends, and even then records are taken.

use std::fs;

use domain::RecordQuery;
use proto::v1;
use sqlx::Connection;
use testkit::wait_until;
use uuid::Uuid;

use crate::harness::{Bridge, DEADLINE, Store, bulky};

const ONE: Uuid = Uuid::from_u128(1);
const WAL_BYTES: u64 = 4 << 20;
/// Several times the log, in batches of 256 KiB.
const BATCHES: u64 = 48;

fn log_bytes(store: &Store) -> u64 {
    let log = store.folder.path().join("herald.sqlite_t-wal");
    fs::metadata(log).map_or(0, |log| log.len())
}

/// Appends, and gives how long the log ever was.
async fn load(store: &Store, bridge: &mut Bridge, next: &mut u64) -> u64 {
    let mut most = 0;
    for _ in 0..BATCHES {
        let batch = bulky(*next..*next + 256, 7);
        bridge.append(*next, batch).await.unwrap();
        *next += 256;
        most = most.max(log_bytes(store));
    }
    most
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_and_tails_that_are_held_still_do_not_hold_up_the_log() {
    let store = Store::start_with(|config| config.wal_bytes = WAL_BYTES).await;
    let mut clients = store.clients();
    let (mut bridge, mut next) = clients.open(ONE).await;
    load(&store, &mut bridge, &mut next).await;
    let all = v1::ExportRecordsRequest::default();
    let mut export = clients
        .records
        .export_records(all)
        .await
        .unwrap()
        .into_inner();
    let from_the_start = v1::TailRecordsRequest {
        after: Some(1),
        ..v1::TailRecordsRequest::default()
    };
    let tail = clients.records.tail_records(from_the_start).await;
    let mut tail = tail.unwrap().into_inner();
    let held = next - 1;
    let mut exported = export.message().await.unwrap().unwrap().records.len() as u64;
    tail.message().await.unwrap().unwrap();
    let most = load(&store, &mut bridge, &mut next).await;
    assert!(most < 2 * WAL_BYTES, "the log grew to {most} bytes");
    while let Some(piece) = export.message().await.unwrap() {
        exported += piece.records.len() as u64;
    }
    assert_eq!(exported, held);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_on_the_file_holds_up_the_log_but_no_record() {
    let store = Store::start_with(|config| config.wal_bytes = WAL_BYTES).await;
    let mut clients = store.clients();
    let (mut bridge, mut next) = clients.open(ONE).await;
    load(&store, &mut bridge, &mut next).await;
    let mut foreign = store.database().await;
    let mut pin = foreign.begin().await.unwrap();
    let blocks: i64 = sqlx::query_scalar("SELECT count(*) FROM block")
        .fetch_one(&mut *pin)
        .await
        .unwrap();
    assert!(blocks > 0);
    let most = load(&store, &mut bridge, &mut next).await;
    assert!(most > WAL_BYTES, "the pin held: {most}");
    let page = clients.list(RecordQuery::default()).await;
    assert_eq!(page.records[0].id, next - 1, "reading goes on, too");
    pin.rollback().await.unwrap();
    wait_until("the log is cut", DEADLINE, async || {
        log_bytes(&store) < WAL_BYTES
    })
    .await;
}
