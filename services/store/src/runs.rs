//! Runs of neelix: one at a time by a lease, each with all it found in one
//! transaction. The number of a run is its fencing token: what comes with that
//! of another run than the one at hand changes nothing.

mod check;
mod commit;

use domain::{
    Alert, Delivery, DeliveryState, Heartbeat, Micros, Notification, Rule, Run, RunState,
};
use sqlx::SqliteConnection;
use tokio::time::Instant;

use crate::{
    App,
    attendance::{self, Presence},
    clock::now_us,
    db::{self, bridge::Bridge, run::StoredRun, watch::Watch},
    error::StoreError,
    journal::{Refusal, Step, Undone},
    search::PAGE_BYTES,
};

/// For how long a lease holds at most.
pub(crate) const MAX_LEASE_US: Micros = 600_000_000;
/// How long an error's text is kept.
const ERROR_BYTES: usize = 2 << 10;

/// Who begins a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Begin {
    pub(crate) holder: String,
    pub(crate) version: String,
    pub(crate) lease_us: Micros,
    pub(crate) interval_us: Micros,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Records up to this id have been judged.
    pub(crate) through_id: u64,
    /// Alerts that have changed, and new ones.
    pub(crate) alerts: Vec<Alert>,
    pub(crate) notifications: Vec<Notification>,
    /// All there are now.
    pub(crate) heartbeats: Vec<Heartbeat>,
    /// All there are now.
    pub(crate) rules: Vec<Rule>,
}

/// What a run asks for.
#[derive(Debug)]
pub(crate) struct Change {
    now_us: Micros,
    what: What,
}

#[derive(Debug)]
enum What {
    Begin(Begin),
    Renew(u64),
    Commit(u64, Findings),
    Report(u64, Delivery),
    End(u64, Vec<String>),
}

/// Begins a run, if none goes on.
pub(crate) async fn begin(
    app: &App,
    begin: Begin,
    deadline: Instant,
) -> Result<(u64, RunState), StoreError> {
    check::begin(&begin)?;
    let run_id = make(app, What::Begin(begin)).await?;
    Ok((run_id, state(app, deadline).await?))
}

/// What a run would begin with.
pub(crate) async fn state(app: &App, deadline: Instant) -> Result<RunState, StoreError> {
    // Before the snapshot: what counts as here is in it.
    let newest_id = *app.catalog.newest_id().borrow();
    let mut snapshot = app.readers.snapshot(deadline).await?;
    let conn = snapshot.conn();
    let watch = db::watch::read(conn).await?;
    let rows = db::bridge::list(conn).await?;
    let noted = db::interruption::list(conn).await?;
    let now_us = now_us();
    let presence = |row: &Bridge| {
        let contact = app.journal.contacts.get(row.bridge_id);
        Presence::new(row, contact.as_ref(), now_us)
    };
    let bridges: Vec<Presence> = rows.iter().map(presence).collect();
    Ok(RunState {
        now_us,
        judged_id: watch.judged_id,
        // Retention may have removed all that was judged.
        newest_id: newest_id.max(watch.judged_id),
        complete_us: attendance::complete_us(&bridges, app.uptime, now_us),
        attended_since_us: attendance::attended_since_us(&bridges, now_us),
        next_alert_id: watch.alert_id + 1,
        alerts: db::alert::open(conn, now_us).await?,
        heartbeats: db::heartbeat::list(conn).await?,
        link_key: watch.link_key,
        interruptions: attendance::interruptions(&bridges, noted, now_us),
    })
}

/// Makes the lease longer.
pub(crate) async fn renew(app: &App, run_id: u64) -> Result<(), StoreError> {
    make(app, What::Renew(run_id)).await.map(drop)
}

/// Keeps what a run found.
pub(crate) async fn commit(app: &App, run_id: u64, findings: Findings) -> Result<(), StoreError> {
    check::findings(&findings)?;
    make(app, What::Commit(run_id, findings)).await.map(drop)
}

/// Notifications with those of their deliveries that are due, oldest first.
pub(crate) async fn due(
    app: &App,
    run_id: u64,
    limit: usize,
    deadline: Instant,
) -> Result<Vec<Notification>, StoreError> {
    let mut snapshot = app.readers.snapshot(deadline).await?;
    let conn = snapshot.conn();
    let watch = db::watch::read(conn).await?;
    let run = db::run::find(conn, run_id).await?;
    at_hand(&watch, run, run_id)?;
    let now_us = now_us();
    let mut due = Vec::new();
    let mut bytes = 0;
    for id in db::delivery::due_notifications(conn, now_us, limit).await? {
        let Some(mut notification) = db::notification::find(conn, id).await? else {
            continue;
        };
        notification.deliveries = db::delivery::due(conn, id, now_us).await?;
        notification.mail_to = db::delivery::mail_to(conn, id).await?;
        bytes += text_bytes(&notification);
        if bytes > PAGE_BYTES && !due.is_empty() {
            break;
        }
        due.push(notification);
    }
    Ok(due)
}

/// Notes how an attempt went.
pub(crate) async fn report(app: &App, run_id: u64, delivery: Delivery) -> Result<(), StoreError> {
    make(app, What::Report(run_id, delivery)).await.map(drop)
}

/// Ends a run, and its lease.
pub(crate) async fn end(app: &App, run_id: u64, errors: Vec<String>) -> Result<(), StoreError> {
    check::errors(&errors)?;
    make(app, What::End(run_id, errors)).await.map(drop)
}

/// How much of an answer a notification takes.
pub(crate) fn text_bytes(notification: &Notification) -> usize {
    notification.text.len()
        + notification.html.len()
        + notification.json.len()
        + notification.alert_ids.len() * size_of::<u64>()
        + notification.deliveries.len() * size_of::<Delivery>()
}

