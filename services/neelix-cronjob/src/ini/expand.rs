//! `%(key)s` in values.

use super::{Document, Entry};
use crate::problem::Problem;

/// How many keys may stand within each other.
const MAX_DEPTH: usize = 10;
/// How many keys may stand in all values together, so that a few that multiply do
/// not take for ever.
const MAX_USES: usize = 100_000;
/// How long a value may become.
const MAX_BYTES: usize = 64 << 10;

/// Replaces all of them. The keys that a value takes in are marked as used.
pub(super) fn all(document: &mut Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    let plain_defaults = document.defaults.clone();
    let mut used = Vec::new();
    for section in &mut document.sections {
        let known: Vec<Entry> = section
            .entries
            .iter()
            .chain(&plain_defaults)
            .cloned()
            .collect();
        for entry in &mut section.entries {
            match expanded(&entry.value, &known, 0, &mut used) {
                Ok(value) => entry.value = value,
                Err(fault) => problems.push(fault.at(entry)),
            }
        }
        mark(&mut section.entries, &used);
    }
    for entry in &mut document.defaults {
        match expanded(&entry.value, &plain_defaults, 0, &mut used) {
            Ok(value) => entry.value = value,
            Err(fault) => problems.push(fault.at(entry)),
        }
    }
    mark(&mut document.defaults, &used);
    problems
}

fn mark(entries: &mut [Entry], used: &[usize]) {
    for entry in entries {
        entry.is_used |= used.contains(&entry.line);
    }
}

/// Why a value cannot be made.
struct Fault {
    message: String,
    hint: &'static str,
}

impl Fault {
    fn at(self, entry: &Entry) -> Problem {
        Problem::new(entry.line, &entry.written, self.message, self.hint)
    }
}

/// The value with all keys in it replaced; a key that is not known here may be one
/// of another section only by mistake.
fn expanded(
    value: &str,
    known: &[Entry],
    depth: usize,
    used: &mut Vec<usize>,
) -> Result<String, Fault> {
    const HINT: &str = "write %% for a percent sign before a parenthesis";
    let mut out = String::new();
    let mut rest = value.trim_end();
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('%') {
            out.push('%');
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('(') {
            let (name, behind) = behind.split_once(")s").ok_or_else(|| Fault {
                message: "`%(` is not followed by a key and `)s`".to_owned(),
                hint: HINT,
            })?;
            let key = name.to_lowercase();
            let entry = known.iter().find(|entry| entry.key == key);
            let entry = entry.ok_or_else(|| Fault {
                message: format!("`%({name})s` stands for a key that is not there"),
                hint: HINT,
            })?;
            if depth == MAX_DEPTH || used.len() > MAX_USES {
                let message = format!("`%({name})s` is too deep, or leads to itself");
                return Err(Fault { message, hint: "" });
            }
            used.push(entry.line);
            out.push_str(&expanded(&entry.value, known, depth + 1, used)?);
            rest = behind;
        } else {
            out.push('%');
        }
        if out.len() > MAX_BYTES {
            let message = format!("the value is longer than {MAX_BYTES} bytes");
            return Err(Fault { message, hint: "" });
        }
    }
    out.push_str(rest);
    Ok(out)
}
