//! The predecessor's clock: local times without a zone, in the order of
//! insertion.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// Times this much earlier than the one before are a clock that was set, or
/// records of two connections; more is the hour that comes twice.
const JITTER_US: i64 = 60 * 1_000_000;

/// Turns local times into instants.
#[derive(Debug, Clone)]
pub(super) struct LocalClock {
    zone: TimeZone,
    last_us: Option<i64>,
}

impl LocalClock {
    /// A clock of this zone that has shown nothing yet.
    pub(super) fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            last_us: None,
        }
    }

    /// The same clock, as if it had shown nothing but this.
    pub(super) fn set(&mut self, text: &str) {
        self.last_us = None;
        self.read(text);
    }

    /// The instant of `YYYY-MM-DD HH:MM:SS[.ffffff]` in microseconds since the
    /// epoch; `None` for a text that is no time. A time in the hour that comes
    /// twice in autumn is the earlier one unless that would be a jump back; one
    /// in the hour that is left out in spring is moved past it.
    pub(super) fn read(&mut self, text: &str) -> Option<i64> {
        let local: DateTime = text.trim().parse().ok()?;
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let fold = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
        let earlier = ambiguous.compatible().ok()?.as_microsecond();
        let jumps_back = self.last_us.is_some_and(|last| earlier < last - JITTER_US);
        let instant = match fold && jumps_back {
            true => self
                .zone
                .to_ambiguous_timestamp(local)
                .later()
                .ok()?
                .as_microsecond(),
            false => earlier,
        };
        self.last_us = Some(instant);
        Some(instant)
    }

    /// The last instant read, or now.
    pub(super) fn last(&self) -> i64 {
        self.last_us
            .unwrap_or_else(|| Timestamp::now().as_microsecond())
    }
}

/// The zone of this name.
pub(super) fn zone(name: &str) -> Result<TimeZone, jiff::Error> {
    TimeZone::get(name)
}

#[cfg(test)]
mod tests {
    use super::{LocalClock, zone};

    fn read(name: &str, times: &[&str]) -> Vec<Option<String>> {
        let mut clock = LocalClock::new(zone(name).unwrap());
        let utc = |us| jiff::Timestamp::from_microsecond(us).unwrap().to_string();
        times.iter().map(|time| clock.read(time).map(utc)).collect()
    }

    #[test]
    fn local_times_become_instants() {
        let check = |name: &str, time: &str, expected: Option<&str>| {
            assert_eq!(read(name, &[time]), [expected.map(str::to_owned)], "{time}");
        };
        let berlin = "Europe/Berlin";
        check(
            "UTC",
            "2024-03-01 12:00:00.250001",
            Some("2024-03-01T12:00:00.250001Z"),
        );
        check(
            berlin,
            "2024-01-01 12:00:00.5",
            Some("2024-01-01T11:00:00.5Z"),
        );
        check(berlin, "2024-07-01 12:00:00", Some("2024-07-01T10:00:00Z"));
        // Left out: 02:30 is shown as the 03:30 it would have been.
        check(berlin, "2024-03-31 02:30:00", Some("2024-03-31T01:30:00Z"));
        check(berlin, "None", None);
        check(berlin, "", None);
        check(berlin, "2024-02-30 12:00:00", None);
    }

    #[test]
    fn the_hour_that_comes_twice_follows_the_order_of_insertion() {
        let times = [
            "2024-10-27 02:10:00.000000",
            "2024-10-27 02:50:00.000000",
            // a record of another connection, a little late
            "2024-10-27 02:49:59.900000",
            "2024-10-27 02:00:30.000000",
            "2024-10-27 02:50:00.000000",
            "2024-10-27 03:00:00.000000",
        ];
        let instants: Vec<_> = read("Europe/Berlin", &times)
            .into_iter()
            .flatten()
            .collect();
        let expected = [
            "2024-10-27T00:10:00Z",
            "2024-10-27T00:50:00Z",
            "2024-10-27T00:49:59.9Z",
            "2024-10-27T01:00:30Z",
            "2024-10-27T01:50:00Z",
            "2024-10-27T02:00:00Z",
        ];
        assert_eq!(instants, expected);
    }

    #[test]
    fn an_unknown_zone_is_an_error() {
        assert!(zone("Mars/Olympus").is_err());
    }
}
