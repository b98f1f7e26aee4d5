//! A regular expression that takes linear time.

use regex::{Regex, RegexBuilder};

/// How many bytes a compiled pattern may take. What is larger, such as
/// `(\w{1000}){1000}`, is refused when it is made.
const MAX_BYTES: usize = 1 << 20;
/// How many bytes its working memory may take for each thread that uses it.
const WORKING_BYTES: usize = 1 << 20;
/// How long a pattern may be.
const MAX_LEN: usize = 4096;

/// A regular expression in the syntax of the `regex` crate; case counts unless
/// it says `(?i)`, and `^` and `$` are the ends of the text. Two are equal when
/// their texts are.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
}

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It does not follow the syntax.
    #[error("{0}")]
    Syntax(String),
    /// It would take too much memory.
    #[error("the pattern is too large: use fewer or smaller repetitions")]
    TooLarge,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it does not follow the syntax, or is too large.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_LEN {
            return Err(PatternError::TooLarge);
        }
        let built = RegexBuilder::new(text)
            .size_limit(MAX_BYTES)
            .dfa_size_limit(WORKING_BYTES)
            .build();
        match built {
            Ok(regex) => Ok(Self { regex }),
            Err(regex::Error::CompiledTooBig(_)) => Err(PatternError::TooLarge),
            Err(error) => Err(PatternError::Syntax(reason(&error.to_string()))),
        }
    }

    /// The pattern as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether it finds something in a text.
    #[must_use]
    pub fn finds(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Where it finds something in a text, as bytes.
    pub fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.regex.find_iter(text).map(|found| found.range())
    }
}

/// The last line of the library's drawing, which says what is wrong.
fn reason(drawing: &str) -> String {
    let last = drawing.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::{Pattern, PatternError};

    #[test]
    fn what_is_no_pattern_says_why() {
        assert_eq!(
            Pattern::new("a(b").unwrap_err().to_string(),
            "unclosed group"
        );
        let too_large = [r"(\w{1000}){1000}".to_owned(), "a".repeat(5000)];
        for text in too_large {
            assert_eq!(Pattern::new(&text).unwrap_err(), PatternError::TooLarge);
        }
    }

    #[test]
    fn hostile_patterns_take_linear_time() {
        let pattern = Pattern::new("(a*)*b").unwrap();
        assert!(!pattern.finds(&"a".repeat(100_000)));
        assert!(Pattern::new("(?i)FAIL(ed|ure)").unwrap().finds("Failed"));
    }
}
