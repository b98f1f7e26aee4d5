//! All SQL of table `interruption`: when bridges were away whose spool then went on.

use domain::{BridgeId, Interruption};
use sqlx::{Row, SqliteConnection};

/// So many are kept, the newest of them.
const MOST: i64 = 10_000;

/// Adds one, and removes what is too old to be kept.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    bridge_id: BridgeId,
    interruption: Interruption,
) -> sqlx::Result<()> {
    let added =
        sqlx::query("INSERT INTO interruption (bridge_id, from_us, to_us) VALUES (?, ?, ?)")
            .bind(bridge_id.as_bytes().as_slice())
            .bind(interruption.from_us)
            .bind(interruption.to_us)
            .execute(&mut *conn)
            .await?;
    sqlx::query("DELETE FROM interruption WHERE id <= ?")
        .bind(added.last_insert_rowid() - MOST)
        .execute(conn)
        .await?;
    Ok(())
}

/// All of them, as they were added.
pub(crate) async fn list(conn: &mut SqliteConnection) -> sqlx::Result<Vec<Interruption>> {
    sqlx::query("SELECT from_us, to_us FROM interruption ORDER BY id")
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| {
            Ok(Interruption {
                from_us: row.try_get(0)?,
                to_us: row.try_get(1)?,
            })
        })
        .collect()
}
