//! How far behind a destination may be, and who gives way when the spool is full.
//! Entries that are given up are given up for one destination only, which is told
//! of them as of a gap.

use super::catalog::{Catalog, Destination};

/// How far a destination may be behind. By default as far as the spool is large,
/// and for its sake new frames are dropped rather than old ones given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The most bytes of segments that are kept for it.
    pub max_bytes: Option<u64>,
    /// Whether it goes on without the oldest entries when the spool is full and
    /// another destination has them.
    pub gives_way: bool,
}

/// What a destination goes on without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenUp {
    /// Its cursor's file.
    pub(super) name: String,
    pub(super) entries: u64,
}

impl Catalog {
    /// Gives up what is above the destinations' limits, in whole segments.
    pub(super) fn keep_within_backlogs(&mut self) -> Vec<GivenUp> {
        let limits: Vec<(String, u64)> = self
            .destinations
            .iter()
            .filter_map(|(name, it)| {
                let limit = it.backlog.max_bytes?;
                Some((name.clone(), self.first_within(it, limit)?))
            })
            .collect();
        let give_up = |(name, to)| self.give_up(name, to);
        limits.into_iter().filter_map(give_up).collect()
    }

    /// The end of the newest segment that `destination` has to go without.
    fn first_within(&self, destination: &Destination, limit: u64) -> Option<u64> {
        let from = destination.needs_from();
        let lacking: Vec<_> = self.closed().filter(|(_, end)| *end > from).collect();
        let mut bytes: u64 = lacking.iter().map(|(segment, _)| segment.bytes).sum();
        let mut to = None;
        for (segment, end) in lacking {
            if bytes <= limit {
                break;
            }
            bytes -= segment.bytes;
            to = Some(end);
        }
        to
    }

    /// Gives up the oldest segment for those who lack it, if all of them give way
    /// and there is somebody who has it.
    pub(super) fn give_up_oldest(&mut self) -> Vec<GivenUp> {
        let Some((_, end)) = self.closed().next() else {
            return Vec::new();
        };
        let (lack, have): (Vec<_>, Vec<_>) = self
            .destinations
            .iter()
            .partition(|(_, it)| it.needs_from() < end);
        if have.is_empty() || !lack.iter().all(|(_, it)| it.backlog.gives_way) {
            return Vec::new();
        }
        let names: Vec<String> = lack.into_iter().map(|(name, _)| name.clone()).collect();
        let give_up = |name| self.give_up(name, end);
        names.into_iter().filter_map(give_up).collect()
    }

    fn give_up(&mut self, name: String, to: u64) -> Option<GivenUp> {
        let destination = self.destinations.get_mut(&name)?;
        let entries = to.saturating_sub(destination.needs_from());
        destination.given_up = destination.given_up.max(to);
        Some(GivenUp { name, entries })
    }
}
