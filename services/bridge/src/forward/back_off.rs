//! How long to wait before a destination is tried again.

use std::time::Duration;

use uuid::Uuid;

/// Waits between two attempts grow within these.
const BACK_OFF: std::ops::Range<Duration> = Duration::from_millis(100)..Duration::from_secs(30);

/// Growing waits with jitter, so that bridges do not return in step.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    failures: u32,
}

impl BackOff {
    /// How long to wait now.
    pub(crate) fn next(&mut self) -> Duration {
        let full = BACK_OFF
            .start
            .saturating_mul(1 << self.failures.min(16))
            .min(BACK_OFF.end);
        self.failures += 1;
        // A v4 UUID is mostly random bits: enough for a jitter of half the wait.
        let share = f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
        full.mul_f64(0.5 + share / 2.0)
    }

    /// It works again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{BACK_OFF, BackOff};

    #[test]
    fn waits_grow_within_their_bounds_and_start_again_after_success() {
        let mut back_off = BackOff::default();
        let first = back_off.next();
        assert!(first >= BACK_OFF.start / 2 && first <= BACK_OFF.start);
        let waits: Vec<_> = (0..100).map(|_| back_off.next()).collect();
        assert!(waits.iter().all(|wait| *wait <= BACK_OFF.end));
        assert!(waits[99] >= BACK_OFF.end / 2);
        back_off.reset();
        assert!(back_off.next() <= BACK_OFF.start);
    }
}
