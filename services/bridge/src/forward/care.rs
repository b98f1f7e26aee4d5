//! Care after a refusal: what the store will never take is found among its
//! neighbours by sending one entry at a time, and then replaced.

use tonic::{Code, Status};

/// A failure that need not be the entry's fault has to come so often in a row at
/// the same number before it is taken for a refusal.
const SUSPICIOUS_TIMES: u32 = 8;

/// Where to take care, and what was refused.
#[derive(Debug, Default)]
pub(super) struct Care {
    /// Entries below this number go out one by one.
    until: u64,
    refused: Option<Refusal>,
    /// Where the last failures were that may or may not be an entry's fault.
    suspicious_at: u64,
    suspicious_times: u32,
}

/// One entry that was refused when it came alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Its number.
    pub(super) sequence: u64,
    /// How often.
    pub(super) times: u32,
    /// The store's words.
    pub(super) reason: String,
}

impl Care {
    /// Whether the entry numbered so has to go out alone.
    pub(super) fn is_due(&self, sequence: u64) -> bool {
        sequence < self.until
    }

    /// What the store said about the entry numbered so.
    pub(super) fn refusal(&self, sequence: u64) -> Option<&Refusal> {
        self.refused
            .as_ref()
            .filter(|refusal| refusal.sequence == sequence)
    }

    /// A stream ended with `status` after entries up to, not including,
    /// `sent_to` were sent; `unsafe_from` is the first that was not acknowledged.
    pub(super) fn failed(&mut self, status: &Status, unsafe_from: u64, sent_to: u64) {
        if unsafe_from >= sent_to || !self.is_refusal(status.code(), unsafe_from) {
            return;
        }
        if !self.is_due(unsafe_from) {
            self.until = sent_to;
            return;
        }
        let times = self.refusal(unsafe_from).map_or(0, |before| before.times) + 1;
        self.refused = Some(Refusal {
            sequence: unsafe_from,
            times,
            reason: status.message().to_owned(),
        });
    }

    fn is_refusal(&mut self, code: Code, unsafe_from: u64) -> bool {
        match code {
            // The latter: a message above the size limit.
            Code::InvalidArgument | Code::OutOfRange => true,
            // What a store that panics looks like, but so does one that is killed.
            Code::Internal | Code::Unknown => {
                if self.suspicious_at != unsafe_from {
                    (self.suspicious_at, self.suspicious_times) = (unsafe_from, 0);
                }
                self.suspicious_times += 1;
                let is_enough = self.suspicious_times >= SUSPICIOUS_TIMES;
                if is_enough {
                    self.suspicious_times = 0;
                }
                is_enough
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_batch_is_sent_one_by_one_until_the_culprit_is_found() {
        let mut care = Care::default();
        let refused = Status::invalid_argument("no");
        assert!(!care.is_due(10));
        care.failed(&refused, 10, 1_010);
        assert!(care.is_due(10) && care.is_due(1_009) && !care.is_due(1_010));
        assert_eq!(care.refusal(10), None, "any of a thousand");
        for times in 1..4 {
            care.failed(&refused, 500, 501);
            let refusal = care.refusal(500).unwrap();
            assert_eq!((refusal.times, refusal.reason.as_str()), (times, "no"));
        }
        assert_eq!(care.refusal(501), None);
        care.failed(&Status::out_of_range("too large"), 700, 701);
        assert_eq!(care.refusal(700).unwrap().times, 1);
        care.failed(&refused, 2_000, 2_100);
        assert!(!care.is_due(1_500) || care.is_due(2_099));
        assert_eq!(care.refusal(2_000), None);
    }

    #[test]
    fn only_what_happens_again_and_again_at_one_number_is_an_entrys_fault() {
        let mut care = Care::default();
        for status in [
            Status::unavailable("down"),
            Status::resource_exhausted("full"),
            Status::failed_precondition("a hole"),
            Status::deadline_exceeded("late"),
        ] {
            for _ in 0..100 {
                care.failed(&status, 10, 20);
            }
        }
        assert!(!care.is_due(10));
        let crash = Status::unknown("transport error");
        for number in 0..100 {
            care.failed(&crash, 10 + number % 2, 20);
        }
        assert!(!care.is_due(10), "it gets on");
        for _ in 0..SUSPICIOUS_TIMES - 1 {
            care.failed(&crash, 12, 20);
            assert!(!care.is_due(12));
        }
        care.failed(&crash, 12, 20);
        assert!(care.is_due(12) && care.refusal(12).is_none());
        for _ in 0..SUSPICIOUS_TIMES {
            assert_eq!(care.refusal(12), None);
            care.failed(&crash, 12, 13);
        }
        assert_eq!(care.refusal(12).unwrap().times, 1);
    }

    #[test]
    fn nothing_sent_is_nothing_refused() {
        let mut care = Care::default();
        care.failed(&Status::invalid_argument("your name"), 10, 0);
        care.failed(&Status::invalid_argument("your name"), 10, 10);
        assert!(!care.is_due(10));
    }
}
