//! One destination's view of the spool: durable entries in order, gaps where
//! some were destroyed, and its own cursor.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::backlog::Backlog;
use super::catalog::{Catalog, Destination, Segment};
use super::cursor::{self, CursorFile};
use super::error::SpoolError;
use super::identity::Identity;
use super::read::{Read, ReadPlace};
use super::recovery;
use super::segment::Header;
use super::shared::Shared;

/// A moved cursor reaches its file within this time.
const CURSOR_DELAY: Duration = Duration::from_millis(50);

/// Where a destination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The spool's identity at `next_sequence`.
    pub bridge_id: Uuid,
    /// The first number that the destination was ever to get under this identity.
    pub first_sequence: u64,
    /// The first number that it has not acknowledged.
    pub next_sequence: u64,
}

/// Where a reader goes on after the destination has told what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// Under the identity asked for, or, where that one has ended, the next.
    At(Position),
    /// The destination has numbers that this spool never gave it: it would take
    /// new entries for old ones. They get an identity of their own.
    NewIdentity(Position),
}

/// Where a destination begins that the spool has not heard of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Begin {
    /// With the oldest entry that is there.
    #[default]
    Oldest,
    /// With what comes from now on.
    Newest,
}

/// Consecutive numbers of one identity.
#[derive(Debug)]
pub struct Chunk {
    /// The identity.
    pub bridge_id: Uuid,
    /// The number of the first item.
    pub first_sequence: u64,
    /// A frame takes one number, a gap as many as it counts.
    pub items: Vec<Item>,
}

/// What a number, or several, stand for.
#[derive(Debug, Clone)]
pub enum Item {
    /// A frame.
    Frame(StoredFrame),
    /// Frames that were destroyed.
    Gap {
        /// How many.
        count: u64,
        /// What happened, for people.
        reason: String,
    },
}

impl Item {
    /// How many numbers it takes.
    #[must_use]
    pub fn width(&self) -> u64 {
        match self {
            Self::Frame(_) => 1,
            Self::Gap { count, .. } => *count,
        }
    }
}

/// A frame as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFrame {
    /// When it was read, microseconds since 1970.
    pub received_us: i64,
    /// The connection it came over, unique within a run.
    pub connection: u64,
    /// The other end of the connection.
    pub peer: Option<SocketAddr>,
    /// What kind of frame.
    pub kind: u8,
    /// Its bytes, a slice of a larger read.
    pub bytes: Bytes,
}

/// Reads the spool for one destination.
pub struct Reader {
    shared: Arc<Shared>,
    name: String,
    place: Option<ReadPlace>,
    /// A read under way: it survives that `next` is dropped while waiting.
    reading: Option<JoinHandle<Result<Read, SpoolError>>>,
    /// The first number that was not handed out.
    next: u64,
    /// Numbers behind chunks that were handed out and not acknowledged, and when
    /// the first entry of each was received.
    given: VecDeque<(u64, i64)>,
}

impl Reader {
    pub(super) fn open(
        shared: &Arc<Shared>,
        destination: &str,
        begin: Begin,
        backlog: Backlog,
    ) -> Result<Self, SpoolError> {
        let name = cursor::file_name(destination);
        if !shared.catalog().destinations.contains_key(&name) {
            let (file, _) = CursorFile::load(&shared.folder, &name)?;
            begin_cursor(shared, &name, file, begin)?;
        }
        let mut catalog = shared.catalog();
        let oldest = catalog.oldest();
        let found = catalog
            .destinations
            .get_mut(&name)
            .expect("inserted above, never removed");
        if std::mem::replace(&mut found.taken, true) {
            return Err(SpoolError::ReaderTaken {
                destination: destination.to_owned(),
            });
        }
        if backlog != Backlog::default() {
            // What is removed while a destination lacks it has been given up.
            found.given_up = found.given_up.max(oldest);
        }
        found.backlog = backlog;
        let next = found.cursor.next;
        drop(catalog);
        let (place, reading, given) = (None, None, VecDeque::new());
        Ok(Self {
            shared: Arc::clone(shared),
            name,
            place,
            reading,
            next,
            given,
        })
    }

