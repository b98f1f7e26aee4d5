//! `/exceptions`: what went wrong, grouped by where it comes from.

use axum::{extract::RawQuery, http::StatusCode, response::Response};
use domain::Micros;
use proto::v1;
use render::cut;
use serde::Serialize;

use super::{
    coverage::Progress,
    figure::{Figure, When, grouped},
    layout::Layout,
    page::{Main, Page, fill},
    problem,
    row::short,
    span::{self, Span},
    sparkline::Sparkline,
    view::is_filterable,
};
use crate::{
    app::App,
    request::{BadQuery, FILTER, KnownName, Parameters, Reader, address, read_filter},
    utc,
};

const PATH: &str = "/exceptions";
const OWN: &[KnownName] = &[("sort", "sort")];
/// How many bars a picture has.
const BUCKETS: u32 = 48;
/// The most groups that the store is asked for, so that the most frequent are among
/// them, and that are shown.
const MAX_ASKED: u32 = 1_000;
const MAX_SHOWN: usize = 200;
/// Longest line that says what happened, in bytes.
const MAX_SUMMARY_BYTES: usize = 600;
/// How many systems a group names.
const MAX_SYSTEMS: usize = 6;

#[derive(Serialize)]
struct ExceptionsPage {
    q: String,
    /// Parameters that the search field keeps.
    kept: Vec<(&'static str, String)>,
    filters: Vec<Filter>,
    spans: Vec<span::Choice>,
    span: String,
    sorts: Vec<Sort>,
    groups: Vec<Group>,
    count: String,
    is_cut: bool,
    is_more: bool,
    progress: Option<Progress>,
    /// Why the query's words are looked for instead of what it says.
    note: Option<String>,
}

/// A filter besides the query, and the page without it.
#[derive(Serialize)]
struct Filter {
    name: &'static str,
    value: String,
    remove_href: String,
}

#[derive(Serialize)]
struct Sort {
    label: &'static str,
    href: String,
    is_here: bool,
}

#[derive(Serialize)]
struct Group {
    kind: String,
    summary: String,
    records: Figure,
    first: When,
    last: When,
    systems: Vec<System>,
    other_systems: usize,
    sparkline: Sparkline,
    records_href: String,
    first_href: String,
    last_href: String,
}

#[derive(Serialize)]
struct System {
    name: String,
    records: String,
    href: String,
}

/// The order of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Last,
    Records,
    First,
}

const SORTS: [(By, &str, &str); 3] = [
    (By::Last, "last", "newest first"),
    (By::Records, "records", "most frequent first"),
    (By::First, "first", "latest to appear first"),
];

/// `GET /exceptions`
pub(crate) async fn show(app: App, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::read(query.as_deref(), &[FILTER, OWN]);
    let now = utc::now();
    let mut reader = Reader::new(&parameters);
    let (mut filter, note) = read_filter(&mut reader, now, BadQuery::SearchWords);
    let span = Span::read(&mut reader, now);
    let by = reader.value("sort", read_sort).unwrap_or(By::Last);
    if let Err(problem) = reader.finish() {
        let message = format!("{}: {problem}", problem.parameter);
        return problem::respond(&app, StatusCode::BAD_REQUEST, &message);
    }
    (filter.from_us, filter.to_us) = (span.start_us(), span.end_us());
    let page = Page::new(&app, Layout::new(&app, "Exceptions").at(PATH));
    page.when_ready(async move {
        let answer = app.store.exceptions(&filter, MAX_ASKED, BUCKETS).await?;
        let note = note.map(|problem| problem.to_string());
        let view = view(&parameters, &span, by, answer, note, now);
        Ok(Main::new(fill(&app, "exceptions.html", &view)?))
    })
    .await
}

fn read_sort(text: &str) -> Result<By, String> {
    let known = SORTS.iter().find(|(_, name, _)| *name == text);
    known
        .map(|(by, ..)| *by)
        .ok_or_else(|| format!("`{text}` is no order: use last, records or first"))
}

