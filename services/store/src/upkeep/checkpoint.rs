//! The write-ahead log. SQLite's own checkpoint would run within a commit and
//! stall it; here a connection of its own copies the bulk beside the writer,
//! who then only has to copy the rest and cut the log.

use std::sync::atomic::Ordering;

use sqlx::Connection;
use tracing::warn;

use super::step;
use crate::{
    App,
    db::{self, file::CheckpointMode},
    error::StoreError,
    journal::Step,
};

/// How long the writer waits for readers, in ms, and when the log is long.
/// A reader's snapshot lasts about 100 ms.
const WAIT_MS: u32 = 20;
const LONG_WAIT_MS: u32 = 300;

/// Cuts the log when it has become long; false when it is too long and somebody
/// was in the way.
pub(super) async fn run(app: &App) -> Result<bool, StoreError> {
    let log_bytes = log_bytes(app);
    app.metrics
        .gauges
        .wal_bytes
        .store(log_bytes, Ordering::Relaxed);
    match log_bytes < app.config.wal_bytes / 4 {
        true => Ok(true),
        false => cut(app).await,
    }
}

/// Cuts the log, unless readers are in the way; false as [`run`].
pub(super) async fn cut(app: &App) -> Result<bool, StoreError> {
    let wal_bytes = app.config.wal_bytes;
    let log_bytes = log_bytes(app);
    let mut conn = app.database.aside().await?;
    db::file::checkpoint(&mut conn, CheckpointMode::Passive).await?;
    conn.close().await?;
    let is_long = log_bytes >= wal_bytes / 2;
    let wait_ms = if is_long { LONG_WAIT_MS } else { WAIT_MS };
    let done = step(app, Step::Truncate { wait_ms }).await?;
    let is_stuck = done.changed == 0 && log_bytes >= wal_bytes;
    if is_stuck {
        warn!(
            log_bytes,
            "the write-ahead log cannot be cut: somebody holds a transaction on the database file"
        );
    }
    Ok(!is_stuck)
}

fn log_bytes(app: &App) -> u64 {
    std::fs::metadata(app.database.wal_path()).map_or(0, |log| log.len())
}
