//! All SQL of tables `notification` and `notification_alert`.

use domain::{Micros, Notification};
use sqlx::{AssertSqlSafe, Row, SqliteConnection, sqlite::SqliteRow};

const COLUMNS: &str =
    "SELECT id, message_id, created_us, subject, text, html, json FROM notification";
const HEAD: &str = "SELECT id, message_id, created_us, subject, '', '', '' FROM notification";

/// Adds one with the alerts it is about, without its deliveries; returns its id.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    notification: &Notification,
) -> sqlx::Result<u64> {
    let outcome = sqlx::query(
        "INSERT INTO notification (message_id, created_us, subject, text, html, json)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&notification.message_id)
    .bind(notification.created_us)
    .bind(&notification.subject)
    .bind(&notification.text)
    .bind(&notification.html)
    .bind(&notification.json)
    .execute(&mut *conn)
    .await?;
    let id = outcome.last_insert_rowid();
    for alert_id in &notification.alert_ids {
        sqlx::query(
            "INSERT OR IGNORE INTO notification_alert (alert_id, notification_id) VALUES (?, ?)",
        )
        .bind(alert_id.cast_signed())
        .bind(id)
        .execute(&mut *conn)
        .await?;
    }
    Ok(id.cast_unsigned())
}

/// Whether one has this Message-ID.
pub(crate) async fn exists(conn: &mut SqliteConnection, message_id: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM notification WHERE message_id = ?)")
        .bind(message_id)
        .fetch_one(conn)
        .await
}

/// One, with the alerts it is about, without its deliveries.
pub(crate) async fn find(
    conn: &mut SqliteConnection,
    id: u64,
) -> sqlx::Result<Option<Notification>> {
    one(conn, id, COLUMNS).await
}

/// The same without its texts but for the subject.
pub(crate) async fn head(
    conn: &mut SqliteConnection,
    id: u64,
) -> sqlx::Result<Option<Notification>> {
    one(conn, id, HEAD).await
}

async fn one(
    conn: &mut SqliteConnection,
    id: u64,
    columns: &str,
) -> sqlx::Result<Option<Notification>> {
    let row = sqlx::query(AssertSqlSafe(format!("{columns} WHERE id = ?")))
        .bind(id.cast_signed())
        .fetch_optional(&mut *conn)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let mut notification = from_row(&row)?;
    let alert_ids: Vec<i64> = sqlx::query_scalar(
        "SELECT alert_id FROM notification_alert WHERE notification_id = ? ORDER BY alert_id",
    )
    .bind(id.cast_signed())
    .fetch_all(conn)
    .await?;
    notification.alert_ids = alert_ids.into_iter().map(i64::cast_unsigned).collect();
    Ok(Some(notification))
}

/// Ids of those about an alert, newest first.
pub(crate) async fn of_alert(
    conn: &mut SqliteConnection,
    alert_id: u64,
    limit: u32,
) -> sqlx::Result<Vec<u64>> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT notification_id FROM notification_alert
         WHERE alert_id = ? ORDER BY notification_id DESC LIMIT ?",
    )
    .bind(alert_id.cast_signed())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(i64::cast_unsigned).collect())
}

/// An alert is removed: none is about it any more.
pub(crate) async fn forget_alert(conn: &mut SqliteConnection, alert_id: u64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM notification_alert WHERE alert_id = ?")
        .bind(alert_id.cast_signed())
        .execute(conn)
        .await?;
    Ok(())
}

/// Ids of those made before a time that are about no alert that is still there, and
/// that nobody waits for.
pub(crate) async fn orphaned_before(
    conn: &mut SqliteConnection,
    before_us: Micros,
    limit: u32,
) -> sqlx::Result<Vec<u64>> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM notification WHERE created_us < ? AND NOT EXISTS (
             SELECT 1 FROM notification_alert WHERE notification_id = notification.id)
         AND NOT EXISTS (
             SELECT 1 FROM delivery WHERE notification_id = notification.id AND state = 1)
         ORDER BY created_us LIMIT ?",
    )
    .bind(before_us)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(i64::cast_unsigned).collect())
}

/// Removes one that is about no alert.
pub(crate) async fn remove(conn: &mut SqliteConnection, id: u64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM notification WHERE id = ?")
        .bind(id.cast_signed())
        .execute(conn)
        .await?;
    Ok(())
}

fn from_row(row: &SqliteRow) -> sqlx::Result<Notification> {
    Ok(Notification {
        id: super::id(row, 0)?,
        message_id: row.try_get(1)?,
        created_us: row.try_get(2)?,
        subject: row.try_get(3)?,
        text: row.try_get(4)?,
        html: row.try_get(5)?,
        json: row.try_get(6)?,
        ..Notification::default()
    })
}
