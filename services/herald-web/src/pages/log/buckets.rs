//! Into how many bars a time range is cut, so that each is as long as people count.

use domain::Micros;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How many bars there are, at least and at most.
const MIN: i64 = 40;
const MAX: i64 = 96;
/// How many when no even length fits.
const OTHERWISE: usize = 72;

/// Lengths of a bar, rising.
const LENGTHS: [i64; 21] = [
    SECOND / 10,
    SECOND / 2,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
];

/// How many bars. A range whose beginning is not known has any length.
pub(super) fn count(from: Option<Micros>, to: Micros) -> usize {
    let Some(length) = from.and_then(|from| to.checked_sub(from)) else {
        return OTHERWISE;
    };
    let fitting = LENGTHS.iter().find(|bar| {
        let is_even = length % **bar == 0;
        is_even && (MIN..=MAX).contains(&(length / **bar))
    });
    fitting
        .and_then(|bar| usize::try_from(length / bar).ok())
        .unwrap_or(OTHERWISE)
}

#[cfg(test)]
mod tests {
    use super::{DAY, HOUR, MINUTE, SECOND, count};

    #[test]
    fn bars_have_even_lengths() {
        let check = |length, expected| assert_eq!(count(Some(7), 7 + length), expected, "{length}");
        check(15 * MINUTE, 90);
        check(HOUR, 60);
        check(6 * HOUR, 72);
        check(DAY, 96);
        check(7 * DAY, 84);
        check(30 * DAY, 60);
        check(MINUTE, 60);
        check(10 * SECOND, 72);
        check(HOUR + 1, 72);
        check(-5, 72);
        assert_eq!(count(None, 0), 72);
    }
}
