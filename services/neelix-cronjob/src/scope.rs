//! What the name of a section names: systems, and perhaps their sub systems.

use domain::{Condition, Glob, Pattern, PatternError, TextField, TextTest};

use crate::name;

/// The systems and sub systems that a section is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) system: Name,
    /// None for all of a system together.
    pub(crate) sub_system: Option<Name>,
}

/// A name, or what names look like: `*` is any text, `?` one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    text: String,
    test: TextTest,
}

impl Scope {
    /// Reads the name of a section: what is behind the first slash is the sub
    /// system.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub(crate) fn new(section: &str) -> Result<Self, String> {
        let (system, sub_system) = match section.split_once('/') {
            Some((system, sub_system)) => (system.trim(), Some(sub_system.trim())),
            None => (section, None),
        };
        if system.is_empty() || sub_system.is_some_and(str::is_empty) {
            return Err("a name is missing beside the `/`".to_owned());
        }
        let name = |text| Name::new(text).map_err(|_| "the pattern is too long".to_owned());
        Ok(Self {
            system: name(system)?,
            sub_system: sub_system.map(name).transpose()?,
        })
    }

    /// The system and sub system when it names one, whether or not it has been
    /// seen; the sub system is empty when all of the system is meant.
    pub(crate) fn exact(&self) -> Option<(&str, &str)> {
        let system = self.system.exact()?;
        match &self.sub_system {
            Some(sub_system) => Some((system, sub_system.exact()?)),
            None => Some((system, "")),
        }
    }

    /// Whether the records of a system and sub system belong to it.
    pub(crate) fn covers(&self, system_id: &str, sub_system_id: &str) -> bool {
        let sub_system = self.sub_system.as_ref();
        self.system.matches(system_id) && sub_system.is_none_or(|name| name.matches(sub_system_id))
    }

    /// The condition on records that says the same.
    pub(crate) fn condition(&self) -> Condition {
        let sub_system = self.sub_system.as_ref();
        let sub_system = sub_system.and_then(|name| name.condition(TextField::SubSystem));
        let system = self.system.condition(TextField::System);
        let both = [system, sub_system].into_iter().flatten();
        both.fold(Condition::default(), Condition::and)
    }
}

impl Name {
    fn new(text: &str) -> Result<Self, PatternError> {
        let test = if text.contains('?') {
            TextTest::Finds(Pattern::new(&pattern(text))?)
        } else if text.contains('*') {
            TextTest::Like(Glob::new(text.split('*').map(str::to_owned).collect()))
        } else {
            TextTest::Is(text.to_owned())
        };
        let text = text.to_owned();
        Ok(Self { text, test })
    }

    /// The name when it is one and no pattern.
    pub(crate) fn exact(&self) -> Option<&str> {
        matches!(self.test, TextTest::Is(_)).then_some(&self.text)
    }

    fn matches(&self, text: &str) -> bool {
        self.test.passes(text)
    }

    /// None when every text passes.
    fn condition(&self, field: TextField) -> Option<Condition> {
        let is_all = self.text.chars().all(|c| c == '*');
        (!is_all).then(|| Condition::Text(field, self.test.clone()))
    }
}

/// The condition that a record is of this system and, unless that is empty, this sub
/// system; the names are as alerts have them.
pub(crate) fn only(system_id: &str, sub_system_id: &str) -> Condition {
    let is = |field, name: &str| Condition::Text(field, name::test(name));
    let system = is(TextField::System, system_id);
    match sub_system_id {
        "" => system,
        sub_system => system.and(is(TextField::SubSystem, sub_system)),
    }
}

fn pattern(text: &str) -> String {
    let mut pattern = "^(?s:".to_owned();
    for letter in text.chars() {
        match letter {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            letter => {
                if letter.is_ascii_punctuation() {
                    pattern.push('\\');
                }
                pattern.push(letter);
            }
        }
    }
    pattern + ")$"
}

#[cfg(test)]
mod tests {
    use domain::Record;

    use super::Scope;

    #[test]
    fn sections_cover_systems_as_their_records() {
        let check = |section: &str, system: &str, sub_system: &str, expected: bool| {
            let scope = Scope::new(section).unwrap();
            let record = Record {
                system_id: system.to_owned(),
                sub_system_id: sub_system.to_owned(),
                ..Record::default()
            };
            assert_eq!(
                scope.covers(system, sub_system),
                expected,
                "[{section}] {system}"
            );
            assert_eq!(
                scope.condition().matches(&record),
                expected,
                "[{section}] {system}"
            );
        };
        check("payments", "payments", "", true);
        check("payments", "payments", "host1", true);
        check("payments", "Payments", "", false);
        check("payments/host1", "payments", "host1", true);
        check("payments/host1", "payments", "host2", false);
        check("payments/*", "payments", "host2", true);
        check("job_*", "job_night", "x", true);
        check("job_*", "myjob_night", "x", false);
        check("job_?", "job_1", "x", true);
        check("job_?", "job_12", "x", false);
        check("a.?", "abc", "", false);
        check("*", "anything", "", true);
        check("*", "", "", true);
        check("a*/h?", "ab", "h1", true);
        check("a*/h?", "ab", "h", false);
    }

    #[test]
    fn only_a_name_is_exact() {
        let check = |section: &str, expected| {
            assert_eq!(Scope::new(section).unwrap().exact(), expected);
        };
        check("payments", Some(("payments", "")));
        check("payments / host1", Some(("payments", "host1")));
        check("payments/*", None);
        check("job_*", None);
        assert!(Scope::new("/x").is_err());
        assert!(Scope::new("x/").is_err());
    }
}
