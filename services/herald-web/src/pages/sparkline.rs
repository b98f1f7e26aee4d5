//! Counts over time as a small picture.

use std::fmt::Write;

use serde::Serialize;

/// Height of the picture in its own units; each count is one unit wide.
const HEIGHT: u64 = 20;

/// Bars, drawn by one path.
#[derive(Debug, Serialize)]
pub(super) struct Sparkline {
    path: String,
    width: usize,
    height: u64,
    /// What it shows, for who does not see it.
    label: String,
}

impl Sparkline {
    /// The highest bar is as high as the picture; none is too low to be seen.
    /// `label` is a text of ours.
    pub(super) fn new(counts: &[u64], label: String) -> Self {
        let highest = counts.iter().copied().max().unwrap_or(0).max(1);
        let mut path = String::new();
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let share = u128::from(*count) * u128::from(HEIGHT) / u128::from(highest);
            let height = u64::try_from(share).unwrap_or(HEIGHT).max(1);
            write!(path, "M{at} {HEIGHT}v-{height}h.8v{height}z").expect("a text takes everything");
        }
        Self {
            path,
            width: counts.len(),
            height: HEIGHT,
            label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sparkline;

    #[test]
    fn bars_are_in_proportion_and_small_ones_are_seen() {
        let check = |counts: &[u64], expected: &str| {
            assert_eq!(Sparkline::new(counts, String::new()).path, expected);
        };
        check(&[], "");
        check(&[0, 0], "");
        check(&[1, 0, 2], "M0 20v-10h.8v10zM2 20v-20h.8v20z");
        check(&[1, u64::MAX], "M0 20v-1h.8v1zM1 20v-20h.8v20z");
    }
}
