//! The address of a view of the log: what is saved of it, and what it shows in
//! words.

use domain::SearchQuery;
use render::cut;
use serde::Serialize;

use crate::{
    pages::{log, view},
    request::{PAGE, Parameters},
};

/// Longest value shown, in bytes.
const MAX_VALUE_BYTES: usize = 120;

/// A part of what a view shows.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Detail {
    /// Empty where the value says it all.
    key: &'static str,
    value: String,
}

/// A view that can be saved.
#[derive(Debug)]
pub(super) struct View {
    parameters: Parameters,
    pub(super) query: SearchQuery,
}

impl View {
    pub(super) fn details(&self) -> Vec<Detail> {
        describe(&self.parameters)
    }
}

/// Reads what somebody has typed or copied: a whole address, or what stands
/// behind `/?`. The place in the list is not saved.
///
/// # Errors
/// What is wrong with it, for people.
pub(super) fn read(text: &str) -> Result<View, String> {
    let parameters = Parameters::read(Some(query_of(text.trim())?), PAGE);
    if let Some(problem) = log::problems(&parameters).into_iter().next() {
        return Err(format!("{}: {problem}", problem.parameter));
    }
    let address = view::first(&parameters, &[]);
    let query = address.trim_start_matches('/').trim_start_matches('?');
    let query = SearchQuery::new(query).map_err(|error| error.to_string())?;
    Ok(View {
        parameters: Parameters::read(Some(query.as_str()), PAGE),
        query,
    })
}

fn query_of(text: &str) -> Result<&str, String> {
    let text = text.split('#').next().unwrap_or_default();
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None if text.starts_with('/') => text,
        None => return Ok(text.trim_start_matches('?')),
    };
    match path.split_once('?').unwrap_or((path, "")) {
        ("/", query) => Ok(query),
        (path, _) => Err(format!("`{path}` is not the log page, whose path is `/`")),
    }
}

/// The log page with a saved view.
pub(super) fn href(query: &SearchQuery) -> String {
    match query.as_str() {
        "" => "/".to_owned(),
        query => format!("/?{query}"),
    }
}

/// What a saved view shows.
pub(super) fn details(query: &SearchQuery) -> Vec<Detail> {
    describe(&Parameters::read(Some(query.as_str()), PAGE))
}

fn describe(parameters: &Parameters) -> Vec<Detail> {
    let short = |value: &str| {
        let (shown, is_whole) = cut::head(value, MAX_VALUE_BYTES, 1);
        let dots = if is_whole { "" } else { "…" };
        format!("{shown}{dots}")
    };
    let details = parameters.iter().filter_map(|(name, value)| {
        let (key, value) = match (name, value) {
            ("columns" | "limit", _) | ("order", "desc") => return None,
            ("tail", _) => ("", "live tail".to_owned()),
            ("order", _) => ("", "oldest first".to_owned()),
            ("q", query) => ("", short(query)),
            (key, value) => (key, short(value)),
        };
        Some(Detail { key, value })
    });
    details.collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn addresses_are_read_as_people_have_them() {
        let check = |text: &str, expected: &str| {
            let view = read(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
            assert_eq!(view.query.as_str(), expected, "{text}");
        };
        check("q=disk+full&level=ERROR", "q=disk+full&level=ERROR");
        check("/?q=what?", "q=what%3F");
        check("?tail=1", "tail=1");
        check("", "");
        check("/", "");
        check("http://logs.example:9021", "");
        check(
            " https://logs.example/?from=-1h&before=4711&open=7#r7 ",
            "from=-1h",
        );
        check("notify_level=30&q=", "level=30");
        check("q=ü b", "q=%C3%BC+b");
    }

    #[test]
    fn what_is_no_view_is_named() {
        let check = |text: &str, expected: &str| {
            let problem = read(text).map(|view| view.query).expect_err(text);
            assert!(problem.starts_with(expected), "{text}: {problem}");
        };
        check("/record/7", "`/record/7` is not the log page");
        check("http://h/systems?q=a", "`/systems` is not the log page");
        check("colour=red", "colour: no such parameter");
        check("level=loud", "level: ");
        check("columns=none,such", "columns: ");
        check("q=a&q=b", "q: given more than once");
        let long = format!("q={}&pattern={}", "ü".repeat(900), "ü".repeat(900));
        check(&long, "the view's address has ");
    }
}
