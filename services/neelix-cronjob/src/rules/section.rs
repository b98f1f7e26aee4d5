//! One section: from keys to a rule.

mod records;

use domain::{Micros, Stage};

use super::recipient;
use crate::{
    duration,
    ini::{Entry, Section},
    outbox::MAX_DELIVERIES,
    problem::Problem,
    rule::{Expectation, Pace, Rule, Trigger, Watch},
    schedule::{self, Schedule},
    scope::Scope,
};

/// How long a value may be: it is part of what alerts are called.
const MAX_VALUE_BYTES: usize = 4 << 10;
/// The same for the name of a section.
const MAX_NAME_BYTES: usize = 2 << 10;
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
        if self.section.name.len() > MAX_NAME_BYTES {
            let message = format!("the name has more than {MAX_NAME_BYTES} bytes");
            self.problems
                .push(Problem::new(self.section.line, self.name(), message, ""));
            return None;
        }
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
        if recipients.len() > MAX_DELIVERIES {
            let message = format!("more than {MAX_DELIVERIES} are to be told");
            let hint = "name a mailing list";
            let problem = Problem::new(self.section.line, self.name(), message, hint);
            self.problems.push(problem);
        }
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
        for entry in found
            .iter()
            .filter(|entry| entry.value.len() > MAX_VALUE_BYTES)
        {
            let message = format!("the value has more than {MAX_VALUE_BYTES} bytes");
            self.refuse(entry, message, "");
        }
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
