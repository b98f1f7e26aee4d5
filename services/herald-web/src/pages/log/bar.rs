//! The log's bar: what is searched for, when, and what to do with it.

use domain::{Level, Order, RecordFilter, TextField};
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
const FIELDS: [&str; 4] = ["q", "from", "to", "limit"];

/// The filled-in bar.
#[derive(Debug, Serialize)]
pub(super) struct Bar {
    q: Input,
    from: Input,
    to: Input,
    limit: Input,
    /// What else the view has, for the form to keep.
    kept: Vec<Kept>,
    /// Problems with parameters that have no field here.
    problems: Vec<ParameterError>,
    range: Range,
    /// The level from which records are shown, and the others there are.
    level: String,
    levels: Vec<Link>,
    /// The list's order, and the list the other way round.
    is_newest_first: bool,
    turned_href: String,
    columns: Vec<Choice>,
    is_tail: bool,
    /// The tail of this view, or its list.
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
struct Link {
    label: String,
    class: String,
    href: String,
    is_chosen: bool,
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
        order: Order,
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
        let is_tail = parameters.get("tail").is_some();
        let is_newest_first = order == Order::NewestFirst;
        let turned = is_newest_first.then_some("asc");
        Self {
            q,
            from,
            to,
            limit,
            kept: kept(view),
            problems,
            range: Range::new(view, filter),
            level: level(given("level")),
            levels: levels(view),
            is_newest_first,
            turned_href: view.first(&[("order", turned)]),
            columns: columns.choices(view),
            is_tail,
            tail_href: match is_tail {
                true => view.first(&[("tail", None)]),
                false => view.first(&[("tail", Some("1")), ("order", None), ("limit", None)]),
            },
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
    let is_kept = |name: &str| {
        is_context(name) || matches!(name, "pattern" | "level" | "order" | "columns" | "tail")
    };
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

/// What is chosen, in short.
fn level(given: &str) -> String {
    match Level::number_of(given).map(Level::of) {
        Ok(Level::Critical) => "CRITICAL".to_owned(),
        Ok(_) => format!("{} and above", render::cut::head(given, 16, 1).0),
        Err(_) => "all levels".to_owned(),
    }
}

fn levels(view: &View) -> Vec<Link> {
    let given = view.parameters().get("level").unwrap_or_default();
    let number = Level::number_of(given).ok();
    let all = Link {
        label: "all levels".to_owned(),
        class: String::new(),
        href: view.first(&[("level", None)]),
        is_chosen: number.is_none(),
    };
    let levels = Level::ALL.map(|level| Link {
        label: match level {
            Level::Critical => level.name().to_owned(),
            level => format!("{} and above", level.name()),
        },
        class: level.name().to_lowercase(),
        href: view.first(&[("level", Some(level.name()))]),
        is_chosen: number == Some(level.number()),
    });
    [all].into_iter().chain(levels).collect()
}
