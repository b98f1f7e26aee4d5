//! What the handles, the writer and the readers have in common.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use uuid::Uuid;

use super::SpoolError;
use super::catalog::Catalog;
use super::folder::Folder;
use super::queue::Queue;
use super::recovery::Recovered;
use super::upstream::Senders;
use super::watermark::WatermarkFile;

/// Told how long each sync of a segment took.
pub(super) type SyncObserver = Box<dyn Fn(Duration) + Send + Sync>;

/// Locks are taken in the order queue, watermark, catalog; the queue's is held
/// together with none but those of `senders`, which are always the last.
pub(super) struct Shared {
    pub(super) folder: Folder,
    pub(super) salt: u32,
    pub(super) max_bytes: u64,
    pub(super) segment_bytes: u64,
    pub(super) queue: Queue,
    pub(super) watermark: WatermarkFile,
    pub(super) senders: Senders,
    /// Stays the same over all runs: what the bridge is told apart by.
    pub(super) installation: Uuid,
    catalog: Mutex<Catalog>,
    /// The first number that is not durable.
    pub(super) durable: watch::Sender<u64>,
    /// How the writer ended.
    pub(super) ended: watch::Sender<Option<SpoolError>>,
    /// The limit, or less where the disk has less room.
    pub(super) limit_bytes: AtomicU64,
    pub(super) full: AtomicBool,
    pub(super) torn_bytes: u64,
    pub(super) sync_observer: OnceLock<SyncObserver>,
}

impl Shared {
    pub(super) fn new(found: Recovered, limits: (u64, u64), queue: Queue) -> Self {
        let (max_bytes, segment_bytes) = limits;
        Self {
            folder: found.folder,
            salt: found.salt,
            max_bytes,
            segment_bytes,
            queue,
            watermark: found.watermark,
            senders: found.senders,
            installation: found.installation,
            durable: watch::Sender::new(found.catalog.durable_next()),
            catalog: Mutex::new(found.catalog),
            ended: watch::Sender::new(None),
            limit_bytes: AtomicU64::new(max_bytes),
            full: AtomicBool::new(false),
            torn_bytes: found.report.torn_bytes,
            sync_observer: OnceLock::new(),
        }
    }

    pub(super) fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Now, in microseconds since 1970.
pub(super) fn now_us() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
