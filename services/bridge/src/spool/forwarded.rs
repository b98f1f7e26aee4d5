//! Entries that somebody sends who waits for acknowledgements, another bridge or a
//! program: how they lie in the spool, and how they come into the queue. In front of
//! each stands a tag, the spool or stream it comes from and the number behind it
//! there, so that the entry and what is expected next become durable with one and
//! the same sync.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;
use uuid::Uuid;

use super::entry::{HEAD_BYTES, MAX_ENTRY_BYTES, size_at};
use super::fields::Fields;
use super::shared::Shared;
use super::{Caller, Item, Spool, SpoolError};

/// The kind of frames that another bridge has sent.
pub const FORWARDED_KIND: u8 = 6;
/// In the kind of a frame that a program has numbered, beside what it is.
const NUMBERED: u8 = 0x80;
const TAG_BYTES: usize = 24;
/// Where the kind lies in an entry's header.
const KIND_AT: usize = 12;

/// Who numbers what it sends, and keeps it until it is acknowledged. Identities of
/// the two are kept apart: those of bridges are no secret, and no program may claim
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// Another bridge.
    Bridge,
    /// A program.
    Program,
}

/// Consecutive entries of another bridge's spool, or of a program's stream.
#[derive(Debug, Clone)]
pub struct ForwardedBatch {
    /// Who sends them.
    pub sender: Sender,
    /// The spool or stream they come from.
    pub upstream: Uuid,
    /// The number expected first of one never heard of. Of a program, which may have
    /// been acknowledged what this spool has lost since, the least that is expected.
    pub begin: u64,
    /// Number of the first entry.
    pub first: u64,
    /// When they came in, in microseconds since 1970.
    pub received_us: i64,
    /// Number of the program's connection; 0 for bridges.
    pub connection: u64,
    /// The program's address.
    pub peer: Option<SocketAddr>,
    /// The entries.
    pub entries: Vec<Forwarded>,
}

/// One entry of a [`ForwardedBatch`].
#[derive(Debug, Clone)]
pub struct Forwarded {
    /// The number behind it there.
    pub next: u64,
    /// What kind of frame it is: [`FORWARDED_KIND`] from bridges.
    pub kind: u8,
    /// What to keep: an encoded `herald.v1.Entry`, or a program's frame; `None` for
    /// numbers that stand for nothing here.
    pub entry: Option<Bytes>,
}

/// What became of a forwarded batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenIn {
    /// What is new of it will be durable soon: so many entries.
    Queued(u64),
    /// Numbers from here on are missing before it: nothing was taken.
    Hole(u64),
}

/// A spool further up, or a program's stream, has come so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) sender: Sender,
    pub(super) upstream: Uuid,
    /// The number expected next.
    pub(super) next: u64,
}

impl Progress {
    /// Whose progress it is.
    pub(super) fn source(&self) -> (Sender, Uuid) {
        (self.sender, self.upstream)
    }

    /// Adds it to a list in which each source is named once.
    pub(super) fn merge_into(self, list: &mut Vec<Self>) {
        match list.iter_mut().find(|it| it.source() == self.source()) {
            Some(known) => known.next = known.next.max(self.next),
            None => list.push(self),
        }
    }

    /// Adds it behind a list, to its last where that is of the same source.
    pub(super) fn add_to(self, list: &mut Vec<Self>) {
        match list.last_mut().filter(|it| it.source() == self.source()) {
            Some(last) => last.next = last.next.max(self.next),
            None => list.push(self),
        }
    }
}

/// Who has sent entries of this kind, if they have tags.
pub(super) fn sender_of(kind: u8) -> Option<Sender> {
    match kind {
        FORWARDED_KIND => Some(Sender::Bridge),
        numbered if numbered & NUMBERED != 0 => Some(Sender::Program),
        _ => None,
    }
}

/// How the kind of a tagged entry is written.
pub(super) fn tagged_kind(sender: Sender, kind: u8) -> u8 {
    match sender {
        Sender::Bridge => kind,
        Sender::Program => kind | NUMBERED,
    }
}

/// Takes the tag off what a program has numbered: from there on its frame is like any
/// other.
pub(super) fn without_number(item: Item) -> Item {
    match item {
        Item::Frame(mut frame) if frame.kind & NUMBERED != 0 => {
            frame.kind &= !NUMBERED;
            frame.bytes = frame.bytes.slice(TAG_BYTES.min(frame.bytes.len())..);
            Item::Frame(frame)
        }
        other => other,
    }
}

/// Appends the frame of a tagged entry to `out`.
pub(super) fn encode(out: &mut Vec<u8>, progress: &Progress, entry: &[u8]) {
    out.extend_from_slice(progress.upstream.as_bytes());
    out.extend_from_slice(&progress.next.to_le_bytes());
    out.extend_from_slice(entry);
}

/// The tag of a frame of this kind.
pub(super) fn progress_of(kind: u8, frame: &[u8]) -> Option<Progress> {
    let sender = sender_of(kind)?;
    let mut fields = Fields::of(frame);
    Some(Progress {
        sender,
        upstream: Uuid::from_bytes(fields.bytes()?),
        next: fields.u64()?,
    })
}

/// A forwarded frame taken apart: the spool it comes from, its last number there,
/// and the encoded entry.
#[must_use]
pub fn parts(frame: &[u8]) -> Option<(Uuid, u64, &[u8])> {
    let progress = progress_of(FORWARDED_KIND, frame)?;
    let last = progress.next.saturating_sub(1);
    Some((progress.upstream, last, frame.get(TAG_BYTES..)?))
}

