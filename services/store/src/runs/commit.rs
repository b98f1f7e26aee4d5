//! Keeping what a run found: all in one transaction of the writer.

use std::collections::HashMap;

use domain::{Alert, AlertEvent, AlertEventKind, Heartbeat, Micros, Notification};
use sqlx::SqliteConnection;

use super::Findings;
use crate::{
    db::{self, run::StoredRun, watch::Watch},
    error::StoreError,
    journal::Undone,
};

/// Alerts of a run as they were before it; none for those it opens.
type Former = HashMap<u64, Option<Alert>>;

/// Keeps the findings of the run at hand.
pub(super) async fn apply(
    conn: &mut SqliteConnection,
    mut watch: Watch,
    mut stored: StoredRun,
    findings: Findings,
    now_us: Micros,
) -> Result<(), Undone> {
    let newest_id = db::counter::read(conn).await?.records;
    if !(watch.judged_id..=newest_id).contains(&findings.through_id) {
        let (judged_id, through_id) = (watch.judged_id, findings.through_id);
        return invalid(format!(
            "through_id {through_id} is not from {judged_id} to {newest_id}"
        ));
    }
    let (new, known): (Vec<Alert>, Vec<Alert>) = findings
        .alerts
        .into_iter()
        .partition(|alert| alert.id > watch.alert_id);
    // First what ends: another one may follow it.
    let (going_on, ended): (Vec<Alert>, Vec<Alert>) = known.into_iter().partition(Alert::is_firing);
    let mut former = Former::new();
    for alert in ended.into_iter().chain(going_on) {
        former.insert(alert.id, db::alert::find(conn, alert.id).await?);
        if change(conn, alert).await? {
            stored.run.resolved += 1;
        }
    }
    for alert in new {
        if alert.id != watch.alert_id + 1 {
            let (id, next) = (alert.id, watch.alert_id + 1);
            return invalid(format!("alert {id} is new, but {next} is the next id"));
        }
        watch.alert_id = alert.id;
        stored.run.opened += 1;
        stored.run.resolved += u32::from(!alert.is_firing());
        former.insert(alert.id, None);
        open(conn, alert).await?;
    }
    for notification in findings.notifications {
        tell(conn, notification, &former, stored.run.started_us, now_us).await?;
    }
    replace_heartbeats(conn, findings.heartbeats).await?;
    if db::rule::list(conn).await? != findings.rules {
        db::rule::replace(conn, &findings.rules).await?;
    }
    watch.judged_id = findings.through_id;
    stored.run.through_id = findings.through_id;
    stored.is_committed = true;
    db::watch::write(conn, &watch).await?;
    db::run::put(conn, &stored).await?;
    Ok(())
}

