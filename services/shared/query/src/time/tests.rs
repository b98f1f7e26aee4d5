//! Times that are read, and such that are not.

use domain::Micros;

use super::{TimeError, parse, range, write};

const NOW: Micros = 1_795_393_361_123_456;

#[test]
fn absolute_times_are_read() {
    let check = |text: &str, expected: &str| {
        assert_eq!(
            parse(text, NOW).map(write).as_deref(),
            Ok(expected),
            "{text}"
        );
    };
    check("2026-11-23T00:22:41.123456Z", "2026-11-23T00:22:41.123456Z");
    check("2026-11-23T00:22:41z", "2026-11-23T00:22:41.000000Z");
    check("2026-11-23T01:22:41+01:00", "2026-11-23T00:22:41.000000Z");
    check("2026-11-23T01:22:41 01:00", "2026-11-23T00:22:41.000000Z");
    check("2026-11-23 01:22-01:30", "2026-11-23T02:52:00.000000Z");
    check("2026-11-23 00:22:41.5", "2026-11-23T00:22:41.500000Z");
    check("2026-11-23t00:22", "2026-11-23T00:22:00.000000Z");
    check("2026-11-23", "2026-11-23T00:00:00.000000Z");
    check("2024-02-29", "2024-02-29T00:00:00.000000Z");
    check("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z");
    check(
        "1969-12-31T23:59:59.9999999Z",
        "1969-12-31T23:59:59.999999Z",
    );
    check("@1795393361.123456", "2026-11-23T00:22:41.123456Z");
    check("@-0.5", "1969-12-31T23:59:59.500000Z");
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
    check("NOW", 0);
    check("-0s", 0);
    check("-15m", 900);
    check("-7d", 604_800);
    check("-1h30m", 5_400);
    check("-2w", 1_209_600);
    check("-3000ms", 3);
}

#[test]
fn a_date_is_a_whole_day() {
    let day = range("1970-01-02", NOW).unwrap();
    assert_eq!((day.min, day.max), (86_400_000_000, 2 * 86_400_000_000 - 1));
    let time = range("1970-01-02T00:00:00Z", NOW).unwrap();
    assert_eq!((time.min, time.max), (86_400_000_000, 86_400_000_000));
}

#[test]
fn other_texts_are_refused() {
    let unreadable = [
        "",
        "-",
        "-15",
        "-m",
        "-15y",
        "-15m-",
        "--15m",
        "15m",
        "yesterday",
        "2026-13-01",
        "2026-02-29",
        "2026-11-23T25:00:00Z",
        "2026-11-23T",
        "2026-11-23T1:00",
        "2026-11-23X",
        "2026-11-23T10:00:00.Z",
        "2026-11-23T10:00:00ZZ",
        "2026-11-23T10:00:00+1:00",
        "2026-1-1",
        "-٣m",
        "@",
        "@x",
        "@1.",
        "@--1",
        "２026-11-23",
        "2026-11-23T10:00:00+٠1:00",
        "日本",
    ];
    for text in unreadable {
        let expected = Err(TimeError::Unreadable(text.to_owned()));
        assert_eq!(parse(text, NOW), expected, "{text}");
    }
    for text in [
        "-9223372036854775807d",
        "-99999999999999999999s",
        "@9999999999999999",
    ] {
        let expected = Err(TimeError::OutOfRange(text.to_owned()));
        assert_eq!(parse(text, NOW), expected, "{text}");
    }
}

#[test]
fn what_is_written_is_read() {
    for time in [
        i64::MIN,
        i64::MIN + 1,
        -1,
        0,
        1,
        NOW,
        253_402_300_800_000_000,
        i64::MAX,
    ] {
        assert_eq!(parse(&write(time), 0), Ok(time), "{}", write(time));
    }
    assert_eq!(write(i64::MAX), "@9223372036854.775807");
}
