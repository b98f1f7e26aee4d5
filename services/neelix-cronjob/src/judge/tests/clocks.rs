//! Nights on which the clocks of a zone change: a job that runs as cron runs it is
//! never missed, and one that does not is missed once.

use domain::SeenSystem;
use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};
use proptest::prelude::*;

use super::world::{HOUR, MINUTE, World};

/// When cron runs `minute hour * * *` in the days around a moment: what is due in an
/// hour left out runs right after it, and an hour that is there twice counts once.
fn runs(zone: &TimeZone, around: Timestamp, hour: i8, minute: i8) -> Vec<i64> {
    let day = zone.to_datetime(around).date();
    let days = (-3..=3).map(|offset| day.saturating_add(jiff::Span::new().days(offset)));
    let at = |wall: DateTime| {
        let place = zone.to_ambiguous_zoned(wall);
        let time = match place.offset() {
            AmbiguousOffset::Gap { .. } => around,
            _ => place.compatible().expect("a time").timestamp(),
        };
        time.as_microsecond()
    };
    days.map(|day| at(day.at(hour, minute, 0, 0))).collect()
}

fn changes() -> impl Strategy<Value = (&'static str, Timestamp)> {
    prop::sample::select(vec![
        ("Europe/Berlin", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-10-25T01:00:00Z"),
        ("America/New_York", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-11-01T06:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ])
    .prop_map(|(zone, at)| (zone, at.parse().expect("a time")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_change_of_the_clocks_alarms_nobody_and_hides_nothing(
        (zone_name, change) in changes(),
        hour in 0_i8..5,
        minute in 0_i8..60,
        missed in prop::option::of(1_usize..5),
    ) {
        let zone = TimeZone::get(zone_name).expect("a zone");
        let text = format!(
            "[job]\nSCHEDULE={minute} {hour} * * *\nTIMEZONE={zone_name}\nGRACE=90m\n"
        );
        let runs = runs(&zone, change, hour, minute);
        let mut world = World::new(&text);
        let mut told = Vec::new();
        let mut done = 0;
        let (first, last) = (runs[0], runs[runs.len() - 1]);
        let mut now = first + MINUTE;
        while now < last + 2 * HOUR {
            while done < runs.len() && runs[done] < now {
                if Some(done) != missed {
                    world.systems = vec![SeenSystem {
                        system_id: "job".to_owned(),
                        sub_system_id: String::new(),
                        first_received_us: first,
                        last_received_us: runs[done] + 1,
                        last_stored_us: runs[done] + 1,
                        last_id: done as u64 + 1,
                    }];
                }
                done += 1;
            }
            told.extend(world.run(now));
            now += 20 * MINUTE;
        }
        let expected: &[&str] = match missed {
            Some(_) => &["Fired job 0", "Resolved job 0"],
            None => &[],
        };
        prop_assert_eq!(told, expected);
    }
}
