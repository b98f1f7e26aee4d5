//! Which records somebody wants: read here before anything is sent, so that a
//! wrong query is shown where it is wrong.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use domain::{Condition, Level, Micros};
use query::{QueryError, time::TimeError};
use runtime::process::WrongUsage;

/// The query.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// What to look for, several words joined by blanks; nothing finds all.
    /// The language is in docs/query.md. One that begins with a minus comes
    /// after `--`.
    #[arg(value_name = "QUERY")]
    query: Vec<String>,
    /// Only this severity and above: DEBUG, INFO, WARNING, ERROR, CRITICAL or
    /// a number.
    #[arg(long, short, value_name = "LEVEL", value_parser = Level::number_of)]
    level: Option<i32>,
}

impl Selection {
    /// What records must fulfil; relative times count from `now_us`.
    ///
    /// # Errors
    /// The query cannot be read: with its text, and carets under the place.
    pub(crate) fn condition(&self, now_us: Micros) -> Result<Condition, WrongUsage> {
        let text = self.query.join(" ");
        let read = |text: &str| query::parse(text, now_us);
        let condition = read(&text).map_err(|error| explain(&error, &text))?;
        let Some(level) = self.level else {
            return Ok(condition);
        };
        let condition = condition.and(Condition::at_least(level));
        // What the query alone may be, it may be too much of with the level.
        let printed = query::print(&condition);
        read(&printed).map_err(|error| explain(&error, &printed))?;
        Ok(condition)
    }
}

fn explain(error: &QueryError, text: &str) -> WrongUsage {
    let drawing = error.render(text).replace('\n', "\n  ");
    WrongUsage(format!(
        "{}\n  {drawing}\nhint: {}",
        error.message, error.hint
    ))
}

/// Reads a time as the query language has it; `1h` is an hour ago, as `-1h` is.
///
/// # Errors
/// It is neither.
pub(crate) fn time_ago(text: &str) -> Result<Micros, TimeError> {
    read_time(text, now_us())
}

fn read_time(text: &str, now_us: Micros) -> Result<Micros, TimeError> {
    query::time::parse(text, now_us).or_else(|error| {
        let is_number = text.starts_with(|first: char| first.is_ascii_digit());
        let ago = is_number.then(|| query::time::parse(&format!("-{text}"), now_us));
        ago.and_then(Result::ok).ok_or(error)
    })
}

/// This moment, in microseconds since the epoch.
pub(crate) fn now_us() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
    })
}

#[cfg(test)]
mod tests {
    use domain::Condition;

    use super::{Selection, read_time};

    fn selection(words: &[&str], level: Option<i32>) -> Selection {
        Selection {
            query: words.iter().map(|word| (*word).to_owned()).collect(),
            level,
        }
    }

    #[test]
    fn words_are_one_query() {
        let check = |words: &[&str], level, expected: &str| {
            let condition = selection(words, level).condition(0).unwrap();
            assert_eq!(condition, query::parse(expected, 0).unwrap(), "{words:?}");
        };
        check(&[], None, "");
        check(&["disk", "full"], None, "disk full");
        check(&["a OR b"], Some(30), "(a OR b) level>=30");
        assert_eq!(
            selection(&[], Some(40)).condition(0).unwrap(),
            Condition::at_least(40)
        );
    }

    #[test]
    fn a_wrong_query_is_shown_where_it_is_wrong() {
        let error = selection(&["disk", "level>=loud"], None).condition(0);
        let text = error.unwrap_err().to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[1..3],
            ["  disk level>=loud", "              ^^^^"],
            "{text}"
        );
        assert!(lines[3].starts_with("hint: "), "{text}");
        let many = vec!["a"; query::MAX_CONDITIONS];
        assert!(selection(&many, None).condition(0).is_ok());
        assert!(selection(&many, Some(30)).condition(0).is_err());
    }

    #[test]
    fn times_may_go_without_their_minus() {
        let hour = 3_600_000_000;
        let check =
            |text: &str, expected| assert_eq!(read_time(text, hour).ok(), expected, "{text}");
        check("1h", Some(0));
        check("-1h", Some(0));
        check("30m", Some(hour / 2));
        check("now", Some(hour));
        check("1970-01-01T01:00:00Z", Some(hour));
        check("1970-01-01", Some(0));
        check("h", None);
        check("--1h", None);
        check("1970", None);
    }
}
