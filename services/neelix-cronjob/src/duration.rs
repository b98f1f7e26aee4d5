//! Lengths of time as rules write them: `2h`, `1d 6h`, or seconds with arithmetic
//! such as `60*60*2`, which is read and never executed.

use domain::Micros;

/// A second in microseconds.
pub(crate) const SECOND_US: Micros = 1_000_000;
/// An hour in microseconds.
pub(crate) const HOUR_US: Micros = 3_600 * SECOND_US;
/// Whatever is longer is as good as never.
pub(crate) const NEVER_US: Micros = 100 * 365 * 24 * HOUR_US;

/// How long a text may be, and how deep its parentheses.
const MAX_BYTES: usize = 200;
const MAX_DEPTH: usize = 20;

const UNITS: [(&str, f64); 6] = [
    ("ms", 0.001),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3_600.0),
    ("d", 86_400.0),
    ("w", 604_800.0),
];

/// What would be right.
pub(crate) const HINT: &str = "write 2h, 90m, 1d 6h, or seconds such as 60*60*2";

/// Reads a length of time; 0 and longer ones than [`NEVER_US`] are the caller's to
/// judge.
///
/// # Errors
/// What is wrong, in one sentence.
pub(crate) fn read(text: &str) -> Result<Micros, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    let mut parser = Parser {
        rest: text,
        depth: 0,
    };
    let seconds = parser.sum()?;
    if !parser.peek().is_empty() {
        return Err(parser.unexpected());
    }
    let us = seconds * 1e6;
    if !us.is_finite() {
        return Err("this is no number".to_owned());
    }
    if us < 0.0 {
        return Err("this is less than nothing".to_owned());
    }
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    Ok(us.round() as Micros)
}

