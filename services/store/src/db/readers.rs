//! A few connections that read, opened when they are needed. Each read has a
//! deadline, after which SQLite itself stops it; so no reader can hold back the
//! write-ahead log for long.

use std::{ops::DerefMut, time::Duration};

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction, sqlite::SqlitePoolOptions};
use tokio::time::{Instant, timeout_at};

use super::Database;

/// How many steps of SQLite's machine pass between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 20_000;

/// The readers.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    pool: SqlitePool,
}

/// One consistent view of the database; keep it short.
#[derive(Debug)]
pub(crate) struct Snapshot {
    transaction: Transaction<'static, Sqlite>,
}

impl Readers {
    /// At most `count` connections.
    pub(crate) fn new(database: &Database, count: u32) -> Self {
        let pool = SqlitePoolOptions::new()
            .max_connections(count)
            .idle_timeout(Duration::from_secs(60))
            .test_before_acquire(false)
            .connect_lazy_with(database.reader_options());
        Self { pool }
    }

    /// A view whose reads are stopped at the deadline.
    ///
    /// # Errors
    /// `PoolTimedOut` when no reader is free before the deadline.
    pub(crate) async fn snapshot(&self, deadline: Instant) -> sqlx::Result<Snapshot> {
        let mut transaction = timeout_at(deadline, self.pool.begin())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)??;
        let until = deadline.into_std();
        transaction
            .lock_handle()
            .await?
            .set_progress_handler(STEPS_BETWEEN_LOOKS, move || {
                std::time::Instant::now() < until
            });
        Ok(Snapshot { transaction })
    }

    /// Waits for the readers and closes them.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

impl Snapshot {
    /// The connection to read on.
    pub(crate) fn conn(&mut self) -> &mut SqliteConnection {
        self.transaction.deref_mut()
    }
}
