//! Reads a chunk for one destination: where the entries are, what is in between,
//! and what was destroyed. Blocking; it runs on a thread for that.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::catalog::{Place, Segment};
use super::entry::HEAD_BYTES;
use super::error::SpoolError;
use super::forwarded::without_number;
use super::reader::{Chunk, Item, StoredFrame};
use super::shared::Shared;
use super::walk::{Step, Walker};

const SEGMENT_GONE: &str = "a segment of the spool is gone";
const GIVEN_UP: &str = "given up: the destination was too far behind";
const ENTRIES_DESTROYED: &str = "entries of the spool were destroyed";

/// Where reading goes on.
pub(super) struct ReadPlace {
    pub(super) next: u64,
    /// The segment at hand and the place in it.
    walker: Option<(Arc<PathBuf>, Walker)>,
}

/// What was read, and where to go on.
pub(super) struct Read {
    pub(super) place: ReadPlace,
    /// `None` when nothing is durable from there on.
    pub(super) chunk: Option<Chunk>,
}

impl ReadPlace {
    /// In front of the entry numbered `next`.
    pub(super) fn at(next: u64) -> Self {
        Self { next, walker: None }
    }

    /// Reads one chunk within the limits, entries and bytes.
    pub(super) fn read(
        mut self,
        shared: &Shared,
        limits: (usize, usize),
        given_up: u64,
    ) -> Result<Read, SpoolError> {
        let mut taken = Taken {
            limits,
            bytes: 0,
            items: Vec::with_capacity(limits.0.min(1024)),
        };
        let first_sequence = self.next;
        let mut bridge_id = None;
        while !taken.is_full() {
            let Some(found) = shared.catalog().locate(self.next) else {
                break;
            };
            if *bridge_id.get_or_insert(found.identity.bridge_id) != found.identity.bridge_id {
                break;
            }
            while self.next < found.limit && !taken.is_full() {
                let item = self.item(shared, &found, given_up)?;
                self.next += item.width();
                if let Err(refused) = taken.push(item) {
                    self.step_back(&refused);
                }
            }
        }
        let chunk = |bridge_id| Chunk {
            bridge_id,
            first_sequence,
            items: taken.items,
        };
        let chunk = bridge_id.map(chunk).filter(|chunk| !chunk.items.is_empty());
        Ok(Read { place: self, chunk })
    }

    /// The frame numbered `next`, or the gap that begins with it.
    fn item(&mut self, shared: &Shared, found: &Place, given_up: u64) -> Result<Item, SpoolError> {
        let next = self.next;
        let gone = || match next < given_up {
            true => Item::Gap {
                count: found.limit - next,
                reason: GIVEN_UP.to_owned(),
            },
            false => gap(shared, next, found.limit, SEGMENT_GONE),
        };
        let Some(segment) = &found.segment else {
            return Ok(gone());
        };
        let Some(walker) = self.walker(segment)? else {
            return Ok(gone());
        };
        let failed = || SpoolError::io("read segment", &segment.path);
        let step = walker.step(next, found.limit).map_err(failed())?;
        for damage in walker.take_damage() {
            let bytes = walker.read(&damage).map_err(failed())?;
            shared
                .folder
                .keep_damaged(&segment.path, damage.start, &bytes);
        }
        Ok(match step {
            Step::Entry(head, bytes) => Item::Frame(StoredFrame {
                received_us: head.origin.received_us,
                connection: head.origin.connection,
                peer: head.origin.peer,
                kind: head.kind,
                bytes,
            }),
            Step::Hole(to) => gap(shared, next, to, ENTRIES_DESTROYED),
            Step::End => gap(shared, next, found.limit, ENTRIES_DESTROYED),
        })
    }

    /// The walker for a segment; `None` when its file is gone.
    fn walker(&mut self, segment: &Segment) -> Result<Option<&mut Walker>, SpoolError> {
        let path = &segment.path;
        if self
            .walker
            .as_ref()
            .is_none_or(|(open, _)| !Arc::ptr_eq(open, path))
        {
            self.walker = match Walker::open(path, segment.salt, segment.first) {
                Ok(walker) => Some((Arc::clone(path), walker)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(SpoolError::io("open segment", path)(error)),
            };
        }
        let Some((_, walker)) = &mut self.walker else {
            return Ok(None);
        };
        walker.extend(segment.end);
        Ok(Some(walker))
    }

    /// Takes back the frame that was read last.
    fn step_back(&mut self, frame: &Refused) {
        self.next -= 1;
        if let Some((_, walker)) = &mut self.walker {
            walker.step_back(HEAD_BYTES + frame.bytes);
        }
    }
}

/// Items of a chunk that is being filled.
struct Taken {
    limits: (usize, usize),
    bytes: usize,
    items: Vec<Item>,
}

/// A frame that the chunk has no room for.
struct Refused {
    bytes: usize,
}

impl Taken {
    fn is_full(&self) -> bool {
        self.items.len() >= self.limits.0 || self.bytes >= self.limits.1
    }

    fn push(&mut self, item: Item) -> Result<(), Refused> {
        if let Item::Frame(frame) = &item {
            let bytes = frame.bytes.len();
            if self.bytes + bytes > self.limits.1 && !self.items.is_empty() {
                self.bytes = self.limits.1;
                return Err(Refused { bytes });
            }
            self.bytes += bytes;
        }
        self.items.push(without_number(item));
        Ok(())
    }
}

fn gap(shared: &Shared, from: u64, to: u64, reason: &str) -> Item {
    shared.catalog().count_lost(from, to);
    tracing::error!(from, to, reason, "frames of the spool are lost");
    Item::Gap {
        count: to - from,
        reason: reason.to_owned(),
    }
}
