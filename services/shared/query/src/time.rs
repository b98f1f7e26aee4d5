//! Times as people write them: RFC 3339, less of it, or how long ago.

use domain::{Micros, NumberRange};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// It has another form.
    #[error("`{0}` is no time: {FORMS}")]
    Unreadable(String),
    /// It lies outside the times that can be counted.
    #[error("`{0}` lies further away than time goes")]
    OutOfRange(String),
}

/// What may be written, as a hint.
pub(crate) const FORMS: &str = "use RFC 3339 such as 2026-11-23T08:30:00Z, a date, `now`, or how long ago such as -15m, -7d or -1h30m";

/// Reads RFC 3339; the same without a zone (then UTC), without seconds or
/// without a time of day; `now`; how long before `now_us`, such as `-15m`,
/// `-7d`, `-1h30m` (units `ms s m h d w`); or seconds since 1970 after an `@`,
/// such as `@1795393361.123456`. What is finer than a microsecond is cut off.
///
/// # Errors
/// When it is none of these, or cannot be counted in microseconds.
pub fn parse(text: &str, now_us: Micros) -> Result<Micros, TimeError> {
    range(text, now_us).map(|range| range.min)
}

/// As [`parse`], except that a date alone is its whole day.
pub(crate) fn range(text: &str, now_us: Micros) -> Result<NumberRange, TimeError> {
    let unreadable = || TimeError::Unreadable(crate::error::shown(text));
    if text.eq_ignore_ascii_case("now") {
        return Ok(NumberRange::only(now_us));
    }
    let counted = if let Some(ago) = text.strip_prefix('-') {
        let ago = duration(ago).ok_or_else(unreadable)?;
        ago.and_then(|ago| now_us.checked_sub(ago))
    } else if let Some(seconds) = text.strip_prefix('@') {
        since_epoch(seconds).ok_or_else(unreadable)?
    } else {
        return absolute(text).ok_or_else(unreadable);
    };
    counted
        .map(NumberRange::only)
        .ok_or_else(|| TimeError::OutOfRange(crate::error::shown(text)))
}

/// A text that [`parse`] reads as this time: RFC 3339 in UTC with microseconds
/// for the years 0 to 9999, seconds since 1970 for others.
pub(crate) fn write(time: Micros) -> String {
    let utc = Timestamp::from_microsecond(time).map(|time| TimeZone::UTC.to_datetime(time));
    match utc {
        Ok(utc) if (0..=9999).contains(&utc.year()) => format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            utc.year(),
            utc.month(),
            utc.day(),
            utc.hour(),
            utc.minute(),
            utc.second(),
            time.rem_euclid(SECOND)
        ),
        _ => {
            let sign = if time < 0 { "-" } else { "" };
            let micros = time.unsigned_abs();
            let second = SECOND.unsigned_abs();
            format!("@{sign}{}.{:06}", micros / second, micros % second)
        }
    }
}

/// Digits at the start of a text, as many as said.
fn digits(text: &mut &str, count: usize) -> Option<i64> {
    let (number, rest) = text.split_at_checked(count)?;
    *text = rest;
    is_digits(number).then(|| number.parse().ok()).flatten()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn skip(text: &mut &str, any_of: &[char]) -> Option<()> {
    *text = text.strip_prefix(any_of)?;
    Some(())
}

fn absolute(text: &str) -> Option<NumberRange> {
    let mut rest = text;
    let year = i16::try_from(digits(&mut rest, 4)?).ok()?;
    skip(&mut rest, &['-'])?;
    let month = i8::try_from(digits(&mut rest, 2)?).ok()?;
    skip(&mut rest, &['-'])?;
    let day = i8::try_from(digits(&mut rest, 2)?).ok()?;
    let date = Date::new(year, month, day).ok()?;
    let midnight = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let midnight = midnight.as_microsecond();
    if rest.is_empty() {
        return Some(NumberRange {
            min: midnight,
            max: midnight + DAY - 1,
        });
    }
    skip(&mut rest, &['T', 't', ' '])?;
    let in_day = time_of_day(&mut rest)?;
    Some(NumberRange::only(midnight + in_day - offset(rest)?))
}

fn time_of_day(rest: &mut &str) -> Option<Micros> {
    let hour = digits(rest, 2)?;
    skip(rest, &[':'])?;
    let minute = digits(rest, 2)?;
    let (mut second, mut micros) = (0, 0);
    if skip(rest, &[':']).is_some() {
        second = digits(rest, 2)?;
        if skip(rest, &['.']).is_some() {
            let len = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (fraction, tail) = rest.split_at(len);
            *rest = tail;
            micros = microseconds(fraction)?;
        }
    }
    // RFC 3339 knows leap seconds: the last second of a minute may be 60.
    (hour < 24 && minute < 60 && second <= 60)
        .then_some(hour * HOUR + minute * MINUTE + second * SECOND + micros)
}

/// The digits after a point; the seventh and further ones are cut off.
fn microseconds(fraction: &str) -> Option<i64> {
    if !is_digits(fraction) {
        return None;
    }
    let six = &fraction[..fraction.len().min(6)];
    format!("{six:0<6}").parse().ok()
}

/// East of Greenwich. A plus sign that nobody percent-encoded comes as a blank.
fn offset(zone: &str) -> Option<Micros> {
    let mut rest = zone;
    let sign = match zone.as_bytes().first() {
        None => return Some(0),
        Some(b'Z' | b'z') => return (zone.len() == 1).then_some(0),
        Some(b'-') => -1,
        Some(b'+' | b' ') => 1,
        Some(_) => return None,
    };
    rest = &rest[1..];
    let hour = digits(&mut rest, 2)?;
    skip(&mut rest, &[':'])?;
    let minute = digits(&mut rest, 2)?;
    (rest.is_empty() && hour < 24 && minute < 60).then_some(sign * (hour * HOUR + minute * MINUTE))
}

/// `None` when it is no number of seconds, `Some(None)` when it is too large.
fn since_epoch(text: &str) -> Option<Option<Micros>> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let (seconds, micros) = match text.split_once('.') {
        Some((seconds, fraction)) => (seconds, microseconds(fraction)?),
        None => (text, 0),
    };
    if !is_digits(seconds) {
        return None;
    }
    let total = seconds.parse::<i64>().ok().and_then(|seconds| {
        let micros = i128::from(seconds) * i128::from(SECOND) + i128::from(micros);
        i64::try_from(sign * micros).ok()
    });
    Some(total)
}

/// `None` when it is no duration, `Some(None)` when it is too long to count.
fn duration(text: &str) -> Option<Option<i64>> {
    let mut rest = text;
    let mut total = Some(0_i64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit_len = tail
            .find(|letter: char| letter.is_ascii_digit())
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

#[cfg(test)]
mod tests;
