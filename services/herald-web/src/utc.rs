//! Times as people and programs read them: UTC, microseconds.

use domain::Micros;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimeError {
    #[error(
        "`{0}` is no time: use RFC 3339 such as 2026-11-23T08:30:00Z, or how long ago such as -15m, -7d or -1h30m"
    )]
    Unreadable(String),
    #[error("`{0}` lies further back than time goes")]
    OutOfRange(String),
}

/// The time now.
pub(crate) fn now() -> Micros {
    micros_of(OffsetDateTime::now_utc())
}

/// `2026-11-23T00:22:41.123456Z`. Times outside the years 0 to 9999 are given
/// as the nearest one inside: RFC 3339 has no way to write them.
pub(crate) fn rfc3339(time: Micros) -> String {
    let first = time::macros::utc_datetime!(0000-01-01 00:00:00).unix_timestamp() * SECOND;
    let last = time::macros::utc_datetime!(9999-12-31 23:59:59.999999);
    let last = last.unix_timestamp() * SECOND + i64::from(last.microsecond());
    let nanos = i128::from(time.clamp(first, last)) * 1_000;
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .expect("the time was clamped to four-digit years");
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.microsecond()
    )
}

/// Reads `from` and `to`: RFC 3339; the same without a zone (then UTC), without
/// seconds or without a time of day; `now`; or how long before `now`, such as
/// `-15m`, `-7d`, `-1h30m` (units `ms s m h d w`).
///
/// # Errors
/// When it is none of these, or lies before all time.
pub(crate) fn parse(text: &str, now: Micros) -> Result<Micros, TimeError> {
    if text.eq_ignore_ascii_case("now") {
        return Ok(now);
    }
    if let Some(ago) = text.strip_prefix('-') {
        let ago = duration(ago).ok_or_else(|| TimeError::Unreadable(text.to_owned()))?;
        return ago
            .and_then(|ago| now.checked_sub(ago))
            .ok_or_else(|| TimeError::OutOfRange(text.to_owned()));
    }
    absolute(text).ok_or_else(|| TimeError::Unreadable(text.to_owned()))
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
        return format!(
            "{}.{} s",
            micros / UNITS[3].0,
            micros % UNITS[3].0 / 100_000
        );
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

fn absolute(text: &str) -> Option<Micros> {
    let mut text = text.to_ascii_uppercase();
    if text.as_bytes().get(10) == Some(&b' ') {
        text.replace_range(10..11, "T");
    }
    // A plus sign that nobody percent-encoded reaches us as a space.
    let plus = text.replacen(' ', "+", 1);
    ["", "Z", ":00Z", "T00:00:00Z"].iter().find_map(|rest| {
        OffsetDateTime::parse(&format!("{plus}{rest}"), &Rfc3339)
            .ok()
            .map(micros_of)
    })
}

/// `None` when it is no duration, `Some(None)` when it is too long to count.
fn duration(text: &str) -> Option<Option<i64>> {
    let mut rest = text;
    let mut total = Some(0_i64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit_len = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_len);
        let unit = match unit {
            "ms" => 1_000,
            "s" => SECOND,
            "m" | "min" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            "w" => 7 * DAY,
            _ => return None,
        };
        if number.is_empty() {
            return None;
        }
        let part = number.parse::<i64>().ok().and_then(|n| n.checked_mul(unit));
        total = total.zip(part).and_then(|(a, b)| a.checked_add(b));
        rest = tail;
    }
    Some(total)
}

fn micros_of(at: OffsetDateTime) -> Micros {
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000))
        .expect("four-digit years fit into 64 bits of microseconds")
}

#[cfg(test)]
mod tests {
    use super::{distance, parse, rfc3339};

    const NOW: i64 = 1_795_393_361_123_456;

    #[test]
    fn times_have_microseconds_and_a_zone() {
        let check = |micros, expected: &str| assert_eq!(rfc3339(micros), expected);
        check(NOW, "2026-11-23T00:22:41.123456Z");
        check(0, "1970-01-01T00:00:00.000000Z");
        check(-1, "1969-12-31T23:59:59.999999Z");
        check(i64::MAX, "9999-12-31T23:59:59.999999Z");
        check(i64::MIN, "0000-01-01T00:00:00.000000Z");
    }

    #[test]
    fn absolute_times_are_read() {
        let check = |text: &str, expected: &str| {
            assert_eq!(
                parse(text, NOW).map(rfc3339).as_deref(),
                Ok(expected),
                "{text}"
            );
        };
        check("2026-11-23T00:22:41.123456Z", "2026-11-23T00:22:41.123456Z");
        check("2026-11-23T00:22:41z", "2026-11-23T00:22:41.000000Z");
        check("2026-11-23T01:22:41+01:00", "2026-11-23T00:22:41.000000Z");
        check("2026-11-23T01:22:41 01:00", "2026-11-23T00:22:41.000000Z");
        check("2026-11-23 01:22:41+01:00", "2026-11-23T00:22:41.000000Z");
        check("2026-11-23 00:22:41.5", "2026-11-23T00:22:41.500000Z");
        check("2026-11-23T00:22", "2026-11-23T00:22:00.000000Z");
        check("2026-11-23", "2026-11-23T00:00:00.000000Z");
        check(
            "1969-12-31T23:59:59.9999999Z",
            "1969-12-31T23:59:59.999999Z",
        );
    }

    #[test]
    fn relative_times_are_read() {
        let check = |text: &str, seconds_ago: i64| {
            assert_eq!(
                parse(text, NOW),
                Ok(NOW - seconds_ago * 1_000_000),
                "{text}"
            );
        };
        check("now", 0);
        check("-0s", 0);
        check("-15m", 900);
        check("-7d", 604_800);
        check("-1h30m", 5_400);
        check("-2w", 1_209_600);
        check("-3000ms", 3);
    }

    #[test]
    fn other_texts_are_refused() {
        let check = |text: &str| assert!(parse(text, NOW).is_err(), "{text}");
        check("-");
        check("-15");
        check("-m");
        check("-15y");
        check("-15m-");
        check("--15m");
        check("15m");
        check("yesterday");
        check("2026-13-01");
        check("2026-11-23T25:00:00Z");
        check("-9223372036854775807d");
        check("-99999999999999999999s");
        check("-٣m");
    }

    #[test]
    fn distances_have_two_units() {
        let check = |micros, expected: &str| assert_eq!(distance(micros), expected);
        check(7_999, "7 ms");
        check(1_250_000, "1.2 s");
        check(59_999_999, "59.9 s");
        check(60_000_000, "1 min");
        check(3_661_000_000, "1 h 1 min");
        check(7_200_000_000, "2 h");
        check(2 * 86_400_000_000 + 3_600_000_000, "2 d 1 h");
    }
}
