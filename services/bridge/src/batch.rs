//! From spooled frames to batches of entries, and which batches are under way.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use domain::{DeadLetter, Entry, Gap, Micros};
use tokio::time::Instant;

use crate::{
    decode,
    frame::FrameKind,
    spool::{Item, StoredFrame},
};

/// A batch is ended before its texts exceed this, in bytes. Decoding can make
/// a frame several times longer, so the frames' own size is no measure.
const BATCH_BYTES: usize = 1 << 20;

/// An entry with longer texts becomes a dead letter. The store takes batches of
/// 16 MiB; the rest of that is for numbers and tags.
const ENTRY_BYTES: usize = 12 << 20;

/// What items stand for.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Their entries, in order, in batches that are not too large.
    pub batches: Vec<Vec<Entry>>,
    /// Frames at which the decoder panicked, which are dead letters now.
    pub panics: u64,
}

/// Decodes the items. Total: a frame that the decoder has no answer to, and one
/// that would be too large for the store, are dead letters that say so.
#[must_use]
pub fn decode(items: Vec<Item>) -> Decoded {
    decode_with(items, decode::decode)
}

type Decoder = fn(FrameKind, &[u8], Micros, &str) -> Entry;

fn decode_with(items: Vec<Item>, decoder: Decoder) -> Decoded {
    let mut decoded = Decoded::default();
    let mut batch = Vec::with_capacity(items.len());
    let mut bytes = 0;
    let mut peer = PeerText::default();
    for item in items {
        let entry = match item {
            Item::Frame(frame) => {
                decode_frame(&frame, peer.of(frame.peer), decoder, &mut decoded.panics)
            }
            Item::Gap { count, reason } => Entry::Gap(Gap { count, reason }),
        };
        let size = size_of(&entry);
        if bytes + size > BATCH_BYTES && !batch.is_empty() {
            decoded.batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += size;
        batch.push(entry);
    }
    if !batch.is_empty() {
        decoded.batches.push(batch);
    }
    decoded
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
/// last a declared loss. It takes as many numbers as the item.
#[must_use]
pub fn stand_in(item: &Item, refusals: u32, reason: &str) -> Entry {
    let frame = match item {
        Item::Frame(frame) => frame,
        Item::Gap { count, .. } => {
            return Entry::Gap(Gap {
                count: *count,
                reason: String::new(),
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
            reason: String::new(),
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
    /// Entries, gaps included.
    pub entries: u64,
    /// How many of them are dead letters.
    pub dead_letters: u64,
}

impl InFlight {
    /// A batch goes out; the one after it begins with `next_sequence`.
    pub fn sent(&mut self, entries: &[Entry], next_sequence: u64) {
        let dead_letters = entries
            .iter()
            .filter(|entry| matches!(entry, Entry::DeadLetter(_)))
            .count();
        let done = Done {
            entries: entries.len() as u64,
            dead_letters: dead_letters as u64,
        };
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