/// The text that stands for a length of time, however it was written: `1d 6h`.
pub(crate) fn print(us: Micros) -> String {
    let mut rest = us.max(0) / 1_000;
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    let mut parts = Vec::new();
    for (unit, length) in units {
        if rest >= length {
            parts.push(format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    match parts.is_empty() {
        true => "0s".to_owned(),
        false => parts.join(" "),
    }
}

/// The same for people, its two largest units only: `3 d 2 h`.
pub(crate) fn for_people(us: Micros) -> String {
    let text = print(if us > SECOND_US {
        us - us % SECOND_US
    } else {
        us
    });
    let parts = text.split(' ').take(2).map(|part| {
        let at = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        let (number, unit) = part.split_at(at);
        let unit = if unit == "m" { "min" } else { unit };
        format!("{number} {unit}")
    });
    parts.collect::<Vec<_>>().join(" ")
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    fn sum(&mut self) -> Result<f64, String> {
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value += self.product()?;
            } else if self.take('-') {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut value = self.factor()?;
        loop {
            if self.take('*') {
                value *= self.factor()?;
            } else if self.take('/') {
                let divisor = self.factor()?;
                if divisor == 0.0 {
                    return Err("this divides by nothing".to_owned());
                }
                value /= divisor;
            } else {
                return Ok(value);
            }
        }
    }

    fn factor(&mut self) -> Result<f64, String> {
        let is_negative = self.take('-');
        let value = if self.take('(') {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err("too many parentheses".to_owned());
            }
            let value = self.sum()?;
            self.depth -= 1;
            match self.take(')') {
                true => value,
                false => return Err("a parenthesis is not closed".to_owned()),
            }
        } else {
            self.quantities()?
        };
        Ok(if is_negative { -value } else { value })
    }

    /// A number, or several with units: `1d 6h`.
    fn quantities(&mut self) -> Result<f64, String> {
        let (mut value, mut has_unit) = self.quantity()?;
        while has_unit && self.peek().starts_with(|c: char| c.is_ascii_digit()) {
            let (more, is_unit) = self.quantity()?;
            if !is_unit {
                return Err("a number has no unit beside one that has".to_owned());
            }
            value += more;
            has_unit = is_unit;
        }
        Ok(value)
    }

    fn quantity(&mut self) -> Result<(f64, bool), String> {
        let number = self.word(|c| c.is_ascii_digit() || c == '.' || c == '_');
        if number.is_empty() {
            return Err(self.unexpected());
        }
        let number: f64 = number
            .replace('_', "")
            .parse()
            .map_err(|_| format!("`{number}` is no number"))?;
        let unit = self.word(|c| c.is_ascii_alphabetic());
        if unit.is_empty() {
            return Ok((number, false));
        }
        let known = UNITS
            .iter()
            .find(|(name, _)| unit.eq_ignore_ascii_case(name));
        let (_, seconds) =
            known.ok_or_else(|| format!("`{unit}` is no unit: there are w, d, h, m, s and ms"))?;
        Ok((number * seconds, true))
    }

    fn word(&mut self, is_in: impl Fn(char) -> bool) -> String {
        let rest = self.peek();
        let end = rest.find(|c| !is_in(c)).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.rest = &self.rest[self.rest.len() - rest.len() + end..];
        word
    }

    fn take(&mut self, letter: char) -> bool {
        match self.peek().strip_prefix(letter).map(str::len) {
            Some(left) => {
                self.rest = &self.rest[self.rest.len() - left..];
                true
            }
            None => false,
        }
    }

    fn peek(&self) -> &str {
        self.rest.trim_start()
    }

    fn unexpected(&self) -> String {
        match self.peek().chars().next() {
            Some(letter) if !letter.is_control() => format!("`{letter}` is not expected here"),
            Some(_) => "a control character is not expected here".to_owned(),
            None => "something is missing at the end".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SECOND_US, for_people, print, read};

    #[test]
    fn arithmetic_and_units_are_read() {
        let check = |text: &str, seconds: i64, canonical: &str| {
            let us = read(text).unwrap();
            assert_eq!(
                (us, print(us).as_str()),
                (seconds * SECOND_US, canonical),
                "{text}"
            );
        };
        check("60*60*2", 7_200, "2h");
        check("7200", 7_200, "2h");
        check("2h", 7_200, "2h");
        check("90m", 5_400, "1h 30m");
        check("1d 6h", 108_000, "1d 6h");
        check("1.5 h", 5_400, "1h 30m");
        check(" ( 1 + 2 ) * 60 / 3 - 10", 50, "50s");
        check("2*(30+30)", 120, "2m");
        check("-60 + 120", 60, "1m");
        check("1_000", 1_000, "16m 40s");
        check("1W", 604_800, "7d");
        check("0", 0, "0s");
        assert_eq!(read("1500ms"), Ok(1_500_000));
        assert_eq!(read("99999999999999999999999999"), Ok(i64::MAX));
    }

    #[test]
    fn what_is_no_length_of_time_says_why() {
        let check = |text: &str, expected: &str| assert_eq!(read(text).unwrap_err(), expected);
        check("", "something is missing at the end");
        check("60*", "something is missing at the end");
        check(
            "2 hours",
            "`hours` is no unit: there are w, d, h, m, s and ms",
        );
        check("(60", "a parenthesis is not closed");
        check("60/0", "this divides by nothing");
        check("-60", "this is less than nothing");
        check("60**2", "`*` is not expected here");
        check("__import__('os')", "`__` is no number");
        check("os.getpid()", "`o` is not expected here");
        check("1d 6", "a number has no unit beside one that has");
        check("1.2.3", "`1.2.3` is no number");
        check(&"(".repeat(100), "too many parentheses");
        check(&"1".repeat(300), "longer than 200 bytes");
    }

    #[test]
    fn people_get_two_units() {
        let check = |text: &str, expected: &str| {
            assert_eq!(for_people(read(text).unwrap()), expected);
        };
        check("3d 2h 5m", "3 d 2 h");
        check("90m", "1 h 30 min");
        check("61.5s", "1 min 1 s");
        check("300ms", "300 ms");
    }
}
