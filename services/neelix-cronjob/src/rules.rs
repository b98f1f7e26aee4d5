//! The rules file: what its sections mean, and everything that is wrong with it.
//!
//! Whatever the predecessor reads means the same here. `GLOBAL`, which holds the
//! settings of its programs, is no rule.

mod recipient;
mod section;

use domain::{Micros, Stage};

use crate::{
    ini::{self, Document},
    problem::{Problem, nearest, sorted},
    rule::Rule,
};

/// The keys of a section, in the order of the documentation.
pub(crate) const KEYS: [&str; 13] = [
    "MAIL_TO",
    "MSG",
    "MSG_REGEX",
    "QUERY",
    "LEVEL",
    "COUNT",
    "WITHIN",
    "AGE",
    "SCHEDULE",
    "TIMEZONE",
    "GRACE",
    "COOLDOWN",
    "WEBHOOK",
];

/// The section of the predecessor that holds settings of its programs.
const GLOBAL: &str = "GLOBAL";
/// How many things all rules together may watch for.
const MAX_WATCHES: usize = 2_000;

/// A file of rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// In the order of the file.
    pub(crate) rules: Vec<Rule>,
    /// There is no file, which may be because it was lost.
    pub(crate) is_absent: bool,
    /// What means something, but probably not what was meant.
    pub(crate) warnings: Vec<Problem>,
}

/// Whether a word is a key of a section, in any case.
pub(crate) fn is_key(word: &str) -> bool {
    KEYS.iter().any(|key| key.eq_ignore_ascii_case(word))
}

/// Reads a rules file. Relative times in queries count from `now_us`.
///
/// # Errors
/// All that is wrong with it, in the order of its lines.
pub(crate) fn read(bytes: &[u8], stage: Stage, now_us: Micros) -> Result<Rules, Vec<Problem>> {
    let mut document = ini::read(bytes).map_err(sorted)?;
    let mut warnings = std::mem::take(&mut document.warnings);
    let mut problems = unknown_keys(&document, &mut warnings);
    let mut rules = Vec::new();
    for section in document
        .sections
        .iter()
        .filter(|section| section.name != GLOBAL)
    {
        let mut reader = section::Reader::new(section, &document.defaults, stage, now_us);
        rules.extend(reader.read());
        problems.append(&mut reader.problems);
        warnings.append(&mut reader.warnings);
    }
    let watches: usize = rules.iter().map(|rule| rule.watches.len()).sum();
    if watches > MAX_WATCHES {
        let message = format!("the rules watch for {watches} things, {MAX_WATCHES} are the limit");
        problems.push(Problem::new(1, "", message, ""));
    }
    if problems.is_empty() {
        let warnings = sorted(warnings);
        Ok(Rules {
            rules,
            is_absent: false,
            warnings,
        })
    } else {
        Err(sorted(problems))
    }
}

/// Keys that mean nothing and that no other key takes in. Among the defaults they may
/// be meant for another program.
fn unknown_keys(document: &Document, warnings: &mut Vec<Problem>) -> Vec<Problem> {
    let problem = |entry: &ini::Entry| {
        let hint = match nearest(&entry.key, &KEYS) {
            Some(key) => format!("is it {key}?"),
            None => format!("there are {}", KEYS.join(", ")),
        };
        let key = ini::short(&entry.written);
        Problem::new(entry.line, key, "there is no such key", hint)
    };
    let is_unknown = |entry: &&ini::Entry| !is_key(&entry.key) && !entry.is_used;
    let defaults = document.defaults.iter().filter(is_unknown);
    warnings.extend(defaults.map(problem));
    let sections = document.sections.iter();
    let sections = sections.filter(|section| section.name != GLOBAL);
    let entries = sections.flat_map(|section| &section.entries);
    entries.filter(is_unknown).map(problem).collect()
}

#[cfg(test)]
mod tests;
