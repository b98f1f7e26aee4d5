//! The keys that are about records, and how many of them.

use domain::{Condition, Glob, Level, Micros, Pattern, TextField, TextTest};

use super::{Reader, condition};
use crate::{
    duration,
    ini::Entry,
    rule::{Quota, Records, Trigger, Watch},
};

/// More records than so many within a time are not counted apart.
const MAX_COUNT: u64 = 100_000;
/// Longer than this nobody waits to count.
const MAX_WITHIN_US: Micros = 7 * 24 * duration::HOUR_US;

impl<'a> Reader<'a> {
    pub(super) fn records(&mut self) -> Vec<Watch> {
        let level = self.one("level").and_then(|entry| self.level(entry));
        let quota = self.quota();
        let mut found: Vec<(String, Condition)> = Vec::new();
        for entry in self.all("msg") {
            // Case counts, as in the predecessor: `*text*` minds it.
            let around = vec![String::new(), entry.value.clone(), String::new()];
            let test = TextTest::Like(Glob::new(around));
            found.push((
                condition("MSG", &entry.value),
                Condition::Text(TextField::Message, test),
            ));
            let is_quoted =
                entry.value.len() > 1 && entry.value.starts_with('"') && entry.value.ends_with('"');
            if is_quoted {
                let message = "the quotes are part of the text that is looked for";
                self.warn(entry, message, "leave them out if they are not meant");
            }
        }
        for entry in self.all("msg_regex") {
            match Pattern::new(&entry.value) {
                Ok(pattern) => found.push((
                    condition("MSG_REGEX", &entry.value),
                    Condition::Text(TextField::Message, TextTest::Finds(pattern)),
                )),
                Err(error) => self.refuse(entry, error.to_string(), "fix the regular expression"),
            }
        }
        for entry in self.all("query") {
            match query::parse(&entry.value, self.now_us) {
                Ok(asked) => found.push((condition("QUERY", &entry.value), asked)),
                Err(error) => {
                    let place = error.render(&entry.value).replace('\n', "\n    ");
                    let message = format!("{}; {}\n    {place}", error.message, error.hint);
                    self.refuse(entry, message, "");
                }
            }
        }
        // Alone it means any record of that severity, but not when all sections have it.
        if found.is_empty()
            && let Some((entry, _)) = level
            && self.is_own(entry)
        {
            found.push((
                condition("LEVEL", &entry.value.to_lowercase()),
                Condition::default(),
            ));
        }
        if found.is_empty() {
            for key in ["count", "within"] {
                let entry = self.one(key).filter(|entry| self.is_own(entry));
                if let Some(entry) = entry {
                    let hint = "add MSG, MSG_REGEX, QUERY or LEVEL; QUERY=* counts every record";
                    self.refuse(entry, "there is nothing to count", hint);
                }
            }
        }
        let at_least = level.map(|(_, number)| Condition::at_least(number));
        let watch = |(condition, asked): (String, Condition)| Watch {
            condition,
            trigger: Trigger::Records(Records {
                condition: match &at_least {
                    Some(at_least) => at_least.clone().and(asked),
                    None => asked,
                },
                quota,
            }),
        };
        found.into_iter().map(watch).collect()
    }

    fn quota(&mut self) -> Option<Quota> {
        let count = self.one("count");
        let within = self.one("within");
        match (count, within) {
            (Some(count), None) => {
                let hint = "add WITHIN, such as WITHIN=10m";
                self.refuse(count, "within what time is missing", hint);
            }
            (None, Some(within)) => {
                self.refuse(within, "how many is missing", "add COUNT, such as COUNT=10");
            }
            _ => {}
        }
        let (count, within) = (count?, within?);
        let number = match count.value.parse() {
            Ok(number @ 1..=MAX_COUNT) => Some(number),
            _ => {
                let message = format!(
                    "`{}` is no number from 1 to {MAX_COUNT}",
                    crate::ini::short(&count.value)
                );
                self.refuse(count, message, "");
                None
            }
        };
        let within_us = self.duration(within);
        let is_usual = |us: &Micros| (1..=MAX_WITHIN_US).contains(us);
        if within_us.is_some_and(|us| !is_usual(&us)) {
            self.refuse(
                within,
                "the time is not above nothing and at most a week",
                "",
            );
        }
        Some(Quota {
            count: number?,
            within_us: within_us.filter(is_usual)?,
        })
    }

    /// The section's severity: a name, or a number.
    fn level(&mut self, entry: &'a Entry) -> Option<(&'a Entry, i32)> {
        match Level::number_of(&entry.value) {
            Ok(number) => Some((entry, number)),
            Err(error) => {
                self.refuse(entry, error.to_string(), "");
                None
            }
        }
    }
}
