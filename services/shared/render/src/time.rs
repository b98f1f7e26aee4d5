//! Times as programs read them: UTC, microseconds.

use domain::Micros;
use time::OffsetDateTime;

/// `2026-11-23T00:22:41.123456Z`. Times outside the years 0 to 9999 are given
/// as the nearest one inside: RFC 3339 has no way to write them.
#[must_use]
pub fn rfc3339(time: Micros) -> String {
    let first = time::macros::utc_datetime!(0000-01-01 00:00:00).unix_timestamp() * 1_000_000;
    let last = time::macros::utc_datetime!(9999-12-31 23:59:59.999999);
    let last = last.unix_timestamp() * 1_000_000 + i64::from(last.microsecond());
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

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn times_have_microseconds_and_a_zone() {
        let check = |micros, expected: &str| assert_eq!(rfc3339(micros), expected);
        check(1_795_393_361_123_456, "2026-11-23T00:22:41.123456Z");
        check(0, "1970-01-01T00:00:00.000000Z");
        check(-1, "1969-12-31T23:59:59.999999Z");
        check(i64::MAX, "9999-12-31T23:59:59.999999Z");
        check(i64::MIN, "0000-01-01T00:00:00.000000Z");
    }
}
