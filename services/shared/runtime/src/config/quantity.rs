//! Sizes and ages as people write them: `64MiB`, `30d`.

use std::{fmt, num::ParseIntError, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};

/// A number of bytes: `64MiB`, `1GB`, `1048576`. Units are B, KB, MB, GB, TB
/// (powers of 1,000) and KiB, MiB, GiB, TiB (powers of 1,024), in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no size: use a whole number with a unit of B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, \
     such as 64MiB"
)]
pub struct InvalidByteSize(String);

/// A length of time: `30d`, `12h`, `90m`, `15s`, `500ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(pub Duration);

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no length of time: use a whole number with a unit of d, h, m, s or ms, such as 30d"
)]
pub struct InvalidAge(String);

const BYTE_UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

const MILLISECOND_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

impl FromStr for ByteSize {
    type Err = InvalidByteSize;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        scaled(text, &BYTE_UNITS)
            .map(Self)
            .ok_or_else(|| InvalidByteSize(text.to_owned()))
    }
}

impl FromStr for Age {
    type Err = InvalidAge;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        scaled(text, &MILLISECOND_UNITS)
            .map(|milliseconds| Self(Duration::from_millis(milliseconds)))
            .ok_or_else(|| InvalidAge(text.to_owned()))
    }
}

/// `None` if the text is no number with one of the units, or the product
/// exceeds `u64`.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let number: Result<u64, ParseIntError> = digits.parse();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.ok()?.checked_mul(*factor)
}

impl fmt::Display for ByteSize {
    /// In the largest unit of powers of 1,024 without a remainder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            ("TiB", 1_u64 << 40),
            ("GiB", 1 << 30),
            ("MiB", 1 << 20),
            ("KiB", 1 << 10),
            ("B", 1),
        ];
        write_largest(f, self.0, &units)
    }
}

impl fmt::Display for Age {
    /// In the largest unit without a remainder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut units = MILLISECOND_UNITS;
        units.reverse();
        let milliseconds = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        write_largest(f, milliseconds, &units)
    }
}

fn write_largest(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)]) -> fmt::Result {
    let fitting = units
        .iter()
        .find(|(_, factor)| value != 0 && value.is_multiple_of(*factor));
    let (unit, factor) = fitting.unwrap_or(&units[units.len() - 1]);
    write!(f, "{}{unit}", value / factor)
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(Error::custom)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Age, ByteSize, InvalidAge, InvalidByteSize};

    #[test]
    fn sizes_are_read_and_written() {
        let check = |text: &str, bytes: u64, written: &str| {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!(
                (size, size.to_string().as_str()),
                (ByteSize(bytes), written)
            );
        };
        check("1048576", 1 << 20, "1MiB");
        check("64MiB", 64 << 20, "64MiB");
        check("1GB", 1_000_000_000, "1000000000B");
        check(" 2 kib ", 2048, "2KiB");
        check("0", 0, "0B");
        check("7b", 7, "7B");
        check("3tib", 3 << 40, "3TiB");
    }

    #[test]
    fn what_is_no_size_is_told_with_an_example() {
        let check = |text: &str| {
            let error = text.parse::<ByteSize>().unwrap_err();
            assert_eq!(error, InvalidByteSize(text.to_owned()));
            assert!(error.to_string().ends_with("such as 64MiB"), "{error}");
        };
        check("");
        check("MiB");
        check("-1");
        check("1.5GiB");
        check("64M");
        check("18446744073709551615KiB");
    }

    #[test]
    fn ages_are_read_and_written() {
        let check = |text: &str, duration, written: &str| {
            let age: Age = text.parse().unwrap();
            assert_eq!((age, age.to_string().as_str()), (Age(duration), written));
        };
        check("30d", Duration::from_hours(30 * 24), "30d");
        check("12h", Duration::from_hours(12), "12h");
        check("90m", Duration::from_mins(90), "90m");
        check("15s", Duration::from_secs(15), "15s");
        check("500ms", Duration::from_millis(500), "500ms");
        check("48h", Duration::from_hours(48), "2d");
        check("0s", Duration::ZERO, "0ms");
    }

    #[test]
    fn what_is_no_age_is_told_with_an_example() {
        let check = |text: &str| {
            let error = text.parse::<Age>().unwrap_err();
            assert_eq!(error, InvalidAge(text.to_owned()));
            assert!(error.to_string().ends_with("such as 30d"), "{error}");
        };
        check("");
        check("30");
        check("d");
        check("1d12h");
        check("3 weeks");
    }
}
