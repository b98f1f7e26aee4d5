//! The file itself: transactions of the writer, pages, vacuum, checkpoints.

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

/// Pages of the database file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Space {
    /// Bytes of the file, without the write-ahead log.
    pub(crate) total_bytes: u64,
    /// Bytes of it that are free.
    pub(crate) free_bytes: u64,
}

impl Space {
    /// Bytes that hold something.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.total_bytes - self.free_bytes
    }
}

/// What a checkpoint found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Whether a reader or writer was in the way.
    pub(crate) blocked: bool,
}

/// How much a checkpoint insists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckpointMode {
    /// Copies what nobody is in the way of; the writer goes on meanwhile.
    Passive,
    /// Copies everything and cuts the log to nothing; for the writer itself.
    Truncate,
}

/// Begins a transaction that may write.
///
/// Transactions of the writer are plain statements: SQLite ends one by itself
/// when the disk is full, which sqlx's own bookkeeping does not survive.
pub(crate) async fn begin(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("BEGIN IMMEDIATE").execute(conn).await?;
    Ok(())
}

/// Commits; returns after the sync.
pub(crate) async fn commit(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("COMMIT").execute(conn).await?;
    Ok(())
}

/// Undoes the transaction.
pub(crate) async fn rollback(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("ROLLBACK").execute(conn).await?;
    Ok(())
}

/// Size of the file and what is free in it.
pub(crate) async fn space(conn: &mut SqliteConnection) -> sqlx::Result<Space> {
    let row = sqlx::query(
        "SELECT page_size, page_count, freelist_count
         FROM pragma_page_size, pragma_page_count, pragma_freelist_count",
    )
    .fetch_one(conn)
    .await?;
    let page_bytes = unsigned(&row, 0)?;
    Ok(Space {
        total_bytes: unsigned(&row, 1)? * page_bytes,
        free_bytes: unsigned(&row, 2)? * page_bytes,
    })
}

/// Gives up to `bytes` of free pages at the end back to the file system.
pub(crate) async fn vacuum(conn: &mut SqliteConnection, bytes: u64) -> sqlx::Result<()> {
    let page_bytes: i64 = sqlx::query_scalar("PRAGMA page_size")
        .fetch_one(&mut *conn)
        .await?;
    let pages = bytes.div_ceil(page_bytes.unsigned_abs());
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "PRAGMA incremental_vacuum({pages})"
    )))
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves pages from the write-ahead log into the database file.
pub(crate) async fn checkpoint(
    conn: &mut SqliteConnection,
    mode: CheckpointMode,
) -> sqlx::Result<Checkpoint> {
    let statement = match mode {
        CheckpointMode::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
        CheckpointMode::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    let row = sqlx::query(statement).fetch_one(conn).await?;
    Ok(Checkpoint {
        blocked: row.try_get::<i64, _>(0)? != 0,
    })
}

/// How long the writer waits for a lock that somebody else holds.
pub(crate) async fn busy_timeout(conn: &mut SqliteConnection, ms: u32) -> sqlx::Result<()> {
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA busy_timeout = {ms}")))
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes a consistent copy of the database to a new file.
pub(crate) async fn copy_into(conn: &mut SqliteConnection, path: &str) -> sqlx::Result<()> {
    sqlx::query("VACUUM INTO ?")
        .bind(path)
        .execute(conn)
        .await?;
    Ok(())
}

/// What is wrong with the file's structure, for people.
pub(crate) async fn check(conn: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let mut found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(20)")
        .fetch_all(conn)
        .await?;
    found.retain(|line| line != "ok");
    Ok(found)
}

fn unsigned(row: &SqliteRow, column: usize) -> sqlx::Result<u64> {
    Ok(row.try_get::<i64, _>(column)?.max(0).unsigned_abs())
}