    /// Where the destination is, as far as it has acknowledged.
    ///
    /// # Errors
    /// None at present.
    pub fn position(&mut self) -> Result<Position, SpoolError> {
        Ok(position(&self.shared.catalog(), &self.name))
    }

    /// Goes to where the destination really is: the number it expects next under
    /// the identity that `position` tells. What it has is skipped; what it lacks is
    /// read again, as a gap where the spool has removed it.
    ///
    /// # Errors
    /// When a new identity cannot be written to disk.
    pub fn resume(&mut self, next_sequence: u64) -> Result<Resumed, SpoolError> {
        let at = position(&self.shared.catalog(), &self.name);
        let (identity, end) = self.shared.catalog().identities.at(at.next_sequence);
        let newest = end == u64::MAX;
        let (known, run_first) = {
            let catalog = self.shared.catalog();
            (catalog.destinations[&self.name].given, catalog.run_first)
        };
        if newest && next_sequence > known.max(run_first) {
            self.take_identity(identity)?;
            return Ok(Resumed::NewIdentity(
                self.go_to(run_first.max(at.next_sequence)),
            ));
        }
        // Below the floor, too: a store that was put back lacks what it once had.
        let next = next_sequence.clamp(identity.first.min(at.next_sequence), end);
        Ok(Resumed::At(self.go_to(next)))
    }

    /// The next durable entries: at least one item, at most `max_entries` items,
    /// and no more than `max_bytes` of frames unless a single one is larger. Waits
    /// for them. Nothing is lost when the future is dropped, but a read under way
    /// keeps the limits it was begun with.
    ///
    /// # Errors
    /// When the disk failed, or the spool was closed and all was read.
    pub async fn next(
        &mut self,
        max_entries: usize,
        max_bytes: usize,
    ) -> Result<Chunk, SpoolError> {
        loop {
            if self.reading.is_none() {
                self.wait().await?;
                let next = self.next;
                let place = self.place.take().unwrap_or_else(|| ReadPlace::at(next));
                let shared = Arc::clone(&self.shared);
                let given_up = self.given_up();
                let limits = (max_entries.max(1), max_bytes);
                self.reading = Some(tokio::task::spawn_blocking(move || {
                    place.read(&shared, limits, given_up)
                }));
            }
            let reading = self.reading.as_mut().expect("set above");
            let read = reading.await;
            self.reading = None;
            let Read { place, chunk } = read.map_err(|error| {
                SpoolError::io("read spool in", self.shared.folder.path())(io::Error::other(error))
            })??;
            self.next = place.next;
            self.place = Some(place);
            if let Some(chunk) = chunk {
                self.hand_out(&chunk);
                return Ok(chunk);
            }
        }
    }

    /// The destination has all numbers below `next_sequence` for good. The cursor
    /// reaches its file within 50 ms, segments that nobody needs are removed.
    ///
    /// # Errors
    /// None at present: a cursor that cannot be written fails the spool.
    pub fn acknowledge(&mut self, next_sequence: u64) -> Result<(), SpoolError> {
        let next_sequence = next_sequence.min(self.next);
        while self
            .given
            .pop_front_if(|(end, _)| *end <= next_sequence)
            .is_some()
        {}
        let oldest_us = self.given.front().map(|(_, received_us)| *received_us);
        let removable = {
            let mut catalog = self.shared.catalog();
            catalog.acknowledge(&self.name, next_sequence, oldest_us);
            catalog.has_removable()
        };
        let within = if removable {
            Duration::ZERO
        } else {
            CURSOR_DELAY
        };
        self.shared.queue.request_housekeeping(within);
        Ok(())
    }

    /// Waits until there is something to read.
    async fn wait(&self) -> Result<(), SpoolError> {
        let mut durable = self.shared.durable.subscribe();
        let mut ended = self.shared.ended.subscribe();
        let readable = |durable_next: &u64| *durable_next > self.next;
        tokio::select! {
            biased;
            _ = durable.wait_for(readable) => Ok(()),
            why = ended.wait_for(Option::is_some) => match why {
                Ok(why) => Err(why.clone().unwrap_or(SpoolError::Closed)),
                Err(_) => Err(SpoolError::Closed),
            },
        }
    }

