//! Alerts for those who look after them: read by whoever asks, changed by the
//! one writer between two commits.

mod told;

use domain::{
    Alert, AlertEvent, AlertEventKind, AuditAction, AuditEntry, Author, Heartbeat, Micros,
    Notification, Rule, Run,
};
use sqlx::SqliteConnection;
use tokio::time::Instant;

use crate::{
    App,
    clock::now_us,
    db::{
        self,
        alert::{AlertCounts, AlertQuery},
        delivery::{DeliveryCounts, Told},
    },
    error::{StoreError, time_text},
    journal::{Refusal, Step, Undone},
    runs::text_bytes,
    search::PAGE_BYTES,
};

/// What happened to an alert that is told.
const EVENTS: u32 = 200;
/// Notifications about an alert that are told.
const NOTIFICATIONS: u32 = 20;
/// How far ahead a silence may end.
const MAX_SILENCE_US: Micros = 366 * 86_400_000_000;
/// How long a name may be, in characters.
const PERSON_CHARS: usize = 100;
/// A run takes some time, and so does whatever starts it: it is late when this
/// part of the interval has passed on top, and at least this long.
const LATE_PART: Micros = 10;
const LATE_LEAST_US: Micros = 60_000_000;

/// Alerts, and notifications, that one step removes: some milliseconds.
const STEP_ALERTS: u32 = 32;
const STEP_RUNS: u32 = 512;
/// So many runs are kept that did nothing.
const IDLE_RUNS: u32 = 1_000;

/// A change of an alert that a person asked for.
#[derive(Debug)]
pub(crate) struct Change {
    id: u64,
    by: String,
    author: Author,
    now_us: Micros,
    what: What,
}

#[derive(Debug)]
enum What {
    Acknowledge,
    /// None takes the silence back.
    Silence(Option<Micros>),
}

/// An alert and all about it.
#[derive(Debug)]
pub(crate) struct Details {
    pub(crate) alert: Alert,
    /// Oldest first.
    pub(crate) events: Vec<AlertEvent>,
    /// Newest first.
    pub(crate) notifications: Vec<Notification>,
}

/// Alerts at a glance.
#[derive(Debug)]
pub(crate) struct AlertStatus {
    pub(crate) alerts: AlertCounts,
    pub(crate) deliveries: DeliveryCounts,
    /// The newest that ended.
    pub(crate) last_run: Option<Run>,
    /// When the rules were judged last; none when they never were.
    pub(crate) judged_us: Option<Micros>,
    /// They should have been judged again by now.
    pub(crate) is_late: bool,
    /// How long after one run the next is expected; 0 when there was none.
    pub(crate) interval_us: Micros,
    pub(crate) link_key: Vec<u8>,
    /// Notifications that did not reach somebody.
    pub(crate) troubled: Vec<Notification>,
}

/// Alerts, newest first, each with who was told, and whether there are more.
pub(crate) async fn list(
    app: &App,
    mut query: AlertQuery,
    deadline: Instant,
) -> Result<(Vec<Alert>, Vec<Told>, bool), StoreError> {
    let limit = query.limit;
    query.limit += 1;
    let mut snapshot = app.readers.snapshot(deadline).await?;
    let mut alerts = db::alert::list(snapshot.conn(), &query).await?;
    let has_more = alerts.len() > limit;
    alerts.truncate(limit);
    let told = told::of_alerts(snapshot.conn(), &alerts).await?;
    Ok((alerts, told, has_more))
}

/// One alert and all about it.
pub(crate) async fn get(app: &App, id: u64, deadline: Instant) -> Result<Details, StoreError> {
    let mut snapshot = app.readers.snapshot(deadline).await?;
    let conn = snapshot.conn();
    let alert = db::alert::find(conn, id).await?;
    let alert = alert.ok_or(StoreError::NoAlert(id))?;
    let events = db::alert_event::newest(conn, id, EVENTS).await?;
    let mut notifications = Vec::new();
    let mut bytes = 0;
    for id in db::notification::of_alert(conn, id, NOTIFICATIONS).await? {
        let Some(mut notification) = db::notification::find(conn, id).await? else {
            continue;
        };
        notification.deliveries = db::delivery::of_notification(conn, id).await?;
        notification.mail_to = db::delivery::mail_to(conn, id).await?;
        bytes += text_bytes(&notification);
        if bytes > PAGE_BYTES && !notifications.is_empty() {
            break;
        }
        notifications.push(notification);
    }
    Ok(Details {
        alert,
        events,
        notifications,
    })
}

/// Somebody knows.
pub(crate) async fn acknowledge(
    app: &App,
    id: u64,
    by: String,
    author: Author,
    deadline: Instant,
) -> Result<Alert, StoreError> {
    make(app, id, by, author, What::Acknowledge, deadline).await
}

