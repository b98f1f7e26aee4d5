//! `/systems`: where records come from, when they last did, and what rules expect.

mod expected;
mod table;

use axum::{extract::RawQuery, http::StatusCode, response::Response};
use domain::{Condition, Micros, TextField, TextTest};
use proto::v1;
use serde::Serialize;

use super::{
    coverage::Progress,
    figure::{Figure, Rate, When, counted, grouped},
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
    request::{KnownName, Parameters, Reader, address},
    store_client::{StoreClient, StoreError},
    utc,
};
use expected::{Expected, expected};
use table::{Entry, Sorting};

const PATH: &str = "/systems";
const KNOWN: &[&[KnownName]] = &[&[
    ("find", "find"),
    ("from", "from"),
    ("to", "to"),
    ("sort", "sort"),
    ("order", "order"),
]];
/// How many bars a picture has.
const BUCKETS: u32 = 48;
/// The most systems that the store is asked for, and that are shown.
const MAX_ASKED: u32 = 10_000;
const MAX_SHOWN: usize = 500;
/// Longest name that a link asks for, in bytes.
const MAX_NAME_BYTES: usize = 200;
/// Up to when a system counts as active, and up to when as quiet.
const ACTIVE_US: Micros = 5 * 60 * 1_000_000;
const QUIET_US: Micros = 24 * 3_600 * 1_000_000;

