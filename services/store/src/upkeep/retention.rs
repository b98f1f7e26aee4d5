//! Removes what is too old, or too much, a few blocks at a time, and gives the
//! freed pages back to the file system.

use std::time::Duration;

use domain::Micros;
use tokio::time::Instant;
use tracing::info;

use super::{LOOK_TIME, checkpoint, step};
use crate::{
    App,
    clock::now_us,
    db::{self, block::BlockRow, file::Space},
    error::StoreError,
    journal::Step,
};

/// Blocks that one step removes: some milliseconds.
const STEP_BLOCKS: usize = 2;
/// Dead letters, of up to 64 KiB each, that one step removes.
const STEP_LETTERS: u32 = 32;
const STEP_GAPS: u32 = 512;
/// How much one step gives back.
const STEP_VACUUM_BYTES: u64 = 512 << 10;
/// Blocks that are looked up at a time.
const LOOK_BLOCKS: usize = 256;
/// Free pages that are kept for the records to come: a part of the file, and at least this.
const SLACK_PART: u64 = 20;
const SLACK_BYTES: u64 = 1 << 20;
/// How much a database that has reached its limit is cut back at once: a part of the limit.
const CUT_PART: u64 = 32;
/// Dead letters may take up a part of the limit.
const LETTERS_PART: u64 = 8;

/// Removes and gives back what there is.
pub(super) async fn run(app: &App) -> Result<(), StoreError> {
    let before_us = now_us().saturating_sub(micros(app.config.retention));
    remove_older(app, before_us).await?;
    let mut space = step(app, Step::Measure).await?.space;
    if let Some(max_bytes) = app.config.max_bytes
        && space.total_bytes > max_bytes
    {
        space = remove_oldest(app, max_bytes, space).await?;
    }
    give_back(app, space).await
}

async fn remove_older(app: &App, before_us: Micros) -> Result<(), StoreError> {
    loop {
        let mut snapshot = app.readers.snapshot(Instant::now() + LOOK_TIME).await?;
        let blocks = db::block::received_before(snapshot.conn(), before_us, LOOK_BLOCKS).await?;
        drop(snapshot);
        if blocks.is_empty() {
            break;
        }
        remove(app, &blocks).await?;
    }
    while removed(app, Step::RemoveLetters(before_us, STEP_LETTERS)).await? {}
    while removed(app, Step::RemoveGaps(before_us, STEP_GAPS)).await? {}
    Ok(())
}

/// Removes old alerts and runs.
pub(super) async fn remove_alerts(app: &App) -> Result<(), StoreError> {
    let now_us = now_us();
    let before_us = now_us.saturating_sub(micros(app.config.alert_retention));
    while removed(app, Step::RemoveAlerts { before_us, now_us }).await? {}
    Ok(())
}

/// Removes old entries of the audit log, and what is too much of it.
pub(super) async fn remove_audit_entries(app: &App) -> Result<(), StoreError> {
    let before_us = now_us().saturating_sub(micros(app.config.audit_retention));
    while removed(app, Step::RemoveAuditEntries(before_us)).await? {}
    Ok(())
}

/// Removes the oldest until the database is some way below its limit.
async fn remove_oldest(app: &App, max_bytes: u64, mut space: Space) -> Result<Space, StoreError> {
    let goal = max_bytes - max_bytes / CUT_PART;
    let before = space.used_bytes();
    while space.used_bytes() > goal {
        let mut snapshot = app.readers.snapshot(Instant::now() + LOOK_TIME).await?;
        let letter_bytes = db::dead_letter::bytes(snapshot.conn()).await?;
        let blocks = db::block::since(snapshot.conn(), 0, STEP_BLOCKS).await?;
        drop(snapshot);
        let blocks: Vec<_> = blocks.iter().map(BlockRow::key).collect();
        let next = match letter_bytes > max_bytes / LETTERS_PART || blocks.is_empty() {
            true => Step::RemoveLetters(Micros::MAX, STEP_LETTERS),
            false => Step::Remove(blocks),
        };
        let done = step(app, next).await?;
        space = done.space;
        if done.changed == 0 {
            break;
        }
    }
    let removed_bytes = before.saturating_sub(space.used_bytes());
    info!(
        removed_bytes,
        max_bytes, "oldest records removed for their size"
    );
    Ok(space)
}

async fn remove(app: &App, blocks: &[BlockRow]) -> Result<(), StoreError> {
    let records: u64 = blocks.iter().map(|row| u64::from(row.meta.count)).sum();
    for some in blocks.chunks(STEP_BLOCKS) {
        let keys = some.iter().map(BlockRow::key).collect();
        step(app, Step::Remove(keys)).await?;
    }
    info!(records, "records removed for their age");
    Ok(())
}

async fn removed(app: &App, next: Step) -> Result<bool, StoreError> {
    Ok(step(app, next).await?.changed > 0)
}

/// Shrinks the file to what is used, with some slack.
async fn give_back(app: &App, mut space: Space) -> Result<(), StoreError> {
    let max_bytes = app.config.max_bytes.unwrap_or(u64::MAX);
    let mut has_shrunk = false;
    loop {
        let slack = (space.total_bytes / SLACK_PART).max(SLACK_BYTES);
        let is_over = space.total_bytes > max_bytes && space.free_bytes > 0;
        if space.free_bytes <= slack && !is_over {
            break;
        }
        let bytes = STEP_VACUUM_BYTES;
        let after = step(app, Step::Vacuum { bytes }).await?.space;
        if after.total_bytes >= space.total_bytes {
            break;
        }
        space = after;
        has_shrunk = true;
        checkpoint::run(app).await?;
    }
    // The file itself shrinks when the log is merged into it.
    match has_shrunk {
        true => checkpoint::cut(app).await.map(drop),
        false => Ok(()),
    }
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}
