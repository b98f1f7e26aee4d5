//! The command line against a running Herald: import, backup, log, status.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use e2e::{
    account::arrived,
    api,
    command::{fail, succeed},
    program,
    sender::Sender,
};
use serde_json::Value;
use testkit::{Installation, binary, python, wait_until};

const SOON: Duration = Duration::from_secs(60);
/// The predecessor's records are older than any default retention.
const KEEP: (&str, &str) = ("STORE_RETENTION", "36500d");

/// Makes or extends a database of the predecessor.
async fn predecessor(path: &Path, first: u64, last: u64) {
    let (first, last) = (first.to_string(), last.to_string());
    let arguments = [path.to_str().unwrap(), &first, &last];
    program::run(
        &python::newest(),
        "predecessor_database.py",
        &arguments,
        &[],
    )
    .await;
}

async fn import(installation: &Installation, path: &Path) -> Value {
    let arguments = ["import", "--time-zone", "Europe/Berlin", "--format", "json"];
    let arguments = [&arguments[..], &[path.to_str().unwrap()]].concat();
    serde_json::from_str(&succeed(installation, &arguments).await).unwrap()
}

/// Rows 1 to `last` are there once each, in order.
async fn check_imported(installation: &Installation, last: usize) -> Vec<Value> {
    let url = installation.web_url();
    let records = api::exactly(&url, "system_id=old_shop", last, SOON).await;
    for (index, record) in records.iter().enumerate() {
        let expected = format!("row {} of the predecessor", index + 1);
        assert_eq!(api::text(record, "message"), expected);
    }
    records
}

#[tokio::test]
async fn an_import_is_exact_however_often_it_is_repeated() {
    let installation = Installation::new().with(KEEP.0, KEEP.1);
    let _up = installation.up().await;
    let file = installation.folder().join("herald.sqlite_d");
    predecessor(&file, 1, 2_500).await;

    let summary = import(&installation, &file).await;
    assert_eq!(
        (&summary["imported"], &summary["already_imported"]),
        (&2_500.into(), &0.into())
    );
    let records = check_imported(&installation, 2_500).await;
    let record = &records[0];
    assert_eq!(api::text(record, "created"), "2024-02-29T23:00:01.000001Z");
    assert_eq!(record["created"], record["received_at"]);
    assert_eq!(api::text(record, "sub_sub_system_id"), "");
    assert_eq!(api::text(record, "level_name"), "WARNING");
    assert_eq!(record["extra"]["relativeCreated"], "1000.5");

    let summary = import(&installation, &file).await;
    assert_eq!(
        (&summary["imported"], &summary["already_imported"]),
        (&0.into(), &2_500.into())
    );
    check_imported(&installation, 2_500).await;

    // The old bridge has gone on writing, and somebody works on a copy.
    let copy = installation.folder().join("copy");
    std::fs::copy(&file, &copy).unwrap();
    predecessor(&copy, 2_501, 3_000).await;
    let summary = import(&installation, &copy).await;
    assert_eq!(
        (&summary["imported"], &summary["already_imported"]),
        (&500.into(), &2_500.into())
    );
    check_imported(&installation, 3_000).await;
}

#[tokio::test]
async fn an_import_survives_the_death_of_either_side() {
    let installation = Installation::new().with(KEEP.0, KEEP.1);
    let mut store = installation.store().await;
    let _web = installation.web().await;
    let file = installation.folder().join("herald.sqlite_d");
    let rows = 60_000;
    predecessor(&file, 1, rows).await;
    let arguments = ["import", "--format", "json", file.to_str().unwrap()];
    let start = || installation.start("herald", &arguments);
    let some_taken = async |more: u64| {
        let records = async || api::status(&installation.web_url()).await["records"].as_u64();
        let goal = records().await.unwrap() + more;
        wait_until("some rows are taken", SOON, async || {
            records().await.unwrap() >= goal
        })
        .await;
    };

    let mut process = start();
    some_taken(1).await;
    process.kill().await;

    let mut process = start();
    // More than the first import can have had on its way when it died.
    some_taken(5_000).await;
    store.kill().await;
    store = installation.store().await;
    let status = process.end(SOON).await;
    assert!(status.success(), "{status}: {}", process.stderr());
    let summary: Value = serde_json::from_str(&process.stdout()).unwrap();
    let count = |field: &str| summary[field].as_u64().unwrap();
    assert_eq!(
        count("imported") + count("already_imported"),
        rows,
        "{summary}"
    );

    check_imported(&installation, usize::try_from(rows).unwrap()).await;
    assert!(store.is_running());
}

#[tokio::test]
async fn an_import_says_what_is_wrong() {
    let installation = Installation::new();
    let file = installation.folder().join("herald.sqlite_d");
    let path = file.to_str().unwrap();
    fail(&installation, &["import", path], 1, "cannot read").await;
    std::fs::write(&file, "not a database, but long enough").unwrap();
    fail(&installation, &["import", path], 1, "no SQLite database").await;
    std::fs::remove_file(&file).unwrap();
    predecessor(&file, 1, 1).await;
    fail(&installation, &["import", path], 1, "no store answers").await;
    fail(&installation, &["import"], 2, "FILE").await;
    fail(
        &installation,
        &["import", "--time-zone", "Mars/Olympus", path],
        2,
        "Mars",
    )
    .await;
    fail(
        &installation,
        &["import", "--store", "nowhere", path],
        2,
        "HERALD_STORE_URL",
    )
    .await;
}

/// What Python's sqlite3 says about a file.
fn check_integrity(path: &Path) -> String {
    let script = "import sqlite3, sys\n\
        database = sqlite3.connect('file:%s?mode=ro' % sys.argv[1], uri=True)\n\
        print(database.execute('PRAGMA integrity_check').fetchone()[0])\n";
    let output = Command::new(python::newest().path)
        .args(["-c", script])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat())
        .trim()
        .to_owned()
}

