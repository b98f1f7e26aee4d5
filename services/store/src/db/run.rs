//! All SQL of table `run`.

use domain::{Micros, Run};
use sqlx::{AssertSqlSafe, Row, SqliteConnection, sqlite::SqliteRow};

use super::{from_json, id, to_json};

const COLUMNS: &str = "SELECT id, holder, version, started_us, ended_us, after_id, through_id, \
     opened, resolved, delivered, undelivered, errors, committed FROM run";
const IDLE: &str = "ended_us IS NOT NULL AND opened = 0 AND resolved = 0 AND delivered = 0 \
     AND undelivered = 0 AND errors = '[]'";

/// A run as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRun {
    pub(crate) run: Run,
    /// What it found is kept.
    pub(crate) is_committed: bool,
}

/// One run.
pub(crate) async fn find(conn: &mut SqliteConnection, id: u64) -> sqlx::Result<Option<StoredRun>> {
    sqlx::query(AssertSqlSafe(format!("{COLUMNS} WHERE id = ?")))
        .bind(id.cast_signed())
        .fetch_optional(conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
}

/// Newest first, with ids below `before`.
pub(crate) async fn list(
    conn: &mut SqliteConnection,
    before: Option<u64>,
    limit: usize,
) -> sqlx::Result<Vec<Run>> {
    let before = before.and_then(|before| i64::try_from(before).ok());
    sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE id < ? ORDER BY id DESC LIMIT ?"
    )))
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| Ok(from_row(row)?.run))
    .collect()
}

/// The newest that ended.
pub(crate) async fn last_ended(conn: &mut SqliteConnection) -> sqlx::Result<Option<Run>> {
    sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE ended_us IS NOT NULL ORDER BY id DESC LIMIT 1"
    )))
    .fetch_optional(conn)
    .await?
    .map(|row| Ok(from_row(&row)?.run))
    .transpose()
}

/// When neelix last judged the rules: the end of the newest run whose findings are
/// kept, or its start while it has not ended; none when there was none.
pub(crate) async fn last_judged_us(conn: &mut SqliteConnection) -> sqlx::Result<Option<Micros>> {
    sqlx::query_scalar(
        "SELECT coalesce(ended_us, started_us) FROM run WHERE committed = 1
         ORDER BY id DESC LIMIT 1",
    )
    .fetch_optional(conn)
    .await
}

/// When the first run began that is still known; none when there was none.
pub(crate) async fn first_started_us(conn: &mut SqliteConnection) -> sqlx::Result<Option<Micros>> {
    sqlx::query_scalar("SELECT min(started_us) FROM run")
        .fetch_one(conn)
        .await
}

/// Adds one, or puts it in the place of the one with its id.
pub(crate) async fn put(conn: &mut SqliteConnection, stored: &StoredRun) -> sqlx::Result<()> {
    let run = &stored.run;
    sqlx::query(
        "INSERT OR REPLACE INTO run (id, holder, version, started_us, ended_us, committed,
             after_id, through_id, opened, resolved, delivered, undelivered, errors)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(run.id.cast_signed())
    .bind(&run.holder)
    .bind(&run.version)
    .bind(run.started_us)
    .bind(run.ended_us)
    .bind(stored.is_committed)
    .bind(run.after_id.cast_signed())
    .bind(run.through_id.cast_signed())
    .bind(run.opened)
    .bind(run.resolved)
    .bind(run.delivered)
    .bind(run.undelivered)
    .bind(to_json(&run.errors))
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes runs that began before a time, at most so many, but not the newest
/// and neither the newest that ended nor the newest that judged; returns how many.
pub(crate) async fn remove_before(
    conn: &mut SqliteConnection,
    before_us: Micros,
    limit: u32,
) -> sqlx::Result<u64> {
    let outcome = sqlx::query(
        "DELETE FROM run WHERE id IN (
             SELECT id FROM run WHERE started_us < ?
                 AND id < (SELECT max(id) FROM run)
                 AND id <> (SELECT coalesce(max(id), 0) FROM run WHERE ended_us IS NOT NULL)
                 AND id <> (SELECT coalesce(max(id), 0) FROM run WHERE committed = 1)
             ORDER BY started_us LIMIT ?)",
    )
    .bind(before_us)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(outcome.rows_affected())
}

/// Removes runs that did nothing, but for the newest of them and the newest run that
/// judged, at most so many; returns how many.
pub(crate) async fn thin_idle(
    conn: &mut SqliteConnection,
    kept: u32,
    limit: u32,
) -> sqlx::Result<u64> {
    let outcome = sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM run WHERE id IN (
             SELECT id FROM run WHERE {IDLE} ORDER BY id DESC LIMIT ? OFFSET ?)
             AND id <> (SELECT coalesce(max(id), 0) FROM run WHERE committed = 1)"
    )))
    .bind(limit)
    .bind(kept)
    .execute(conn)
    .await?;
    Ok(outcome.rows_affected())
}

fn from_row(row: &SqliteRow) -> sqlx::Result<StoredRun> {
    Ok(StoredRun {
        run: Run {
            id: id(row, 0)?,
            holder: row.try_get(1)?,
            version: row.try_get(2)?,
            started_us: row.try_get(3)?,
            ended_us: row.try_get(4)?,
            after_id: id(row, 5)?,
            through_id: id(row, 6)?,
            opened: row.try_get(7)?,
            resolved: row.try_get(8)?,
            delivered: row.try_get(9)?,
            undelivered: row.try_get(10)?,
            errors: from_json(row.try_get(11)?)?,
        },
        is_committed: row.try_get(12)?,
    })
}
