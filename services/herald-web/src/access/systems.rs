//! Which systems somebody sees, where these are not all.

use std::{fmt, str::FromStr};

use domain::{Condition, Glob, TextField, TextTest};

/// The most patterns of one limit, and the longest in bytes.
const MOST: usize = 50;
const MAX_PATTERN_BYTES: usize = 200;

/// A limit to some systems: texts that `system_id` is, in which `*` stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Systems {
    patterns: Vec<String>,
}

/// A text that is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSystems {
    /// Nobody would see anything.
    #[error("there is no system in it: use such as shop*,web")]
    None,
    /// It is no limit.
    #[error("`*` is all systems: leave it out for somebody who sees them")]
    All,
    /// A pattern that cannot be written.
    #[error(
        "a pattern has 1 to {MAX_PATTERN_BYTES} bytes, and neither blanks nor control characters: `*` stands for any text"
    )]
    Pattern,
    /// Too many.
    #[error("these are more than {MOST} patterns")]
    Many,
}

impl Systems {
    /// What records of theirs fulfil.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let mut any: Vec<Condition> = self.patterns.iter().map(|it| condition(it)).collect();
        match any.len() {
            1 => any.remove(0),
            _ => Condition::Any(any),
        }
    }

    /// Whether a system is one of them.
    #[must_use]
    pub fn contain(&self, system_id: &str) -> bool {
        self.patterns.iter().any(|it| glob(it).matches(system_id))
    }

    /// Whether a condition holds for records of theirs only, as far as its form tells.
    #[must_use]
    pub fn contain_all_of(&self, condition: &Condition) -> bool {
        match condition {
            Condition::All(all) => all.iter().any(|it| self.contain_all_of(it)),
            Condition::Any(any) => !any.is_empty() && any.iter().all(|it| self.contain_all_of(it)),
            Condition::Text(TextField::System, TextTest::Is(system_id)) => self.contain(system_id),
            Condition::Text(TextField::System, TextTest::Like(known)) => {
                self.patterns.iter().any(|it| glob(it) == *known)
            }
            _ => false,
        }
    }

    /// The systems of both limits.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut patterns = self.patterns.clone();
        let more = other
            .patterns
            .iter()
            .filter(|it| !self.patterns.contains(it));
        patterns.extend(more.cloned());
        Self { patterns }
    }
}

impl fmt::Display for Systems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.patterns.join(","))
    }
}

impl FromStr for Systems {
    type Err = InvalidSystems;

    fn from_str(text: &str) -> Result<Self, InvalidSystems> {
        let patterns = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        let patterns: Vec<String> = patterns.map(str::to_owned).collect();
        let is_plain = |it: &String| {
            let is_written = |c: char| !c.is_whitespace() && !c.is_control();
            it.len() <= MAX_PATTERN_BYTES && it.chars().all(is_written)
        };
        match patterns.len() {
            0 => Err(InvalidSystems::None),
            count if count > MOST => Err(InvalidSystems::Many),
            _ if !patterns.iter().all(is_plain) => Err(InvalidSystems::Pattern),
            _ if patterns
                .iter()
                .any(|it| it.bytes().all(|byte| byte == b'*')) =>
            {
                Err(InvalidSystems::All)
            }
            _ => Ok(Self { patterns }),
        }
    }
}

fn condition(pattern: &str) -> Condition {
    let test = match pattern.contains('*') {
        true => TextTest::Like(glob(pattern)),
        false => TextTest::Is(pattern.to_owned()),
    };
    Condition::Text(TextField::System, test)
}

fn glob(pattern: &str) -> Glob {
    Glob::new(pattern.split('*').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use domain::{Condition, Record};

    use super::{InvalidSystems, Systems};

    fn systems(text: &str) -> Systems {
        text.parse().unwrap()
    }

    #[test]
    fn a_limit_is_some_systems() {
        let check = |text: &str, system_id: &str, expected: bool| {
            let systems = systems(text);
            assert_eq!(systems.contain(system_id), expected, "{text} {system_id}");
            let record = Record {
                system_id: system_id.to_owned(),
                ..Record::default()
            };
            assert_eq!(systems.condition().matches(&record), expected, "{text}");
        };
        check("shop", "shop", true);
        check("shop", "shopping", false);
        check("shop", "Shop", false);
        check("shop", "", false);
        check("shop*", "shopping", true);
        check("shop*, web", "web", true);
        check("shop*,web", "webshop", false);
        check("*-test", "shop-test", true);
        assert_eq!(systems(" shop* , web,").to_string(), "shop*,web");
        assert_eq!(systems("a,b").or(&systems("b,c")), systems("a,b,c"));
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        let check = |text: &str, expected: InvalidSystems| {
            assert_eq!(text.parse::<Systems>(), Err(expected), "{text}");
        };
        check("", InvalidSystems::None);
        check(" , ", InvalidSystems::None);
        check("*", InvalidSystems::All);
        check("shop,**", InvalidSystems::All);
        check("a b", InvalidSystems::Pattern);
        check("a\u{7}b", InvalidSystems::Pattern);
        check(&"x".repeat(201), InvalidSystems::Pattern);
        check(&"a,".repeat(51), InvalidSystems::Many);
    }

    #[test]
    fn only_what_is_narrowed_to_them_is_theirs() {
        let check = |query: &str, expected: bool| {
            let condition = query::parse(query, 0).unwrap();
            let found = systems("shop*,web").contain_all_of(&condition);
            assert_eq!(found, expected, "{query}");
        };
        check("", false);
        check("timeout", false);
        check("system_id:shop", true);
        check("system_id:shopping timeout", true);
        check("system_id:shop*", true);
        check("system_id:sho*", false);
        check("system_id:bank", false);
        check("system_id:web OR system_id:shop", true);
        check("system_id:web OR system_id:bank", false);
        check("system_id:web OR timeout", false);
        check("NOT system_id:bank", false);
        check("NOT system_id:web", false);
        assert!(!systems("a").contain_all_of(&Condition::Any(Vec::new())));
    }
}