async fn make(app: &App, what: What) -> Result<u64, StoreError> {
    let change = Change {
        now_us: now_us(),
        what,
    };
    let done = app.journal.step(Step::ChangeRun(Box::new(change))).await?;
    match done.refusal {
        None => Ok(done.run_id),
        Some(Refusal::Because(error)) => Err(error),
        Some(_) => Err(StoreError::Unavailable("it refused a run")),
    }
}

/// Does what a run asked for, in a transaction of the writer; gives its id.
pub(crate) async fn apply(conn: &mut SqliteConnection, change: Change) -> Result<u64, Undone> {
    let now_us = change.now_us;
    match change.what {
        What::Begin(begin) => apply_begin(conn, begin, now_us).await,
        What::Renew(run_id) => {
            let (mut watch, _) = held(conn, run_id).await?;
            watch.lease_until_us = now_us.saturating_add(watch.lease_us);
            db::watch::write(conn, &watch).await?;
            Ok(run_id)
        }
        What::Commit(run_id, findings) => {
            let (watch, run) = held(conn, run_id).await?;
            if !run.is_committed {
                commit::apply(conn, watch, run, findings, now_us).await?;
            }
            Ok(run_id)
        }
        What::Report(run_id, delivery) => {
            let (_, run) = held(conn, run_id).await?;
            apply_report(conn, run, delivery, now_us).await?;
            Ok(run_id)
        }
        What::End(run_id, errors) => {
            apply_end(conn, run_id, errors, now_us).await?;
            Ok(run_id)
        }
    }
}

async fn apply_begin(
    conn: &mut SqliteConnection,
    begin: Begin,
    now_us: Micros,
) -> Result<u64, Undone> {
    let mut watch = db::watch::read(conn).await?;
    let newest = db::run::find(conn, watch.run_id).await?;
    let until_us = watch.lease_until_us;
    // A clock that was put back must not make a lease longer than it was.
    let holds = until_us > now_us && until_us - now_us <= watch.lease_us;
    if let Some(newest) = newest
        && newest.run.ended_us.is_none()
        && holds
    {
        return Err(Undone::Refused(StoreError::RunGoesOn {
            run_id: newest.run.id,
            holder: newest.run.holder,
            until_us,
        }));
    }
    watch.run_id += 1;
    watch.lease_us = begin.lease_us;
    watch.lease_until_us = now_us.saturating_add(begin.lease_us);
    watch.interval_us = begin.interval_us;
    let run = Run {
        id: watch.run_id,
        holder: begin.holder,
        version: begin.version,
        started_us: now_us,
        ended_us: None,
        after_id: watch.judged_id,
        through_id: watch.judged_id,
        opened: 0,
        resolved: 0,
        delivered: 0,
        undelivered: 0,
        errors: Vec::new(),
    };
    let stored = StoredRun {
        run,
        is_committed: false,
    };
    db::run::put(conn, &stored).await?;
    db::watch::write(conn, &watch).await?;
    Ok(watch.run_id)
}

/// Repeating it with a delivery that was accepted changes nothing more.
async fn apply_report(
    conn: &mut SqliteConnection,
    mut run: StoredRun,
    reported: Delivery,
    now_us: Micros,
) -> Result<(), Undone> {
    let Some(mut delivery) = db::delivery::find(conn, reported.id).await? else {
        return Err(Undone::Refused(StoreError::NoDelivery(reported.id)));
    };
    if delivery.state == DeliveryState::Delivered {
        return Ok(());
    }
    delivery.attempts = delivery.attempts.saturating_add(1);
    delivery.state = reported.state;
    delivery.next_attempt_us = reported.next_attempt_us;
    delivery.error = cut(reported.error);
    delivery.delivered_us = (reported.state == DeliveryState::Delivered).then_some(now_us);
    match reported.state {
        DeliveryState::Delivered => run.run.delivered += 1,
        DeliveryState::Waiting | DeliveryState::Failed => run.run.undelivered += 1,
        DeliveryState::Kept => {}
    }
    db::delivery::update(conn, &delivery).await?;
    db::run::put(conn, &run).await?;
    Ok(())
}

/// Repeating it changes nothing more.
async fn apply_end(
    conn: &mut SqliteConnection,
    run_id: u64,
    errors: Vec<String>,
    now_us: Micros,
) -> Result<(), Undone> {
    let mut watch = db::watch::read(conn).await?;
    let run = db::run::find(conn, run_id).await?;
    if watch.run_id == run_id
        && let Some(run) = &run
        && run.run.ended_us.is_some()
    {
        return Ok(());
    }
    let mut run = at_hand(&watch, run, run_id)?;
    run.run.ended_us = Some(now_us);
    run.run.errors = errors.into_iter().map(cut).collect();
    watch.lease_until_us = 0;
    db::run::put(conn, &run).await?;
    db::watch::write(conn, &watch).await?;
    Ok(())
}

async fn held(conn: &mut SqliteConnection, run_id: u64) -> Result<(Watch, StoredRun), Undone> {
    let watch = db::watch::read(conn).await?;
    let run = db::run::find(conn, run_id).await?;
    let run = at_hand(&watch, run, run_id)?;
    Ok((watch, run))
}

/// The run, when it is the newest and has not ended. A lease that has run out is
/// of no account as long as nobody else has begun.
fn at_hand(watch: &Watch, run: Option<StoredRun>, run_id: u64) -> Result<StoredRun, StoreError> {
    run.filter(|run| watch.run_id == run_id && run.run.ended_us.is_none())
        .ok_or(StoreError::RunLost(run_id))
}

/// The beginning of a text that is too long.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(ERROR_BYTES));
    text
}
