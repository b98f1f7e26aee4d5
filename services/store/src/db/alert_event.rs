//! All SQL of table `alert_event`.

use domain::{AlertEvent, AlertEventKind};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::unknown;

/// Adds what happened to an alert.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    alert_id: u64,
    event: &AlertEvent,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO alert_event (alert_id, at_us, kind, person, note) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(alert_id.cast_signed())
    .bind(event.at_us)
    .bind(kind_number(event.kind))
    .bind(&event.by)
    .bind(&event.note)
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest of an alert, oldest first.
pub(crate) async fn newest(
    conn: &mut SqliteConnection,
    alert_id: u64,
    limit: u32,
) -> sqlx::Result<Vec<AlertEvent>> {
    let rows = sqlx::query(
        "SELECT at_us, kind, person, note FROM alert_event
         WHERE alert_id = ? ORDER BY id DESC LIMIT ?",
    )
    .bind(alert_id.cast_signed())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().rev().map(from_row).collect()
}

/// Removes all of an alert.
pub(crate) async fn remove(conn: &mut SqliteConnection, alert_id: u64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM alert_event WHERE alert_id = ?")
        .bind(alert_id.cast_signed())
        .execute(conn)
        .await?;
    Ok(())
}

fn from_row(row: &SqliteRow) -> sqlx::Result<AlertEvent> {
    Ok(AlertEvent {
        at_us: row.try_get(0)?,
        kind: kind_of(row.try_get(1)?)?,
        by: row.try_get(2)?,
        note: row.try_get(3)?,
    })
}

fn kind_number(kind: AlertEventKind) -> i64 {
    match kind {
        AlertEventKind::Fired => 1,
        AlertEventKind::Notified => 2,
        AlertEventKind::Acknowledged => 3,
        AlertEventKind::Silenced => 4,
        AlertEventKind::Unsilenced => 5,
        AlertEventKind::Resolved => 6,
    }
}

fn kind_of(number: i64) -> sqlx::Result<AlertEventKind> {
    match number {
        1 => Ok(AlertEventKind::Fired),
        2 => Ok(AlertEventKind::Notified),
        3 => Ok(AlertEventKind::Acknowledged),
        4 => Ok(AlertEventKind::Silenced),
        5 => Ok(AlertEventKind::Unsilenced),
        6 => Ok(AlertEventKind::Resolved),
        number => Err(unknown("kind of event", number)),
    }
}
