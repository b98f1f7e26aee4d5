//! Single values of parameters, each problem noted under its name.

use super::{ParameterError, Parameters};

/// How many of something one answer may have, and where more can be had.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LimitRule {
    pub(crate) max: usize,
    pub(crate) hint: &'static str,
}

/// Reads values and collects what is wrong with them.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    parameters: &'a Parameters,
    problems: Vec<ParameterError>,
}

impl<'a> Reader<'a> {
    /// Begins with what is wrong with the parameters as such.
    pub(crate) fn new(parameters: &'a Parameters) -> Self {
        Self {
            parameters,
            problems: parameters.problems().to_vec(),
        }
    }

    /// The text of a parameter that was given and is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.parameters.get(name)
    }

    /// A parameter's value, if it is given and can be read.
    pub(crate) fn value<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.text(name)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.note(ParameterError::new(name, message));
                None
            }
        }
    }

    /// Adds a problem.
    pub(crate) fn note(&mut self, problem: ParameterError) {
        self.problems.push(problem);
    }

    /// All problems.
    pub(crate) fn into_problems(self) -> Vec<ParameterError> {
        self.problems
    }

    /// # Errors
    /// The first problem.
    pub(crate) fn finish(mut self) -> Result<(), ParameterError> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(self.problems.swap_remove(0))
    }
}

/// A number of things from 1 to the most there may be.
pub(crate) fn read_count(text: &str, rule: LimitRule) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(limit) if limit > rule.max => {
            Err(format!("`{text}` is above {}{}", rule.max, rule.hint))
        }
        Ok(limit) => Ok(limit),
        Err(_) => Err(format!("`{text}` is no number from 1 to {}", rule.max)),
    }
}

/// The id of a record, as a cursor.
pub(crate) fn read_id(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(0) | Err(_) => Err(format!("`{text}` is no id of a record")),
        Ok(id) => Ok(id),
    }
}

/// As [`read_id`], or 0, below every id.
pub(crate) fn read_lower_bound(text: &str) -> Result<u64, String> {
    match text {
        "0" => Ok(0),
        text => read_id(text),
    }
}
