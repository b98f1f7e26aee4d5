//! Online backup: SQLite writes a consistent copy beside the database while
//! everything goes on; the copy is streamed and has no name by then, so that
//! nothing is left behind.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use futures::{Stream, stream};
use tokio::{fs::File, io::AsyncReadExt, sync::OwnedSemaphorePermit};
use tracing::info;

use crate::{App, db, error::StoreError};

const CHUNK_BYTES: usize = 256 << 10;
/// How many steps of SQLite's machine pass between two looks at the log's size.
const STEPS_BETWEEN_LOOKS: i32 = 20_000;
const PREFIX: &str = "backup-";
const SUFFIX: &str = ".tmp";

/// A piece of the copy.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) chunk: Bytes,
    /// Size of the whole copy.
    pub(crate) total_bytes: u64,
}

/// Makes a copy and streams it; one at a time. A caller who goes away stops it.
pub(crate) async fn start(
    app: &App,
) -> Result<impl Stream<Item = Result<Piece, StoreError>> + Send + use<>, StoreError> {
    let permit = Arc::clone(&app.backups)
        .try_acquire_owned()
        .map_err(|_| StoreError::Unavailable("another backup is being made"))?;
    let path = app
        .database
        .folder()
        .join(format!("{PREFIX}{}{SUFFIX}", uuid::Uuid::new_v4()));
    let unnamed = RemoveOnDrop(path.clone());
    copy(app, &path).await?;
    let file = File::open(&path).await?;
    drop(unnamed);
    let total_bytes = file.metadata().await?.len();
    info!(total_bytes, "backup made");
    Ok(pieces(file, total_bytes, permit))
}

/// Removes what a crash has left.
pub(crate) fn remove_left_over(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Ends early when the caller goes away, or when the write-ahead log, which
/// cannot be cut meanwhile, reaches its limit.
async fn copy(app: &App, path: &Path) -> Result<(), StoreError> {
    let mut conn = app.database.aside().await?;
    let is_wanted = Arc::new(AtomicBool::new(true));
    let _stop = StopOnDrop(Arc::clone(&is_wanted));
    let wal = app.database.wal_path();
    let wal_limit = app.config.wal_bytes;
    conn.lock_handle()
        .await?
        .set_progress_handler(STEPS_BETWEEN_LOOKS, move || {
            let log_bytes = std::fs::metadata(&wal).map_or(0, |wal| wal.len());
            is_wanted.load(Ordering::Relaxed) && log_bytes < wal_limit
        });
    let path = path.to_str().ok_or(StoreError::Unavailable(
        "the data folder's name is no UTF-8",
    ))?;
    match db::file::copy_into(&mut conn, path).await {
        Ok(()) => Ok(()),
        Err(error) if db::fault::is_interrupt(&error) => Err(StoreError::Unavailable(
            "records came in too fast for a backup; try again",
        )),
        Err(error) => Err(error.into()),
    }
}

fn pieces(
    file: File,
    total_bytes: u64,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Piece, StoreError>> + Send + use<> {
    stream::try_unfold((file, permit), move |(mut file, permit)| async move {
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        while chunk.len() < CHUNK_BYTES && file.read_buf(&mut chunk).await? > 0 {}
        let piece = Piece {
            chunk: chunk.freeze(),
            total_bytes,
        };
        Ok((!piece.chunk.is_empty()).then_some((piece, (file, permit))))
    })
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

struct RemoveOnDrop(PathBuf);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a backup's file stays behind until the next start");
        }
    }
}
