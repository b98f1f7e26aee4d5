//! What is sent in one round, and how much that may be.

/// A tunnel or proxy takes and passes on so much at once, and so splits no frame.
const PASSED_ON_BYTES: usize = 8 << 10;
/// A socket that nobody reads holds so much, whatever the system.
const HELD_BYTES: usize = 48 << 10;
const ROUND_FRAMES: usize = 512;

/// What the other side does behind our end of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing is known yet.
    Unseen,
    /// It was seen to close.
    Closes,
    /// It was not seen to, so that each round takes its time.
    Quiet,
}

impl End {
    /// The most bytes of a round.
    pub(super) fn round_bytes(self) -> usize {
        match self {
            Self::Unseen | Self::Closes => PASSED_ON_BYTES,
            Self::Quiet => HELD_BYTES,
        }
    }
}

/// Frames with their lengths.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub(super) list: Vec<Vec<u8>>,
    /// Entries that are no record, and so cannot be sent.
    pub(super) kept: u64,
}

impl Frames {
    /// Adds a frame of this pickle.
    pub(super) fn push(&mut self, pickle: &[u8]) {
        let Ok(length) = u32::try_from(pickle.len()) else {
            self.kept += 1;
            return;
        };
        let mut frame = Vec::with_capacity(4 + pickle.len());
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(pickle);
        self.list.push(frame);
    }

    /// The frames in pieces of at most so many bytes, or of one frame.
    pub(super) fn rounds(&self, most_bytes: usize) -> impl Iterator<Item = &[Vec<u8>]> {
        let mut rest = &self.list[..];
        std::iter::from_fn(move || {
            let mut bytes = 0;
            let fits = |frame: &&Vec<u8>| {
                bytes += frame.len();
                bytes <= most_bytes
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (round, after) = rest.split_at_checked(count)?;
            rest = after;
            Some(round)
        })
    }
}

/// How many frames the next round may have. What makes the other side close early
/// is found by rounds that become smaller, down to one frame, which cannot keep the
/// others from being read.
#[derive(Debug)]
pub(super) struct RoundSize(usize);

impl Default for RoundSize {
    fn default() -> Self {
        Self(ROUND_FRAMES)
    }
}

impl RoundSize {
    pub(super) fn frames(&self) -> usize {
        self.0
    }

    pub(super) fn grow(&mut self) {
        self.0 = (self.0 * 2).min(ROUND_FRAMES);
    }

    pub(super) fn shrink(&mut self) {
        self.0 = (self.0 / 8).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_shrinks_to_one_frame_and_grows_again() {
        let mut size = RoundSize::default();
        for expected in [64, 8, 1, 1] {
            size.shrink();
            assert_eq!(size.frames(), expected);
        }
        (0..20).for_each(|_| size.grow());
        assert_eq!(size.frames(), ROUND_FRAMES);
    }

    #[test]
    fn a_frame_begins_with_its_length() {
        let mut frames = Frames::default();
        frames.push(b"abc");
        assert_eq!(frames.list, [b"\0\0\0\x03abc"]);
    }

    #[test]
    fn no_round_is_longer_than_it_may_be_but_for_a_single_frame() {
        let mut frames = Frames::default();
        for length in [6, 16, 26, 96, 1] {
            frames.push(&vec![7; length]);
        }
        let check = |most, expected: &[usize]| {
            let counts: Vec<usize> = frames.rounds(most).map(<[_]>::len).collect();
            assert_eq!(counts, expected, "{most}");
        };
        check(30, &[2, 1, 1, 1]);
        check(29, &[1, 1, 1, 1, 1]);
        check(1, &[1, 1, 1, 1, 1]);
        check(1_000, &[5]);
        assert_eq!(Frames::default().rounds(30).count(), 0);
    }
}
