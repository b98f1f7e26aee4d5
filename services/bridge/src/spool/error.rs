//! What can go wrong with a spool.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the spool could not do what was asked. It can be cloned because one
/// failure of the disk ends every caller's wait.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SpoolError {
    /// The folder belongs to a process that is running.
    #[error("spool folder {dir} is in use by another process")]
    Locked {
        /// The spool's folder.
        dir: PathBuf,
    },
    /// The operating system refused. For a write or a sync this is final: the
    /// process has to start again and look at what the disk really holds.
    #[error("cannot {action} {path}")]
    Io {
        /// What was being done, such as `sync segment`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: Arc<io::Error>,
    },
    /// A frame above 64 MiB.
    #[error("a frame of {bytes} bytes does not fit into the spool")]
    FrameTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The destination's reader exists already.
    #[error("destination {destination} has a reader already")]
    ReaderTaken {
        /// Its name.
        destination: String,
    },
    /// The spool was closed while there was no room for what it still held in memory.
    #[error(
        "{records} records could not be written before closing: no room; the next start declares them"
    )]
    NoRoom {
        /// How many were dropped; none of them had been reported as durable.
        records: u64,
    },
    /// The writer's thread panicked: a defect of ours. Nothing is durable any
    /// more; the process has to start again.
    #[error("the spool's writer panicked; start again and report this defect")]
    WriterPanicked,
    /// The spool was closed.
    #[error("the spool is closed")]
    Closed,
}

impl SpoolError {
    /// Whether the disk, a quota or the configured limit had no room.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        match self {
            Self::Io { source, .. } => no_room(source),
            Self::NoRoom { .. } => true,
            _ => false,
        }
    }

    pub(super) fn io<E: Into<io::Error>>(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self {
        move |error| Self::Io {
            action,
            path: path.to_owned(),
            source: Arc::new(error.into()),
        }
    }
}

/// Whether the system answered that a disk or a quota is full.
pub(super) fn no_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
