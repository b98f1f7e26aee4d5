//! From spooled frames to batches of entries, and which batches are under way.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use domain::{DeadLetter, Entry, Gap, Micros};
use proto::v1::{self, Origin};
use tokio::time::Instant;

use crate::{
    decode,
    frame::FrameKind,
    ingest,
    policy::{Outcome, Policy},
    spool::{FORWARDED_KIND, Item, StoredFrame},
};

/// A batch is ended before its texts exceed this, in bytes. Decoding can make
/// a frame several times longer, so the frames' own size is no measure.
const BATCH_BYTES: usize = 1 << 20;

/// An entry with longer texts becomes a dead letter. The store takes batches of
/// 16 MiB; the rest of that is for numbers and tags.
const ENTRY_BYTES: usize = 12 << 20;

/// An entry on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// What it is.
    pub entry: Entry,
    /// Where it was numbered first, if not here.
    pub origin: Option<Origin>,
}

impl From<Entry> for Outgoing {
    fn from(entry: Entry) -> Self {
        Self {
            entry,
            origin: None,
        }
    }
}

impl From<Outgoing> for v1::Entry {
    fn from(outgoing: Outgoing) -> Self {
        Self {
            origin: outgoing.origin,
            ..outgoing.entry.into()
        }
    }
}

/// What items stand for.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Their entries, in order, in batches that are not too large.
    pub batches: Vec<Vec<Outgoing>>,
    /// Frames at which the decoder panicked, which are dead letters now.
    pub panics: u64,
    /// What the destination's rules have kept here or changed.
    pub tally: Tally,
}

/// What rules have kept or changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries that did not leave.
    pub filtered: u64,
    /// How often a mask has found something in a field.
    pub masked: u64,
}

/// Decodes the items and applies the rules of their destination. Total: a frame
/// that the decoder has no answer to, and one that would be too large for the
/// store, are dead letters that say so.
#[must_use]
pub fn decode(items: Vec<Item>, policy: &Policy) -> Decoded {
    decode_with(items, policy, decode::decode)
}

type Decoder = fn(FrameKind, &[u8], Micros, &str) -> Entry;

fn decode_with(items: Vec<Item>, policy: &Policy, decoder: Decoder) -> Decoded {
    let mut filling = Filling {
        batch: Vec::with_capacity(items.len()),
        ..Filling::default()
    };
    let mut peer = PeerText::default();
    for item in items {
        let outgoing = match item {
            Item::Frame(frame) if frame.kind == FORWARDED_KIND => forwarded(&frame),
            Item::Frame(frame) => {
                let panics = &mut filling.decoded.panics;
                decode_frame(&frame, peer.of(frame.peer), decoder, panics).into()
            }
            Item::Gap { count, reason } => Entry::Gap(Gap {
                count,
                reason,
                ..Gap::default()
            })
            .into(),
        };
        filling.add(outgoing, policy);
    }
    filling.finish()
}

/// Batches that are being filled.
#[derive(Default)]
struct Filling {
    decoded: Decoded,
    batch: Vec<Outgoing>,
    bytes: usize,
}

impl Filling {
    fn add(&mut self, outgoing: Outgoing, policy: &Policy) {
        let Outgoing { entry, origin } = outgoing;
        let width = entry.width();
        let (outcome, masked) = policy.apply(entry);
        self.decoded.tally.masked += masked;
        let outgoing = match outcome {
            // What masks put in place can be longer than what was there.
            Outcome::Passed(entry) if masked == 0 || size_of(&entry) <= ENTRY_BYTES => {
                Outgoing { entry, origin }
            }
            Outcome::Passed(_) | Outcome::Kept(_) => {
                self.decoded.tally.filtered += 1;
                return self.skip(width);
            }
        };
        let size = size_of(&outgoing.entry);
        if self.bytes + size > BATCH_BYTES && !self.batch.is_empty() {
            self.decoded.batches.push(std::mem::take(&mut self.batch));
            self.bytes = 0;
        }
        self.bytes += size;
        self.batch.push(outgoing);
    }

    /// Neighbours that do not leave are one entry together.
    fn skip(&mut self, width: u64) {
        match self.batch.last_mut() {
            Some(Outgoing {
                entry: Entry::Skipped(count),
                ..
            }) => *count += width,
            _ => self.batch.push(Entry::Skipped(width).into()),
        }
    }

    fn finish(mut self) -> Decoded {
        if !self.batch.is_empty() {
            self.decoded.batches.push(self.batch);
        }
        self.decoded
    }
}

fn forwarded(frame: &StoredFrame) -> Outgoing {
    match ingest::unpack(&frame.bytes) {
        Ok((entry, origin)) => Outgoing {
            entry,
            origin: Some(origin),
        },
        Err(reason) => letter(frame, "", reason).into(),
    }
}