    /// Numbers below are kept for the destination no longer.
    fn given_up(&self) -> u64 {
        let catalog = self.shared.catalog();
        catalog
            .destinations
            .get(&self.name)
            .map_or(0, |it| it.given_up)
    }

    fn hand_out(&mut self, chunk: &Chunk) {
        let frames = chunk.items.iter().filter_map(|item| match item {
            Item::Frame(frame) => Some(frame.received_us),
            Item::Gap { .. } => None,
        });
        let received_us = frames.min().unwrap_or(i64::MAX);
        self.given.push_back((self.next, received_us));
        if let Some(it) = self.shared.catalog().destinations.get_mut(&self.name) {
            it.given = it.given.max(self.next);
        }
    }

    fn go_to(&mut self, next: u64) -> Position {
        // A read under way ends by itself; nobody waits for what it finds.
        (self.reading, self.place) = (None, None);
        self.given.clear();
        self.next = next;
        let mut catalog = self.shared.catalog();
        catalog.move_cursor(&self.name, next);
        let position = position(&catalog, &self.name);
        drop(catalog);
        self.shared.queue.request_housekeeping(CURSOR_DELAY);
        position
    }

    /// Gives this run's entries an identity of their own, instead of `old`.
    fn take_identity(&self, old: Identity) -> Result<(), SpoolError> {
        let shared = &self.shared;
        let (fresh, run_first) = {
            let run_first = shared.catalog().run_first;
            (Identity::fresh(run_first, old.number + 1), run_first)
        };
        // From here on a start finishes what is interrupted.
        shared
            .watermark
            .update(&shared.folder, |record| record.identity = fresh)?;
        shared.watermark.sync(&shared.folder)?;
        let segments: Vec<Segment> = {
            let mut catalog = shared.catalog();
            catalog.identities.insert(fresh);
            for it in catalog.destinations.values_mut() {
                it.cursor.floor = it.cursor.floor.max(it.cursor.next);
            }
            catalog.segments_from(run_first).cloned().collect()
        };
        for segment in segments {
            let header = Header {
                salt: segment.salt,
                identity: fresh,
                first: segment.first,
                created_us: segment.created_us,
            };
            match header.rewrite(&segment.path) {
                // Every destination has it, so it was removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                written => {
                    written.map_err(SpoolError::io("write segment header", &segment.path))?;
                }
            }
        }
        tracing::warn!(
            old = %old.bridge_id,
            new = %fresh.bridge_id,
            "a destination is ahead of the spool: the spool takes a new identity"
        );
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(destination) = self.shared.catalog().destinations.get_mut(&self.name) {
            destination.taken = false;
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("name", &self.name)
            .field("next", &self.next)
            .finish()
    }
}

/// Begins a cursor.
fn begin_cursor(
    shared: &Shared,
    name: &str,
    file: CursorFile,
    begin: Begin,
) -> Result<(), SpoolError> {
    // In the books first: from then on nothing behind the cursor is removed.
    let (cursor, file) = {
        let mut catalog = shared.catalog();
        let cursor = recovery::beginning(&catalog, begin);
        let destination = Destination::new(cursor, file, false);
        let file = Arc::clone(&destination.file);
        catalog.destinations.insert(name.to_owned(), destination);
        catalog.move_cursor(name, cursor.next);
        (cursor, file)
    };
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.write(&shared.folder, &cursor)?;
    file.sync()?;
    shared.folder.sync()
}

fn position(catalog: &Catalog, name: &str) -> Position {
    let cursor = catalog.destinations[name].cursor;
    let (identity, _) = catalog.identities.at(cursor.next);
    Position {
        bridge_id: identity.bridge_id,
        first_sequence: identity.first.max(cursor.floor).min(cursor.next),
        next_sequence: cursor.next,
    }
}
