//! The parameters of one request, by name.

use std::fmt;

use serde::Serialize;

/// Longest value a parameter may have, in bytes.
const MAX_VALUE_BYTES: usize = 4_096;

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ParameterError {
    /// The parameter as it was written.
    pub(crate) parameter: String,
    /// What is wrong and what would be right, for people.
    pub(crate) message: String,
    /// What would be right, where `message` does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// Where in the value, as the number of the character, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<usize>,
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(column) = self.column {
            write!(f, " at column {column}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, ": {hint}"),
            None => Ok(()),
        }
    }
}

impl ParameterError {
    pub(crate) fn new(parameter: &str, message: impl Into<String>) -> Self {
        Self {
            parameter: parameter.to_owned(),
            message: message.into(),
            hint: None,
            column: None,
        }
    }
}

/// A name a parameter may have, and the name it stands for.
pub(crate) type KnownName = (&'static str, &'static str);

/// Parameters under their main names, without the empty ones: a form sends all
/// of its fields, filled in or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters {
    values: Vec<(&'static str, String)>,
    problems: Vec<ParameterError>,
    written_shortest: bool,
}

impl Parameters {
    /// Reads the query part of a URL. What is not in one of the lists of known
    /// names, given twice or too long becomes a problem.
    pub(crate) fn read(query: Option<&str>, known: &[&[KnownName]]) -> Self {
        let known = known.concat();
        let mut parameters = Self {
            written_shortest: true,
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            parameters.take(&name, value.trim(), &known);
        }
        parameters
    }

    /// The value of a parameter that was given and is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// All of them, in the order given.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    /// What was wrong with the parameters as such.
    pub(crate) fn problems(&self) -> &[ParameterError] {
        &self.problems
    }

    /// Whether there was no empty parameter among them.
    pub(crate) fn written_shortest(&self) -> bool {
        self.written_shortest
    }

    fn take(&mut self, name: &str, value: &str, known: &[KnownName]) {
        let Some((_, main)) = known.iter().find(|(known, _)| *known == name) else {
            self.problems.push(unknown(name, known));
            return;
        };
        if value.is_empty() {
            self.written_shortest = false;
            return;
        }
        if value.len() > MAX_VALUE_BYTES {
            let message = format!("longer than {MAX_VALUE_BYTES} bytes");
            self.problems.push(ParameterError::new(name, message));
            return;
        }
        if self.get(main).is_some() {
            self.problems
                .push(ParameterError::new(name, "given more than once"));
            return;
        }
        self.values.push((main, value.to_owned()));
    }
}

fn unknown(name: &str, known: &[KnownName]) -> ParameterError {
    // A name is for people to recognise; nobody needs a megabyte of it.
    let name: String = name.chars().take(80).collect();
    let lower = name.to_lowercase();
    let nearest = known
        .iter()
        .map(|(known, _)| (strsim::damerau_levenshtein(&lower, known), *known))
        .min_by_key(|(distance, _)| *distance);
    let message = match nearest {
        Some((_, nearest)) => format!("no such parameter; the nearest is `{nearest}`"),
        None => "no such parameter; this address takes none".to_owned(),
    };
    ParameterError::new(&name, message)
}

#[cfg(test)]
mod tests {
    use super::{KnownName, Parameters};

    const KNOWN: &[KnownName] = &[
        ("system_id", "system_id"),
        ("from", "from"),
        ("starting_at", "from"),
    ];

    #[test]
    fn values_are_read_under_their_main_name() {
        let check = |query: &str, name: &str, expected: Option<&str>| {
            let parameters = Parameters::read(Some(query), &[KNOWN]);
            assert_eq!(parameters.problems(), [], "{query}");
            assert_eq!(parameters.get(name), expected, "{query}");
        };
        check("system_id=a%26b+c%C3%BC", "system_id", Some("a&b cü"));
        check("system_id=", "system_id", None);
        check("starting_at=-7d", "from", Some("-7d"));
        check("system_id=%ff", "system_id", Some("\u{fffd}"));
        check("system_id=%00", "system_id", Some("\0"));
    }

    #[test]
    fn problems_name_the_parameter() {
        let check = |query: &str, expected: &[(&str, &str)]| {
            let parameters = Parameters::read(Some(query), &[KNOWN]);
            let problems: Vec<_> = parameters
                .problems()
                .iter()
                .map(|p| (p.parameter.as_str(), p.message.as_str()))
                .collect();
            assert_eq!(problems, expected, "{query}");
        };
        let nearest = "no such parameter; the nearest is `system_id`";
        check("sytem_id=a", &[("sytem_id", nearest)]);
        check("SYSTEM_ID=a", &[("SYSTEM_ID", nearest)]);
        check(
            "system_id=a&system_id=b",
            &[("system_id", "given more than once")],
        );
        check(
            "from=-1d&starting_at=-2d",
            &[("starting_at", "given more than once")],
        );
        let long = format!("from={}", "x".repeat(5_000));
        check(&long, &[("from", "longer than 4096 bytes")]);
    }
}
