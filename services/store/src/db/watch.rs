//! All SQL of table `watch`: the one row of what there is once.

use domain::Micros;
use sqlx::{Row, SqliteConnection};

use super::id;

/// The row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watch {
    /// Records up to this id have been judged.
    pub(crate) judged_id: u64,
    /// The newest alert's id, ever.
    pub(crate) alert_id: u64,
    /// The newest run; 0 when there was none.
    pub(crate) run_id: u64,
    /// Until when its lease holds.
    pub(crate) lease_until_us: Micros,
    /// For how long a renewal holds.
    pub(crate) lease_us: Micros,
    /// How long after the newest run the next is expected.
    pub(crate) interval_us: Micros,
    /// Table `system` is complete for records up to this id.
    pub(crate) seen_id: u64,
    /// When the store was last known to run; 0 for never.
    pub(crate) alive_us: Micros,
    /// With what links are signed; empty before the first start.
    pub(crate) link_key: Vec<u8>,
}

/// Reads the row.
pub(crate) async fn read(conn: &mut SqliteConnection) -> sqlx::Result<Watch> {
    let row = sqlx::query(
        "SELECT judged_id, alert_id, run_id, lease_until_us, lease_us, interval_us, seen_id,
             alive_us, link_key
         FROM watch",
    )
    .fetch_one(conn)
    .await?;
    Ok(Watch {
        judged_id: id(&row, 0)?,
        alert_id: id(&row, 1)?,
        run_id: id(&row, 2)?,
        lease_until_us: row.try_get(3)?,
        lease_us: row.try_get(4)?,
        interval_us: row.try_get(5)?,
        seen_id: id(&row, 6)?,
        alive_us: row.try_get(7)?,
        link_key: row.try_get(8)?,
    })
}

/// Keeps what runs change: all but what the setters below do.
pub(crate) async fn write(conn: &mut SqliteConnection, watch: &Watch) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE watch SET judged_id = ?, alert_id = ?, run_id = ?, lease_until_us = ?,
             lease_us = ?, interval_us = ?",
    )
    .bind(watch.judged_id.cast_signed())
    .bind(watch.alert_id.cast_signed())
    .bind(watch.run_id.cast_signed())
    .bind(watch.lease_until_us)
    .bind(watch.lease_us)
    .bind(watch.interval_us)
    .execute(conn)
    .await?;
    Ok(())
}

/// The store runs.
pub(crate) async fn set_alive(conn: &mut SqliteConnection, now_us: Micros) -> sqlx::Result<()> {
    sqlx::query("UPDATE watch SET alive_us = ?")
        .bind(now_us)
        .execute(conn)
        .await?;
    Ok(())
}

/// Table `system` is complete for records up to this id.
pub(crate) async fn set_seen(conn: &mut SqliteConnection, seen_id: u64) -> sqlx::Result<()> {
    sqlx::query("UPDATE watch SET seen_id = ?")
        .bind(seen_id.cast_signed())
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps the key with which links are signed.
pub(crate) async fn set_link_key(conn: &mut SqliteConnection, key: &[u8]) -> sqlx::Result<()> {
    sqlx::query("UPDATE watch SET link_key = ?")
        .bind(key)
        .execute(conn)
        .await?;
    Ok(())
}
