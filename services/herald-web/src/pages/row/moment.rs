//! Times as pages show them: in UTC, to the millisecond.

use serde::Serialize;
use time::{OffsetDateTime, macros::format_description};

/// A time in pieces.
#[derive(Debug, Serialize)]
pub(in crate::pages) struct Moment {
    /// RFC 3339.
    iso: String,
    date: String,
    time: String,
}

impl Moment {
    /// Of microseconds since the epoch.
    pub(in crate::pages) fn new(micros: i64) -> Self {
        let iso = render::rfc3339(micros);
        Self {
            date: iso[..10].to_owned(),
            time: iso[11..23].to_owned(),
            iso,
        }
    }
}

/// `Tuesday, 24 November 2026`; the date alone where no calendar reaches.
pub(in crate::pages) fn day(micros: i64) -> String {
    let format = format_description!("[weekday], [day padding:none] [month repr:long] [year]");
    let day = OffsetDateTime::from_unix_timestamp(micros.div_euclid(1_000_000)).ok();
    day.and_then(|day| day.format(format).ok())
        .unwrap_or_else(|| render::rfc3339(micros)[..10].to_owned())
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days_have_names() {
        let check = |micros, expected: &str| assert_eq!(day(micros), expected);
        check(1_795_393_361_123_456, "Monday, 23 November 2026");
        check(0, "Thursday, 1 January 1970");
        check(i64::MAX, "9999-12-31");
    }
}
