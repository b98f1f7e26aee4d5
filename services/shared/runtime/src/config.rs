//! Configuration by environment variables: collected once in main, passed as
//! values, so that a test needs no process environment.

mod quantity;

use std::{env, fmt::Display, str::FromStr};

use serde::de::DeserializeOwned;

pub use quantity::{Age, ByteSize, InvalidAge, InvalidByteSize};

/// Names and values of environment variables.
pub type Vars = Vec<(String, String)>;

/// The variables of this process. What is not UTF-8 is replaced by U+FFFD.
#[must_use]
pub fn vars() -> Vars {
    env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .collect()
}

/// A variable that is missing or wrong: the process must not start. The text
/// names the whole variable, what is wrong with it, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    variable: String,
    problem: String,
}

impl ConfigError {
    /// For what only the reader of the variable can check, such as a folder
    /// that cannot be written to. `problem` says what is right, too.
    pub fn new(variable: impl Into<String>, problem: impl Display) -> Self {
        Self {
            variable: variable.into(),
            problem: problem.to_string(),
        }
    }

    /// The whole name of the variable.
    #[must_use]
    pub fn variable(&self) -> &str {
        &self.variable
    }
}

/// Reads the fields of `T` from the variables `<prefix><FIELD>`; `prefix` ends
/// in an underscore. An empty value counts as not set; variables with the
/// prefix that are no field of `T` are ignored, because Kubernetes adds some of
/// its own (`STORE_SERVICE_HOST`).
///
/// # Errors
/// The first variable that is wrong, or a required one that is not set.
pub fn read<T: DeserializeOwned>(prefix: &str, vars: &Vars) -> Result<T, ConfigError> {
    let given: Vec<(String, String)> = vars
        .iter()
        .filter(|(name, value)| name.starts_with(prefix) && !value.is_empty())
        .cloned()
        .collect();
    let reader = envy::prefixed(prefix);
    reader
        .from_iter(given.iter().cloned())
        .map_err(|error| match error {
            envy::Error::MissingValue(field) => {
                not_set(&format!("{prefix}{}", field.to_uppercase()))
            }
            envy::Error::Custom(text) => {
                // Envy tells the name of only some of its values, but it reads them in turn:
                // the last of the shortest list that fails in this way is the one.
                let culprit = (1..=given.len()).find(|&count| {
                    let outcome = reader.from_iter::<_, T>(given[..count].iter().cloned());
                    matches!(outcome, Err(envy::Error::Custom(_)))
                });
                match culprit {
                    Some(count) => {
                        let (name, value) = &given[count - 1];
                        ConfigError::new(name, problem(value, &text))
                    }
                    None => ConfigError::new(format!("{prefix}*"), text),
                }
            }
        })
}

/// Reads one variable that must be set.
///
/// # Errors
/// It is not set, is empty, or does not parse.
pub fn required<T: FromStr>(name: &str, vars: &Vars) -> Result<T, ConfigError>
where
    T::Err: Display,
{
    optional(name, vars)?.ok_or_else(|| not_set(name))
}

/// Reads one variable that may be missing; empty counts as not set.
///
/// # Errors
/// It does not parse.
pub fn optional<T: FromStr>(name: &str, vars: &Vars) -> Result<Option<T>, ConfigError>
where
    T::Err: Display,
{
    vars.iter()
        .find(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.parse())
        .transpose()
        .map_err(|problem| ConfigError::new(name, problem))
}

fn not_set(name: &str) -> ConfigError {
    ConfigError::new(name, "is required, but not set")
}

/// What is wrong with a value, in words that help: `text` is envy's message,
/// which for numbers and booleans is the standard library's.
fn problem(value: &str, text: &str) -> String {
    match text.split(" while parsing value ").next() {
        Some("invalid digit found in string") => {
            format!("`{value}` is no whole number of 0 or more, written in digits only")
        }
        Some("invalid float literal") => format!("`{value}` is no number, such as 0.5"),
        Some("number too large to fit in target type") => format!("`{value}` is too large"),
        Some("number too small to fit in target type") => format!("`{value}` is too small"),
        Some("provided string was not `true` or `false`") => {
            format!("`{value}` is neither `true` nor `false`")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
