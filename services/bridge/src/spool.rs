//! Frames on disk, from the moment they were read until every destination has
//! them. A frame that was synced comes out of every reader exactly once and in
//! order, whatever crashed; what the disk destroyed is declared as a gap of
//! exactly its size.
//!
//! A group of entries is written and synced by one thread (`writer`), and only
//! then shown to readers. Segments, watermark and cursors are described in their
//! modules; `recovery` makes a spool of whatever state they are found in.

mod backlog;
mod catalog;
mod cursor;
mod discovery;
mod drops;
mod entry;
mod error;
mod fields;
mod folder;
mod forwarded;
#[cfg(test)]
mod history;
mod housekeeping;
mod identity;
mod installation;
#[cfg(test)]
mod intake_history;
mod orphan;
mod queue;
mod read;
mod reader;
mod recovery;
mod segment;
mod shared;
mod slots;
mod upstream;
mod walk;
mod watermark;
mod writer;

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use catalog::Catalog;
use queue::Queue;
use shared::Shared;
use writer::Writer;

pub use backlog::Backlog;
pub use error::SpoolError;
pub use forwarded::{FORWARDED_KIND, Forwarded, ForwardedBatch, Intake, Sender, TakenIn, parts};
pub use orphan::{Forgotten, forget, forget_requests};
pub use reader::{Begin, Chunk, Item, Position, Reader, Resumed, StoredFrame};
pub use recovery::Recovery;
pub use upstream::Caller;

/// Where the spool is and how much it takes.
#[derive(Debug, Clone)]
pub struct SpoolConfig {
    /// Its folder, made if need be.
    pub dir: PathBuf,
    /// The most that segments may take together.
    pub max_bytes: u64,
    /// Size of a segment; at most a quarter of `max_bytes` is used, so that
    /// removing the oldest makes room.
    pub segment_bytes: u64,
    /// A frame is synced this long after it came in, if not before.
    pub sync_interval: Duration,
    /// This many bytes are synced without waiting for the interval.
    pub sync_bytes: usize,
}

/// Frames that were read together from one connection.
#[derive(Debug, Clone)]
pub struct FrameBatch {
    /// When, in microseconds since 1970.
    pub received_us: i64,
    /// Number of the connection, unique within a run.
    pub connection: u64,
    /// Its other end.
    pub peer: Option<SocketAddr>,
    /// What was read.
    pub buffer: Bytes,
    /// Kind of each frame and where it is in `buffer`.
    pub frames: Vec<(u8, Range<usize>)>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It will be durable soon.
    Queued,
    /// There was no room for 700 ms. It was counted, and a record will tell of it.
    Dropped,
}

/// How the spool is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolStats {
    /// Bytes that segments take.
    pub bytes: u64,
    /// The limit, or less where the disk has less room.
    pub limit: u64,
    /// The next number that will be given out.
    pub next_sequence: u64,
    /// The first number that is not durable.
    pub durable_sequence: u64,
    /// Frames dropped in this run because there was no room.
    pub dropped_total: u64,
    /// Frames found destroyed in this run.
    pub lost_total: u64,
    /// Bytes of unfinished writes cut off at the start of this run.
    pub torn_bytes_total: u64,
    /// There is no room for what is queued.
    pub full: bool,
    /// Streams of programs forgotten in this run that had not ended.
    pub forgotten_streams_total: u64,
    /// How far each destination is behind, by the name of its cursor's file.
    lags: Vec<(String, Lag)>,
}

/// How far a destination is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// Durable entries that it has not acknowledged.
    pub entries: u64,
    /// When the oldest of them was received, or a little before, in microseconds
    /// since 1970; `None` when there are none.
    pub oldest_received_us: Option<i64>,
}

impl SpoolStats {
    /// How far a destination is behind; nothing for an unknown one.
    #[must_use]
    pub fn lag(&self, destination: &str) -> Lag {
        let name = cursor::file_name(destination);
        let found = self.lags.iter().find(|(known, _)| *known == name);
        found.map(|(_, lag)| *lag).unwrap_or_default()
    }
}

/// The spool of one process. Clones are handles to the same.
#[derive(Clone)]
pub struct Spool {
    handle: Arc<Handle>,
}

/// Ends the writer when the last clone is gone.
struct Handle {
    shared: Arc<Shared>,
}

impl Spool {
    /// Opens the spool, whatever state its folder is in, and starts its writer.
    /// Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// When another process has it, or the folder cannot be made or written to.
    pub fn open(config: SpoolConfig) -> Result<(Self, Recovery), SpoolError> {
        Self::open_at_boot(config, watermark::boot_id())
    }

