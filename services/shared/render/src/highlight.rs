//! Where in a text stands what was looked for.

use std::ops::Range;

use domain::{Condition, Pattern, TextField, TextTest, fold, fold_char};

/// The most texts and patterns that are set off.
const MAX: usize = 50;

/// What to set off in the texts of a record.
#[derive(Debug, Default)]
pub struct Highlights {
    /// Folded, each for one field or for all that are searched.
    texts: Vec<(Option<TextField>, String)>,
    patterns: Vec<(Option<TextField>, Pattern)>,
}

impl Highlights {
    /// What a record must have to fulfil the condition; not what it must not
    /// have.
    #[must_use]
    pub fn of(condition: &Condition) -> Self {
        let mut highlights = Self::default();
        highlights.collect(condition);
        highlights
    }

    fn collect(&mut self, condition: &Condition) {
        if self.texts.len() + self.patterns.len() >= MAX {
            return;
        }
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| self.collect(part));
            }
            Condition::Contains(text) => self.texts.push((None, fold(text).into_owned())),
            Condition::Finds(pattern) => self.patterns.push((None, pattern.clone())),
            Condition::Text(field, TextTest::Contains(text)) => {
                self.texts.push((Some(*field), fold(text).into_owned()));
            }
            Condition::Text(field, TextTest::Finds(pattern)) => {
                self.patterns.push((Some(*field), pattern.clone()));
            }
            Condition::Not(_)
            | Condition::Text(_, TextTest::Is(_) | TextTest::Like(_))
            | Condition::Number(..)
            | Condition::Extra(..) => {}
        }
    }

    /// The places in this field's text, rising and apart from each other.
    #[must_use]
    pub fn places(&self, field: TextField, text: &str) -> Vec<Range<usize>> {
        let applies = |of: &Option<TextField>| match of {
            Some(of) => *of == field,
            None => TextField::SEARCHED.contains(&field),
        };
        let mut places = Vec::new();
        let texts = self.texts.iter().filter(|(of, _)| applies(of));
        let texts: Vec<&str> = texts.map(|(_, text)| text.as_str()).collect();
        if !texts.is_empty() {
            let folded = Folded::new(text);
            places.extend(texts.iter().flat_map(|needle| folded.places(needle)));
        }
        for (_, pattern) in self.patterns.iter().filter(|(of, _)| applies(of)) {
            places.extend(pattern.places(text));
        }
        places.retain(|place| !place.is_empty());
        merge(places)
    }
}

/// A text without its case that knows where each byte of it comes from.
struct Folded {
    text: String,
    /// For each byte, where its character begins and ends in the text itself.
    origins: Vec<(usize, usize)>,
}

impl Folded {
    fn new(text: &str) -> Self {
        let mut folded = Self {
            text: String::with_capacity(text.len()),
            origins: Vec::with_capacity(text.len()),
        };
        for (at, letter) in text.char_indices() {
            folded.text.extend(fold_char(letter));
            let origin = (at, at + letter.len_utf8());
            folded.origins.resize(folded.text.len(), origin);
        }
        folded
    }

    fn places(&self, needle: &str) -> impl Iterator<Item = Range<usize>> {
        let found = (!needle.is_empty()).then(|| self.text.match_indices(needle));
        found.into_iter().flatten().map(|(at, found)| {
            let (start, _) = self.origins[at];
            let (_, end) = self.origins[at + found.len() - 1];
            start..end
        })
    }
}

fn merge(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| place.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(places.len());
    for place in places {
        match merged.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => merged.push(place),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use domain::TextField;

    use super::Highlights;

    #[test]
    fn what_was_looked_for_is_found() {
        let check = |query: &str, field, text: &str, expected: &[&str]| {
            let highlights = Highlights::of(&query::parse(query, 0).unwrap());
            let places = highlights.places(field, text);
            let found: Vec<&str> = places.iter().map(|place| &text[place.clone()]).collect();
            assert_eq!(found, expected, "{query} in {text}");
        };
        let message = TextField::Message;
        check("disk", message, "Disk, DISK", &["Disk", "DISK"]);
        check("disk full", message, "disk is full", &["disk", "full"]);
        check("(disk OR tape) -full", message, "tape full", &["tape"]);
        check("ab bc", message, "abc", &["abc"]);
        check("\"i\u{307}s\"", message, "\u{130}stanbul", &["\u{130}s"]);
        check("größe", message, "GRÖSSE GRÖßE", &["GRÖßE"]);
        check("/o+/", message, "foo bo", &["oo", "o"]);
        check("/x*/", message, "ab", &[]);
        check("message:disk", message, "disk", &["disk"]);
        check("message:disk", TextField::Exception, "disk", &[]);
        check(
            "exception:~error",
            TextField::Exception,
            "ValueError",
            &["Error"],
        );
        check("system:shop level>=error", message, "shop", &[]);
        check("disk", TextField::Stack, "disk", &[]);
        check("", message, "disk", &[]);
    }
}
