//! How far what was told of alerts has come.

use domain::{Alert, Delivery, DeliveryState, Notification};
use sqlx::SqliteConnection;

use crate::db::{self, delivery::Told};

/// Notifications in trouble that are told.
const TROUBLED: u32 = 20;

/// Who was told of each of these, in their order.
pub(super) async fn of_alerts(
    conn: &mut SqliteConnection,
    alerts: &[Alert],
) -> sqlx::Result<Vec<Told>> {
    let ids: Vec<u64> = alerts.iter().map(|alert| alert.id).collect();
    let told = db::delivery::told(conn, &ids).await?;
    let of = |id: &u64| told.get(id).copied().unwrap_or_default();
    Ok(ids.iter().map(of).collect())
}

/// Notifications that did not reach somebody, the newest first, without their texts.
pub(super) async fn troubled(conn: &mut SqliteConnection) -> sqlx::Result<Vec<Notification>> {
    let mut notifications = Vec::new();
    for id in db::delivery::troubled_notifications(conn, TROUBLED).await? {
        let Some(mut notification) = db::notification::head(conn, id).await? else {
            continue;
        };
        let deliveries = db::delivery::of_notification(conn, id).await?;
        notification.deliveries = deliveries.into_iter().filter(is_troubled).collect();
        notifications.push(notification);
    }
    Ok(notifications)
}

fn is_troubled(delivery: &Delivery) -> bool {
    match delivery.state {
        DeliveryState::Failed => true,
        DeliveryState::Waiting => delivery.attempts > 0,
        DeliveryState::Delivered | DeliveryState::Kept => false,
    }
}
