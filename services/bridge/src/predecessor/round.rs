//! What is sent in one round, and how much that may be.

/// A socket that nobody reads holds so much, whatever the system.
const ROUND_BYTES: usize = 48 << 10;
const ROUND_FRAMES: usize = 512;

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
    /// Frames and bytes.
    pub(super) fn limits(&self) -> (usize, usize) {
        (self.0, ROUND_BYTES)
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
            assert_eq!(size.limits().0, expected);
        }
        (0..20).for_each(|_| size.grow());
        assert_eq!(size.limits().0, ROUND_FRAMES);
    }

    #[test]
    fn a_frame_begins_with_its_length() {
        let mut frames = Frames::default();
        frames.push(b"abc");
        assert_eq!(frames.list, [b"\0\0\0\x03abc"]);
    }
}
