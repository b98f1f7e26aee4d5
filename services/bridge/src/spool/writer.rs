//! The writer's thread: the only one that appends, syncs, and removes. It takes
//! what the queue has gathered, writes it, syncs it, and only then tells readers.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::catalog::Segment;
use super::drops::{self, Drops};
use super::entry;
use super::error::SpoolError;
use super::forwarded::{self, Progress, Sender};
use super::housekeeping;
use super::queue::{Group, Work};
use super::segment::{self, DATA_START, Header, MIN_SEGMENT_BYTES};
use super::shared::{Shared, now_us};

/// How often a full disk is asked for room.
const ROOM_POLL: Duration = Duration::from_millis(100);
const ALARM_PERCENT: u64 = 80;
const ALARM_OVER_PERCENT: u64 = 70;

/// The segment being appended to.
struct Active {
    file: File,
    path: PathBuf,
    first: u64,
    at: u64,
    bytes: u64,
    /// The folder does not name it durably yet.
    unnamed: bool,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    active: Option<Active>,
    /// The number behind the last entry written.
    next: u64,
    /// What entries written and not yet durable tell of their senders.
    progress: Vec<Progress>,
    /// A declaration that is queued but not durable, and what it tells.
    declaring: Option<(u64, Drops)>,
    alarmed: bool,
    closing: bool,
}

/// Why a group is not on disk.
enum Stuck {
    /// Closing, and there is no room.
    NoRoom,
    Failed(SpoolError),
}

