//! All SQL of table `gap`: declared losses.

use domain::{BridgeId, Micros};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

/// A declared loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredGap {
    pub(crate) bridge_id: BridgeId,
    pub(crate) first_sequence: u64,
    pub(crate) count: u64,
    pub(crate) reason: String,
    pub(crate) declared_us: Micros,
}

/// Adds one.
pub(crate) async fn insert(conn: &mut SqliteConnection, gap: &StoredGap) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO gap (declared_us, bridge_id, first_sequence, count, reason)
         VALUES (?, ?, ?, ?, ?)",
    )
    .bind(gap.declared_us)
    .bind(gap.bridge_id.as_bytes().as_slice())
    .bind(gap.first_sequence.cast_signed())
    .bind(gap.count.cast_signed())
    .bind(&gap.reason)
    .execute(conn)
    .await?;
    Ok(())
}

/// Newest first.
pub(crate) async fn list(
    conn: &mut SqliteConnection,
    limit: usize,
) -> sqlx::Result<Vec<StoredGap>> {
    sqlx::query(
        "SELECT bridge_id, first_sequence, count, reason, declared_us
         FROM gap ORDER BY id DESC LIMIT ?",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?
    .iter()
    .map(StoredGap::try_from)
    .collect()
}

/// Removes the oldest, at most `limit`, if they were declared before the time
/// given; returns how many.
pub(crate) async fn remove_before(
    conn: &mut SqliteConnection,
    before_us: Micros,
    limit: u32,
) -> sqlx::Result<u64> {
    let outcome = sqlx::query(
        "DELETE FROM gap
         WHERE id IN (SELECT id FROM gap ORDER BY id LIMIT ?) AND declared_us < ?",
    )
    .bind(limit)
    .bind(before_us)
    .execute(conn)
    .await?;
    Ok(outcome.rows_affected())
}

impl TryFrom<&SqliteRow> for StoredGap {
    type Error = sqlx::Error;

    fn try_from(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            bridge_id: Uuid::from_slice(row.try_get(0)?)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
            first_sequence: row.try_get::<i64, _>(1)?.cast_unsigned(),
            count: row.try_get::<i64, _>(2)?.cast_unsigned(),
            reason: row.try_get(3)?,
            declared_us: row.try_get(4)?,
        })
    }
}
