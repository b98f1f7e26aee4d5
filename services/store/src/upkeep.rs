//! Keeps the database small and quick while records come in: merges small
//! blocks, removes old ones, gives freed pages back, cuts the write-ahead log.
//! Whatever needs the writer is a small step between two commits; reading and
//! encoding are done beside it.

mod checkpoint;
mod merge;
mod retention;
mod small;

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    App, alerts,
    clock::now_us,
    db,
    error::StoreError,
    journal::{Done, Step},
};
use merge::Merging;

/// How often there is something to look after.
const TICK: Duration = Duration::from_millis(100);
/// How often old records are looked for, and sizes measured.
const RETENTION_EVERY: Duration = Duration::from_secs(1);
/// How often what bridges say of themselves is written.
const SAVE_EVERY: Duration = Duration::from_secs(30);
/// How often old alerts are looked for.
const ALERTS_EVERY: Duration = Duration::from_secs(5);
/// How often old entries of the audit log are looked for.
const AUDIT_EVERY: Duration = Duration::from_secs(60);
/// After somebody was in the way of cutting the log: the writer waits for them,
/// and must not do so all the time.
const CUT_PAUSE: Duration = Duration::from_secs(1);
/// After a failure, such as a full disk.
const PAUSE: Duration = Duration::from_secs(2);
/// For one look at the database.
const LOOK_TIME: Duration = Duration::from_secs(10);

/// Works until `shutdown`. The log is cut while blocks are merged: a merge takes
/// a while, and records come in meanwhile.
pub(crate) async fn run(app: App, shutdown: CancellationToken) {
    tokio::join!(cut(&app, &shutdown), keep(&app, &shutdown));
}

async fn cut(app: &App, shutdown: &CancellationToken) {
    let mut ticks = ticks();
    let mut next = async || {
        ticks.tick().await;
        match checkpoint::run(app).await {
            Ok(true) => {}
            Ok(false) => ticks.reset_after(CUT_PAUSE),
            Err(error) => pause(&mut ticks, &error),
        }
    };
    while shutdown.run_until_cancelled(next()).await.is_some() {}
}

async fn keep(app: &App, shutdown: &CancellationToken) {
    let mut ticks = ticks();
    let mut upkeep = Upkeep::new(app.clone());
    let mut next = async || {
        ticks.tick().await;
        if let Err(error) = upkeep.tick().await {
            pause(&mut ticks, &error);
        }
    };
    while shutdown.run_until_cancelled(next()).await.is_some() {}
}

fn ticks() -> Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn pause(ticks: &mut Interval, error: &StoreError) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    warn!(%error, cause, "upkeep paused");
    ticks.reset_after(PAUSE);
}

struct Upkeep {
    app: App,
    merging: Merging,
    retention_due: Instant,
    alerts_due: Instant,
    audit_due: Instant,
    save_due: Instant,
}

impl Upkeep {
    fn new(app: App) -> Self {
        let now = Instant::now();
        Self {
            merging: Merging::new(app.config.retention),
            app,
            retention_due: now,
            alerts_due: now,
            audit_due: now,
            save_due: now + SAVE_EVERY,
        }
    }

    async fn tick(&mut self) -> Result<(), StoreError> {
        self.merging.run(&self.app).await?;
        let now = Instant::now();
        self.app.cache.tidy(now);
        if now >= self.retention_due {
            self.retention_due = now + RETENTION_EVERY;
            retention::run(&self.app).await?;
            self.measure().await?;
        }
        if now >= self.alerts_due {
            self.alerts_due = now + ALERTS_EVERY;
            retention::remove_alerts(&self.app).await?;
        }
        if now >= self.audit_due {
            self.audit_due = now + AUDIT_EVERY;
            retention::remove_audit_entries(&self.app).await?;
        }
        if now >= self.save_due {
            self.save_due = now + SAVE_EVERY;
            let contacts = self.app.journal.contacts.clone();
            step(&self.app, Step::SaveContacts(contacts)).await?;
            let seen = &self.app.journal.seen;
            while step(&self.app, Step::SaveSystems(seen.clone()))
                .await?
                .changed
                > 0
            {}
        }
        Ok(())
    }

    async fn measure(&self) -> Result<(), StoreError> {
        let mut snapshot = self
            .app
            .readers
            .snapshot(Instant::now() + LOOK_TIME)
            .await?;
        let sums = db::block::sums(snapshot.conn()).await?;
        let counts = db::alert::counts(snapshot.conn(), now_us()).await?;
        let deliveries = db::delivery::counts(snapshot.conn()).await?;
        let unjudged_since_us = alerts::unjudged_since_us(snapshot.conn()).await?;
        let gauges = &self.app.metrics.gauges;
        gauges.alerts(&counts, &deliveries, unjudged_since_us);
        gauges.blocks.store(sums.blocks, Ordering::Relaxed);
        let cache_bytes = self.app.cache.bytes() as u64;
        gauges.cache_bytes.store(cache_bytes, Ordering::Relaxed);
        let small_blocks = self.merging.small_blocks() as u64;
        gauges.small_blocks.store(small_blocks, Ordering::Relaxed);
        Ok(())
    }
}

/// Has the writer do a step, and keeps the measures it brings back.
async fn step(app: &App, step: Step) -> Result<Done, StoreError> {
    let done = app.journal.step(step).await?;
    let gauges = &app.metrics.gauges;
    let space = done.space;
    gauges
        .database_bytes
        .store(space.total_bytes, Ordering::Relaxed);
    gauges.free_bytes.store(space.free_bytes, Ordering::Relaxed);
    Ok(done)
}
