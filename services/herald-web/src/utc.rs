//! The time now, and how far apart two times are.

use domain::Micros;
use time::OffsetDateTime;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The time now.
pub(crate) fn now() -> Micros {
    micros_of(OffsetDateTime::now_utc())
}

/// A distance between two times in its two largest units, such as `1 h 12 min`.
pub(crate) fn distance(micros: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (DAY.unsigned_abs(), "d"),
        (HOUR.unsigned_abs(), "h"),
        (MINUTE.unsigned_abs(), "min"),
        (SECOND.unsigned_abs(), "s"),
    ];
    if micros < UNITS[3].0 {
        return format!("{} ms", micros / 1_000);
    }
    if micros < UNITS[2].0 {
        let (seconds, tenths) = (micros / UNITS[3].0, micros % UNITS[3].0 / 100_000);
        return match tenths {
            0 => format!("{seconds} s"),
            tenths => format!("{seconds}.{tenths} s"),
        };
    }
    let largest = UNITS
        .iter()
        .position(|(size, _)| micros >= *size)
        .unwrap_or(UNITS.len() - 1);
    let (size, unit) = UNITS[largest];
    match UNITS.get(largest + 1) {
        Some((next_size, next_unit)) if micros % size >= *next_size => format!(
            "{} {unit} {} {next_unit}",
            micros / size,
            micros % size / next_size
        ),
        _ => format!("{} {unit}", micros / size),
    }
}

/// The same of another time.
pub(crate) fn micros_of(at: OffsetDateTime) -> Micros {
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000))
        .expect("four-digit years fit into 64 bits of microseconds")
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_have_two_units() {
        let check = |micros, expected: &str| assert_eq!(distance(micros), expected);
        check(7_999, "7 ms");
        check(1_250_000, "1.2 s");
        check(5_000_000, "5 s");
        check(59_999_999, "59.9 s");
        check(60_000_000, "1 min");
        check(3_661_000_000, "1 h 1 min");
        check(7_200_000_000, "2 h");
        check(2 * 86_400_000_000 + 3_600_000_000, "2 d 1 h");
    }
}