#[derive(Serialize)]
struct SystemsPage {
    find: String,
    /// Parameters that the search field keeps.
    kept: Vec<(&'static str, String)>,
    spans: Vec<span::Choice>,
    span: String,
    columns: Vec<table::Column>,
    rows: Vec<Row>,
    /// How many there are, with those that are not shown.
    count: String,
    is_cut: bool,
    /// The store had more than it gives.
    is_more: bool,
    progress: Option<Progress>,
    /// What rules expect.
    expected: Vec<Expected>,
    /// The store does not tell it.
    is_untold: bool,
    expected_count: String,
    clear_href: Option<String>,
}

#[derive(Serialize)]
struct Row {
    system_id: String,
    sub_system_id: String,
    state: &'static str,
    first: When,
    last: When,
    last_href: String,
    records: Figure,
    recent: String,
    rate: Rate,
    sparkline: Sparkline,
    /// `None` for names too long for a link.
    log_href: Option<String>,
    exceptions_href: Option<String>,
}

/// `GET /systems`
pub(crate) async fn show(app: App, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::read(query.as_deref(), KNOWN);
    let now = utc::now();
    let mut reader = Reader::new(&parameters);
    let span = Span::read(&mut reader, now);
    let sorting = Sorting::read(&mut reader);
    if let Err(problem) = reader.finish() {
        let message = format!("{}: {problem}", problem.parameter);
        return problem::respond(&app, StatusCode::BAD_REQUEST, &message);
    }
    let page = Page::new(&app, Layout::new(&app, "Systems").at(PATH));
    page.when_ready(async move {
        let (systems, heartbeats) = tokio::join!(ask(&app.store, &span), app.store.heartbeats());
        let (all, recent) = systems?;
        let find = parameters.get("find").unwrap_or_default();
        let is_untold = heartbeats.is_err();
        let heartbeats = heartbeats.unwrap_or_default();
        let (expected, count) = expected(&heartbeats, find, now);
        let view = SystemsPage {
            is_untold,
            expected,
            expected_count: grouped(count as u64),
            ..view(&parameters, &span, sorting, &all, recent, now)
        };
        Ok(Main::new(fill(&app, "systems.html", &view)?))
    })
    .await
}

/// All systems there are, and what those of the span have sent in it.
async fn ask(
    store: &StoreClient,
    span: &Span,
) -> Result<(v1::ListSystemsResponse, v1::ListSystemsResponse), StoreError> {
    let all = v1::ListSystemsRequest {
        limit: MAX_ASKED,
        ..v1::ListSystemsRequest::default()
    };
    let recent = v1::ListSystemsRequest {
        from_us: span.start_us(),
        to_us: span.end_us(),
        buckets: BUCKETS,
        limit: MAX_ASKED,
    };
    tokio::try_join!(store.systems(all), store.systems(recent))
}

fn view(
    parameters: &Parameters,
    span: &Span,
    sorting: Sorting,
    all: &v1::ListSystemsResponse,
    recent: v1::ListSystemsResponse,
    now: Micros,
) -> SystemsPage {
    let find = parameters.get("find").unwrap_or_default();
    let (from_us, to_us) = (recent.from_us, recent.to_us);
    let progress = [
        (all.partial, &all.coverage),
        (recent.partial, &recent.coverage),
    ]
    .into_iter()
    .find_map(|(is_partial, coverage)| Progress::new(is_partial, coverage.as_ref()));
    let is_more = all.more || recent.more;
    let mut entries = table::joined(&all.systems, recent.systems);
    entries.retain(|entry| entry.is_named_like(find));
    sorting.sort(&mut entries);
    let label = span.label();
    let bar = span::part(from_us, to_us, BUCKETS);
    let seconds = to_us.saturating_sub(from_us).unsigned_abs() / 1_000_000;
    let row = |entry: &Entry<'_>| Row {
        system_id: short(&entry.system.system_id),
        sub_system_id: short(&entry.system.sub_system_id),
        state: state(now - entry.system.last_received_us),
        first: When::new(entry.system.first_received_us, now),
        last: When::new(entry.system.last_received_us, now),
        last_href: format!("/record/{id}#r{id}", id = entry.system.last_id),
        records: Figure::records(entry.system.records),
        recent: counted(entry.recent_records(), "record"),
        rate: Rate::new(entry.recent_records(), seconds),
        sparkline: Sparkline::new(
            entry.recent_counts(),
            format!(
                "Over {label}: at most {} in {bar}",
                grouped(entry.recent_counts().iter().copied().max().unwrap_or(0))
            ),
        ),
        log_href: href("/", entry.system, span),
        exceptions_href: href("/exceptions", entry.system, span),
    };
    let kept = ["from", "to", "sort", "order"].into_iter();
    SystemsPage {
        find: find.to_owned(),
        kept: kept
            .filter_map(|name| Some((name, parameters.get(name)?.to_owned())))
            .collect(),
        spans: span.choices(PATH, parameters),
        columns: sorting.columns(PATH, parameters),
        rows: entries.iter().take(MAX_SHOWN).map(row).collect(),
        count: grouped(entries.len() as u64),
        is_cut: entries.len() > MAX_SHOWN,
        is_more,
        progress,
        expected: Vec::new(),
        is_untold: false,
        expected_count: String::new(),
        clear_href: (!find.is_empty()).then(|| address(PATH, parameters, &[("find", None)])),
        span: label,
    }
}

/// By the age of the newest record: what rules expect stands in a table of its own.
fn state(age: Micros) -> &'static str {
    match age {
        ..ACTIVE_US => "active",
        ACTIVE_US..QUIET_US => "quiet",
        _ => "silent",
    }
}

/// A page of the system's records. What no parameter can hold, such as an empty
/// name, the query asks for.
fn href(path: &str, system: &v1::System, span: &Span) -> Option<String> {
    let names = [
        (TextField::System, &system.system_id),
        (TextField::SubSystem, &system.sub_system_id),
    ];
    let (held, asked): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|(_, name)| is_filterable(name));
    if asked.iter().any(|(_, name)| name.len() > MAX_NAME_BYTES) {
        return None;
    }
    let asked = asked
        .into_iter()
        .fold(Condition::default(), |all, (field, name)| {
            all.and(Condition::Text(field, TextTest::Is(name.clone())))
        });
    let q = (!asked.is_everything()).then(|| query::print(&asked));
    let mut changes: Vec<_> = held
        .iter()
        .map(|(field, name)| (field.name(), Some(name.as_str())))
        .collect();
    changes.push(("q", q.as_deref()));
    changes.extend(span.for_log());
    Some(address(path, &Parameters::default(), &changes))
}