    fn open_at_boot(
        config: SpoolConfig,
        boot_id: [u8; 16],
    ) -> Result<(Self, Recovery), SpoolError> {
        let SpoolConfig {
            dir,
            max_bytes,
            segment_bytes,
            sync_interval,
            sync_bytes,
        } = config;
        let found = recovery::recover(&dir, boot_id)?;
        let segment_bytes = segment_bytes
            .min(max_bytes / 4)
            .max(segment::MIN_SEGMENT_BYTES);
        let queue = Queue::new(
            found.catalog.durable_next(),
            found.salt,
            sync_bytes,
            sync_interval,
            found.drops.clone(),
        );
        let report = found.report.clone();
        let shared = Arc::new(Shared::new(found, (max_bytes, segment_bytes), queue));
        let writer = Writer::new(Arc::clone(&shared));
        std::thread::Builder::new()
            .name("spool-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(SpoolError::io("start the writer of", &dir))?;
        Ok((
            Self {
                handle: Arc::new(Handle { shared }),
            },
            report,
        ))
    }

    /// Takes frames in. Waits for room in memory, not for the disk.
    ///
    /// # Errors
    /// When the writer has failed or the spool is closed.
    pub async fn append(&self, batch: FrameBatch) -> Result<Appended, SpoolError> {
        self.shared().queue.append(&batch).await
    }

    /// Waits until everything appended so far is durable.
    ///
    /// # Errors
    /// When the writer fails before.
    pub async fn flush(&self) -> Result<(), SpoolError> {
        let next = self.shared().queue.request_flush();
        let mut durable = self.shared().durable.subscribe();
        tokio::select! {
            biased;
            _ = durable.wait_for(|durable_next| *durable_next >= next) => Ok(()),
            why = self.ended() => Err(why),
        }
    }

    /// Waits for the writer to fail. That is final: stop, start again, and see
    /// what the disk really holds. Never returns after a close.
    pub async fn failed(&self) -> SpoolError {
        match self.ended().await {
            SpoolError::Closed | SpoolError::NoRoom { .. } => std::future::pending().await,
            failure => failure,
        }
    }

    /// A reader with a cursor of its own. A destination that is new begins with
    /// the oldest entry that is there.
    ///
    /// # Errors
    /// When the destination has a reader, or its cursor cannot be read.
    pub fn reader(&self, destination: &str) -> Result<Reader, SpoolError> {
        self.reader_from(destination, Begin::Oldest, Backlog::default())
    }

    /// A reader of which a new destination begins at `begin`, and which may be so
    /// far behind.
    ///
    /// # Errors
    /// When the destination has a reader, or its cursor cannot be read.
    pub fn reader_from(
        &self,
        destination: &str,
        begin: Begin,
        backlog: Backlog,
    ) -> Result<Reader, SpoolError> {
        Reader::open(&self.handle.shared, destination, begin, backlog)
    }

    /// The way in for those who number what they send. Blocks for as long as the disk
    /// takes.
    ///
    /// # Errors
    /// When the spool's folder cannot be written to.
    pub fn intake(&self, sender: Sender) -> Result<Intake, SpoolError> {
        Intake::open(self, &self.handle.shared, sender)
    }

    /// What tells this spool's installation from all others, over all runs.
    #[must_use]
    pub fn installation(&self) -> uuid::Uuid {
        self.shared().installation
    }

    /// Calls `observe` with the duration of every sync. Only the first call counts.
    pub fn observe_syncs(&self, observe: impl Fn(Duration) + Send + Sync + 'static) {
        let _ = self.shared().sync_observer.set(Box::new(observe));
    }

    /// How the spool is doing.
    #[must_use]
    pub fn stats(&self) -> SpoolStats {
        let shared = self.shared();
        let (next_sequence, dropped_total) = shared.queue.counts();
        let catalog = shared.catalog();
        SpoolStats {
            bytes: catalog.bytes(),
            limit: shared.limit_bytes.load(Ordering::Relaxed),
            next_sequence,
            durable_sequence: catalog.durable_next(),
            dropped_total,
            lost_total: catalog.lost(),
            torn_bytes_total: shared.torn_bytes,
            full: shared.full.load(Ordering::Relaxed),
            forgotten_streams_total: shared.senders.of(Sender::Program).forgotten(),
            lags: lags(&catalog),
        }
    }

    /// Makes everything durable and ends the writer. Other handles get
    /// [`SpoolError::Closed`] from then on; readers still read what is there.
    ///
    /// # Errors
    /// When the disk fails, or has no room for what was queued.
    pub async fn close(self) -> Result<(), SpoolError> {
        self.shared().queue.request_close();
        match self.ended().await {
            SpoolError::Closed => Ok(()),
            failure => Err(failure),
        }
    }

    async fn ended(&self) -> SpoolError {
        let mut ended = self.shared().ended.subscribe();
        let why = ended
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|why| why.clone());
        why.unwrap_or(SpoolError::Closed)
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue.request_close();
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("dir", &self.shared().folder.path())
            .finish_non_exhaustive()
    }
}

fn lags(catalog: &Catalog) -> Vec<(String, Lag)> {
    let next = catalog.durable_next();
    let lag = |destination: &catalog::Destination| Lag {
        entries: next.saturating_sub(destination.cursor.next),
        oldest_received_us: destination.waiting_since_us,
    };
    catalog
        .destinations
        .iter()
        .map(|(name, it)| (name.clone(), lag(it)))
        .collect()
}
