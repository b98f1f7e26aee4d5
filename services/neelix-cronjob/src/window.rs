//! How many records fall into a time that moves along: the fullest it gets.

use domain::Micros;

use crate::{judge::Mark, rule::Quota};

/// How many records are kept before those too old to matter are let go.
const KEPT: usize = 500_000;

/// Records as they come by rising id, which is nearly but not quite that of their
/// times. Constant memory.
#[derive(Debug)]
pub(crate) struct Window {
    quota: Quota,
    marks: Vec<(Mark, bool)>,
    fullest: Fullest,
    settled: usize,
}

/// The fullest a window got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fullest {
    pub(crate) records: u64,
    /// The first record in it.
    pub(crate) first: Mark,
}

impl Window {
    pub(crate) fn new(quota: Quota) -> Self {
        Self {
            quota,
            marks: Vec::new(),
            fullest: Fullest::default(),
            settled: 0,
        }
    }

    /// Takes a record. Only windows with a new one in them count.
    pub(crate) fn push(&mut self, mark: Mark, is_new: bool) {
        self.marks.push((mark, is_new));
        // Twice as many as were left over: each is looked at a few times only.
        if self.marks.len() >= KEPT.max(2 * self.settled) {
            self.settle();
            let newest_us = self.marks.last().map_or(0, |(mark, _)| mark.received_us);
            let oldest_us = newest_us.saturating_sub(self.quota.within_us);
            self.marks.retain(|(mark, _)| mark.received_us > oldest_us);
            self.settled = self.marks.len();
        }
    }

    /// Whether the quota has been reached.
    pub(crate) fn is_full(&mut self) -> bool {
        self.fullest().records >= self.quota.count
    }

    /// The fullest so far; when it is more than the quota, it may have got fuller yet.
    pub(crate) fn fullest(&mut self) -> Fullest {
        self.settle();
        self.fullest
    }

    fn settle(&mut self) {
        self.marks
            .sort_by_key(|(mark, _)| (mark.received_us, mark.id));
        let (mut start, mut new) = (0, 0);
        for (at, (mark, is_new)) in self.marks.iter().enumerate() {
            new += u64::from(*is_new);
            let oldest_us = mark.received_us.saturating_sub(self.quota.within_us);
            while self.marks[start].0.received_us <= oldest_us {
                new -= u64::from(self.marks[start].1);
                start += 1;
            }
            let records = (at - start + 1) as u64;
            if new > 0 && records > self.fullest.records {
                let first = self.marks[start].0;
                self.fullest = Fullest { records, first };
            }
        }
    }
}

/// When a quota is reached and when it is not any more, given all times in order: the
/// beginnings and ends, the last one perhaps without an end.
pub(crate) fn episodes(times: &[Micros], quota: Quota) -> Vec<(Micros, Option<Micros>)> {
    let mut episodes: Vec<(Micros, Option<Micros>)> = Vec::new();
    let mut start = 0;
    for (at, &time) in times.iter().enumerate() {
        while times[start] <= time - quota.within_us {
            start += 1;
            let left = (at - start) as u64;
            if let Some((_, end @ None)) = episodes.last_mut()
                && left < quota.count
            {
                *end = Some(times[start - 1] + quota.within_us);
            }
        }
        let is_open = episodes.last().is_some_and(|(_, end)| end.is_none());
        if !is_open && (at - start + 1) as u64 >= quota.count {
            episodes.push((time, None));
        }
    }
    episodes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Window, episodes};
    use crate::{judge::Mark, rule::Quota};

    fn fullest(times: &[i64], old: usize, within_us: i64) -> (u64, u64) {
        let mut window = Window::new(Quota {
            count: 3,
            within_us,
        });
        for (at, time) in times.iter().enumerate() {
            let mark = Mark {
                id: at as u64 + 1,
                received_us: *time,
            };
            window.push(mark, at >= old);
        }
        let fullest = window.fullest();
        (fullest.records, fullest.first.id)
    }

    #[test]
    fn a_window_is_open_at_its_start() {
        assert_eq!(fullest(&[0, 5, 10], 0, 10), (2, 1));
        assert_eq!(fullest(&[1, 5, 10], 0, 10), (3, 1));
        assert_eq!(fullest(&[10, 1, 5], 0, 10), (3, 2), "by time, not by id");
        assert_eq!(fullest(&[1, 2, 3, 50], 3, 10), (1, 4), "a new one is in it");
        assert_eq!(fullest(&[], 0, 10), (0, 0));
        // Guards: what a bridge that lags behind brings completes windows that end with
        // records judged before.
        assert_eq!(fullest(&[15, 20, 12], 2, 10), (3, 3));
    }

    #[test]
    fn episodes_begin_and_end() {
        let quota = Quota {
            count: 2,
            within_us: 10,
        };
        assert_eq!(
            episodes(&[0, 5, 30, 50, 51], quota),
            [(5, Some(10)), (51, None)]
        );
        assert_eq!(episodes(&[0, 9, 18], quota), [(9, Some(10)), (18, None)]);
        assert_eq!(episodes(&[0, 20], quota), []);
    }

    proptest! {
        #[test]
        fn the_fullest_is_what_counting_by_hand_finds(
            times in prop::collection::vec(0_i64..200, 0..60),
            old in 0_usize..30,
            within_us in 1_i64..60,
        ) {
            let by_hand = times.iter().map(|end| {
                let inside = |time: &i64| *time <= *end && *time > end - within_us;
                let has_new = times.iter().skip(old).any(&inside);
                match has_new {
                    true => times.iter().filter(|time| inside(time)).count() as u64,
                    false => 0,
                }
            });
            prop_assert_eq!(fullest(&times, old, within_us).0, by_hand.max().unwrap_or(0));
        }
    }
}
