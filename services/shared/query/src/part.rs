//! A query as the parts that all have to hold: taken apart, changed, and put together
//! again in the words it was written in.

use domain::{Condition, Micros};

use crate::{QueryError, parse, parse::parts as places, print, simplify};

/// One of the things that all have to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// As it was written: a relative time stays one.
    pub text: String,
    /// What it asks for.
    pub condition: Condition,
    /// Its alternatives are not in parentheses.
    is_open: bool,
}

/// The parts of a query. Without `OR` at the top, each term is one; else all of
/// it is one.
///
/// # Errors
/// As [`parse()`](crate::parse()).
pub fn parts(text: &str, now_us: Micros) -> Result<Vec<Part>, QueryError> {
    let places = places(text, now_us)?;
    let is_whole = |place: &std::ops::Range<usize>| *place == (0..text.len());
    let parts = places.into_iter().map(|(place, condition)| Part {
        is_open: is_whole(&place) && matches!(condition, Condition::Any(_)),
        text: text[place].trim().to_owned(),
        condition,
    });
    Ok(parts.collect())
}

/// A query of which all of these have to hold.
#[must_use]
pub fn join(parts: &[Part]) -> String {
    match parts {
        [only] => only.text.clone(),
        parts => {
            let texts = parts.iter().map(|part| match part.is_open {
                true => format!("({})", part.text),
                false => part.text.clone(),
            });
            texts.collect::<Vec<_>>().join(" ")
        }
    }
}

impl Part {
    /// Written anew.
    #[must_use]
    pub fn new(condition: Condition) -> Self {
        let condition = simplify(condition);
        Self {
            text: print(&condition),
            is_open: matches!(condition, Condition::Any(_)),
            condition,
        }
    }

    /// Whether it says what must not hold.
    #[must_use]
    pub const fn is_negative(&self) -> bool {
        matches!(self.condition, Condition::Not(_))
    }

    /// The opposite, in the same words where they have one.
    #[must_use]
    pub fn flipped(&self, now_us: Micros) -> Self {
        let opposite = match &self.condition {
            Condition::Not(inner) => (**inner).clone(),
            condition => simplify(Condition::Not(Box::new(condition.clone()))),
        };
        let text = match (&self.condition, self.is_open) {
            (Condition::Not(_), _) => {
                let text = self.text.strip_prefix("NOT").unwrap_or(&self.text);
                text.trim_start_matches('-').trim_start().to_owned()
            }
            (_, true) => format!("-({})", self.text),
            _ => format!("-{}", self.text),
        };
        match parse::query(&text, now_us) {
            Ok(read) if read == opposite => Self {
                is_open: false,
                condition: opposite,
                text,
            },
            _ => Self::new(opposite),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Condition;

    use super::{Part, join, parts};
    use crate::{parse, simplify};

    const NOW: i64 = 1_795_393_361_123_456;

    #[test]
    fn a_query_is_taken_apart_in_its_own_words() {
        let check = |text: &str, expected: &[&str]| {
            let parts = parts(text, NOW).unwrap();
            let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
            assert_eq!(texts, expected, "{text}");
            let conditions = parts.iter().map(|part| part.condition.clone());
            let joined = simplify(Condition::All(conditions.collect()));
            assert_eq!(parse(text, NOW).unwrap(), joined, "{text}");
            assert_eq!(parse(&join(&parts), NOW).unwrap(), joined, "{text}");
        };
        check("", &[]);
        check("disk", &["disk"]);
        check(" disk  \"is full\" ", &["disk", "\"is full\""]);
        check("a AND -b AND NOT c", &["a", "-b", "NOT c"]);
        check("a OR b", &["a OR b"]);
        check("a b OR c", &["a b OR c"]);
        check("(a OR b) c", &["(a OR b)", "c"]);
        check("(a b)", &["(a b)"]);
        check(
            "created>=-1h level:(error OR critical) OR x",
            &["created>=-1h level:(error OR critical) OR x"],
        );
        check("created>=-1h system:shop", &["created>=-1h", "system:shop"]);
    }

    #[test]
    fn alternatives_get_parentheses_beside_others() {
        let mut found = parts("a OR b", NOW).unwrap();
        assert_eq!(join(&found), "a OR b");
        found.push(Part::new(Condition::Contains("c d".to_owned())));
        assert_eq!(join(&found), "(a OR b) \"c d\"");
        let any = Condition::Any(vec![
            Condition::Contains("x".to_owned()),
            Condition::Contains("y".to_owned()),
        ]);
        assert_eq!(join(&[Part::new(any), found.remove(1)]), "(x OR y) \"c d\"");
    }

    #[test]
    fn a_part_turns_into_its_opposite_and_back() {
        let check = |text: &str, expected: &str| {
            let part = parts(text, NOW).unwrap().remove(0);
            let flipped = part.flipped(NOW);
            assert_eq!(flipped.text, expected, "{text}");
            let opposite = match &part.condition {
                Condition::Not(inner) => (**inner).clone(),
                condition => simplify(Condition::Not(Box::new(condition.clone()))),
            };
            assert_eq!(parse(&flipped.text, NOW).unwrap(), opposite, "{text}");
            assert_eq!(flipped.flipped(NOW).condition, part.condition, "{text}");
        };
        check("disk", "-disk");
        check("-disk", "disk");
        check("NOT disk", "disk");
        check("-\"disk full\"", "\"disk full\"");
        check("system:shop", "-system:shop");
        check("system!=shop", "system_id:shop");
        check("created>=-1h", "-created>=-1h");
        check("--verbose", "-\"--verbose\"");
        check("-(a OR b)", "(a OR b)");
        check("a OR b", "-(a OR b)");
        check("(a b)", "-(a b)");
        check("/a b/", "-/a b/");
        check("*", "-*");
    }
}
