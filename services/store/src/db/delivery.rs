//! All SQL of table `delivery`.

use std::collections::HashMap;

use domain::{Delivery, DeliveryChannel, DeliveryState, Micros};
use sqlx::{AssertSqlSafe, Row, SqliteConnection, sqlite::SqliteRow};

use super::{id, unknown};

const COLUMNS: &str = "SELECT id, channel, recipient, state, attempts, next_attempt_us, error, \
     delivered_us FROM delivery";

const DUE_NOTIFICATIONS: &str = "SELECT DISTINCT notification_id FROM delivery \
     WHERE state = 1 AND next_attempt_us <= ? ORDER BY notification_id LIMIT ?";

/// How many there are that have not come through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DeliveryCounts {
    /// Those that wait.
    pub(crate) waiting: u64,
    /// Those that failed for good and whose alert goes on.
    pub(crate) failed: u64,
}

/// How many of an alert have come how far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) waiting: u32,
    pub(crate) delivered: u32,
    pub(crate) failed: u32,
    pub(crate) kept: u32,
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

/// Every address that a notification goes to by mail, by the delivery's id.
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
    let ids: Vec<i64> = sqlx::query_scalar(DUE_NOTIFICATIONS)
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

/// How many of these alerts' deliveries have come how far; none for those of which
/// nobody was told.
pub(crate) async fn told(
    conn: &mut SqliteConnection,
    alert_ids: &[u64],
) -> sqlx::Result<HashMap<u64, Told>> {
    let ids: Vec<String> = alert_ids.iter().map(u64::to_string).collect();
    let rows = sqlx::query(
        "SELECT link.alert_id, delivery.state, count(*)
         FROM notification_alert AS link
             JOIN delivery ON delivery.notification_id = link.notification_id
         WHERE link.alert_id IN (SELECT value FROM json_each(?))
         GROUP BY link.alert_id, delivery.state",
    )
    .bind(format!("[{}]", ids.join(",")))
    .fetch_all(conn)
    .await?;
    let mut all: HashMap<u64, Told> = HashMap::new();
    for row in rows {
        let told = all.entry(id(&row, 0)?).or_default();
        let count = match state_of(row.try_get(1)?)? {
            DeliveryState::Waiting => &mut told.waiting,
            DeliveryState::Delivered => &mut told.delivered,
            DeliveryState::Failed => &mut told.failed,
            DeliveryState::Kept => &mut told.kept,
        };
        *count = row.try_get(2)?;
    }
    Ok(all)
}

/// Ids of notifications with deliveries that were tried in vain and wait, or failed
/// for good while their alert goes on, newest first.
pub(crate) async fn troubled_notifications(
    conn: &mut SqliteConnection,
    limit: u32,
) -> sqlx::Result<Vec<u64>> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT notification_id FROM delivery WHERE state = 1 AND attempts > 0
         UNION
         SELECT notification_id FROM delivery WHERE state = 3 AND EXISTS (
             SELECT 1 FROM notification_alert AS link JOIN alert ON alert.id = link.alert_id
             WHERE link.notification_id = delivery.notification_id AND alert.resolved_us IS NULL)
         ORDER BY notification_id DESC LIMIT ?",
    )
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(i64::cast_unsigned).collect())
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

#[cfg(test)]
mod tests {
    use super::DUE_NOTIFICATIONS;
    use crate::db::plan;

    #[tokio::test]
    async fn only_those_that_wait_are_looked_at() {
        let plan = plan(DUE_NOTIFICATIONS).await;
        assert!(plan.contains("delivery_waiting"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}