/// Tells nobody of an alert's subject until a time; none takes that back.
pub(crate) async fn silence(
    app: &App,
    id: u64,
    until_us: Option<Micros>,
    by: String,
    author: Author,
    deadline: Instant,
) -> Result<Alert, StoreError> {
    make(app, id, by, author, What::Silence(until_us), deadline).await
}

/// What is expected, by system.
pub(crate) async fn heartbeats(app: &App, deadline: Instant) -> Result<Vec<Heartbeat>, StoreError> {
    let mut snapshot = app.readers.snapshot(deadline).await?;
    Ok(db::heartbeat::list(snapshot.conn()).await?)
}

/// The rules of the newest run, in the order of the file.
pub(crate) async fn rules(app: &App, deadline: Instant) -> Result<Vec<Rule>, StoreError> {
    let mut snapshot = app.readers.snapshot(deadline).await?;
    Ok(db::rule::list(snapshot.conn()).await?)
}

/// Runs, newest first, and whether there are more.
pub(crate) async fn runs(
    app: &App,
    before: Option<u64>,
    limit: usize,
    deadline: Instant,
) -> Result<(Vec<Run>, bool), StoreError> {
    let mut snapshot = app.readers.snapshot(deadline).await?;
    let mut runs = db::run::list(snapshot.conn(), before, limit + 1).await?;
    let has_more = runs.len() > limit;
    runs.truncate(limit);
    Ok((runs, has_more))
}

/// Alerts at a glance.
pub(crate) async fn status(app: &App, deadline: Instant) -> Result<AlertStatus, StoreError> {
    let now_us = now_us();
    let mut snapshot = app.readers.snapshot(deadline).await?;
    let conn = snapshot.conn();
    let watch = db::watch::read(conn).await?;
    let since_us = unjudged_since_us(conn).await?;
    Ok(AlertStatus {
        alerts: db::alert::counts(conn, now_us).await?,
        deliveries: db::delivery::counts(conn).await?,
        troubled: told::troubled(conn).await?,
        last_run: db::run::last_ended(conn).await?,
        judged_us: db::run::last_judged_us(conn).await?,
        is_late: since_us.is_some_and(|since_us| is_late(since_us, watch.interval_us, now_us)),
        interval_us: watch.interval_us,
        link_key: watch.link_key,
    })
}

/// Since when the rules have not been judged: a run that fails before it keeps what it
/// found has judged nothing. None when neelix never ran.
pub(crate) async fn unjudged_since_us(conn: &mut SqliteConnection) -> sqlx::Result<Option<Micros>> {
    match db::run::last_judged_us(conn).await? {
        Some(judged_us) => Ok(Some(judged_us)),
        None => db::run::first_started_us(conn).await,
    }
}

/// Whether rules should have been judged by now that were not since `since_us`.
fn is_late(since_us: Micros, interval_us: Micros, now_us: Micros) -> bool {
    let slack_us = (interval_us / LATE_PART).max(LATE_LEAST_US);
    now_us.saturating_sub(since_us) > interval_us.saturating_add(slack_us)
}

async fn make(
    app: &App,
    id: u64,
    by: String,
    author: Author,
    what: What,
    deadline: Instant,
) -> Result<Alert, StoreError> {
    let now_us = now_us();
    check(&by, &what, now_us)?;
    let change = Change {
        id,
        by,
        author,
        now_us,
        what,
    };
    let done = app.journal.step(Step::ChangeAlert(change)).await?;
    if let Some(Refusal::Because(error)) = done.refusal {
        return Err(error);
    }
    let mut snapshot = app.readers.snapshot(deadline).await?;
    let alert = db::alert::find(snapshot.conn(), id).await?;
    alert.ok_or(StoreError::NoAlert(id))
}

fn check(by: &str, what: &What, now_us: Micros) -> Result<(), StoreError> {
    let invalid = |problem: &str| Err(StoreError::Invalid(problem.to_owned()));
    if by.chars().count() > PERSON_CHARS || by.contains(char::is_control) {
        return invalid("by has at most 100 characters, none of them a control character");
    }
    match what {
        What::Silence(Some(until_us)) if *until_us <= now_us => invalid("until_us has passed"),
        What::Silence(Some(until_us)) if until_us.saturating_sub(now_us) > MAX_SILENCE_US => {
            invalid("until_us is more than a year ahead")
        }
        What::Silence(_) | What::Acknowledge => Ok(()),
    }
}

/// Makes a change and notes it, in a transaction of the writer.
pub(crate) async fn apply(conn: &mut SqliteConnection, change: Change) -> Result<(), Undone> {
    let id = change.id;
    let Some(alert) = db::alert::find(conn, id).await? else {
        return Err(Undone::Refused(StoreError::NoAlert(id)));
    };
    match change.what {
        What::Acknowledge => apply_acknowledge(conn, alert, change).await,
        What::Silence(until_us) => apply_silence(conn, alert, until_us, &change).await,
    }
}

