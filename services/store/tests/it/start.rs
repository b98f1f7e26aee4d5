//! What keeps a store from starting is told in one message that names the
//! variable, with exit code 2, before anything has been changed.

use std::{fs, path::Path, time::Duration};

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use testkit::Process;
use tokio::net::TcpListener;

use crate::harness::{DEADLINE, Store, database, entries};

fn start(folder: &Path, more: &[(&str, &str)]) -> Process {
    let folder = folder.to_str().unwrap();
    let mut vars = vec![
        ("DEV_STAGE", "TESTING"),
        ("STORE_LISTEN", "127.0.0.1:0"),
        ("STORE_DATA_DIR", folder),
    ];
    vars.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    vars.extend_from_slice(more);
    Process::start(env!("CARGO_BIN_EXE_store"), [""; 0], vars)
}

async fn check_refused(folder: &Path, more: &[(&str, &str)], texts: &[&str]) {
    let mut process = start(folder, more);
    let status = process.end(DEADLINE).await;
    let told = process.stderr();
    assert_eq!(status.code(), Some(2), "{told}");
    for text in texts {
        assert!(told.contains(text), "`{text}` is not in: {told}");
    }
    assert_eq!(told.lines().count(), 1, "one message: {told}");
}

async fn execute(path: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut conn = options.create_if_missing(true).connect().await.unwrap();
    sqlx::query(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

#[tokio::test]
async fn wrong_variables_are_named() {
    let folder = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check_refused(
        folder.path(),
        &[("DEV_STAGE", "LIVE")],
        &["DEV_STAGE", "LIVE"],
    )
    .await;
    check_refused(
        folder.path(),
        &[("STORE_RETENTION", "soon")],
        &["STORE_RETENTION", "30d"],
    )
    .await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    check_refused(
        folder.path(),
        &[("STORE_LISTEN", &address)],
        &["STORE_LISTEN", &address],
    )
    .await;
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below_file = file.join("below");
    check_refused(
        &below_file,
        &[],
        &["STORE_DATA_DIR", "cannot be written to"],
    )
    .await;
}

#[tokio::test]
async fn databases_that_are_not_ours_are_left_alone() {
    let check = async |prepare: &'static str, text: &str| {
        let folder = TempDir::new().unwrap();
        execute(&database(folder.path()), prepare).await;
        let before = fs::read(database(folder.path())).unwrap();
        check_refused(folder.path(), &[], &["STORE_DATA_DIR", text]).await;
        assert_eq!(fs::read(database(folder.path())).unwrap(), before);
    };
    check("CREATE TABLE log (message TEXT)", "herald import").await;

    let folder = TempDir::new().unwrap();
    fs::write(
        database(folder.path()),
        "no database at all, but a text".repeat(99),
    )
    .unwrap();
    check_refused(folder.path(), &[], &["STORE_DATA_DIR", "not a database"]).await;

    let mut store = Store::start().await;
    store.stop().await;
    execute(
        &database(store.folder.path()),
        "INSERT INTO _sqlx_migrations VALUES (9999, 'to come', 0, 1, x'00', 0)",
    )
    .await;
    check_refused(
        store.folder.path(),
        &[],
        &["STORE_DATA_DIR", "newer version"],
    )
    .await;
}

#[tokio::test]
async fn a_second_store_on_one_folder_is_refused() {
    let store = Store::start().await;
    let (mut bridge, _) = store.clients().open(uuid::Uuid::from_u128(1)).await;
    bridge.append(1, entries("a", 1..2)).await.unwrap();
    check_refused(
        store.folder.path(),
        &[],
        &["STORE_DATA_DIR", "another store"],
    )
    .await;
}

#[tokio::test]
async fn the_process_ends_in_good_order_on_a_signal() {
    let folder = TempDir::new().unwrap();
    let mut process = start(folder.path(), &[]);
    testkit::wait_until("it serves", DEADLINE, async || {
        process.stderr().contains("serving")
    })
    .await;
    process.terminate();
    let status = process.end(Duration::from_secs(5)).await;
    assert_eq!(status.code(), Some(0), "{}", process.stderr());
    let wal = folder.path().join("herald.sqlite_t-wal");
    assert!(!wal.exists(), "the log is merged into the database");
}
