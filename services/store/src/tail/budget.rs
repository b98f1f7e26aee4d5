//! How many records somebody who takes no more than so many a second may get
//! now: what was not used of the last seconds is there for a burst.

use std::{num::NonZeroU32, time::Duration};

use tokio::time::Instant;

/// The most records a second that a limit may allow.
pub(crate) const MAX_PER_SECOND: u32 = 1_000;
/// So many seconds of nothing are made up for, but by no more records than
/// this together.
const SAVED_SECONDS: u32 = 10;
const SAVED_RECORDS: u32 = 1_000;

/// A budget of records.
#[derive(Debug)]
pub(super) struct Budget {
    /// How long one record takes.
    each: Duration,
    /// All of this saved is the most.
    most: Duration,
    /// The budget was empty then, as far as it has been used.
    empty_at: Instant,
}

impl Budget {
    /// A full one.
    pub(super) fn new(per_second: NonZeroU32, now: Instant) -> Self {
        let each = Duration::from_secs(1) / per_second.get();
        let most = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(SAVED_SECONDS - 1));
        let most = most.get().min(SAVED_RECORDS.max(per_second.get()));
        let most = each * most;
        Self {
            each,
            most,
            empty_at: now.checked_sub(most).unwrap_or(now),
        }
    }

    /// How many records may be sent now.
    pub(super) fn room(&mut self, now: Instant) -> u64 {
        let saved = now.saturating_duration_since(self.empty_at);
        if saved > self.most {
            self.empty_at += saved - self.most;
        }
        let saved = saved.min(self.most);
        u64::try_from(saved.as_nanos() / self.each.as_nanos()).unwrap_or(0)
    }

    /// So many records are sent.
    pub(super) fn spend(&mut self, records: usize) {
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        self.empty_at += self.each * records;
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use tokio::time::Instant;

    use super::Budget;

    fn budget(per_second: u32) -> (Budget, Instant) {
        let now = Instant::now();
        let per_second = NonZeroU32::new(per_second).unwrap();
        (Budget::new(per_second, now), now)
    }

    #[test]
    fn a_burst_uses_what_was_saved() {
        for (per_second, expected) in [(1, 10), (40, 400), (100, 1_000), (1_000, 1_000)] {
            let (mut budget, now) = budget(per_second);
            assert_eq!(budget.room(now), expected, "{per_second}");
        }
    }

    #[test]
    fn what_is_spent_comes_back_with_time() {
        let (mut budget, mut now) = budget(40);
        budget.spend(400);
        assert_eq!(budget.room(now), 0);
        now += Duration::from_millis(250);
        assert_eq!(budget.room(now), 10);
        budget.spend(4);
        assert_eq!(budget.room(now), 6);
        now += Duration::from_secs(3_600);
        assert_eq!(budget.room(now), 400);
        budget.spend(400);
        assert_eq!(budget.room(now), 0);
    }

    #[test]
    fn more_than_there_was_is_paid_back() {
        let (mut budget, mut now) = budget(10);
        budget.spend(150);
        now += Duration::from_secs(5);
        assert_eq!(budget.room(now), 0);
        now += Duration::from_secs(1);
        assert_eq!(budget.room(now), 10);
    }
}
