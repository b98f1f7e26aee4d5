//! Severities by Python's scale.

use std::str::FromStr;

/// The five severities of Python's `logging`. A record's severity is a number
/// and may lie between them; [`Level::of`] says which one it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// 10, and everything below 20.
    Debug,
    /// 20.
    Info,
    /// 30.
    Warning,
    /// 40.
    Error,
    /// 50 and above.
    Critical,
}

impl Level {
    /// All of them, rising.
    pub const ALL: [Self; 5] = [
        Self::Debug,
        Self::Info,
        Self::Warning,
        Self::Error,
        Self::Critical,
    ];

    /// The severity a number belongs to.
    #[must_use]
    pub fn of(number: i32) -> Self {
        match number {
            ..20 => Self::Debug,
            20..30 => Self::Info,
            30..40 => Self::Warning,
            40..50 => Self::Error,
            50.. => Self::Critical,
        }
    }

    /// Python's number.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Debug => 10,
            Self::Info => 20,
            Self::Warning => 30,
            Self::Error => 40,
            Self::Critical => 50,
        }
    }

    /// Python's name, such as `WARNING`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

/// A text that is no severity.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no level: use DEBUG, INFO, WARNING, ERROR, CRITICAL or a number such as 30")]
pub struct UnknownLevel(pub String);

impl FromStr for Level {
    type Err = UnknownLevel;

    /// Python's names, in any case, with its aliases `WARN` and `FATAL`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_uppercase().as_str() {
            "DEBUG" => Ok(Self::Debug),
            "INFO" => Ok(Self::Info),
            "WARNING" | "WARN" => Ok(Self::Warning),
            "ERROR" => Ok(Self::Error),
            "CRITICAL" | "FATAL" => Ok(Self::Critical),
            _ => Err(UnknownLevel(text.to_owned())),
        }
    }
}

impl Level {
    /// The number of a level given by name or as a number, as the API's `level`
    /// parameter and the command line take it.
    ///
    /// # Errors
    /// When it is neither.
    pub fn number_of(text: &str) -> Result<i32, UnknownLevel> {
        text.parse::<i32>()
            .or_else(|_| text.parse::<Self>().map(Self::number))
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn every_number_has_a_level() {
        let check = |number, level| assert_eq!(Level::of(number), level, "{number}");
        check(i32::MIN, Level::Debug);
        check(0, Level::Debug);
        check(19, Level::Debug);
        check(20, Level::Info);
        check(30, Level::Warning);
        check(39, Level::Warning);
        check(40, Level::Error);
        check(50, Level::Critical);
        check(i32::MAX, Level::Critical);
    }

    #[test]
    fn names_and_numbers_are_read() {
        let check = |text: &str, number| assert_eq!(Level::number_of(text).ok(), number, "{text}");
        check("warning", Some(30));
        check("WARN", Some(30));
        check("fatal", Some(50));
        check("35", Some(35));
        check("", None);
        check("loud", None);
    }
}
