//! What is wrong with a routes file, where, and what would be right.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right; empty when the message says it.
    pub hint: String,
}

impl fmt::Display for Problem {
    /// Without the name of the file, which stands before it: `3: ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)?;
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        Ok(())
    }
}

/// The one of `known` that a word was probably meant to be, as a hint; otherwise
/// all of them.
pub(super) fn one_of(word: &str, known: &[&str]) -> String {
    let word = word.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&word, known);
    let nearest = known.iter().min_by_key(|known| distance(known));
    match nearest {
        Some(nearest) if distance(nearest) <= nearest.len().div_ceil(3) => {
            format!("did you mean `{nearest}`?")
        }
        _ => format!("known are {}", known.join(", ")),
    }
}
