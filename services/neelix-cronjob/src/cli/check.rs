//! `check FILE`: what is wrong with a rules file.

use std::{fs, path::PathBuf};

use domain::Stage;
use runtime::{
    config::{self, Vars},
    process::WrongUsage,
};
use serde_json::{Value, json};

use super::{Format, wrong_rules};
use crate::{config::default_rules, output, problem::Problem, rules};

pub(super) fn run(file: Option<PathBuf>, vars: &Vars, format: Format) -> anyhow::Result<()> {
    let stage = config::optional("DEV_STAGE", vars)?.unwrap_or(Stage::Development);
    let named = config::optional("NEELIX_RULES", vars)?;
    let file = match file.or(named) {
        Some(file) => file,
        None => default_rules(stage, vars)?,
    };
    let name = file.display();
    let bytes =
        fs::read(&file).map_err(|error| WrongUsage(format!("cannot read {name}: {error}")))?;
    let now_us = jiff::Timestamp::now().as_microsecond();
    let (rules, warnings, problems) = match rules::read(&bytes, stage, now_us) {
        Ok(rules) => (rules.rules, rules.warnings, Vec::new()),
        Err(problems) => (Vec::new(), Vec::new(), problems),
    };
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{name}:{problem}"))
        .collect();
    match format {
        Format::Json => output::say(json!({
            "file": name.to_string(),
            "rules": rules.len(),
            "errors": problems.iter().map(told).collect::<Vec<_>>(),
            "warnings": warnings.iter().map(told).collect::<Vec<_>>(),
        }))?,
        Format::Text => {
            for warning in &warnings {
                output::note(format_args!("{name}:{warning} (warning)"));
            }
            if problems.is_empty() {
                let watches: usize = rules.iter().map(|rule| rule.watches.len()).sum();
                let sections = rules.len();
                output::say(format_args!(
                    "{name}: {sections} rules with {watches} conditions"
                ))?;
            }
        }
    }
    match lines.is_empty() {
        true => Ok(()),
        false => Err(wrong_rules(&lines).into()),
    }
}

fn told(problem: &Problem) -> Value {
    json!({
        "line": problem.line,
        "key": problem.key,
        "message": problem.message,
        "hint": problem.hint,
    })
}
