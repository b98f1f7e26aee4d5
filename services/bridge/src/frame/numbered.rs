//! Cuts what a program sends who waits for acknowledgements; no I/O. Its first frame
//! is a hello; each one behind it has a length (4 bytes, big-endian: of all that
//! follows), a number (8 bytes, big-endian), and a body as in any length-prefixed
//! frame.

use super::{Limits, Split, oversize::Skipping};

/// What the body of a hello begins with: no record does.
pub const HELLO: &[u8] = b"{\"herald_hello\":";

const LENGTH_BYTES: usize = 4;
const NUMBER_BYTES: usize = 8;

/// A whole frame of such a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Its number in the program's stream.
    pub number: u64,
    /// The frame; `None` for a farewell, which has no body.
    pub split: Option<Split>,
}

/// The bytes are not what they should be: close the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes")]
pub struct NoNumberedFrame(pub u32);

/// The state of one connection between two reads.
#[derive(Debug)]
pub struct NumberedSplitter {
    limits: Limits,
    skipping: Option<(u64, Box<Skipping>)>,
    wanted: usize,
}

impl NumberedSplitter {
    /// For a connection whose hello was read.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            skipping: None,
            wanted: LENGTH_BYTES,
        }
    }

    /// Adds the whole frames at the front of `buffer` to `frames` and returns how many
    /// bytes are used up. What is left must stand at the front of the next buffer, with
    /// more behind it.
    ///
    /// # Errors
    /// When a length says what no frame has. The frames found so far are good.
    pub fn split(
        &mut self,
        buffer: &[u8],
        frames: &mut Vec<Numbered>,
    ) -> Result<usize, NoNumberedFrame> {
        let mut at = 0;
        loop {
            if let Some((number, skipping)) = &mut self.skipping {
                let (used, whole) = skipping.take(&buffer[at..]);
                at += used;
                if !whole {
                    self.wanted = 1;
                    return Ok(at);
                }
                frames.push(Numbered {
                    number: *number,
                    split: Some(Split::Oversize(skipping.note())),
                });
                self.skipping = None;
            }
            let rest = &buffer[at..];
            let Some((length, rest)) = rest.split_first_chunk::<LENGTH_BYTES>() else {
                self.wanted = LENGTH_BYTES - rest.len();
                return Ok(at);
            };
            let length = u32::from_be_bytes(*length);
            let body = (length as usize).checked_sub(NUMBER_BYTES);
            let body = body.filter(|body| *body as u64 <= self.limits.skip_bytes);
            let size = body.ok_or(NoNumberedFrame(length))?;
            let Some((number, rest)) = rest.split_first_chunk::<NUMBER_BYTES>() else {
                self.wanted = NUMBER_BYTES - rest.len();
                return Ok(at);
            };
            let number = u64::from_be_bytes(*number);
            let start = at + LENGTH_BYTES + NUMBER_BYTES;
            if size > self.limits.frame_bytes {
                self.skipping = Some((number, Box::new(Skipping::frame(size as u64))));
                at = start;
                continue;
            }
            if rest.len() < size {
                self.wanted = size - rest.len();
                return Ok(at);
            }
            let split = (size > 0).then(|| Split::Slice {
                kind: super::kind_of(&rest[..size]),
                range: start..start + size,
            });
            frames.push(Numbered { number, split });
            at = start + size;
        }
    }

    /// How many bytes more the frame at hand needs, at least 1.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Whether a frame above the size limit is passing through.
    #[must_use]
    pub fn is_skipping(&self) -> bool {
        self.skipping.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{FrameKind, Oversize};

    const SMALL: Limits = Limits {
        frame_bytes: 64,
        skip_bytes: 4096,
    };

    fn numbered(number: u64, body: &[u8]) -> Vec<u8> {
        let length = (NUMBER_BYTES + body.len()) as u32;
        [&length.to_be_bytes(), &number.to_be_bytes()[..], body].concat()
    }

    type Heard = (u64, Option<(FrameKind, Vec<u8>)>);

    /// What comes out of a stream cut into pieces of `size` bytes.
    fn hear(stream: &[u8], size: usize) -> Vec<Heard> {
        let mut splitter = NumberedSplitter::new(SMALL);
        let (mut buffer, mut heard) = (Vec::new(), Vec::new());
        for piece in stream.chunks(size) {
            buffer.extend_from_slice(piece);
            let mut frames = Vec::new();
            let used = splitter.split(&buffer, &mut frames).unwrap();
            heard.extend(frames.into_iter().map(|it| {
                let body = it.split.map(|split| match split {
                    Split::Slice { kind, range } => (kind, buffer[range].to_vec()),
                    Split::Oversize(note) => (FrameKind::Oversize, note),
                    Split::Hello(_) => panic!("there is one at the beginning only"),
                });
                (it.number, body)
            }));
            buffer.drain(..used);
            assert!(splitter.wanted() > 0, "it always wants more");
        }
        assert!(buffer.is_empty() && !splitter.is_skipping());
        heard
    }

    #[test]
    fn frames_come_out_with_their_numbers_however_they_are_cut() {
        let large = vec![b'x'; 1_000];
        let stream = [
            numbered(1, b"{}"),
            numbered(2, b"}."),
            numbered(3, &large),
            numbered(u64::MAX, b" {\"msg\":1}"),
            numbered(9, b""),
        ]
        .concat();
        for size in 1..=stream.len() {
            let heard = hear(&stream, size);
            let numbers: Vec<u64> = heard.iter().map(|it| it.0).collect();
            assert_eq!(numbers, [1, 2, 3, u64::MAX, 9], "{size}");
            assert_eq!(heard[0].1, Some((FrameKind::Json, b"{}".to_vec())));
            assert_eq!(heard[1].1, Some((FrameKind::Pickle, b"}.".to_vec())));
            let (kind, note) = heard[2].1.as_ref().unwrap();
            let note = Oversize::read(note).unwrap();
            assert_eq!((*kind, note.size_bytes), (FrameKind::Oversize, 1_000));
            assert_eq!(note.head, large, "without the number");
            assert_eq!(heard[3].1.as_ref().unwrap().0, FrameKind::Json);
            assert_eq!(heard[4].1, None);
        }
    }

    #[test]
    fn a_length_that_no_frame_has_is_refused_at_once() {
        for length in [0, 7, 4_096 + 9, u32::MAX] {
            let stream = [numbered(1, b"{}"), u32::to_be_bytes(length).to_vec()].concat();
            let mut frames = Vec::new();
            let refused = NumberedSplitter::new(SMALL).split(&stream, &mut frames);
            assert_eq!(refused, Err(NoNumberedFrame(length)));
            assert_eq!(frames.len(), 1);
        }
    }
}
