//! Entries that another bridge has sent: how they lie in the spool, and how they
//! come into the queue. In front of each stands a tag, the spool it comes from and
//! the number behind it there, so that the entry and what is expected next become
//! durable with one and the same sync.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;
use uuid::Uuid;

use super::entry::{HEAD_BYTES, MAX_ENTRY_BYTES, size_at};
use super::fields::Fields;
use super::shared::Shared;
use super::{Spool, SpoolError};

/// The kind of frames that another bridge has sent.
pub const FORWARDED_KIND: u8 = 6;
const TAG_BYTES: usize = 24;
/// Where the kind lies in an entry's header.
const KIND_AT: usize = 12;

/// Consecutive entries of another bridge's spool.
#[derive(Debug, Clone)]
pub struct ForwardedBatch {
    /// The spool they come from.
    pub upstream: Uuid,
    /// The number expected first of a spool never heard of.
    pub begin: u64,
    /// Number of the first entry.
    pub first: u64,
    /// When they came in, in microseconds since 1970.
    pub received_us: i64,
    /// The entries.
    pub entries: Vec<Forwarded>,
}

/// One entry of another bridge's spool.
#[derive(Debug, Clone)]
pub struct Forwarded {
    /// The number behind it there.
    pub next: u64,
    /// What to keep: an encoded `herald.v1.Entry`; `None` for numbers that stand
    /// for nothing here.
    pub entry: Option<Bytes>,
}

/// What became of a forwarded batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenIn {
    /// What is new of it will be durable soon.
    Queued,
    /// Numbers from here on are missing before it: nothing was taken.
    Hole(u64),
}

/// A spool further up has come so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) upstream: Uuid,
    /// The number expected next.
    pub(super) next: u64,
}

impl Progress {
    /// Adds it to a list in which each spool is named once.
    pub(super) fn merge_into(self, list: &mut Vec<Self>) {
        match list.iter_mut().find(|it| it.upstream == self.upstream) {
            Some(known) => known.next = known.next.max(self.next),
            None => list.push(self),
        }
    }
}

/// Appends the frame of a forwarded entry to `out`.
pub(super) fn encode(out: &mut Vec<u8>, progress: &Progress, entry: &[u8]) {
    out.extend_from_slice(progress.upstream.as_bytes());
    out.extend_from_slice(&progress.next.to_le_bytes());
    out.extend_from_slice(entry);
}

/// The tag of a forwarded frame.
pub(super) fn progress_of(frame: &[u8]) -> Option<Progress> {
    let mut fields = Fields::of(frame);
    Some(Progress {
        upstream: Uuid::from_bytes(fields.bytes()?),
        next: fields.u64()?,
    })
}

/// A forwarded frame taken apart: the spool it comes from, its last number there,
/// and the encoded entry.
#[must_use]
pub fn parts(frame: &[u8]) -> Option<(Uuid, u64, &[u8])> {
    let progress = progress_of(frame)?;
    let last = progress.next.saturating_sub(1);
    Some((progress.upstream, last, frame.get(TAG_BYTES..)?))
}

/// Adds what the entries in `bytes`, which this process encoded, tell of progress.
pub(super) fn collect(bytes: &[u8], list: &mut Vec<Progress>) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (entry, behind) = rest.split_at(size_at(rest));
        if entry[KIND_AT] == FORWARDED_KIND
            && let Some(progress) = progress_of(&entry[HEAD_BYTES..])
        {
            progress.merge_into(list);
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

/// The way into a spool for other bridges. Clones are handles to the same.
#[derive(Clone)]
pub struct Intake {
    shared: Arc<Shared>,
    /// Keeps the writer alive.
    _spool: Spool,
}

impl Intake {
    pub(super) fn open(spool: &Spool, shared: &Arc<Shared>) -> Result<Self, SpoolError> {
        if shared.upstreams.covers().is_none() {
            // From here on a start looks for forwarded entries.
            let durable = shared.catalog().durable_next();
            if !shared.upstreams.save(&shared.folder, durable)? {
                return Err(SpoolError::NoRoom { records: 0 });
            }
        }
        Ok(Self {
            shared: Arc::clone(shared),
            _spool: spool.clone(),
        })
    }

    /// The number expected next of a spool, as far as it is durable; `None` for one
    /// never heard of.
    #[must_use]
    pub fn expected(&self, upstream: Uuid) -> Option<u64> {
        self.shared.upstreams.next(upstream)
    }

    /// Rises whenever [`Intake::expected`] does for any spool.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.upstreams.changes()
    }

    /// Takes what is new of a batch. Waits for room: what is not taken stays where
    /// it comes from, and frames of programs, which can stay nowhere, go first.
    ///
    /// # Errors
    /// When the writer has failed or the spool is closed, or an entry is above the
    /// limit.
    pub async fn take(&self, batch: &ForwardedBatch) -> Result<TakenIn, SpoolError> {
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
            (1, FORWARDED_KIND, one, 5),
            (2, 0, two, 99),
            (3, FORWARDED_KIND, two, 7),
            (4, FORWARDED_KIND, one, 6),
        ] {
            let mut frame = Vec::new();
            encode(&mut frame, &Progress { upstream, next }, b"entry");
            encoder.push(&mut bytes, number, kind, &frame);
        }
        let mut list = Vec::new();
        collect(&bytes, &mut list);
        let expected = [(one, 6), (two, 7)].map(|(upstream, next)| Progress { upstream, next });
        assert_eq!(list, expected);
    }

    #[test]
    fn a_frame_comes_apart_as_it_was_put_together() {
        let upstream = Uuid::from_u128(7);
        let mut frame = Vec::new();
        encode(&mut frame, &Progress { upstream, next: 12 }, b"entry");
        assert_eq!(parts(&frame), Some((upstream, 11, &b"entry"[..])));
        assert_eq!(parts(&frame[..TAG_BYTES - 1]), None);
    }
}
