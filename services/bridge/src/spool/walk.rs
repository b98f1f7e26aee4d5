//! Walks over the entries of one segment, in order, past any damage. Frames
//! come back as slices of one large read.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;

use super::entry::{self, HEAD_BYTES, Head};
use super::folder::read_at;
use super::segment::DATA_START;

const READ_BYTES: u64 = 512 << 10;
/// More entries than a segment of the largest size can hold.
const MAX_ENTRIES: u64 = 1 << 24;

/// What came next.
#[derive(Debug)]
pub(super) enum Step {
    /// The entry with the expected number.
    Entry(Head, Bytes),
    /// All numbers from the expected one up to this one are gone; `step` goes on
    /// with this one.
    Hole(u64),
    /// The segment holds no number from the expected one up to the limit.
    End,
}

/// A place in a segment.
#[derive(Debug)]
pub(super) struct Walker {
    file: File,
    salt: u32,
    /// Offset of the next entry.
    at: u64,
    /// Bytes behind this offset must not be looked at.
    end: u64,
    /// The lowest number that the next entry can have.
    low: u64,
    /// How much higher it can be.
    span: u64,
    window: Bytes,
    window_at: u64,
    damage: Vec<Range<u64>>,
}

impl Walker {
    /// Begins in front of the first entry of a segment with numbers from `first` on.
    pub(super) fn open(path: &Path, salt: u32, first: u64) -> io::Result<Self> {
        Self::begin(path, salt, first, MAX_ENTRIES)
    }

    /// The same for a segment of which no number is known.
    pub(super) fn open_unknown(path: &Path, salt: u32) -> io::Result<Self> {
        Self::begin(path, salt, 0, u64::MAX)
    }