/// Keeps what has changed of an alert; what people have said of it stays. True
/// when it has ended.
async fn change(conn: &mut SqliteConnection, mut alert: Alert) -> Result<bool, Undone> {
    let id = alert.id;
    let Some(former) = db::alert::find(conn, id).await? else {
        return invalid(format!("there is no alert {id}"));
    };
    // A rule that was edited may find the same in other words, and by another kind
    // of condition: its alert goes on.
    let (was, is) = (&former.subject, &alert.subject);
    if (&was.rule, &was.system_id, &was.sub_system_id)
        != (&is.rule, &is.system_id, &is.sub_system_id)
    {
        return invalid(format!("alert {id} is about something else"));
    }
    if alert.is_firing() && !former.is_firing() {
        return invalid(format!("alert {id} has ended: open a new one"));
    }
    if alert.is_firing()
        && let Some(other) = db::alert::firing_id(conn, is).await?
        && other != id
    {
        return invalid(format!(
            "alert {id} is about the same as {other}, which goes on"
        ));
    }
    alert.acknowledged_us = former.acknowledged_us;
    alert.silenced_until_us = former.silenced_until_us;
    db::alert::put(conn, &alert).await?;
    match alert.resolved_us.filter(|_| former.is_firing()) {
        Some(at_us) => {
            event(conn, id, at_us, AlertEventKind::Resolved, alert.reason).await?;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Keeps a new alert; a silence of its subject that goes on is its own now.
async fn open(conn: &mut SqliteConnection, mut alert: Alert) -> Result<(), Undone> {
    let id = alert.id;
    if alert.is_firing()
        && let Some(other) = db::alert::firing_id(conn, &alert.subject).await?
    {
        return invalid(format!(
            "alert {id} is about the same as {other}, which goes on"
        ));
    }
    let silence = db::alert::take_silence(conn, &alert.subject).await?;
    alert.silenced_until_us = silence.filter(|until_us| *until_us > alert.opened_us);
    alert.acknowledged_us = None;
    db::alert::put(conn, &alert).await?;
    let reason = alert.reason.clone();
    event(conn, id, alert.opened_us, AlertEventKind::Fired, reason).await?;
    if let Some(at_us) = alert.resolved_us {
        event(conn, id, at_us, AlertEventKind::Resolved, alert.reason).await?;
    }
    Ok(())
}

/// Puts a notification into the outbox, unless somebody has seen to all it is about
/// while the run was judging.
async fn tell(
    conn: &mut SqliteConnection,
    notification: Notification,
    former: &Former,
    started_us: Micros,
    now_us: Micros,
) -> Result<(), Undone> {
    let message_id = &notification.message_id;
    if db::notification::exists(conn, message_id).await? {
        return invalid(format!("message_id {message_id} is taken"));
    }
    let mut is_withheld = !notification.alert_ids.is_empty();
    for alert_id in &notification.alert_ids {
        let Some(alert) = db::alert::find(conn, *alert_id).await? else {
            return invalid(format!("there is no alert {alert_id}"));
        };
        is_withheld &= became_quiet(&alert, started_us, now_us);
    }
    if is_withheld {
        return withhold(conn, &notification, former).await;
    }
    let id = db::notification::insert(conn, &notification).await?;
    for mut delivery in notification.deliveries {
        delivery.attempts = 0;
        delivery.delivered_us = None;
        db::delivery::insert(conn, id, &delivery).await?;
    }
    let at_us = notification.created_us;
    for alert_id in notification.alert_ids {
        let note = notification.subject.clone();
        event(conn, alert_id, at_us, AlertEventKind::Notified, note).await?;
    }
    Ok(())
}

/// Whether nobody is to be told of an alert any more. That one ended which somebody
/// knows of is told.
fn became_quiet(alert: &Alert, started_us: Micros, now_us: Micros) -> bool {
    let acknowledged_us = alert.acknowledged_us.filter(|_| alert.is_firing());
    alert.is_silenced(now_us) || acknowledged_us.is_some_and(|at_us| at_us >= started_us)
}

/// Nobody is told: what the alerts say of that is as before.
async fn withhold(
    conn: &mut SqliteConnection,
    notification: &Notification,
    former: &Former,
) -> Result<(), Undone> {
    for alert_id in &notification.alert_ids {
        let Some(before) = former.get(alert_id) else {
            continue;
        };
        let Some(mut alert) = db::alert::find(conn, *alert_id).await? else {
            continue;
        };
        alert.notified_us = before.as_ref().map_or(0, |it| it.notified_us);
        let (records, unnotified) = match before {
            Some(it) => (it.records, it.records_unnotified),
            None => (0, 0),
        };
        let new_records = alert.records.saturating_sub(records);
        alert.records_unnotified = unnotified.saturating_add(new_records);
        db::alert::put(conn, &alert).await?;
    }
    Ok(())
}

/// Most are as they were: only what differs is written.
async fn replace_heartbeats(
    conn: &mut SqliteConnection,
    heartbeats: Vec<Heartbeat>,
) -> Result<(), Undone> {
    let key = |it: &Heartbeat| {
        let name = (it.system_id.clone(), it.sub_system_id.clone());
        (name, it.rule.clone(), it.condition.clone())
    };
    let former = db::heartbeat::list(conn).await?;
    let mut former: HashMap<_, _> = former.into_iter().map(|it| (key(&it), it)).collect();
    for heartbeat in heartbeats {
        if former.remove(&key(&heartbeat)).as_ref() != Some(&heartbeat) {
            db::heartbeat::put(conn, &heartbeat).await?;
        }
    }
    for gone in former.into_values() {
        db::heartbeat::remove(conn, &gone).await?;
    }
    Ok(())
}

async fn event(
    conn: &mut SqliteConnection,
    alert_id: u64,
    at_us: Micros,
    kind: AlertEventKind,
    note: String,
) -> sqlx::Result<()> {
    let event = AlertEvent {
        at_us,
        kind,
        by: String::new(),
        note,
    };
    db::alert_event::insert(conn, alert_id, &event).await
}

fn invalid<T>(problem: String) -> Result<T, Undone> {
    Err(Undone::Refused(StoreError::Invalid(problem)))
}