fn view(
    parameters: &Parameters,
    span: &Span,
    by: By,
    answer: v1::ListExceptionsResponse,
    note: Option<String>,
    now: Micros,
) -> ExceptionsPage {
    let mut groups = answer.groups;
    groups.sort_by_key(|group| {
        std::cmp::Reverse(match by {
            By::Last => group.last_id,
            By::Records => group.records,
            By::First => group.first_id,
        })
    });
    let label = span.label();
    let bar = span::part(answer.from_us, answer.to_us, BUCKETS);
    let group = |group: &v1::ExceptionGroup| Group::new(group, parameters, span, &label, &bar, now);
    let is_field = |name: &str| !matches!(name, "q" | "from" | "to" | "sort");
    let kept = parameters.iter().filter(|(name, _)| *name != "q");
    ExceptionsPage {
        q: parameters.get("q").unwrap_or_default().to_owned(),
        kept: kept.map(|(name, value)| (name, value.to_owned())).collect(),
        filters: parameters
            .iter()
            .filter(|(name, _)| is_field(name))
            .map(|(name, value)| Filter {
                name,
                value: value.to_owned(),
                remove_href: address(PATH, parameters, &[(name, None)]),
            })
            .collect(),
        spans: span.choices(PATH, parameters),
        sorts: SORTS
            .iter()
            .map(|(sort, name, label)| Sort {
                label,
                href: {
                    let name = (*sort != By::Last).then_some(*name);
                    address(PATH, parameters, &[("sort", name)])
                },
                is_here: *sort == by,
            })
            .collect(),
        groups: groups.iter().take(MAX_SHOWN).map(group).collect(),
        count: grouped(groups.len() as u64),
        is_cut: groups.len() > MAX_SHOWN,
        is_more: answer.more,
        progress: Progress::new(answer.partial, answer.coverage.as_ref()),
        note,
        span: label,
    }
}

impl Group {
    fn new(
        group: &v1::ExceptionGroup,
        parameters: &Parameters,
        span: &Span,
        label: &str,
        bar: &str,
        now: Micros,
    ) -> Self {
        // What is asked besides stays, but for the query: the group is the query now.
        let fingerprint = format!("fingerprint:{}", group.fingerprint);
        let log = |more: &[(&str, Option<&str>)]| {
            let [from, to] = span.for_log();
            let changes = [("q", Some(fingerprint.as_str())), ("sort", None), from, to];
            address("/", parameters, &[&changes, more].concat())
        };
        let record = |id: u64| format!("/record/{id}#r{id}");
        let most = group.recent.iter().copied().max().unwrap_or(0);
        let named = group
            .systems
            .iter()
            .filter(|system| is_filterable(&system.value));
        Self {
            kind: short(&group.kind),
            summary: cut::head(
                without_kind(&group.summary, &group.kind),
                MAX_SUMMARY_BYTES,
                1,
            )
            .0
            .to_owned(),
            records: Figure::records(group.records),
            first: When::new(group.first_received_us, now),
            last: When::new(group.last_received_us, now),
            systems: named
                .clone()
                .take(MAX_SYSTEMS)
                .map(|system| System {
                    name: system.value.clone(),
                    records: grouped(system.records),
                    href: log(&[("system_id", Some(&system.value))]),
                })
                .collect(),
            other_systems: named.count().saturating_sub(MAX_SYSTEMS),
            sparkline: Sparkline::new(
                &group.recent,
                format!("Over {label}: at most {} in {bar}", grouped(most)),
            ),
            records_href: log(&[]),
            first_href: record(group.first_id),
            last_href: record(group.last_id),
        }
    }
}

/// What happened, when the type is told beside.
fn without_kind<'a>(summary: &'a str, kind: &str) -> &'a str {
    let rest = summary.strip_prefix(kind);
    match rest.and_then(|rest| rest.strip_prefix(':')) {
        Some(rest) if !kind.is_empty() => rest.trim_start(),
        _ if summary == kind => "",
        _ => summary,
    }
}

#[cfg(test)]
mod tests {
    use super::without_kind;

    #[test]
    fn a_type_is_told_once() {
        let check = |summary, kind, expected| assert_eq!(without_kind(summary, kind), expected);
        check("shop.Error: no disk", "shop.Error", "no disk");
        check("KeyError", "KeyError", "");
        check("Errors: a", "Error", "Errors: a");
        check("something odd", "", "something odd");
        check(": odd", "", ": odd");
    }
}
