//! All SQL of table `system`.

use domain::SeenSystem;
use futures::TryStreamExt;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::id;

/// All.
pub(crate) async fn all(conn: &mut SqliteConnection) -> sqlx::Result<Vec<SeenSystem>> {
    sqlx::query(
        "SELECT system_id, sub_system_id, first_received_us, last_received_us, last_stored_us,
             last_id
         FROM system",
    )
    .fetch(conn)
    .map_ok(|row| from_row(&row))
    .try_collect::<Vec<_>>()
    .await?
    .into_iter()
    .collect()
}

/// Adds one, or puts it in the place of the one with its names.
pub(crate) async fn put(conn: &mut SqliteConnection, system: &SeenSystem) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO system (system_id, sub_system_id, first_received_us,
             last_received_us, last_stored_us, last_id)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&system.system_id)
    .bind(&system.sub_system_id)
    .bind(system.first_received_us)
    .bind(system.last_received_us)
    .bind(system.last_stored_us)
    .bind(system.last_id.cast_signed())
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes one.
pub(crate) async fn remove(
    conn: &mut SqliteConnection,
    system_id: &str,
    sub_system_id: &str,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM system WHERE system_id = ? AND sub_system_id = ?")
        .bind(system_id)
        .bind(sub_system_id)
        .execute(conn)
        .await?;
    Ok(())
}

fn from_row(row: &SqliteRow) -> sqlx::Result<SeenSystem> {
    Ok(SeenSystem {
        system_id: row.try_get(0)?,
        sub_system_id: row.try_get(1)?,
        first_received_us: row.try_get(2)?,
        last_received_us: row.try_get(3)?,
        last_stored_us: row.try_get(4)?,
        last_id: id(row, 5)?,
    })
}