#[tokio::test]
async fn a_backup_under_load_is_a_whole_database() {
    let installation = Installation::new();
    let _up = installation.up().await;
    let sender = Sender::start("load", installation.bridge_address(), 2_000);
    wait_until("there is load", SOON, async || sender.sent() > 5_000).await;
    let file = installation.folder().join("copy.sqlite");
    let path = file.to_str().unwrap();

    let answer = succeed(&installation, &["backup", path]).await;
    assert!(answer.contains("bytes"), "{answer}");
    assert_eq!(check_integrity(&file), "ok");
    fail(&installation, &["backup", path], 1, "--force").await;
    succeed(&installation, &["backup", "--force", path]).await;
    assert_eq!(check_integrity(&file), "ok");
    let sent = sender.stop().await;

    // Restored, it holds a prefix of what was sent.
    let restored = Installation::new();
    std::fs::copy(&file, restored.database()).unwrap();
    let _up = restored.up().await;
    let records = api::all(&restored.web_url(), "").await;
    let count = arrived(&records)["load-00000"];
    assert!(
        count > 1_000 && count <= sent["load-00000"],
        "{count} of {sent:?}"
    );
    assert!(!PathBuf::from(format!("{path}.partial")).exists());
}

#[tokio::test]
async fn a_backup_says_what_is_wrong() {
    let installation = Installation::new();
    let file = installation.folder().join("copy.sqlite");
    let path = file.to_str().unwrap();
    fail(&installation, &["backup", path], 1, "no store answers").await;
    assert!(!file.exists());
    fail(&installation, &["backup"], 2, "FILE").await;
    let _store = installation.store().await;
    fail(
        &installation,
        &["backup", "/nowhere/copy"],
        1,
        "/nowhere/copy",
    )
    .await;
}

#[tokio::test]
async fn a_shell_script_logs() {
    let installation = Installation::new();
    let _up = installation.up().await;
    let address = installation.bridge_address();
    let (host, port) = address.split_once(':').unwrap();
    let target = ["log", "--host", host, "--port", port];
    let log =
        async |arguments: &[&str]| succeed(&installation, &[&target[..], arguments].concat()).await;
    log(&[
        "backup done – 7 files",
        "--system",
        "backup",
        "--level",
        "error",
    ])
    .await;
    let url = installation.web_url();
    let records = api::exactly(&url, "system_id=backup", 1, SOON).await;
    let record = &records[0];
    assert_eq!(api::text(record, "message"), "backup done – 7 files");
    assert_eq!(
        (&record["level"], &record["level_name"]),
        (&40.into(), &"ERROR".into())
    );
    assert_eq!(record["process"], std::process::id());

    log(&[
        "--system",
        "all",
        "--sub-system",
        "a",
        "--sub-sub-system",
        "b",
        "--produkt",
        "c",
        "--user-spec-1",
        "d",
        "--user-spec-2",
        "e",
        "--package-version",
        "f",
        "--api-version",
        "g",
        "--logger",
        "h",
        "--extra",
        "i=j",
        "two",
        "words",
    ])
    .await;
    let records = api::exactly(&url, "system_id=all", 1, SOON).await;
    let expected = [
        ("message", "two words"),
        ("sub_system_id", "a"),
        ("sub_sub_system_id", "b"),
        ("produkt_id", "c"),
        ("user_spec_1", "d"),
        ("user_spec_2", "e"),
        ("package_version", "f"),
        ("api_version", "g"),
        ("logger", "h"),
    ];
    for (field, expected) in expected {
        assert_eq!(api::text(&records[0], field), expected);
    }
    assert_eq!(records[0]["extra"]["i"], "j");

    let script =
        format!("printf 'from\\nstdin\\n' | \"$0\" log --host {host} --port {port} -s in -");
    let piped = Command::new("sh")
        .args(["-c", &script])
        .arg(binary::path("herald"))
        .output()
        .unwrap();
    assert!(
        piped.status.success(),
        "{}",
        String::from_utf8_lossy(&piped.stderr)
    );
    let records = api::exactly(&url, "system_id=in", 1, SOON).await;
    assert_eq!(api::text(&records[0], "message"), "from\nstdin");
}

#[tokio::test]
async fn a_log_that_cannot_be_sent_fails() {
    let installation = Installation::new();
    let address = installation.bridge_address();
    let (host, port) = address.split_once(':').unwrap();
    let arguments = ["log", "--host", host, "--port", port, "text"];
    fail(
        &installation,
        &arguments,
        1,
        "cannot send to the bridge at 127.0.0.1",
    )
    .await;
    fail(&installation, &["log"], 2, "TEXT").await;
    fail(&installation, &["log", "--level", "loud", "x"], 2, "loud").await;
}

#[tokio::test]
async fn the_status_is_told() {
    let installation = Installation::new();
    fail(&installation, &["status"], 1, "no store answers").await;
    let _up = installation.up().await;
    let sender = Sender::start("load", installation.bridge_address(), 200);
    wait_until("the store has records", SOON, async || {
        api::status(&installation.web_url()).await["records"] != 0
    })
    .await;
    sender.stop().await;
    let text = succeed(&installation, &["status"]).await;
    assert!(text.contains("records"), "{text}");
    let status: Value =
        serde_json::from_str(&succeed(&installation, &["status", "--format", "json"]).await)
            .unwrap();
    assert!(status["records"].as_u64().unwrap() > 0, "{status}");
    assert_eq!(status["bridges"].as_array().unwrap().len(), 1, "{status}");
}
