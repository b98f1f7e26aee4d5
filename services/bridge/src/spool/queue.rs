//! Frames between the connections and the disk: entries are numbered and encoded
//! as they come in; the writer takes all of them at once.

mod buffer;
mod intake;
mod own;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use uuid::Uuid;

use buffer::{give_back, make_room};
pub(super) use own::{DECLARATION_KIND, declared_drops};

use super::drops::Drops;
use super::entry::{Encoder, HEAD_BYTES, MAX_ENTRY_BYTES, Origin};
use super::forwarded::{Progress, Sender};
use super::{Appended, FrameBatch, SpoolError};

/// Memory for entries that wait for the writer.
const QUEUE_BYTES: usize = 4 << 20;
/// How long a connection waits for room before its frames are dropped.
pub(super) const PATIENCE: Duration = Duration::from_millis(700);

/// Entries that are written and synced together.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) bytes: Vec<u8>,
    pub(super) first: u64,
    pub(super) next: u64,
    /// When its first entry was received.
    pub(super) received_us: i64,
    /// How far spools further up have come behind their last entry, with numbers
    /// that stand for nothing.
    pub(super) skips: Vec<Progress>,
}

/// What the writer is to do.
#[derive(Debug)]
pub(super) enum Work {
    Write(Group),
    Housekeeping,
    Close,
    /// As if the process had been killed.
    #[cfg(test)]
    Abandon,
}

#[derive(Debug)]
struct State {
    group: Group,
    pending_since: Option<Instant>,
    flush: bool,
    closing: bool,
    ended: Option<SpoolError>,
    no_room_since: Option<tokio::time::Instant>,
    housekeeping_at: Option<Instant>,
    drops: Drops,
    dropped_total: u64,
    /// The number expected next of senders that have something in the queue.
    upstreams: HashMap<(Sender, Uuid), u64>,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    room: Notify,
    salt: u32,
    sync_bytes: usize,
    sync_interval: Duration,
}

impl Queue {
    /// An empty queue that gives out numbers from `next` on; `drops` are still
    /// to be declared.
    pub(super) fn new(
        next: u64,
        salt: u32,
        sync_bytes: usize,
        sync_interval: Duration,
        drops: Drops,
    ) -> Self {
        let state = State {
            group: Group {
                first: next,
                next,
                ..Group::default()
            },
            pending_since: None,
            flush: false,
            closing: false,
            ended: None,
            no_room_since: None,
            housekeeping_at: None,
            drops,
            dropped_total: 0,
            upstreams: HashMap::new(),
        };
        let (state, work, room) = (Mutex::new(state), Condvar::new(), Notify::new());
        Self {
            state,
            work,
            room,
            salt,
            sync_bytes,
            sync_interval,
        }
    }

    /// Numbers and queues the frames of a batch, or counts them as dropped when
    /// there was no room for `PATIENCE`, or when the future is dropped before.
    pub(super) async fn append(&self, batch: &FrameBatch) -> Result<Appended, SpoolError> {
        if let Some(bytes) = oversize(batch) {
            return Err(SpoolError::FrameTooLarge { bytes });
        }
        let mut waiting = Waiting {
            queue: self,
            batch,
            is_over: false,
        };
        let appended = self.queue_or_drop(batch).await;
        waiting.is_over = true;
        appended
    }

