//! Against databases made here, as the predecessor's SQLAlchemy makes them.

use std::path::Path;

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::{Predecessor, PredecessorError};

const TABLE: &str = "CREATE TABLE log (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, \
    created VARCHAR, threadname VARCHAR, api_version VARCHAR, package_version VARCHAR, \
    name VARCHAR, relativecreated FLOAT, process INTEGER, args VARCHAR, module VARCHAR, \
    funcname VARCHAR, levelno INTEGER, processname VARCHAR, thread BIGINT, msecs FLOAT, \
    message VARCHAR, exc_text VARCHAR, exc_info VARCHAR, stack_info VARCHAR, \
    pathname VARCHAR, filename VARCHAR, asctime VARCHAR, levelname VARCHAR, lineno INTEGER, \
    produkt_id VARCHAR(10), system_id VARCHAR(10), sub_system_id VARCHAR(10), \
    sub_sub_system_id VARCHAR(10), user_spec_1 VARCHAR(10), user_spec_2 VARCHAR(10), \
    summary VARCHAR(70))";

const ROW: &str = "INSERT INTO log VALUES (7, '2024-03-01 12:00:00.250000', 'MainThread', \
    '1.2.44', '0.9', 'shop', 10.5, 896, '', 'till', 'sell', 30, 'MainProcess', \
    140735286908888, 616.5, 'sold  out ', 'None', 'None', 'None', '/srv/shop/till.py', \
    'till.py', NULL, 'WARNING', 42, 'None', 'shop', 'host1', 'None', 'blue', 'None', \
    'NoneNoneshophost1NoneblueNone')";

async fn database(folder: &TempDir, statements: &[&'static str]) -> std::path::PathBuf {
    let path = folder.path().join("herald.sqlite_d");
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for statement in statements {
        sqlx::raw_sql(*statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
    path
}

#[tokio::test]
async fn every_column_finds_its_field() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(&folder, &[TABLE, ROW]).await;
    let mut predecessor = Predecessor::open(&path).await.unwrap();
    assert_eq!(predecessor.count_after(0).await.unwrap(), 1);
    assert_eq!(predecessor.count_after(7).await.unwrap(), 0);
    let row = predecessor.row(7).await.unwrap().unwrap();
    assert_eq!(row.created, "2024-03-01 12:00:00.250000");
    assert_eq!(
        row.record,
        domain::Record {
            level: 30,
            level_name: "WARNING".to_owned(),
            logger: "shop".to_owned(),
            message: "sold  out ".to_owned(),
            system_id: "shop".to_owned(),
            sub_system_id: "host1".to_owned(),
            user_spec_1: "blue".to_owned(),
            package_version: "0.9".to_owned(),
            api_version: "1.2.44".to_owned(),
            module: "till".to_owned(),
            function: "sell".to_owned(),
            path: "/srv/shop/till.py".to_owned(),
            line: 42,
            process: 896,
            process_name: "MainProcess".to_owned(),
            thread: 140_735_286_908_888,
            thread_name: "MainThread".to_owned(),
            extra: r#"{"relativeCreated":"10.5"}"#.to_owned(),
            ..domain::Record::default()
        }
    );
}

#[tokio::test]
async fn odd_values_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(
        &folder,
        &[
            "CREATE TABLE log (id INTEGER PRIMARY KEY, created, message, levelno, lineno, \
             pathname, filename, colour)",
            "INSERT INTO log VALUES (1, NULL, x'66ff6f', 40, 'many', '/a/b.py', 'c.py', 'red')",
        ],
    )
    .await;
    let mut predecessor = Predecessor::open(&path).await.unwrap();
    let rows = predecessor.rows_after(0, 10).await.unwrap();
    let record = &rows[0].record;
    assert_eq!(rows[0].created, "");
    assert_eq!(record.message, "f\u{fffd}o");
    assert_eq!((record.level, record.level_name.as_str()), (40, "ERROR"));
    let extra: serde_json::Value = serde_json::from_str(&record.extra).unwrap();
    assert_eq!(
        extra,
        serde_json::json!({"lineno": "many", "filename": "c.py", "colour": "red"})
    );
}

#[tokio::test]
async fn rows_come_in_the_order_of_insertion_and_differ() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(
        &folder,
        &[
            "CREATE TABLE log (id INTEGER PRIMARY KEY, created, message)",
            "INSERT INTO log VALUES (9, 'c', 'x'), (2, 'a', 'x'), (3, 'ax', ''), (4, 'ax', NULL)",
        ],
    )
    .await;
    let mut predecessor = Predecessor::open(&path).await.unwrap();
    let first = predecessor.rows_after(0, 3).await.unwrap();
    let rest = predecessor.rows_after(4, 3).await.unwrap();
    let numbers: Vec<i64> = first.iter().chain(&rest).map(|row| row.rowid).collect();
    assert_eq!(numbers, [2, 3, 4, 9]);
    let digests: std::collections::HashSet<_> =
        first.iter().chain(&rest).map(|row| &row.digest).collect();
    assert_eq!(digests.len(), 4);
    assert_eq!(predecessor.row(5).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_no_predecessor_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let check = async |path: &Path, expected: &str| {
        let error = Predecessor::open(path).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        error
    };
    check(&folder.path().join("absent"), "cannot read").await;
    let text = folder.path().join("text");
    std::fs::write(&text, "a text, not a database").unwrap();
    check(&text, "is no SQLite database").await;
    std::fs::write(&text, "").unwrap();
    check(&text, "is no SQLite database").await;
    let path = database(&folder, &["CREATE TABLE log (message)"]).await;
    check(&path, "no table `log` with the columns").await;
}

#[tokio::test]
async fn a_damaged_page_is_an_error_not_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(
        &folder,
        &[
            "CREATE TABLE log (id INTEGER PRIMARY KEY, created, message)",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
             INSERT INTO log SELECT i, 'then', 'message ' || i FROM n",
        ],
    )
    .await;
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let mut predecessor = Predecessor::open(&path).await.unwrap();
    let error = predecessor.rows_after(0, 10_000).await.unwrap_err();
    assert!(matches!(error, PredecessorError::Damaged { .. }), "{error}");
}
