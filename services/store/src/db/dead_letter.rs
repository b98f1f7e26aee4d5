//! All SQL of table `dead_letter`.

use domain::{BridgeId, DeadLetter, Micros};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

/// A dead letter with the number it came under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredLetter {
    pub(crate) letter: DeadLetter,
    pub(crate) bridge_id: BridgeId,
    pub(crate) sequence: u64,
}

/// Adds one; `letter.id` is its id.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    letter: &DeadLetter,
    bridge_id: BridgeId,
    sequence: u64,
    stored_us: Micros,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO dead_letter
             (id, stored_us, received_us, peer, reason, size_bytes, sha256, head, bridge_id, sequence)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(letter.id.cast_signed())
    .bind(stored_us)
    .bind(letter.received_us)
    .bind(&letter.peer)
    .bind(&letter.reason)
    .bind(letter.size_bytes.cast_signed())
    .bind(letter.sha256.as_slice())
    .bind(letter.head.as_slice())
    .bind(bridge_id.as_bytes().as_slice())
    .bind(sequence.cast_signed())
    .execute(conn)
    .await?;
    Ok(())
}

/// Newest first, with ids below `before`.
pub(crate) async fn list(
    conn: &mut SqliteConnection,
    before: u64,
    limit: usize,
) -> sqlx::Result<Vec<StoredLetter>> {
    sqlx::query(
        "SELECT id, received_us, peer, reason, size_bytes, sha256, head, bridge_id, sequence
         FROM dead_letter WHERE id < ? ORDER BY id DESC LIMIT ?",
    )
    .bind(i64::try_from(before).unwrap_or(i64::MAX))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?
    .iter()
    .map(StoredLetter::try_from)
    .collect()
}

/// How many there are. Ids are dense and only the oldest are removed.
pub(crate) async fn count(conn: &mut SqliteConnection) -> sqlx::Result<u64> {
    let count: i64 =
        sqlx::query_scalar("SELECT coalesce(max(id) - min(id) + 1, 0) FROM dead_letter")
            .fetch_one(conn)
            .await?;
    Ok(count.max(0).unsigned_abs())
}

/// How many bytes of frames they hold.
pub(crate) async fn bytes(conn: &mut SqliteConnection) -> sqlx::Result<u64> {
    let bytes: i64 = sqlx::query_scalar("SELECT coalesce(sum(length(head)), 0) FROM dead_letter")
        .fetch_one(conn)
        .await?;
    Ok(bytes.max(0).unsigned_abs())
}

/// Removes the oldest, at most `limit`, if the store took them before the time
/// given; returns how many.
pub(crate) async fn remove_before(
    conn: &mut SqliteConnection,
    before_us: Micros,
    limit: u32,
) -> sqlx::Result<u64> {
    let outcome = sqlx::query(
        "DELETE FROM dead_letter
         WHERE id IN (SELECT id FROM dead_letter ORDER BY id LIMIT ?) AND stored_us < ?",
    )
    .bind(limit)
    .bind(before_us)
    .execute(conn)
    .await?;
    Ok(outcome.rows_affected())
}

impl TryFrom<&SqliteRow> for StoredLetter {
    type Error = sqlx::Error;

    fn try_from(row: &SqliteRow) -> sqlx::Result<Self> {
        let sha256 = row.try_get::<&[u8], _>(5)?;
        Ok(Self {
            letter: DeadLetter {
                id: row.try_get::<i64, _>(0)?.cast_unsigned(),
                received_us: row.try_get(1)?,
                peer: row.try_get(2)?,
                reason: row.try_get(3)?,
                size_bytes: row.try_get::<i64, _>(4)?.cast_unsigned(),
                sha256: sha256
                    .try_into()
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                head: row.try_get(6)?,
            },
            bridge_id: Uuid::from_slice(row.try_get(7)?)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
            sequence: row.try_get::<i64, _>(8)?.cast_unsigned(),
        })
    }
}