    fn begin(path: &Path, salt: u32, low: u64, span: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self {
            file,
            salt,
            at: DATA_START,
            end: DATA_START,
            low,
            span,
            window: Bytes::new(),
            window_at: 0,
            damage: Vec::new(),
        })
    }

    /// How far the segment may be read: it never shrinks.
    pub(super) fn extend(&mut self, end: u64) {
        self.end = self.end.max(end);
    }

    /// Offset behind the entry that `step` returned last.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Returns the entry of `size` bytes that `step` returned last once more.
    pub(super) fn step_back(&mut self, size: usize) {
        self.at -= size as u64;
        self.low -= 1;
    }

    /// Damaged ranges that were passed since the last call.
    pub(super) fn take_damage(&mut self) -> Vec<Range<u64>> {
        std::mem::take(&mut self.damage)
    }

    /// Reads raw bytes, for keeping a copy of damage.
    pub(super) fn read(&self, range: &Range<u64>) -> io::Result<Vec<u8>> {
        read_at(&self.file, range.start, (range.end - range.start) as usize)
    }

    /// Goes to the entry numbered `expected`, over lower ones, which are not
    /// checked; numbers from `limit` on are not looked at.
    pub(super) fn step(&mut self, expected: u64, limit: u64) -> io::Result<Step> {
        loop {
            let Some(head) = self.head()? else {
                if self.find_next(limit)? {
                    continue;
                }
                return Ok(Step::End);
            };
            if head.sequence >= limit {
                return Ok(Step::End);
            }
            if head.sequence > expected && self.body(&head)?.is_some() {
                return Ok(Step::Hole(head.sequence));
            }
            let body = if head.sequence == expected {
                self.body(&head)?
            } else {
                None
            };
            if head.sequence >= expected && body.is_none() {
                self.damage
                    .push(self.at..(self.at + head.size as u64).min(self.end));
            }
            self.at = (self.at + head.size as u64).min(self.end);
            self.low = head.sequence + 1;
            if let Some(body) = body {
                return Ok(Step::Entry(head, body));
            }
        }
    }

    fn head(&mut self) -> io::Result<Option<Head>> {
        if !self.load(self.at, HEAD_BYTES)? {
            return Ok(None);
        }
        let from = (self.at - self.window_at) as usize;
        let head = Head::decode(&self.window[from..], self.salt);
        Ok(head.filter(|head| head.sequence >= self.low))
    }

    /// The frame of the entry at hand; `None` when it is damaged or cut off.
    fn body(&mut self, head: &Head) -> io::Result<Option<Bytes>> {
        if !self.load(self.at, head.size)? {
            return Ok(None);
        }
        let from = (self.at - self.window_at) as usize;
        let body = from + HEAD_BYTES..from + head.size;
        if !head.fits(&self.window[body.clone()], self.salt) {
            return Ok(None);
        }
        Ok(Some(self.window.slice(body)))
    }

    /// Searches behind damage for the next entry; false at the end of the segment.
    fn find_next(&mut self, limit: u64) -> io::Result<bool> {
        let from = self.at;
        let numbers = self.low..limit.min(self.low.saturating_add(self.span));
        let mut at = from + 1;
        while self.load(at, HEAD_BYTES)? {
            let begin = (at - self.window_at) as usize;
            if let Some(found) = entry::find_head(&self.window[begin..], &numbers, self.salt) {
                self.at = at + found as u64;
                self.damage.push(from..self.at);
                return Ok(true);
            }
            at = self.window_at + (self.window.len() - HEAD_BYTES + 1) as u64;
        }
        if from < self.end {
            self.damage.push(from..self.end);
        }
        self.at = self.end;
        Ok(false)
    }

    /// Makes `length` bytes from `at` on available in the window, unless the
    /// segment ends before.
    fn load(&mut self, at: u64, length: usize) -> io::Result<bool> {
        let wanted = at.saturating_add(length as u64);
        if wanted > self.end {
            return Ok(false);
        }
        if at < self.window_at || wanted > self.window_at + self.window.len() as u64 {
            let read = (self.end - at).min(READ_BYTES.max(length as u64));
            self.window = Bytes::from(read_at(&self.file, at, read as usize)?);
            self.window_at = at;
        }
        Ok(self.window.len() >= length)
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Encoder, Origin};
    use super::*;

    const SALT: u32 = 99;

    /// Entries with these numbers, each with a frame that names its number.
    fn segment(numbers: Range<u64>) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = vec![0; DATA_START as usize];
        let mut starts = Vec::new();
        let origin = Origin {
            received_us: 1,
            connection: 2,
            peer: None,
        };
        let mut encoder = Encoder::new(&origin, SALT);
        for number in numbers {
            starts.push(bytes.len());
            encoder.push(
                &mut bytes,
                number,
                0,
                format!("frame {number}").repeat(20).as_bytes(),
            );
        }
        (bytes, starts)
    }

    /// The numbers that come out, and those that are declared lost.
    fn walk(bytes: &[u8], numbers: Range<u64>) -> (Vec<u64>, Vec<u64>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut walker = Walker::open(file.path(), SALT, 5).unwrap();
        walker.extend(bytes.len() as u64);
        let (mut found, mut lost, mut next) = (Vec::new(), Vec::new(), numbers.start);
        while next < numbers.end {
            let to = match walker.step(next, numbers.end).unwrap() {
                Step::Entry(head, body) => {
                    assert_eq!(head.sequence, next);
                    assert_eq!(body, format!("frame {next}").repeat(20));
                    found.push(next);
                    next += 1;
                    continue;
                }
                Step::Hole(to) => to,
                Step::End => numbers.end,
            };
            assert!(to > next);
            lost.extend(next..to);
            next = to;
        }
        (found, lost)
    }

    #[test]
    fn every_flipped_byte_costs_exactly_its_entry() {
        let (bytes, starts) = segment(5..15);
        for at in DATA_START as usize..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x41;
            let hit = 4 + starts.partition_point(|start| *start <= at) as u64;
            let rest: Vec<u64> = (5..15).filter(|number| *number != hit).collect();
            assert_eq!(walk(&damaged, 5..15), (rest, vec![hit]), "byte {at}");
        }
    }

    #[test]
    fn every_truncation_costs_exactly_what_is_behind_it() {
        let (bytes, starts) = segment(5..15);
        for end in DATA_START as usize..=bytes.len() {
            let last = (end == bytes.len()) as u64;
            let whole = 5 + starts[1..].iter().filter(|start| **start <= end).count() as u64 + last;
            let expected = ((5..whole).collect(), (whole..15).collect());
            assert_eq!(walk(&bytes[..end], 5..15), expected, "cut at {end}");
        }
    }

    #[test]
    fn cut_out_zeroed_and_doubled_ranges_cost_what_they_covered() {
        let (bytes, starts) = segment(5..15);
        let numbers = |range: Range<u64>| range.collect::<Vec<u64>>();
        let rest = |lost: &[u64]| (5..15).filter(|number| !lost.contains(number)).collect();

        let mut cut = bytes.clone();
        cut.drain(starts[2]..starts[5]);
        assert_eq!(walk(&cut, 5..15), (rest(&[7, 8, 9]), numbers(7..10)));

        let mut zeroed = bytes.clone();
        zeroed[starts[0] + 10..starts[3] + 1].fill(0);
        assert_eq!(walk(&zeroed, 5..15), (rest(&[5, 6, 7, 8]), numbers(5..9)));

        let mut doubled = bytes.clone();
        let copy = bytes[starts[1]..starts[3]].to_vec();
        doubled.splice(starts[5]..starts[5], copy);
        assert_eq!(walk(&doubled, 5..15), (numbers(5..15), Vec::new()));

        let mut inserted = bytes.clone();
        inserted.splice(starts[5]..starts[5], [7; 1000]);
        assert_eq!(walk(&inserted, 5..15), (numbers(5..15), Vec::new()));

        assert_eq!(walk(&bytes, 8..12), (numbers(8..12), Vec::new()));
        assert_eq!(
            walk(&bytes, 1..20).1,
            [numbers(1..5), numbers(15..20)].concat()
        );
        assert_eq!(walk(&[], 5..15), (Vec::new(), numbers(5..15)));
    }

    #[test]
    fn an_entry_inside_a_damaged_frame_is_not_taken_for_one() {
        let mut inner = Vec::new();
        let origin = Origin {
            received_us: 1,
            connection: 2,
            peer: None,
        };
        Encoder::new(&origin, SALT + 1).push(&mut inner, 6, 0, b"forged");
        let (mut bytes, _) = segment(5..6);
        let forged = bytes.len();
        Encoder::new(&origin, SALT).push(&mut bytes, 6, 0, &inner);
        bytes[forged + 30] ^= 1;
        assert_eq!(walk(&bytes, 5..7), (vec![5], vec![6]));
    }
}
