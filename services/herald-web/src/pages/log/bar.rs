//! The log's bar: what is searched for, when, and what to do with it.

use domain::{Level, RecordFilter, TextField};
use serde::Serialize;

use super::range::Range;
use crate::{
    pages::{
        columns::{Choice, Columns},
        view::View,
    },
    request::{FILTER, ParameterError, link_to},
};

/// Parameters that the form has fields for.
const FIELDS: [&str; 6] = ["q", "level", "from", "to", "order", "limit"];

/// The filled-in bar.
#[derive(Debug, Serialize)]
pub(super) struct Bar {
    q: Input,
    level: Select,
    from: Input,
    to: Input,
    order: Select,
    limit: Input,
    /// What else the view has, for the form to keep.
    kept: Vec<Kept>,
    /// Problems with parameters that have no field here.
    problems: Vec<ParameterError>,
    range: Range,
    columns: Vec<Choice>,
    tail_href: String,
    csv_href: String,
    ndjson_href: String,
}

#[derive(Debug, Serialize)]
struct Input {
    name: &'static str,
    value: String,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Select {
    name: &'static str,
    options: Vec<Choosable>,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Choosable {
    value: String,
    label: String,
    is_selected: bool,
}

#[derive(Debug, Serialize)]
struct Kept {
    name: &'static str,
    value: String,
}

impl Bar {
    /// Problems go to their fields.
    pub(super) fn new(
        view: &View,
        filter: &RecordFilter,
        columns: &Columns,
        mut problems: Vec<ParameterError>,
    ) -> Self {
        let parameters = view.parameters();
        let given = |name: &str| parameters.get(name).unwrap_or_default();
        let mut input = |name: &'static str, other: &str| Input {
            name,
            value: given(name).to_owned(),
            problem: take(&mut problems, name).or_else(|| take(&mut problems, other)),
        };
        let q = input("q", "q");
        let from = input("from", "starting_at");
        let [to, limit] = ["to", "limit"].map(|name| input(name, name));
        let level_problem =
            take(&mut problems, "level").or_else(|| take(&mut problems, "notify_level"));
        let order_problem = take(&mut problems, "order");
        Self {
            q,
            level: Select {
                name: "level",
                options: levels(given("level")),
                problem: level_problem,
            },
            from,
            to,
            order: Select {
                name: "order",
                options: orders(given("order")),
                problem: order_problem,
            },
            limit,
            kept: kept(view),
            problems,
            range: Range::new(view, filter),
            columns: columns.choices(view),
            tail_href: view.first(&[("tail", Some("1")), ("order", None), ("limit", None)]),
            csv_href: export(view, "csv"),
            ndjson_href: export(view, "ndjson"),
        }
    }
}

/// Everything that passes, as a file. What is no query here is none there: its words
/// are.
fn export(view: &View, format: &str) -> String {
    let q = query::join(view.parts());
    let parameters = view.parameters().iter();
    let mut pairs: Vec<_> = parameters
        .filter(|(name, _)| *name != "q" && is_exported(name))
        .collect();
    if !q.is_empty() {
        pairs.push(("q", &q));
    }
    pairs.push(("format", format));
    link_to("/api/v1/export", &pairs)
}

fn is_exported(name: &str) -> bool {
    name == "order" || FILTER.iter().any(|(_, main)| *main == name)
}

fn kept(view: &View) -> Vec<Kept> {
    let is_context = |name: &str| TextField::CONTEXT.iter().any(|field| field.name() == name);
    let is_kept = |name: &str| is_context(name) || matches!(name, "pattern" | "columns" | "tail");
    let all = view.parameters().iter();
    all.filter(|(name, _)| is_kept(name) && !FIELDS.contains(name))
        .map(|(name, value)| Kept {
            name,
            value: value.to_owned(),
        })
        .collect()
}

fn take(problems: &mut Vec<ParameterError>, name: &str) -> Option<String> {
    let at = problems.iter().position(|p| p.parameter == name)?;
    Some(problems.remove(at).to_string())
}

fn levels(given: &str) -> Vec<Choosable> {
    let number = Level::number_of(given).ok();
    let mut options = vec![Choosable {
        value: String::new(),
        label: "all levels".to_owned(),
        is_selected: given.is_empty() || given.eq_ignore_ascii_case("ALL"),
    }];
    options.extend(Level::ALL.map(|level| Choosable {
        value: level.name().to_owned(),
        label: match level {
            Level::Critical => level.name().to_owned(),
            level => format!("{} and above", level.name()),
        },
        is_selected: number == Some(level.number()),
    }));
    keep(options, given)
}

fn orders(given: &str) -> Vec<Choosable> {
    let options = [("", "newest first"), ("asc", "oldest first")];
    let options = options.map(|(value, label)| Choosable {
        value: value.to_owned(),
        label: label.to_owned(),
        is_selected: value == given || (value.is_empty() && given == "desc"),
    });
    keep(options.into(), given)
}

/// What was given stays selected, also when it is none of the options.
fn keep(mut options: Vec<Choosable>, given: &str) -> Vec<Choosable> {
    if options.iter().all(|option| !option.is_selected) {
        options.push(Choosable {
            value: given.to_owned(),
            label: given.to_owned(),
            is_selected: true,
        });
    }
    options
}
