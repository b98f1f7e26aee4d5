//! Decimal numbers of any size, compared exactly.

use std::{cmp::Ordering, fmt, str::FromStr};

/// A decimal number, kept as digits and the power of ten of the first, so that
/// 4711, 4711.0 and 4.711e3 are equal and no digit of a long one is lost.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Power of ten of the first digit plus one; 0 for zero.
    exponent: i64,
    /// Without zeros at either end; empty for zero.
    digits: String,
}

/// Powers of ten further away than this are refused, so that they can be added.
const MAX_EXPONENT: i64 = 1 << 40;

/// A text that is no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no number")]
pub struct NoDecimal(String);

impl FromStr for Decimal {
    type Err = NoDecimal;

    /// Reads what JSON calls a number, and a leading `+`, zeros or point.
    fn from_str(text: &str) -> Result<Self, NoDecimal> {
        parse(text).ok_or_else(|| NoDecimal(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Decimal> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (number, power) = match rest.split_once(['e', 'E']) {
        Some((number, power)) => (number, power.parse::<i64>().ok()?),
        None => (rest, 0),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + part.len() == 0 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let all = format!("{whole}{part}");
    let significant = all.trim_start_matches('0');
    let leading = all.len() - significant.len();
    let digits = significant.trim_end_matches('0');
    let exponent = power.checked_add(whole.len() as i64 - leading as i64)?;
    if exponent.abs() > MAX_EXPONENT {
        return None;
    }
    Some(match digits {
        "" => Decimal {
            negative: false,
            exponent: 0,
            digits: String::new(),
        },
        digits => Decimal {
            negative,
            exponent,
            digits: digits.to_owned(),
        },
    })
}

impl fmt::Display for Decimal {
    /// The one text that all equal numbers share, such as `0.4711e4`; whole
    /// numbers up to 40 digits in full.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return out.write_str("0");
        }
        let sign = if self.negative { "-" } else { "" };
        let zeros = self.exponent - self.digits.len() as i64;
        if (0..40).contains(&zeros) && self.exponent <= 40 {
            let zeros = "0".repeat(zeros as usize);
            return write!(out, "{sign}{}{zeros}", self.digits);
        }
        write!(out, "{sign}0.{}e{}", self.digits, self.exponent)
    }
}

impl Decimal {
    fn magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Digits without zeros at the end compare as texts do.
            (false, false) => (self.exponent, &self.digits).cmp(&(other.exponent, &other.digits)),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn numbers_are_in_order() {
        let rising = [
            "-1e400",
            "-12",
            "-1.5",
            "-1.49",
            "-0.02",
            "0",
            "1e-400",
            "0.02",
            "1.49",
            "1.5",
            "9",
            "10",
            "4711",
            "4711.5",
            "12345678901234567890",
            "12345678901234567891",
            "1e400",
        ];
        let decimals: Vec<Decimal> = rising.iter().map(|text| text.parse().unwrap()).collect();
        for (left, low) in decimals.iter().enumerate() {
            for (right, high) in decimals.iter().enumerate() {
                assert_eq!(low.cmp(high), left.cmp(&right), "{low} {high}");
            }
            assert_eq!(low, &low.to_string().parse().unwrap());
        }
    }

    #[test]
    fn one_number_has_many_forms() {
        let check = |text: &str, expected: &str| {
            let decimal: Decimal = text.parse().unwrap();
            assert_eq!(decimal.to_string(), expected);
        };
        check("4711", "4711");
        check("4711.0", "4711");
        check("+04.711e3", "4711");
        check("-0", "0");
        check("100", "100");
        check(".5", "0.5e0");
        check("10e1099511627774", "0.1e1099511627776");
        check("0.01e-1099511627775", "0.1e-1099511627776");
        check("0.1e1099511627776", "0.1e1099511627776");
        for text in [
            "1e1099511627776",
            "1e9223372036854775807",
            "1e-9223372036854775808",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        for text in ["", "-", "1a", "1.2.3", "e5", "NaN", "1e", "0x10", " 1"] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }
}
