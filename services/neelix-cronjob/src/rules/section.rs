//! One section: from keys to a rule.

use domain::{Condition, Glob, Level, Micros, Pattern, Stage, TextField, TextTest};

use super::recipient;
use crate::{
    duration,
    ini::{Entry, Section},
    problem::Problem,
    rule::{Expectation, Pace, Quota, Records, Rule, Trigger, Watch},
    schedule::{self, Schedule},
    scope::Scope,
};

/// More records than so many within a time are not counted apart.
const MAX_COUNT: u64 = 100_000;
/// Longer than this nobody waits to count.
const MAX_WITHIN_US: Micros = 7 * 24 * duration::HOUR_US;
/// How much later than planned a record may come when the rule does not say.
const SCHEDULE_GRACE_US: Micros = 300 * duration::SECOND_US;

/// Reads a section, and gathers what is wrong with it.
pub(super) struct Reader<'a> {
    section: &'a Section,
    defaults: &'a [Entry],
    stage: Stage,
    now_us: Micros,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        section: &'a Section,
        defaults: &'a [Entry],
        stage: Stage,
        now_us: Micros,
    ) -> Self {
        Self {
            section,
            defaults,
            stage,
            now_us,
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The rule, as far as it can be read: it counts only when there are no problems.
    pub(super) fn read(&mut self) -> Option<Rule> {
        let scope = match Scope::new(&self.section.name) {
            Ok(scope) => scope,
            Err(message) => {
                self.problems
                    .push(Problem::new(self.section.line, self.name(), message, ""));
                return None;
            }
        };
        let mut watches = self.records();
        watches.extend(self.age());
        watches.extend(self.schedule());
        let cooldown_us = self.one("cooldown").and_then(|entry| self.duration(entry));
        let recipients = self.recipients();
        self.check_watches(&mut watches);
        Some(Rule {
            row: domain::Rule {
                name: self.section.name.clone(),
                text: self.section.text.clone(),
                recipients,
                line: u32::try_from(self.section.line).unwrap_or(u32::MAX),
            },
            scope,
            watches,
            cooldown_us,
        })
    }

    fn records(&mut self) -> Vec<Watch> {
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

    fn age(&mut self) -> Option<Watch> {
        let entry = self.one("age")?;
        let age_us = self.duration(entry)?;
        if age_us == 0 {
            self.refuse(
                entry,
                "a system that is silent for no time at all is none",
                duration::HINT,
            );
            return None;
        }
        if age_us > duration::NEVER_US {
            self.warn(entry, "the time is so long that this can never fire", "");
        }
        let age_us = age_us.min(duration::NEVER_US);
        let expectation = Expectation {
            pace: Pace::Age(age_us),
            grace_us: self.grace(0),
            text: format!("every {}", duration::for_people(age_us)),
        };
        Some(Watch {
            condition: condition("AGE", &duration::print(age_us)),
            trigger: Trigger::Silence(expectation),
        })
    }

    fn schedule(&mut self) -> Option<Watch> {
        let timezone = self.one("timezone");
        let zone = match timezone.map(|entry| (entry, schedule::zone(&entry.value))) {
            None => Some(jiff::tz::TimeZone::UTC),
            Some((_, Ok(zone))) => Some(zone),
            Some((entry, Err(message))) => {
                self.refuse(entry, message, "write a name such as Europe/Berlin");
                None
            }
        };
        let Some(entry) = self.one("schedule") else {
            for key in ["timezone", "grace"] {
                let is_idle = key == "timezone" || self.one("age").is_none();
                let idle = self.one(key).filter(|entry| is_idle && self.is_own(entry));
                if let Some(idle) = idle {
                    self.warn(idle, "it has no effect here", "it belongs to SCHEDULE");
                }
            }
            return None;
        };
        let words: Vec<&str> = entry.value.split_whitespace().collect();
        let text = words.join(" ");
        let schedule = match Schedule::new(&text, zone.unwrap_or(jiff::tz::TimeZone::UTC)) {
            Ok(schedule) => schedule,
            Err(message) => {
                self.refuse(entry, message, schedule::HINT);
                return None;
            }
        };
        if schedule.next(self.now_us).is_none() {
            self.warn(
                entry,
                "there is no such day, so that this can never fire",
                "",
            );
        }
        let place = timezone.map_or("UTC", |entry| entry.value.as_str());
        let expectation = Expectation {
            pace: Pace::Schedule(Box::new(schedule)),
            grace_us: self.grace(SCHEDULE_GRACE_US),
            text: format!("by {text} ({place})"),
        };
        Some(Watch {
            condition: condition("SCHEDULE", &text),
            trigger: Trigger::Silence(expectation),
        })
    }

    fn grace(&mut self, default: Micros) -> Micros {
        let grace_us = self.one("grace").and_then(|entry| self.duration(entry));
        grace_us.unwrap_or(default).min(duration::NEVER_US)
    }

    fn recipients(&mut self) -> Vec<String> {
        let mut recipients: Vec<String> = Vec::new();
        for entry in self.all("mail_to") {
            let parts = entry.value.split([',', '\n']).map(str::trim);
            for part in parts.filter(|part| !part.is_empty()) {
                match recipient::address(part) {
                    Ok(address) => {
                        if address.is_local {
                            let message = format!(
                                "`{part}` has no domain: it is taken for {}",
                                address.address
                            );
                            self.warn(entry, message, "");
                        }
                        recipients.push(address.address);
                    }
                    Err(message) => {
                        self.refuse(entry, message, "write a@example.com, b@example.com")
                    }
                }
            }
        }
        if recipients.is_empty() {
            recipients.push(self.stage.admin_mail().to_owned());
        }
        for entry in self.all("webhook") {
            match recipient::webhook(&entry.value) {
                Ok(url) => recipients.push(url),
                Err(message) => self.refuse(entry, message, "write https://example.com/hook"),
            }
        }
        let mut seen = std::collections::HashSet::new();
        recipients.retain(|recipient| seen.insert(recipient.clone()));
        recipients
    }

    /// A rule that watches for nothing, or for the same thing twice.
    fn check_watches(&mut self, watches: &mut Vec<Watch>) {
        if watches.is_empty() && self.problems.is_empty() {
            let hint = "add MSG, MSG_REGEX, QUERY, LEVEL, AGE or SCHEDULE";
            let message = "the section watches for nothing";
            self.warnings
                .push(Problem::new(self.section.line, self.name(), message, hint));
        }
        let mut seen = std::collections::HashSet::new();
        let twice: Vec<String> = watches
            .iter()
            .filter(|watch| !seen.insert(watch.condition.clone()))
            .map(|watch| watch.condition.clone())
            .collect();
        for condition in twice {
            let message = format!("`{}` stands here twice", crate::ini::short(&condition));
            self.warnings
                .push(Problem::new(self.section.line, self.name(), message, ""));
        }
        let mut kept = std::collections::HashSet::new();
        watches.retain(|watch| kept.insert(watch.condition.clone()));
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

    fn duration(&mut self, entry: &Entry) -> Option<Micros> {
        match duration::read(&entry.value) {
            Ok(us) => Some(us),
            Err(message) => {
                self.refuse(entry, message, duration::HINT);
                None
            }
        }
    }

    /// The values of a key that may stand several times.
    fn all(&mut self, key: &str) -> Vec<&'a Entry> {
        let of = |entries: &'a [Entry]| entries.iter().filter(|e| e.key == key).collect();
        let mut found: Vec<&Entry> = of(&self.section.entries);
        if found.is_empty() {
            found = of(self.defaults);
        }
        for entry in found.iter().filter(|entry| entry.value.is_empty()) {
            self.warn(entry, "it has no value and is left out", "");
        }
        found.retain(|entry| !entry.value.is_empty());
        found
    }

    /// The value of a key that may stand once.
    fn one(&mut self, key: &str) -> Option<&'a Entry> {
        let found = self.all(key);
        for entry in found.iter().skip(1) {
            let message = format!("it is there already, in line {}", found[0].line);
            self.refuse(entry, message, "a section may have it once");
        }
        found.first().copied()
    }

    /// Whether a key stands in the section itself.
    fn is_own(&self, entry: &Entry) -> bool {
        self.section
            .entries
            .iter()
            .any(|own| own.line == entry.line)
    }

    fn name(&self) -> String {
        format!("[{}]", crate::ini::short(&self.section.name))
    }

    fn refuse(&mut self, entry: &Entry, message: impl Into<String>, hint: &str) {
        let problem = Problem::new(entry.line, crate::ini::short(&entry.written), message, hint);
        self.problems.push(problem);
    }

    fn warn(&mut self, entry: &Entry, message: impl Into<String>, hint: &str) {
        let warning = Problem::new(entry.line, crate::ini::short(&entry.written), message, hint);
        self.warnings.push(warning);
    }
}

/// A condition in the words of the file.
fn condition(key: &str, value: &str) -> String {
    format!("{key}={value}")
}
