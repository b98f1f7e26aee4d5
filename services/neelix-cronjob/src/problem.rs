//! What is wrong with a rules file, where, and what would be right.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Line of the file, from 1.
    pub(crate) line: usize,
    /// The key or the section it is about, as it is written; empty for neither.
    pub(crate) key: String,
    /// What is wrong. May have more than one line.
    pub(crate) message: String,
    /// What would be right; empty when the message says it.
    pub(crate) hint: String,
}

impl Problem {
    pub(crate) fn new(
        line: usize,
        key: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            line,
            key: key.into(),
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for Problem {
    /// Without the name of the file, which stands before it: `3: AGE: ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        Ok(())
    }
}

/// All problems of a file, in the order of its lines, each once.
pub(crate) fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (a.line, &a.key, &a.message).cmp(&(b.line, &b.key, &b.message)));
    problems.dedup();
    problems
}

/// The one of `known` that a word was probably meant to be.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&word, &known.to_lowercase());
    let nearest = known.iter().min_by_key(|known| distance(known))?;
    (distance(nearest) <= nearest.len().div_ceil(3)).then_some(*nearest)
}

#[cfg(test)]
mod tests {
    use super::{Problem, nearest, sorted};

    #[test]
    fn a_problem_is_one_sentence_with_its_place() {
        let check = |problem: Problem, expected: &str| assert_eq!(problem.to_string(), expected);
        check(
            Problem::new(3, "AGE", "`x` is no time", "write 2h"),
            "3: AGE: `x` is no time; write 2h",
        );
        check(Problem::new(1, "", "odd", ""), "1: odd");
    }

    #[test]
    fn problems_come_in_order_and_once() {
        let at = |line| Problem::new(line, "", "odd", "");
        assert_eq!(sorted(vec![at(2), at(1), at(2)]), [at(1), at(2)]);
    }

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let known = ["MAIL_TO", "MSG", "AGE", "SCHEDULE"];
        let check = |word, expected| assert_eq!(nearest(word, &known), expected);
        check("mailto", Some("MAIL_TO"));
        check("AEG", Some("AGE"));
        check("schedul", Some("SCHEDULE"));
        check("owner", None);
    }
}
