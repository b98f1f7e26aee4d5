//! Opening the file: whether it is ours, free and of a version we know.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// Marks the file as Herald's; set by the first migration.
const APPLICATION_ID: i64 = 0x4872_4c64;
/// Measured with 4, 8 and 16 KiB: the rate is the same; 42, 47 and 45 bytes per
/// record, because slices of filters fill small pages best; and a small commit
/// writes less.
const PAGE_BYTES: u32 = 4096;

/// Why the database cannot be used. Nothing of it has been changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The folder is not there and cannot be made, or cannot be written to.
    #[error("folder `{0}` cannot be written to: {1}")]
    Folder(PathBuf, io::Error),
    /// Another store runs on it.
    #[error("`{0}` is in use by another store")]
    Locked(PathBuf),
    /// An SQLite file with other tables.
    #[error(
        "`{0}` was not made by this store (the predecessor's database has the same name): \
         move it away and read it in with `herald import`"
    )]
    Foreign(PathBuf),
    /// Written by a later version.
    #[error("`{0}` was written by a newer version of Herald: run that version, or a later one")]
    Newer(PathBuf),
    /// No SQLite file, damaged, or unreadable for another reason.
    #[error("`{0}` cannot be opened as a database: {1}")]
    Unreadable(PathBuf, sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("`{0}` could not be brought to this version's schema: {1}")]
    Migration(PathBuf, MigrateError),
}

/// The file, locked for this process.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    path: PathBuf,
    _lock: Arc<File>,
}

impl Database {
    /// Locks, checks and migrates the file, which is made when it is not there.
    pub(crate) async fn open(path: &Path) -> Result<Self, OpenError> {
        let lock = lock(path)?;
        let database = Self {
            path: path.to_owned(),
            _lock: Arc::new(lock),
        };
        let mut conn = database.prepare().await?;
        database.migrate(&mut conn).await?;
        conn.close()
            .await
            .map_err(|error| OpenError::Unreadable(path.to_owned(), error))?;
        Ok(database)
    }

    /// The connection that writes; there must be one at a time.
    pub(crate) async fn writer(&self) -> sqlx::Result<SqliteConnection> {
        self.options().pragma("cache_size", "-4096").connect().await
    }

    /// A connection for one long task: checkpoint or backup.
    pub(crate) async fn aside(&self) -> sqlx::Result<SqliteConnection> {
        self.options().pragma("cache_size", "-512").connect().await
    }

    /// How the readers connect.
    pub(crate) fn reader_options(&self) -> SqliteConnectOptions {
        self.options()
            .pragma("query_only", "ON")
            .pragma("cache_size", "-2048")
    }

    /// The folder the file is in.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().expect("the file was joined to a folder")
    }

    /// The write-ahead log's path.
    pub(crate) fn wal_path(&self) -> PathBuf {
        beside(&self.path, "-wal")
    }

    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(Duration::from_secs(1))
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "0")
            .statement_cache_capacity(64)
            .row_buffer_size(256)
            .disable_statement_logging()
    }

    async fn prepare(&self) -> Result<SqliteConnection, OpenError> {
        let unreadable = |error| OpenError::Unreadable(self.path.clone(), error);
        let mut conn = self
            .options()
            .create_if_missing(true)
            .page_size(PAGE_BYTES)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .connect()
            .await
            .map_err(unreadable)?;
        let application: i64 = sqlx::query_scalar("PRAGMA application_id")
            .fetch_one(&mut conn)
            .await
            .map_err(unreadable)?;
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
            .fetch_one(&mut conn)
            .await
            .map_err(unreadable)?;
        if application != APPLICATION_ID && tables > 0 {
            return Err(OpenError::Foreign(self.path.clone()));
        }
        conn.close().await.map_err(unreadable)?;
        self.options()
            .journal_mode(SqliteJournalMode::Wal)
            .connect()
            .await
            .map_err(unreadable)
    }

    async fn migrate(&self, conn: &mut SqliteConnection) -> Result<(), OpenError> {
        let path = self.path.clone();
        MIGRATIONS
            .run_direct(None, conn, false)
            .await
            .map_err(|error| match error {
                MigrateError::VersionMissing(_) => OpenError::Newer(path),
                error => OpenError::Migration(path, error),
            })
    }
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let unwritable = |error| OpenError::Folder(folder.to_owned(), error);
    fs::create_dir_all(folder).map_err(unwritable)?;
    let file = File::create(beside(path, ".lock")).map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(unwritable(error)),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
