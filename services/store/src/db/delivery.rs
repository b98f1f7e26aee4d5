//! All SQL of table `delivery`.

use domain::{Delivery, DeliveryChannel, DeliveryState, Micros};
use sqlx::{AssertSqlSafe, Row, SqliteConnection, sqlite::SqliteRow};

use super::{id, unknown};

const COLUMNS: &str = "SELECT id, channel, recipient, state, attempts, next_attempt_us, error, \
     delivered_us FROM delivery";

/// How many there are that have not come through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DeliveryCounts {
    /// Those that wait.
    pub(crate) waiting: u64,
    /// Those that failed for good and whose alert goes on.
    pub(crate) failed: u64,
}

/// Adds one; its id is the database's.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    notification_id: u64,
    delivery: &Delivery,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO delivery (notification_id, channel, recipient, state, attempts,
             next_attempt_us, error, delivered_us)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(notification_id.cast_signed())
    .bind(channel_number(delivery.channel))
    .bind(&delivery.recipient)
    .bind(state_number(delivery.state))
    .bind(delivery.attempts)
    .bind(delivery.next_attempt_us)
    .bind(&delivery.error)
    .bind(delivery.delivered_us)
    .execute(conn)
    .await?;
    Ok(())
}

/// One delivery.
pub(crate) async fn find(conn: &mut SqliteConnection, id: u64) -> sqlx::Result<Option<Delivery>> {
    sqlx::query(AssertSqlSafe(format!("{COLUMNS} WHERE id = ?")))
        .bind(id.cast_signed())
        .fetch_optional(conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
}

/// All of a notification, by id.
pub(crate) async fn of_notification(
    conn: &mut SqliteConnection,
    notification_id: u64,
) -> sqlx::Result<Vec<Delivery>> {
    sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE notification_id = ? ORDER BY id"
    )))
    .bind(notification_id.cast_signed())
    .fetch_all(conn)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Every address a notification's mail goes to, due or not, by id.
pub(crate) async fn mail_to(
    conn: &mut SqliteConnection,
    notification_id: u64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT recipient FROM delivery WHERE notification_id = ? AND channel = ? ORDER BY id",
    )
    .bind(notification_id.cast_signed())
    .bind(channel_number(DeliveryChannel::Mail))
    .fetch_all(conn)
    .await
}

/// Those of a notification that are to be tried now, by id.
pub(crate) async fn due(
    conn: &mut SqliteConnection,
    notification_id: u64,
    now_us: Micros,
) -> sqlx::Result<Vec<Delivery>> {
    sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS} WHERE notification_id = ? AND state = 1 AND next_attempt_us <= ? ORDER BY id"
    )))
    .bind(notification_id.cast_signed())
    .bind(now_us)
    .fetch_all(conn)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Ids of notifications with deliveries that are to be tried now, oldest first.
pub(crate) async fn due_notifications(
    conn: &mut SqliteConnection,
    now_us: Micros,
    limit: usize,
) -> sqlx::Result<Vec<u64>> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT notification_id FROM delivery
         WHERE state = 1 AND next_attempt_us <= ? ORDER BY notification_id LIMIT ?",
    )
    .bind(now_us)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(i64::cast_unsigned).collect())
}

/// Keeps how far one has come.
pub(crate) async fn update(conn: &mut SqliteConnection, delivery: &Delivery) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE delivery SET state = ?, attempts = ?, next_attempt_us = ?, error = ?,
             delivered_us = ?
         WHERE id = ?",
    )
    .bind(state_number(delivery.state))
    .bind(delivery.attempts)
    .bind(delivery.next_attempt_us)
    .bind(&delivery.error)
    .bind(delivery.delivered_us)
    .bind(delivery.id.cast_signed())
    .execute(conn)
    .await?;
    Ok(())
}

/// How many have not come through.
pub(crate) async fn counts(conn: &mut SqliteConnection) -> sqlx::Result<DeliveryCounts> {
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM delivery WHERE state = 1")
        .fetch_one(&mut *conn)
        .await?;
    let failed: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM delivery WHERE state = 3 AND EXISTS (
             SELECT 1 FROM notification_alert AS link JOIN alert ON alert.id = link.alert_id
             WHERE link.notification_id = delivery.notification_id AND alert.resolved_us IS NULL)",
    )
    .fetch_one(conn)
    .await?;
    Ok(DeliveryCounts {
        waiting: waiting.max(0).unsigned_abs(),
        failed: failed.max(0).unsigned_abs(),
    })
}

/// Removes all of a notification.
pub(crate) async fn remove(conn: &mut SqliteConnection, notification_id: u64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM delivery WHERE notification_id = ?")
        .bind(notification_id.cast_signed())
        .execute(conn)
        .await?;
    Ok(())
}

fn from_row(row: &SqliteRow) -> sqlx::Result<Delivery> {
    Ok(Delivery {
        id: id(row, 0)?,
        channel: channel_of(row.try_get(1)?)?,
        recipient: row.try_get(2)?,
        state: state_of(row.try_get(3)?)?,
        attempts: row.try_get(4)?,
        next_attempt_us: row.try_get(5)?,
        error: row.try_get(6)?,
        delivered_us: row.try_get(7)?,
    })
}

fn channel_number(channel: DeliveryChannel) -> i64 {
    match channel {
        DeliveryChannel::Mail => 1,
        DeliveryChannel::Webhook => 2,
    }
}

fn channel_of(number: i64) -> sqlx::Result<DeliveryChannel> {
    match number {
        1 => Ok(DeliveryChannel::Mail),
        2 => Ok(DeliveryChannel::Webhook),
        number => Err(unknown("channel of a delivery", number)),
    }
}

fn state_number(state: DeliveryState) -> i64 {
    match state {
        DeliveryState::Waiting => 1,
        DeliveryState::Delivered => 2,
        DeliveryState::Failed => 3,
        DeliveryState::Kept => 4,
    }
}

fn state_of(number: i64) -> sqlx::Result<DeliveryState> {
    match number {
        1 => Ok(DeliveryState::Waiting),
        2 => Ok(DeliveryState::Delivered),
        3 => Ok(DeliveryState::Failed),
        4 => Ok(DeliveryState::Kept),
        number => Err(unknown("state of a delivery", number)),
    }
}