/// Adds what the entries in `bytes`, which this process encoded, tell of progress:
/// once for each run of entries of the same source.
pub(super) fn collect(bytes: &[u8], list: &mut Vec<Progress>) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (entry, behind) = rest.split_at(size_at(rest));
        if let Some(progress) = progress_of(entry[KIND_AT], &entry[HEAD_BYTES..]) {
            progress.add_to(list);
        }
        rest = behind;
    }
}

/// The first entry that no segment could hold.
pub(super) fn oversize(batch: &ForwardedBatch) -> Option<usize> {
    let sizes = batch
        .entries
        .iter()
        .flat_map(|it| &it.entry)
        .map(Bytes::len);
    sizes
        .max()
        .filter(|bytes| bytes + TAG_BYTES > MAX_ENTRY_BYTES - HEAD_BYTES)
}

/// The way into a spool for other bridges, or for programs that number what they
/// send. Clones are handles to the same.
#[derive(Clone)]
pub struct Intake {
    shared: Arc<Shared>,
    sender: Sender,
    /// Keeps the writer alive.
    _spool: Spool,
}

impl Intake {
    pub(super) fn open(
        spool: &Spool,
        shared: &Arc<Shared>,
        sender: Sender,
    ) -> Result<Self, SpoolError> {
        let known = shared.senders.of(sender);
        if known.covers().is_none() {
            // From here on a start looks for their entries.
            let durable = shared.catalog().durable_next();
            if !known.save(&shared.folder, durable)? {
                return Err(SpoolError::NoRoom { records: 0 });
            }
        }
        Ok(Self {
            shared: Arc::clone(shared),
            sender,
            _spool: spool.clone(),
        })
    }

    /// The number expected next of a spool or stream, as far as it is durable; `None`
    /// for one never heard of.
    #[must_use]
    pub fn expected(&self, upstream: Uuid) -> Option<u64> {
        self.shared.senders.of(self.sender).next(upstream)
    }

    /// Rises whenever [`Intake::expected`] does for any of them.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.senders.of(self.sender).changes()
    }

    /// Whose spool it is: who has few of them is not forgotten for who has many.
    pub fn introduce(&self, upstream: Uuid, caller: Caller) {
        self.shared
            .senders
            .of(self.sender)
            .introduce(upstream, caller);
    }

    /// Who sends so has everything acknowledged and ends: when there is no room to
    /// remember all, it goes first.
    pub fn part(&self, upstream: Uuid) {
        self.shared.senders.of(self.sender).part(upstream);
    }

    /// Takes what is new of a batch. Waits for room: what is not taken stays where
    /// it comes from, and frames of programs, which can stay nowhere, go first.
    ///
    /// # Errors
    /// When the writer has failed or the spool is closed, or an entry is above the
    /// limit.
    ///
    /// # Panics
    /// When the batch is of somebody else than the intake.
    pub async fn take(&self, batch: &ForwardedBatch) -> Result<TakenIn, SpoolError> {
        assert_eq!(
            batch.sender, self.sender,
            "an intake is for one kind of them"
        );
        if let Some(bytes) = oversize(batch) {
            return Err(SpoolError::FrameTooLarge { bytes });
        }
        self.shared.queue.take_in(&self.shared, batch).await
    }
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::StoredFrame;
    use super::super::entry::{Encoder, Origin};
    use super::*;

    #[test]
    fn progress_is_read_back_from_the_entries() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let origin = Origin {
            received_us: 1,
            connection: 0,
            peer: None,
        };
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&origin, 9);
        for (number, kind, upstream, next) in [
            (1, FORWARDED_KIND, one, 4),
            (2, FORWARDED_KIND, one, 5),
            (3, 0, two, 99),
            (4, NUMBERED | 1, one, 7),
            (5, FORWARDED_KIND, one, 6),
        ] {
            let mut frame = Vec::new();
            let progress = Progress {
                sender: Sender::Bridge,
                upstream,
                next,
            };
            encode(&mut frame, &progress, b"entry");
            encoder.push(&mut bytes, number, kind, &frame);
        }
        let mut list = Vec::new();
        collect(&bytes, &mut list);
        let (bridge, program) = (Sender::Bridge, Sender::Program);
        let expected = [(bridge, 5), (program, 7), (bridge, 6)];
        let found: Vec<_> = list.iter().map(|it| (it.sender, it.next)).collect();
        assert_eq!(found, expected);
        assert!(list.iter().all(|it| it.upstream == one));
    }

    #[test]
    fn a_frame_comes_apart_as_it_was_put_together() {
        let upstream = Uuid::from_u128(7);
        let mut frame = Vec::new();
        let progress = Progress {
            sender: Sender::Program,
            upstream,
            next: 12,
        };
        encode(&mut frame, &progress, b"entry");
        assert_eq!(parts(&frame), Some((upstream, 11, &b"entry"[..])));
        assert_eq!(parts(&frame[..TAG_BYTES - 1]), None);
        let kind = tagged_kind(Sender::Program, 1);
        assert_eq!(sender_of(kind), Some(Sender::Program));
        assert_eq!(progress_of(kind, &frame), Some(progress));
        let item = Item::Frame(StoredFrame {
            received_us: 1,
            connection: 2,
            peer: None,
            kind,
            bytes: frame.into(),
        });
        let Item::Frame(frame) = without_number(item) else {
            panic!("it is a frame");
        };
        assert_eq!((frame.kind, &frame.bytes[..]), (1, &b"entry"[..]));
    }
}
