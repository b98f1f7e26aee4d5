//! In which times records were taken: what a system has logged in others may be lost.

use domain::{Interruption, Micros, RunState};

use crate::rule::{Expectation, Pace};

/// How often what is expected must have been missed while records were taken, when there
/// were times between in which they were not.
const MISSED: i64 = 2;

/// When records were taken.
#[derive(Debug)]
pub(super) struct Attendance {
    /// Since when without a break; 0 when that is not known.
    pub(super) since_us: Micros,
    /// When they were not, by rising time and apart from one another.
    gaps: Vec<Interruption>,
}

impl Attendance {
    pub(super) fn new(state: &RunState) -> Self {
        let mut all = state.interruptions.clone();
        all.retain(|gap| gap.from_us < gap.to_us);
        all.sort_by_key(|gap| gap.from_us);
        let mut gaps: Vec<Interruption> = Vec::new();
        for gap in all {
            match gaps.last_mut().filter(|last| gap.from_us <= last.to_us) {
                Some(last) => last.to_us = last.to_us.max(gap.to_us),
                None => gaps.push(gap),
            }
        }
        // A clock that was ahead, and is no more, tells of no beginning.
        let since_us = state.attended_since_us;
        let since_us = if since_us <= state.now_us {
            since_us
        } else {
            0
        };
        Self { since_us, gaps }
    }

    /// Whether a system that was last heard of at a time was missed more than once while
    /// records were taken, up to `complete_us`. Without this, who is expected less often
    /// than bridges begin anew would never be missed.
    pub(super) fn has_missed(
        &self,
        expectation: &Expectation,
        heard_us: Micros,
        complete_us: Micros,
    ) -> bool {
        match &expectation.pace {
            Pace::Age(age_us) => {
                let allowed_us = age_us.saturating_mul(MISSED);
                let allowed_us = allowed_us.saturating_add(expectation.grace_us);
                self.taken_us(heard_us, complete_us) > allowed_us
            }
            Pace::Schedule(_) => self.has_missed_dates(expectation, heard_us, complete_us),
        }
    }

    /// For how long records were taken in a time.
    fn taken_us(&self, from_us: Micros, to_us: Micros) -> Micros {
        let inside = |gap: &Interruption| gap.to_us.min(to_us) - gap.from_us.max(from_us);
        let lost: Micros = self.gaps.iter().map(|gap| inside(gap).max(0)).sum();
        to_us.saturating_sub(from_us).saturating_sub(lost)
    }

    /// A date is missed when records were taken all the time in which its record counts.
    fn has_missed_dates(
        &self,
        expectation: &Expectation,
        heard_us: Micros,
        complete_us: Micros,
    ) -> bool {
        let (mut missed, mut after_us) = (0, heard_us);
        // Each step counts a date, or leaves a gap behind.
        while let Some(due_us) = expectation.due_us(after_us) {
            let end_us = due_us.saturating_add(expectation.grace_us);
            if end_us >= complete_us {
                return false;
            }
            let begin_us = due_us.saturating_sub(expectation.early_us());
            let gap = self.gaps.partition_point(|gap| gap.to_us <= begin_us);
            let gap = self.gaps.get(gap).filter(|gap| gap.from_us < end_us);
            after_us = gap.map_or(due_us, |gap| gap.to_us.max(due_us));
            missed += i64::from(gap.is_none());
            if missed >= MISSED {
                return true;
            }
        }
        false
    }
}