fn decode_frame(frame: &StoredFrame, peer: &str, decoder: Decoder, panics: &mut u64) -> Entry {
    // The spool's checksum holds, so only another version wrote another kind.
    let kind = FrameKind::try_from(frame.kind).unwrap_or(FrameKind::Garbage);
    let decoding = || decoder(kind, &frame.bytes, frame.received_us, peer);
    // The decoder keeps nothing between two frames that a panic could leave broken.
    let reason = match panic::catch_unwind(AssertUnwindSafe(decoding)) {
        Ok(entry) if size_of(&entry) <= ENTRY_BYTES => return entry,
        Ok(entry) => format!("a record of {} bytes, above the limit", size_of(&entry)),
        Err(_) => {
            *panics += 1;
            "the decoder panicked: a defect of Herald".to_owned()
        }
    };
    letter(frame, peer, reason)
}

fn letter(frame: &StoredFrame, peer: &str, reason: String) -> Entry {
    let letter = decode::dead_letter(&frame.bytes, frame.received_us, peer, reason);
    Entry::DeadLetter(Box::new(letter))
}

/// Stands in for the entry of an item that the store has refused so many times,
/// at least once, for `reason`: with less and less for it to object to, and at
/// last a declared loss. It takes as many numbers as the item. Where there are
/// rules, nothing of the item is left at once.
#[must_use]
pub fn stand_in(item: &Item, policy: &Policy, refusals: u32, reason: &str) -> Entry {
    let frame = match item {
        Item::Frame(frame) if policy.is_open() => frame,
        item => {
            return Entry::Gap(Gap {
                count: item.width(),
                ..Gap::default()
            });
        }
    };
    let reason = format!("refused by the store: {reason}");
    match refusals {
        0 | 1 => letter(frame, PeerText::default().of(frame.peer), reason),
        2 => {
            let whole = decode::dead_letter(&frame.bytes, frame.received_us, "", String::new());
            Entry::DeadLetter(Box::new(DeadLetter {
                head: Vec::new(),
                ..whole
            }))
        }
        _ => Entry::Gap(Gap {
            count: 1,
            ..Gap::default()
        }),
    }
}

/// Consecutive frames mostly come from one peer, whose text is made once.
#[derive(Default)]
struct PeerText {
    address: Option<SocketAddr>,
    text: String,
}

impl PeerText {
    fn of(&mut self, address: Option<SocketAddr>) -> &str {
        if self.address != address {
            self.address = address;
            self.text = address.map(|it| it.to_string()).unwrap_or_default();
        }
        &self.text
    }
}

/// What a record's numbers and its fields' tags take on the wire, in bytes.
const NUMBERS_AND_TAGS: usize = 128;

/// About how many bytes the entry takes on the wire.
fn size_of(entry: &Entry) -> usize {
    match entry {
        Entry::Record(record) => NUMBERS_AND_TAGS + record.text_bytes(),
        Entry::DeadLetter(letter) => letter_size(letter),
        Entry::Gap(gap) => gap.reason.len(),
        Entry::Skipped(_) => 0,
    }
}

fn letter_size(letter: &DeadLetter) -> usize {
    letter.head.len() + letter.reason.len() + letter.peer.len() + 64
}

/// Batches that the store has not acknowledged.
#[derive(Debug, Default)]
pub struct InFlight {
    batches: VecDeque<Sent>,
    last_sent: u64,
}

#[derive(Debug)]
struct Sent {
    next_sequence: u64,
    at: Instant,
    done: Done,
}

/// What an acknowledgement covers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Entries, gaps included, without those that the rules have kept.
    pub entries: u64,
    /// How many of them are dead letters.
    pub dead_letters: u64,
}

impl InFlight {
    /// A batch goes out; the one after it begins with `next_sequence`.
    pub fn sent(&mut self, entries: &[Outgoing], next_sequence: u64) {
        let mut done = Done::default();
        for outgoing in entries {
            match outgoing.entry {
                Entry::Skipped(_) => {}
                Entry::DeadLetter(_) => {
                    done.entries += 1;
                    done.dead_letters += 1;
                }
                Entry::Record(_) | Entry::Gap(_) => done.entries += 1,
            }
        }
        self.batches.push_back(Sent {
            next_sequence,
            at: Instant::now(),
            done,
        });
        self.last_sent = next_sequence;
    }

    /// Everything below `next_sequence` is safe; `None` when that was never
    /// sent.
    pub fn acknowledged(&mut self, next_sequence: u64) -> Option<Done> {
        if next_sequence > self.last_sent {
            return None;
        }
        let mut done = Done::default();
        while let Some(sent) = self
            .batches
            .pop_front_if(|it| it.next_sequence <= next_sequence)
        {
            done.entries += sent.done.entries;
            done.dead_letters += sent.done.dead_letters;
        }
        Some(done)
    }

    /// The number after the last one sent.
    #[must_use]
    pub fn last_sent(&self) -> u64 {
        self.last_sent
    }

    /// Batches under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Resolves when the oldest batch has waited for longer than `within`;
    /// never while nothing is under way.
    pub async fn overdue(&self, within: Duration) {
        match self.batches.front() {
            Some(oldest) => tokio::time::sleep_until(oldest.at + within).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests;
