//! How many of something are listed one by one: some at once, then a few over time. The
//! others are counted.

use std::time::{Duration, Instant};

/// So many at once.
const BURST: u32 = 50;
/// Then one in so long: at most 8,640 a day.
const EACH: Duration = Duration::from_secs(10);

/// What is left of it.
#[derive(Debug)]
pub(super) struct Limit {
    left: u32,
    /// Since when one more has been growing.
    since: Option<Instant>,
    passed: u64,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            left: BURST,
            since: None,
            passed: 0,
        }
    }
}

impl Limit {
    /// Whether one more is listed; if not, it is counted.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        let grown = now.saturating_duration_since(since).as_secs() / EACH.as_secs();
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(grown).min(BURST);
        self.since = match self.left {
            BURST => Some(now),
            _ => Some(since + EACH * grown),
        };
        let Some(left) = self.left.checked_sub(1) else {
            self.passed = self.passed.saturating_add(1);
            return false;
        };
        self.left = left;
        true
    }

    /// How many were not listed since this was asked last.
    pub(super) fn take_passed(&mut self) -> u64 {
        std::mem::take(&mut self.passed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{BURST, EACH, Limit};

    #[test]
    fn some_are_listed_at_once_and_then_a_few() {
        let mut limit = Limit::default();
        let now = Instant::now();
        let listed = |limit: &mut Limit, now, tries: u32| {
            (0..tries).filter(|_| limit.take(now)).count() as u32
        };
        assert_eq!(listed(&mut limit, now, 3 * BURST), BURST);
        assert_eq!(limit.take_passed(), u64::from(2 * BURST));
        assert_eq!(limit.take_passed(), 0);
        assert_eq!(listed(&mut limit, now + EACH / 2, 7), 0);
        assert_eq!(listed(&mut limit, now + EACH, 7), 1);
        assert_eq!(limit.take_passed(), 13);
        assert_eq!(listed(&mut limit, now + 3 * EACH, 7), 2);
        assert_eq!(listed(&mut limit, now + 900 * EACH, 3 * BURST), BURST);
    }
}
