//! Copies of the database while records come in.

use std::{fs, path::Path};

use proto::v1;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tonic::Code;
use uuid::Uuid;

use crate::harness::{Clients, Store, bulky, database, entries};

const ONE: Uuid = Uuid::from_u128(1);

pub(crate) async fn backup(clients: &mut Clients, path: &Path) {
    let request = v1::BackupRequest {};
    let mut pieces = clients.status.backup(request).await.unwrap().into_inner();
    let mut copy = Vec::new();
    let mut total_bytes = 0;
    while let Some(piece) = pieces.message().await.unwrap() {
        copy.extend_from_slice(&piece.chunk);
        total_bytes = piece.total_bytes;
    }
    assert_eq!(copy.len() as u64, total_bytes);
    fs::write(path, copy).unwrap();
}

/// Records below the number that the copy expects next: no more and no fewer.
async fn check_consistent(path: &Path) {
    let mut conn = SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap();
    let next: i64 = sqlx::query_scalar("SELECT next_sequence FROM bridge")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    let records: i64 = sqlx::query_scalar("SELECT sum(count) FROM block")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(records, next - 1);
    let check: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(check, "ok");
    conn.close().await.unwrap();
}

#[tokio::test]
async fn a_copy_is_consistent_while_records_come_in_and_a_store_starts_on_it() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    bridge.append(1, entries("a", 1..501)).await.unwrap();
    let ingest = tokio::spawn(async move {
        let mut next = 501;
        while next < 20_001 {
            bridge
                .append(next, entries("a", next..next + 100))
                .await
                .unwrap();
            next += 100;
        }
    });
    let folder = TempDir::new().unwrap();
    let mut copies = 0;
    while !ingest.is_finished() || copies < 3 {
        let copy = folder.path().join(format!("copy {copies}"));
        backup(&mut clients, &copy).await;
        check_consistent(&copy).await;
        copies += 1;
    }
    ingest.await.unwrap();

    let other = TempDir::new().unwrap();
    backup(&mut clients, &database(other.path())).await;
    let restored = Store::start_in(other, |_| {}).await;
    assert_eq!(
        restored.clients().messages().await,
        clients.messages().await
    );
    assert_eq!(restored.clients().open(ONE).await.1, 20_001);
}

#[tokio::test]
async fn nothing_is_left_behind_and_one_copy_is_made_at_a_time() {
    let folder = TempDir::new().unwrap();
    let left_over = folder.path().join("backup-of-a-crash.tmp");
    fs::write(&left_over, "half a copy").unwrap();
    let store = Store::start_in(folder, |_| {}).await;
    assert!(
        !left_over.exists(),
        "a crash's copy is removed at the start"
    );

    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    // More than fits into what lies between server and client.
    for first in (1..20_001).step_by(1_000) {
        let batch = bulky(first..first + 1_000, 7);
        bridge.append(first, batch).await.unwrap();
    }
    let request = || v1::BackupRequest {};
    let first = clients.status.backup(request()).await.unwrap();
    let refused = clients.status.backup(request()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    drop(first);
    testkit::wait_until(
        "the next copy can be made",
        crate::harness::DEADLINE,
        async || clients.status.backup(request()).await.is_ok(),
    )
    .await;
    let names = fs::read_dir(store.folder.path()).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    let is_copy = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("backup-");
    assert!(!names.iter().any(is_copy), "{names:?}");
}
