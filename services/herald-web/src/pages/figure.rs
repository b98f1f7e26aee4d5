//! Figures and times as people read them; the exact value is told beside.

use domain::Micros;
use serde::Serialize;

use crate::utc;

const SECOND_US: u64 = 1_000_000;

/// A figure in short, and exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Figure {
    short: String,
    exact: String,
}

impl Figure {
    /// A size: `1.5 GiB`.
    pub(super) fn bytes(bytes: u64) -> Self {
        Self {
            short: sized(bytes),
            exact: format!("{} bytes", grouped(bytes)),
        }
    }

    /// A number of records.
    pub(super) fn records(count: u64) -> Self {
        Self {
            short: grouped(count),
            exact: counted(count, "record"),
        }
    }
}

/// `1 record`, `2,000 records`.
pub(super) fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(count))
}

/// A time, and how long ago that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct When {
    /// RFC 3339.
    iso: String,
    /// Date and time of day.
    text: String,
    /// `3 min ago`.
    ago: String,
}

impl When {
    pub(super) fn new(at: Micros, now: Micros) -> Self {
        let iso = render::rfc3339(at);
        Self {
            text: iso[..19].replace('T', " "),
            iso,
            ago: ago(at, now),
        }
    }
}

/// `1,048,576`
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things in a time, by the second, the minute or the hour, so that
/// small rates are figures, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Rate {
    number: String,
    /// `s`, `min` or `h`.
    unit: &'static str,
}

impl Rate {
    pub(super) fn new(count: u64, seconds: u64) -> Self {
        let per_second = count as f64 / seconds.max(1) as f64;
        let (number, unit) = match per_second {
            0.0 => {
                return Self {
                    number: "0".to_owned(),
                    unit: "s",
                };
            }
            1.0.. => (per_second, "s"),
            _ if per_second * 60.0 >= 1.0 => (per_second * 60.0, "min"),
            _ => (per_second * 3_600.0, "h"),
        };
        let number = match number {
            ..0.1 => "below 0.1".to_owned(),
            ..99.95 => format!("{number:.1}"),
            _ => grouped(number.round() as u64),
        };
        Self { number, unit }
    }
}

/// How long before `now` a time was; clocks that differ make it no later than now.
pub(super) fn ago(at: Micros, now: Micros) -> String {
    let distance = u64::try_from(now.saturating_sub(at)).unwrap_or(0);
    match distance {
        ..SECOND_US => "just now".to_owned(),
        distance => format!(
            "{} ago",
            utc::distance(distance / SECOND_US * SECOND_US).replace(".0 s", " s")
        ),
    }
}

fn sized(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1 << 10 {
        return format!("{bytes} bytes");
    }
    let mut size = bytes as f64 / 1_024.0;
    let mut unit = 0;
    while size >= 1_023.95 && unit + 1 < UNITS.len() {
        size /= 1_024.0;
        unit += 1;
    }
    let number = match size {
        100.0.. => format!("{size:.0}"),
        _ => format!("{size:.1}"),
    };
    let number = number.strip_suffix(".0").unwrap_or(&number);
    format!("{number} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::{Figure, Rate, ago, counted, grouped};

    #[test]
    fn large_numbers_are_grouped() {
        let check = |number, expected: &str| assert_eq!(grouped(number), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_048_576, "1,048,576");
    }

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!(counted(0, "frame"), "0 frames");
        assert_eq!(counted(1, "frame"), "1 frame");
        assert_eq!(counted(2_000, "frame"), "2,000 frames");
    }

    #[test]
    fn sizes_have_one_digit_and_are_told_exactly() {
        let check = |bytes, short: &str, exact: &str| {
            let figure = Figure::bytes(bytes);
            assert_eq!(
                (figure.short.as_str(), figure.exact.as_str()),
                (short, exact)
            );
        };
        check(0, "0 bytes", "0 bytes");
        check(1_023, "1023 bytes", "1,023 bytes");
        check(1_024, "1 KiB", "1,024 bytes");
        check(2 * (1 << 20) - 1_000, "2 MiB", "2,096,152 bytes");
        check(1_650_688, "1.6 MiB", "1,650,688 bytes");
        check(1 << 30, "1 GiB", "1,073,741,824 bytes");
        check((1 << 30) - 1, "1 GiB", "1,073,741,823 bytes");
        check(150 << 20, "150 MiB", "157,286,400 bytes");
    }

    #[test]
    fn rates_have_the_unit_that_makes_them_readable() {
        let check = |records, seconds, number: &str, unit: &str| {
            let rate = Rate::new(records, seconds);
            assert_eq!((rate.number.as_str(), rate.unit), (number, unit));
        };
        check(0, 60, "0", "s");
        check(1, 0, "1.0", "s");
        check(60, 60, "1.0", "s");
        check(1_234, 60, "20.6", "s");
        check(1_234_567, 60, "20,576", "s");
        check(59, 60, "59.0", "min");
        check(24, 86_400, "1.0", "h");
        check(1, 86_400, "below 0.1", "h");
    }

    #[test]
    fn the_past_is_told_in_two_units() {
        let check = |seconds: i64, expected: &str| {
            assert_eq!(ago(0, seconds * 1_000_000), expected);
        };
        check(-5, "just now");
        check(0, "just now");
        check(1, "1 s ago");
        check(59, "59 s ago");
        check(3_700, "1 h 1 min ago");
        check(200_000, "2 d 7 h ago");
    }
}
