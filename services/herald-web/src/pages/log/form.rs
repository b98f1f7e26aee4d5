//! The log's form: the filters as they were given, and what is wrong with them.

use std::{borrow::Cow, collections::BTreeSet};

use domain::{Level, Record, TextField};
use serde::Serialize;

use crate::{
    pages::row::is_filterable,
    request::{ParameterError, Parameters, link},
};

/// The most values a field proposes.
const MAX_PROPOSALS: usize = 100;

/// The filled-in form.
#[derive(Debug, Serialize)]
pub(super) struct Form {
    q: Input,
    pattern: Input,
    level: Select,
    from: Input,
    to: Input,
    order: Select,
    limit: Input,
    context: Vec<Input>,
    /// Problems with parameters that have no field here.
    problems: Vec<ParameterError>,
    /// Whether a context field is set or wrong.
    is_context_used: bool,
}

#[derive(Debug, Default, Serialize)]
struct Input {
    name: &'static str,
    value: String,
    problem: Option<String>,
    /// Values of the rows at hand.
    proposals: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Select {
    name: &'static str,
    options: Vec<Choice>,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
    is_selected: bool,
}

/// An active filter.
#[derive(Debug, Serialize)]
pub(super) struct Chip {
    name: &'static str,
    value: String,
    /// The log without it.
    remove_href: String,
}

impl Form {
    /// Problems go to their fields; `records` give the proposals.
    pub(super) fn new(
        parameters: &Parameters,
        mut problems: Vec<ParameterError>,
        records: &[Record],
    ) -> Self {
        let mut input = |name: &'static str| Input {
            name,
            value: parameters.get(name).unwrap_or_default().to_owned(),
            problem: take(&mut problems, name),
            proposals: Vec::new(),
        };
        let [q, pattern, mut from, to, limit] =
            ["q", "pattern", "from", "to", "limit"].map(&mut input);
        let context: Vec<_> = TextField::CONTEXT
            .map(|field| Input {
                proposals: proposals(records, field),
                ..input(field.name())
            })
            .into();
        from.problem = from.problem.or_else(|| take(&mut problems, "starting_at"));
        let level_problem =
            take(&mut problems, "level").or_else(|| take(&mut problems, "notify_level"));
        Self {
            q,
            pattern,
            level: Select {
                name: "level",
                options: levels(parameters.get("level").unwrap_or_default()),
                problem: level_problem,
            },
            from,
            to,
            order: Select {
                name: "order",
                options: orders(parameters.get("order").unwrap_or_default()),
                problem: take(&mut problems, "order"),
            },
            limit,
            is_context_used: context
                .iter()
                .any(|input| !input.value.is_empty() || input.problem.is_some()),
            context,
            problems,
        }
    }
}

/// The filters that narrow the list, each with the log without it.
pub(super) fn chips(parameters: &Parameters) -> Vec<Chip> {
    let is_filter = |name: &str| !matches!(name, "order" | "limit" | "before" | "after");
    parameters
        .iter()
        .filter(|(name, _)| is_filter(name))
        .map(|(name, value)| Chip {
            name,
            value: value.to_owned(),
            remove_href: link(
                parameters,
                &[("before", None), ("after", None), (name, None)],
            ),
        })
        .collect()
}

fn take(problems: &mut Vec<ParameterError>, name: &str) -> Option<String> {
    let at = problems.iter().position(|p| p.parameter == name)?;
    Some(problems.remove(at).to_string())
}

fn proposals(records: &[Record], field: TextField) -> Vec<String> {
    let values: BTreeSet<Cow<'_, str>> = records
        .iter()
        .map(|record| field.of(record))
        .filter(|value| is_filterable(value))
        .collect();
    let proposals = values.into_iter().take(MAX_PROPOSALS);
    proposals.map(Cow::into_owned).collect()
}

fn levels(given: &str) -> Vec<Choice> {
    let number = Level::number_of(given).ok();
    let mut choices = vec![Choice {
        value: String::new(),
        label: "all".to_owned(),
        is_selected: given.is_empty() || given.eq_ignore_ascii_case("ALL"),
    }];
    choices.extend(Level::ALL.map(|level| Choice {
        value: level.name().to_owned(),
        label: match level {
            Level::Critical => level.name().to_owned(),
            level => format!("{} and above", level.name()),
        },
        is_selected: number == Some(level.number()),
    }));
    keep(choices, given)
}

fn orders(given: &str) -> Vec<Choice> {
    let choices = [("", "newest first"), ("asc", "oldest first")];
    let choices = choices.map(|(value, label)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        is_selected: value == given || (value.is_empty() && given == "desc"),
    });
    keep(choices.into(), given)
}

/// What was given stays selected, also when it is none of the choices.
fn keep(mut choices: Vec<Choice>, given: &str) -> Vec<Choice> {
    if choices.iter().all(|choice| !choice.is_selected) {
        choices.push(Choice {
            value: given.to_owned(),
            label: given.to_owned(),
            is_selected: true,
        });
    }
    choices
}
