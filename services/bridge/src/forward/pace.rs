//! How many records a second a destination may be sent.

use std::{num::NonZeroU32, time::Duration};

use tokio::time::Instant;

/// A rate is spent in steps of this share of a second.
const STEPS: u32 = 10;

/// Spends a rate: after each step it is a while before the next one.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: Option<NonZeroU32>,
    steps: u32,
    free_at: Instant,
}

impl Pace {
    /// At most `rate` records a second; `None` for as many as there are.
    pub(crate) fn new(rate: Option<NonZeroU32>) -> Self {
        Self {
            rate,
            steps: STEPS,
            free_at: Instant::now(),
        }
    }

    /// At most `rate` records a second, one by one.
    pub(crate) fn evenly(rate: NonZeroU32) -> Self {
        Self {
            steps: u32::MAX,
            ..Self::new(Some(rate))
        }
    }

    /// How many records a step may have.
    pub(crate) fn most(&self) -> usize {
        self.rate
            .map_or(usize::MAX, |rate| (rate.get() / self.steps).max(1) as usize)
    }

    /// Whether the next step may begin.
    pub(crate) fn is_free(&self) -> bool {
        self.rate.is_none() || self.free_at <= Instant::now()
    }

    /// Waits until it may.
    pub(crate) async fn free(&self) {
        tokio::time::sleep_until(self.free_at).await;
    }

    /// So many records were sent.
    pub(crate) fn spend(&mut self, records: usize) {
        if let Some(rate) = self.rate {
            let took = Duration::from_secs_f64(records as f64 / f64::from(rate.get()));
            self.free_at = self.free_at.max(Instant::now()) + took;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_spent_has_to_be_waited_for() {
        let mut pace = Pace::new(NonZeroU32::new(500));
        let begun = Instant::now();
        assert!(pace.is_free() && pace.most() == 50);
        for _ in 0..20 {
            pace.spend(pace.most());
        }
        assert!(!pace.is_free());
        let wait = pace.free_at.duration_since(begun).as_secs_f64();
        assert!((2.0..2.5).contains(&wait), "{wait}");
        assert_eq!(Pace::evenly(NonZeroU32::new(5).unwrap()).most(), 1);
    }

    #[tokio::test]
    async fn without_a_rate_nothing_waits() {
        let mut pace = Pace::new(None);
        pace.spend(1_000_000);
        assert!(pace.is_free() && pace.most() == usize::MAX);
    }
}
