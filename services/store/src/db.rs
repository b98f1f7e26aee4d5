//! The SQLite file: one writer, a few readers, write-ahead logging. All SQL is
//! in the modules below, one per table, as free functions on a connection.

pub(crate) mod alert;
pub(crate) mod alert_event;
pub(crate) mod audit_entry;
pub(crate) mod block;
pub(crate) mod bridge;
pub(crate) mod counter;
pub(crate) mod dead_letter;
pub(crate) mod delivery;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod gap;
pub(crate) mod heartbeat;
pub(crate) mod interruption;
pub(crate) mod notification;
mod open;
mod readers;
pub(crate) mod rule;
pub(crate) mod run;
pub(crate) mod saved_search;
pub(crate) mod system;
pub(crate) mod watch;

pub(crate) use open::Database;
pub(crate) use readers::{Readers, Snapshot};

use sqlx::{Row, sqlite::SqliteRow};

/// An id, or another number that is never negative.
fn id(row: &SqliteRow, column: usize) -> sqlx::Result<u64> {
    Ok(row.try_get::<i64, _>(column)?.cast_unsigned())
}

/// A number that stands for nothing this version knows.
fn unknown(what: &'static str, number: i64) -> sqlx::Error {
    sqlx::Error::Decode(format!("{what} {number} is unknown").into())
}

fn to_json(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

fn from_json(text: &str) -> sqlx::Result<Vec<String>> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// How SQLite goes about a statement on the empty schema.
#[cfg(test)]
async fn plan(statement: &str) -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let database = Database::open(&folder.path().join("plan")).await.unwrap();
    let mut conn = database.writer().await.unwrap();
    let explain = format!("EXPLAIN QUERY PLAN {statement}");
    let rows = sqlx::query(sqlx::AssertSqlSafe(explain))
        .fetch_all(&mut conn)
        .await
        .unwrap();
    let details = rows.iter().map(|row| row.get::<String, _>(3));
    details.collect::<Vec<_>>().join("; ")
}