/// Repeating it changes nothing more.
async fn apply_acknowledge(
    conn: &mut SqliteConnection,
    mut alert: Alert,
    change: Change,
) -> Result<(), Undone> {
    if !alert.is_firing() {
        return Err(Undone::Refused(StoreError::AlertEnded(alert.id)));
    }
    if alert.acknowledged_us.is_some() {
        return Ok(());
    }
    alert.acknowledged_us = Some(change.now_us);
    db::alert::put(conn, &alert).await?;
    let entry = entry(AuditAction::AlertAcknowledged, &alert, &change);
    db::audit_entry::insert(conn, &entry).await?;
    let event = AlertEvent {
        at_us: change.now_us,
        kind: AlertEventKind::Acknowledged,
        by: change.by,
        note: String::new(),
    };
    db::alert_event::insert(conn, alert.id, &event).await?;
    Ok(())
}

/// A silence is of the subject: it is kept with the alert named and, if that is
/// another one, with the one that goes on.
async fn apply_silence(
    conn: &mut SqliteConnection,
    alert: Alert,
    until_us: Option<Micros>,
    change: &Change,
) -> Result<(), Undone> {
    let former = db::alert::take_silence(conn, &alert.subject).await?;
    let former = former.filter(|until_us| *until_us > change.now_us);
    let mut ids = vec![alert.id];
    if let Some(firing) = db::alert::firing_id(conn, &alert.subject).await?
        && firing != alert.id
    {
        ids.push(firing);
    }
    let event = match until_us {
        None if former.is_none() => return Ok(()),
        None => AlertEvent {
            at_us: change.now_us,
            kind: AlertEventKind::Unsilenced,
            by: change.by.clone(),
            note: String::new(),
        },
        Some(until_us) => AlertEvent {
            at_us: change.now_us,
            kind: AlertEventKind::Silenced,
            by: change.by.clone(),
            note: until(until_us),
        },
    };
    let action = match until_us {
        Some(_) => AuditAction::AlertSilenced,
        None => AuditAction::AlertUnsilenced,
    };
    let value = |until_us: Option<Micros>| until_us.map_or_else(String::new, until);
    let entry = entry(action, &alert, change).changing(&value(former), &value(until_us));
    db::audit_entry::insert(conn, &entry).await?;
    for id in ids {
        if let Some(mut alert) = db::alert::find(conn, id).await? {
            alert.silenced_until_us = until_us;
            db::alert::put(conn, &alert).await?;
            db::alert_event::insert(conn, id, &event).await?;
        }
    }
    Ok(())
}

fn until(until_us: Micros) -> String {
    format!("until {}", time_text(until_us))
}

/// What is noted of a change. The alert may be gone long before.
fn entry(action: AuditAction, alert: &Alert, change: &Change) -> AuditEntry {
    let subject = &alert.subject;
    let system = match subject.sub_system_id.as_str() {
        "" => subject.system_id.clone(),
        sub_system => format!("{}/{sub_system}", subject.system_id),
    };
    AuditEntry {
        detail: format!("{} of {system}", subject.rule),
        ..AuditEntry::new(
            action,
            &alert.id.to_string(),
            change.author.clone(),
            change.now_us,
        )
    }
}

/// Removes what is too old: a few alerts that ended before a time and are not
/// silenced at `now_us`, notifications about nothing that is still there, and runs.
/// Returns how many.
pub(crate) async fn remove(
    conn: &mut SqliteConnection,
    before_us: Micros,
    now_us: Micros,
) -> sqlx::Result<u64> {
    let ids = db::alert::resolved_before(conn, before_us, now_us, STEP_ALERTS).await?;
    for id in &ids {
        db::alert_event::remove(conn, *id).await?;
        db::notification::forget_alert(conn, *id).await?;
        db::alert::remove(conn, *id).await?;
    }
    let orphans = db::notification::orphaned_before(conn, before_us, STEP_ALERTS).await?;
    for id in &orphans {
        db::delivery::remove(conn, *id).await?;
        db::notification::remove(conn, *id).await?;
    }
    let mut runs = db::run::remove_before(conn, before_us, STEP_RUNS).await?;
    runs += db::run::thin_idle(conn, IDLE_RUNS, STEP_RUNS).await?;
    Ok((ids.len() + orphans.len()) as u64 + runs)
}

#[cfg(test)]
mod tests {
    use super::is_late;

    #[test]
    fn a_run_is_late_after_the_interval_and_some_time_over() {
        let check = |since_s: i64, interval_s: i64, now_s: i64, expected: bool| {
            let us = 1_000_000;
            assert_eq!(is_late(since_s * us, interval_s * us, now_s * us), expected);
        };
        check(100, 60, 220, false);
        check(100, 60, 221, true);
        check(100, 7_200, 100 + 7_920, false);
        check(100, 7_200, 101 + 7_920, true);
        check(100, i64::MAX / 1_000_000, 200, false);
    }
}