impl From<SpoolError> for Stuck {
    fn from(error: SpoolError) -> Self {
        Self::Failed(error)
    }
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let next = shared.catalog().durable_next();
        Self {
            shared,
            active: None,
            next,
            progress: Vec::new(),
            declaring: None,
            alarmed: false,
            closing: false,
        }
    }

    /// Works until the spool is closed or the disk fails. However it ends, all who
    /// wait are told.
    pub(super) fn run(mut self) {
        // Nothing of the writer is used afterwards, but for saying that it ended.
        let working = panic::catch_unwind(AssertUnwindSafe(|| self.work()));
        let result = working.unwrap_or(Err(SpoolError::WriterPanicked));
        match &result {
            Ok(()) | Err(SpoolError::Closed) => {}
            Err(failure) => {
                let cause = std::error::Error::source(failure).map(ToString::to_string);
                error!(error = %failure, cause, "the spool's writer ended");
            }
        }
        let why = result.err().unwrap_or(SpoolError::Closed);
        self.shared.folder.unlock();
        self.shared.queue.end(why.clone());
        self.shared.ended.send_replace(Some(why));
    }

    fn work(&mut self) -> Result<(), SpoolError> {
        let shared = &self.shared;
        if shared.senders.covers().is_some_and(|it| it < self.next) {
            shared.senders.save(&shared.folder, self.next)?;
        }
        housekeeping::run(shared)?;
        self.declare_drops();
        let mut spare = Vec::new();
        loop {
            match self.shared.queue.wait(&mut spare) {
                Work::Write(group) => {
                    self.write_group(&group)?;
                    spare = group.bytes;
                }
                Work::Housekeeping => housekeeping::run(&self.shared)?,
                Work::Close => return self.close(),
                #[cfg(test)]
                Work::Abandon => return Err(SpoolError::Closed),
            }
        }
    }

    fn write_group(&mut self, group: &Group) -> Result<(), SpoolError> {
        let written = self.write_entries(group);
        if self.next > group.first {
            self.commit(group.received_us)?;
        }
        match written {
            Ok(()) => {}
            Err(Stuck::Failed(failure)) => return Err(failure),
            Err(Stuck::NoRoom) => {
                let records = self.shared.queue.drop_unwritten(group, self.next);
                self.finish()?;
                // A declaration without a place stays in the watermark.
                return Err(match records {
                    0 => SpoolError::Closed,
                    _ => SpoolError::NoRoom { records },
                });
            }
        }
        self.skip(&group.skips)?;
        self.leave_full();
        self.declare_drops();
        self.check_level();
        Ok(())
    }

    /// Numbers that stand for nothing have no entry to tell of them.
    fn skip(&self, skips: &[Progress]) -> Result<(), SpoolError> {
        if skips.is_empty() {
            return Ok(());
        }
        let shared = &self.shared;
        shared
            .senders
            .of(Sender::Bridge)
            .save_with(&shared.folder, self.next, skips, now_us())?;
        // Also where there was no room: what is sent again is taken again.
        shared.queue.settle(skips);
        Ok(())
    }

    fn write_entries(&mut self, group: &Group) -> Result<(), Stuck> {
        let mut rest = &group.bytes[..];
        while !rest.is_empty() {
            let needed = entry::size_at(rest) as u64;
            let (length, entries) = match self.active(needed, group)? {
                active if rest.len() as u64 <= active.bytes - active.at => {
                    (rest.len(), group.next - self.next)
                }
                active => entry::whole_in(rest, active.bytes - active.at),
            };
            let active = self.active.as_mut().expect("made above");
            let (now, later) = rest.split_at(length);
            match active.file.write_all_at(now, active.at) {
                Ok(()) => {
                    active.at += length as u64;
                    self.next += entries;
                    if self.shared.senders.covers().is_some() {
                        forwarded::collect(now, &mut self.progress);
                    }
                    rest = later;
                }
                // The file system takes room only when it is written to.
                Err(full) if super::error::no_room(&full) => {
                    self.seal(group.received_us)?;
                    self.wait_for_room()?;
                }
                Err(failed) => {
                    return Err(SpoolError::io("write segment", &active.path)(failed).into());
                }
            }
        }
        Ok(())
    }

    /// The segment that has room for an entry of `needed` bytes.
    fn active(&mut self, needed: u64, group: &Group) -> Result<&Active, Stuck> {
        if self
            .active
            .as_ref()
            .is_some_and(|active| active.bytes - active.at < needed)
        {
            self.seal(group.received_us)?;
            housekeeping::keep_within_backlogs(&self.shared);
        }
        while self.active.is_none() {
            match self.begin_segment(DATA_START + needed, group.received_us) {
                Ok(true) => {}
                Ok(false) => self.wait_for_room()?,
                Err(failure) if failure.is_no_room() => self.wait_for_room()?,
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(self.active.as_ref().expect("made above"))
    }

    /// Makes a segment; false when the limit leaves no room for it.
    fn begin_segment(&mut self, needed: u64, received_us: i64) -> Result<bool, SpoolError> {
        let shared = Arc::clone(&self.shared);
        let folder = &shared.folder;
        let needed = needed.max(MIN_SEGMENT_BYTES);
        let used = shared.catalog().bytes();
        let left = shared.max_bytes.saturating_sub(used);
        if left < needed && used > 0 && !self.closing {
            return Ok(false);
        }
        let identity = shared.catalog().identities.newest();
        let header = Header {
            salt: shared.salt,
            identity,
            first: self.next,
            created_us: received_us,
        };
        let wanted = shared.segment_bytes.min(left);
        let made = segment::create(folder, &header, wanted, needed)
            .map_err(SpoolError::io("make a segment in", folder.path()))?;
        let disk = used
            .saturating_add(made.bytes)
            .saturating_add(folder.available_bytes());
        shared
            .limit_bytes
            .store(shared.max_bytes.min(disk), Ordering::Relaxed);
        self.active = Some(Active {
            file: made.file,
            path: made.path.clone(),
            first: self.next,
            at: DATA_START,
            bytes: made.bytes,
            unnamed: true,
        });
        let segment = Segment {
            path: Arc::new(made.path.clone()),
            first: self.next,
            salt: shared.salt,
            bytes: made.bytes,
            end: DATA_START,
            created_us: received_us,
        };
        // A reader may have changed the identity meanwhile.
        let now = {
            let mut catalog = shared.catalog();
            catalog.begin_segment(segment);
            catalog.identities.newest()
        };
        if now != identity {
            Header {
                identity: now,
                ..header
            }
            .rewrite(&made.path)
            .map_err(SpoolError::io("write segment header", &made.path))?;
        }
        Ok(true)
    }

    /// Syncs what was written, and tells everybody that it is safe.
    fn commit(&mut self, received_us: i64) -> Result<(), SpoolError> {
        let shared = &self.shared;
        if self.next == shared.catalog().durable_next() {
            return Ok(());
        }
        let active = self.active.as_mut().expect("new entries are in a segment");
        let begun = Instant::now();
        rustix::fs::fdatasync(&active.file)
            .map_err(SpoolError::io("sync segment", &active.path))?;
        if let Some(observe) = shared.sync_observer.get() {
            observe(begun.elapsed());
        }
        if active.unnamed {
            shared.folder.sync()?;
            active.unnamed = false;
        }
        if self
            .declaring
            .as_ref()
            .is_some_and(|(sequence, _)| *sequence < self.next)
        {
            self.declaring = None;
        }
        let drops = undeclared(shared, self.declaring.as_ref());
        let (next, first, end) = (self.next, active.first, active.at);
        shared.watermark.update(&shared.folder, |record| {
            record.durable_next = next;
            record.segment_first = first;
            record.segment_end = end;
            record.drops = drops;
        })?;
        shared.catalog().publish(next, end, received_us);
        let progress = std::mem::take(&mut self.progress);
        shared.senders.advance(&progress, received_us);
        shared.queue.settle(&progress);
        shared.durable.send_replace(next);
        Ok(())
    }

    /// Ends the segment: cuts off what it does not need, and what the disk took
    /// only a part of.
    fn seal(&mut self, received_us: i64) -> Result<(), SpoolError> {
        if let Some(active) = &self.active {
            rustix::fs::ftruncate(&active.file, active.at)
                .map_err(SpoolError::io("cut segment", &active.path))?;
        }
        self.commit(received_us)?;
        let Some(active) = self.active.take() else {
            return Ok(());
        };
        let empty = active.at == DATA_START;
        self.shared.catalog().end_segment(active.at, empty);
        if empty {
            let _ = std::fs::remove_file(&active.path);
        }
        if self.shared.senders.covers().is_some() {
            // Else the segment stays until the next one tells.
            self.shared.senders.save(&self.shared.folder, self.next)?;
        }
        self.shared.watermark.sync(&self.shared.folder)
    }

    /// Waits until there may be room.
    fn wait_for_room(&mut self) -> Result<(), Stuck> {
        if self.closing && !self.shared.folder.release_reserve() {
            return Err(Stuck::NoRoom);
        }
        if !self.shared.full.swap(true, Ordering::Relaxed) {
            let limit_bytes = self.shared.max_bytes;
            warn!(
                limit_bytes,
                "the spool is full: new frames wait, then are dropped"
            );
        }
        if housekeeping::give_up_oldest(&self.shared) {
            return Ok(housekeeping::run(&self.shared)?);
        }
        housekeeping::run(&self.shared)?;
        let drops = undeclared(&self.shared, self.declaring.as_ref());
        self.shared
            .watermark
            .update(&self.shared.folder, |record| record.drops = drops)?;
        self.closing |= self.shared.queue.wait_for_room(ROOM_POLL);
        Ok(housekeeping::run(&self.shared)?)
    }

    fn leave_full(&self) {
        if self.shared.full.swap(false, Ordering::Relaxed) {
            info!("the spool has room again");
        }
    }

    fn declare_drops(&mut self) {
        if self.declaring.is_none() {
            self.declaring = self.shared.queue.declare_drops(now_us());
        }
    }

    /// Raises the alarm once when the spool fills up.
    fn check_level(&mut self) {
        let used = self.shared.catalog().filled_bytes();
        let limit = self.shared.limit_bytes.load(Ordering::Relaxed);
        let percent = used.saturating_mul(100) / limit.max(1);
        if percent < ALARM_OVER_PERCENT {
            self.alarmed = false;
        } else if percent >= ALARM_PERCENT && !self.alarmed {
            self.alarmed = true;
            warn!(
                spool_bytes = used,
                limit_bytes = limit,
                "the spool fills up"
            );
            self.shared
                .queue
                .push_own(&drops::alarm(now_us(), used, limit), now_us());
        }
    }

    fn close(&mut self) -> Result<(), SpoolError> {
        self.closing = true;
        self.finish()
    }

    /// Leaves everything on disk as a start likes to find it.
    fn finish(&mut self) -> Result<(), SpoolError> {
        self.seal(now_us())?;
        housekeeping::run(&self.shared)?;
        housekeeping::write_cursors(&self.shared, true)?;
        let drops = undeclared(&self.shared, self.declaring.as_ref());
        self.shared
            .watermark
            .update(&self.shared.folder, |record| {
                record.clean = true;
                record.drops = drops;
            })?;
        self.shared.watermark.sync(&self.shared.folder)
    }
}

/// Drops that no durable declaration tells of.
fn undeclared(shared: &Shared, declaring: Option<&(u64, Drops)>) -> Drops {
    let mut drops = shared.queue.drops();
    if let Some((_, queued)) = declaring {
        drops.add(queued);
    }
    drops
}
