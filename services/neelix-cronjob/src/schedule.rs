//! When a record is due: five fields of cron, in a time zone.
//!
//! Summer time, as cron itself does it. An expression of fixed hours means the
//! clock on the wall: an hour that there is twice counts once, and what falls into
//! an hour that there is not is due as much later. One for every hour or every so
//! many hours (its second field begins with `*`) means time as it goes by.

use cronexpr::{Crontab, parse_crontab};
use domain::Micros;
use jiff::{Timestamp, civil, tz::TimeZone};

/// Names for expressions.
const NAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];
/// An expression's text is not longer.
const MAX_BYTES: usize = 500;
/// How many changes of a zone's offset there may be before the next occurrence.
const MAX_CHANGES: usize = 1_000;

/// What would be right.
pub(crate) const HINT: &str =
    "write minute, hour, day, month and day of the week, such as 30 2 * * 1-5, or @daily";

/// A cron expression in a zone.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    /// Its times as if the zone's clock were UTC.
    wall: Crontab,
    is_elapsing: bool,
    zone: TimeZone,
}

impl Schedule {
    /// Reads an expression; `zone` is as [`zone`] gives it.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub(crate) fn new(text: &str, zone: TimeZone) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return Err(format!("longer than {MAX_BYTES} bytes"));
        }
        let named = NAMES
            .iter()
            .find(|(name, _)| text.eq_ignore_ascii_case(name));
        let expression = named.map_or(text, |(_, expression)| expression);
        if expression.starts_with('@') {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            return Err(format!("`{text}` is none of {}", names.join(", ")));
        }
        let fields: Vec<&str> = expression.split_whitespace().collect();
        if fields.len() != 5 {
            return Err(format!("there are {} fields instead of 5", fields.len()));
        }
        let wall = parse_crontab(&format!("{} UTC", fields.join(" ")))
            .map_err(|error| reason(&error.to_string()))?;
        Ok(Self {
            wall,
            is_elapsing: fields[1].starts_with('*'),
            zone,
        })
    }

    /// The first occurrence after a time; none when there is none in the next years.
    pub(crate) fn next(&self, after_us: Micros) -> Option<Micros> {
        let after = Timestamp::from_microsecond(after_us).ok()?;
        if self.is_elapsing {
            return self.next_elapsing(after);
        }
        let mut wall = self.zone.to_datetime(after);
        for _ in 0..MAX_CHANGES {
            wall = self.next_wall(wall)?;
            // Compatible with what clocks do: the first of two, or after the hour left out.
            let at = self
                .zone
                .to_ambiguous_zoned(wall)
                .compatible()
                .ok()?
                .timestamp();
            // The second of two hours: the clock on the wall has been there before.
            if at > after {
                return Some(at.as_microsecond());
            }
        }
        None
    }

    /// Goes from one change of the offset to the next, and counts in between as if
    /// there were none.
    fn next_elapsing(&self, after: Timestamp) -> Option<Micros> {
        let mut after = after;
        for _ in 0..MAX_CHANGES {
            let offset = self.zone.to_offset(after);
            let wall = self.next_wall(offset.to_datetime(after))?;
            let at = offset.to_timestamp(wall).ok()?;
            match self.zone.following(after).next() {
                Some(change) if change.timestamp() <= at => {
                    // Just before it, so that an occurrence at that moment is found.
                    let moment = change.timestamp();
                    let wall = change.offset().to_datetime(moment);
                    if self.is_at(wall) {
                        return Some(moment.as_microsecond());
                    }
                    after = moment;
                }
                _ => return Some(at.as_microsecond()),
            }
        }
        None
    }

    fn next_wall(&self, wall: civil::DateTime) -> Option<civil::DateTime> {
        let as_utc = TimeZone::UTC.to_timestamp(wall).ok()?;
        let next = self.wall.find_next(as_utc).ok()?;
        Some(TimeZone::UTC.to_datetime(next.timestamp()))
    }

    fn is_at(&self, wall: civil::DateTime) -> bool {
        let as_utc = TimeZone::UTC.to_timestamp(wall);
        as_utc.is_ok_and(|at| self.wall.matches(at).unwrap_or(false))
    }
}