    async fn queue_or_drop(&self, batch: &FrameBatch) -> Result<Appended, SpoolError> {
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            let until = {
                let mut state = self.state();
                if let Some(ended) = &state.ended {
                    return Err(ended.clone());
                }
                if state.closing {
                    return Err(SpoolError::Closed);
                }
                if state.group.bytes.len() < QUEUE_BYTES {
                    self.push(&mut state, batch);
                    return Ok(Appended::Queued);
                }
                let now = tokio::time::Instant::now();
                let until = *state.no_room_since.get_or_insert(now) + PATIENCE;
                if until <= now {
                    state.drop_batch(batch);
                    return Ok(Appended::Dropped);
                }
                until
            };
            let _ = tokio::time::timeout_at(until, room).await;
        }
    }

    fn push(&self, state: &mut State, batch: &FrameBatch) {
        if batch.frames.is_empty() {
            return;
        }
        let origin = Origin {
            received_us: batch.received_us,
            connection: batch.connection,
            peer: batch.peer,
        };
        let before = state.group.bytes.len();
        let sizes = batch
            .frames
            .iter()
            .map(|(_, range)| HEAD_BYTES + range.len());
        make_room(&mut state.group.bytes, sizes.sum());
        let mut encoder = Encoder::new(&origin, self.salt);
        for (kind, range) in &batch.frames {
            let frame = &batch.buffer[range.clone()];
            encoder.push(&mut state.group.bytes, state.group.next, *kind, frame);
            state.group.next += 1;
        }
        self.pushed(state, before, batch.received_us);
    }

    /// Starts the clock of a new group, and wakes the writer when there is
    /// something to decide.
    fn pushed(&self, state: &mut State, before: usize, received_us: i64) {
        if before == 0 {
            state.pending_since.get_or_insert_with(Instant::now);
            state.group.received_us = received_us;
        }
        let due = before < self.sync_bytes && state.group.bytes.len() >= self.sync_bytes;
        if before == 0 || due {
            self.work.notify_one();
        }
    }

    /// Waits for something to do. `spare` becomes the buffer of the next group.
    pub(super) fn wait(&self, spare: &mut Vec<u8>) -> Work {
        let mut state = self.state();
        loop {
            #[cfg(test)]
            if state.ended.is_some() {
                return Work::Abandon;
            }
            let now = Instant::now();
            let commit_at = state.pending_since.map(|since| since + self.sync_interval);
            let urgent = state.flush || state.closing;
            let full = state.group.bytes.len() >= self.sync_bytes;
            if commit_at.is_some_and(|at| urgent || full || at <= now) {
                spare.clear();
                let group = state.take_group(std::mem::take(spare));
                drop(state);
                self.room.notify_waiters();
                return Work::Write(group);
            }
            if state.closing {
                return Work::Close;
            }
            if state.housekeeping_at.is_some_and(|at| at <= now) {
                state.housekeeping_at = None;
                return Work::Housekeeping;
            }
            if commit_at.is_none() {
                give_back(spare);
                give_back(&mut state.group.bytes);
            }
            let next = [commit_at, state.housekeeping_at]
                .into_iter()
                .flatten()
                .min();
            state = match next {
                Some(at) => {
                    let waited = self.work.wait_timeout(state, at - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .work
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Waits until segments may have become free, the spool is being closed, or
    /// `at_most` has passed, when the disk may have got room. True when closing.
    pub(super) fn wait_for_room(&self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut state = self.state();
        loop {
            let now = Instant::now();
            if state.closing {
                return true;
            }
            if state.housekeeping_at.is_some_and(|at| at <= now) {
                state.housekeeping_at = None;
                return false;
            }
            let next = state.housekeeping_at.map_or(until, |at| at.min(until));
            if next <= now {
                return false;
            }
            let waited = self.work.wait_timeout(state, next - now);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Asks the writer to look after cursors and segments.
    pub(super) fn request_housekeeping(&self, within: Duration) {
        let at = Instant::now() + within;
        let mut state = self.state();
        if state.housekeeping_at.is_none_or(|planned| at < planned) {
            state.housekeeping_at = Some(at);
            self.work.notify_one();
        }
    }

    /// Asks for a commit of what is queued; returns the number behind it.
    pub(super) fn request_flush(&self) -> u64 {
        let mut state = self.state();
        if state.pending_since.is_some() {
            state.flush = true;
            self.work.notify_one();
        }
        state.group.next
    }

    /// Takes no more frames; the writer commits what is queued and ends.
    pub(super) fn request_close(&self) {
        self.state().closing = true;
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// Every later call fails with `why`.
    pub(super) fn end(&self, why: SpoolError) {
        self.state().ended = Some(why);
        self.room.notify_waiters();
    }

    /// The next number that will be given out, and how many frames were dropped.
    pub(super) fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.group.next, state.dropped_total)
    }

    /// Ends the writer where it stands; returns what was not given to it.
    #[cfg(test)]
    pub(super) fn abandon(&self) -> Vec<u8> {
        let mut state = self.state();
        state.ended = Some(SpoolError::Closed);
        self.work.notify_one();
        std::mem::take(&mut state.group.bytes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch whose place is not decided.
struct Waiting<'a> {
    queue: &'a Queue,
    batch: &'a FrameBatch,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.queue.state().drop_batch(self.batch);
        }
    }
}

impl State {
    fn take_group(&mut self, buffer: Vec<u8>) -> Group {
        let next = self.group.next;
        let empty = Group {
            bytes: buffer,
            first: next,
            next,
            ..Group::default()
        };
        self.pending_since = None;
        self.flush = false;
        self.no_room_since = None;
        std::mem::replace(&mut self.group, empty)
    }

    fn drop_batch(&mut self, batch: &FrameBatch) {
        let records = batch.frames.len() as u64;
        let bytes = batch
            .frames
            .iter()
            .map(|(_, range)| range.len() as u64)
            .sum();
        let peer: Option<IpAddr> = batch.peer.map(|peer| peer.ip());
        self.drops.count(records, bytes, batch.received_us, peer);
        self.dropped_total += records;
    }
}

fn oversize(batch: &FrameBatch) -> Option<usize> {
    let sizes = batch.frames.iter().map(|(_, range)| range.len());
    sizes
        .max()
        .filter(|bytes| *bytes > MAX_ENTRY_BYTES - HEAD_BYTES)
}
