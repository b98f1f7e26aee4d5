//! `/alerts/runs`: when the rules were judged, what came of it, and what went wrong.

use axum::{extract::RawQuery, http::StatusCode, response::Response};
use domain::{Micros, Run, Stage};
use serde::Serialize;

use super::{Place, Start, layout, places};
use crate::{
    app::App,
    pages::{
        figure::{When, grouped},
        page::{Main, Page, fill},
        problem,
        row::short,
    },
    request::{KnownName, Parameters, Reader, link_to, read_id},
    store_client::Glance,
    utc,
};

const PATH: &str = "/alerts/runs";
const KNOWN: &[&[KnownName]] = &[&[("before", "before")]];
/// How many runs a page has.
const LISTED: u32 = 50;
/// How many errors of a run are shown.
const ERRORS: usize = 20;

#[derive(Serialize)]
struct RunsPage {
    places: Vec<Place>,
    /// How long after one run the next is expected.
    interval: Option<String>,
    is_late: bool,
    runs: Vec<RunView>,
    older_href: Option<String>,
    is_first: bool,
    start: Option<Start>,
}

#[derive(Serialize)]
struct RunView {
    id: u64,
    started: When,
    /// None while it goes on, or when it broke off.
    took: Option<String>,
    holder: String,
    version: String,
    judged: String,
    opened: u32,
    resolved: u32,
    delivered: u32,
    undelivered: u32,
    errors: Vec<String>,
    more_errors: usize,
}

/// The handler.
pub(crate) async fn show(app: App, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::read(query.as_deref(), KNOWN);
    let mut reader = Reader::new(&parameters);
    let before = reader.value("before", read_id).unwrap_or(0);
    if let Err(error) = reader.finish() {
        let message = format!("{}: {error}", error.parameter);
        return problem::respond(&app, StatusCode::BAD_REQUEST, &message);
    }
    let page = Page::new(&app, layout(&app, "Runs"));
    page.when_ready(async move {
        let ((runs, next), glance) =
            tokio::try_join!(app.store.runs(LISTED, before), app.store.glance())?;
        let view = view(app.stage, &runs, next, &glance, before, utc::now());
        Ok(Main::new(fill(&app, "alerts/runs.html", &view)?))
    })
    .await
}

fn view(
    stage: Stage,
    runs: &[Run],
    next: Option<u64>,
    glance: &Glance,
    before: u64,
    now: Micros,
) -> RunsPage {
    RunsPage {
        places: places(PATH),
        interval: (glance.interval_s > 0)
            .then(|| utc::distance(glance.interval_s.saturating_mul(1_000_000))),
        is_late: glance.is_late,
        runs: runs.iter().map(|it| run(it, now)).collect(),
        older_href: next.map(|next| link_to(PATH, &[("before", &next.to_string())])),
        is_first: before == 0,
        start: (before == 0 && runs.is_empty()).then(|| Start {
            stage: stage.name(),
            file: format!("ps_neelix{}.cfg", stage.suffix()),
        }),
    }
}

fn run(run: &Run, now: Micros) -> RunView {
    let took = |ended: Micros| ended.saturating_sub(run.started_us).max(0).unsigned_abs();
    RunView {
        id: run.id,
        started: When::new(run.started_us, now),
        took: run.ended_us.map(|ended| utc::distance(took(ended))),
        holder: short(&run.holder),
        version: short(&run.version),
        judged: grouped(run.through_id.saturating_sub(run.after_id)),
        opened: run.opened,
        resolved: run.resolved,
        delivered: run.delivered,
        undelivered: run.undelivered,
        errors: run.errors.iter().take(ERRORS).map(|it| short(it)).collect(),
        more_errors: run.errors.len().saturating_sub(ERRORS),
    }
}