/// A time zone by its IANA name.
///
/// # Errors
/// There is none of this name; says which ones are similar.
pub(crate) fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name.trim()).map_err(|_| {
        let available: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
        let names: Vec<&str> = available.iter().map(String::as_str).collect();
        let name = crate::ini::short(name.trim());
        match crate::problem::nearest(&name, &names) {
            Some(nearest) => format!("there is no time zone `{name}`: is it {nearest}?"),
            None => format!("there is no time zone `{name}`"),
        }
    })
}

/// The last line of the library's drawing, which says what is wrong.
fn reason(drawing: &str) -> String {
    let last = drawing.lines().rfind(|line| !line.trim().is_empty());
    let last = last.unwrap_or("it is no expression of cron").trim();
    last.trim_start_matches(['^', ' ', '|']).to_owned()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Schedule, zone};

    fn next(expression: &str, in_zone: &str, after: &str) -> String {
        let schedule = Schedule::new(expression, zone(in_zone).unwrap()).unwrap();
        let after: Timestamp = after.parse().unwrap();
        let next = schedule.next(after.as_microsecond()).unwrap();
        Timestamp::from_microsecond(next).unwrap().to_string()
    }

    #[test]
    fn the_next_occurrence_is_found() {
        let check = |expression, in_zone, after, expected: &str| {
            assert_eq!(next(expression, in_zone, after), expected, "{expression}");
        };
        check(
            "30 2 * * *",
            "UTC",
            "2026-01-01T02:29:59Z",
            "2026-01-01T02:30:00Z",
        );
        check(
            "30 2 * * *",
            "UTC",
            "2026-01-01T02:30:00Z",
            "2026-01-02T02:30:00Z",
        );
        check(
            "@daily",
            "Europe/Berlin",
            "2026-01-01T12:00:00Z",
            "2026-01-01T23:00:00Z",
        );
        check(
            "0 9 * * 1-5",
            "UTC",
            "2026-01-02T10:00:00Z",
            "2026-01-05T09:00:00Z",
        );
        check(
            "0 0 * * SUN",
            "UTC",
            "2026-01-01T00:00:00Z",
            "2026-01-04T00:00:00Z",
        );
        check(
            "0 0 29 2 *",
            "UTC",
            "2026-01-01T00:00:00Z",
            "2028-02-29T00:00:00Z",
        );
    }

    #[test]
    fn fixed_hours_follow_the_clock_on_the_wall() {
        let check = |expression, after, expected: &str| {
            assert_eq!(
                next(expression, "Europe/Berlin", after),
                expected,
                "{expression}"
            );
        };
        // The hour from 2 to 3 is left out: what is due in it is due an hour later.
        check("30 2 * * *", "2026-03-28T01:31:00Z", "2026-03-29T01:30:00Z");
        // Whoever ran right after the gap has run.
        check("30 2 * * *", "2026-03-29T01:00:05Z", "2026-03-30T00:30:00Z");
        // The hour from 2 to 3 is there twice: the first counts, and only it.
        check("30 2 * * *", "2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z");
        check("30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
        check("30 2 * * *", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z");
    }

    #[test]
    fn every_hour_follows_time_as_it_goes_by() {
        let check = |expression, after, expected: &str| {
            assert_eq!(
                next(expression, "Europe/Berlin", after),
                expected,
                "{expression}"
            );
        };
        check("0 * * * *", "2026-10-25T00:10:00Z", "2026-10-25T01:00:00Z");
        check("0 * * * *", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z");
        check("0 * * * *", "2026-03-29T00:10:00Z", "2026-03-29T01:00:00Z");
        check(
            "*/20 * * * *",
            "2026-10-25T00:45:00Z",
            "2026-10-25T01:00:00Z",
        );
        check(
            "0 */2 * * *",
            "2026-03-29T00:30:00Z",
            "2026-03-29T02:00:00Z",
        );
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        let told = |text: &str| Schedule::new(text, jiff::tz::TimeZone::UTC).unwrap_err();
        assert_eq!(told("0 2 * *"), "there are 4 fields instead of 5");
        assert!(told("@reboot").starts_with("`@reboot` is none of @hourly, "));
        for text in ["61 2 * * *", "0 24 * * *", "a b c d e"] {
            assert!(!told(text).is_empty(), "{text}");
        }
        assert_eq!(
            zone("Europe/Berln").unwrap_err(),
            "there is no time zone `Europe/Berln`: is it Europe/Berlin?"
        );
    }
}
