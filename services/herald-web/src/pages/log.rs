//! `/`: the newest records, and those that pass the filters in the URL.

mod form;
mod walk;

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Serialize;

use super::{
    html,
    layout::Layout,
    problem,
    row::{Row, share},
};
use crate::{
    app::App,
    request::{BadQuery, LimitRule, PARAMETERS, ParameterError, Parameters, link, read_records},
    utc,
};
use form::{Chip, Form, chips};
use walk::{Pager, Walk};

const LIMIT: LimitRule = LimitRule {
    max: 1_000,
    hint: " on a page; the API gives up to 10,000",
};

#[derive(Serialize)]
struct LogPage {
    layout: Layout,
    form: Form,
    chips: Vec<Chip>,
    rows: Vec<Row>,
    pager: Pager,
    /// Whether the records were asked for.
    is_answered: bool,
    is_partial: bool,
    /// Why the query's words are looked for instead of what it says.
    note: Option<String>,
    loaded: String,
}

/// `GET /`
pub(crate) async fn show(State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let now = utc::now();
    let mut request = read_records(&parameters, now, LIMIT, BadQuery::SearchWords);
    if request.query.before.is_some() && request.query.after.is_some() {
        let message = "give `before` or `after`, not both: a page goes on from one record";
        request.problems.push(ParameterError::new("after", message));
    }
    if !request.problems.is_empty() {
        return render_problems(&app, &parameters, request.problems);
    }
    if !parameters.written_shortest() {
        return Redirect::to(&link(&parameters, &[])).into_response();
    }
    let walk = Walk::new(request.query);
    let mut page = match app.store.list(walk.query()).await {
        Ok(page) => page,
        Err(failure) => return problem::respond_to_store(&app, &failure),
    };
    let pager = walk.arrange(&mut page, &parameters);
    let max_bytes = share(page.records.len());
    let view = LogPage {
        layout: Layout::new(&app, "Log"),
        form: Form::new(&parameters, Vec::new(), &page.records),
        chips: chips(&parameters),
        rows: page
            .records
            .iter()
            .map(|record| Row::new(record, &parameters, max_bytes))
            .collect(),
        pager,
        is_answered: true,
        is_partial: page.partial,
        note: request.note.map(|problem| problem.to_string()),
        loaded: render::rfc3339(now)[..19].replace('T', " "),
    };
    html(&app, StatusCode::OK, "log.html", &view)
}

/// The form as it was filled in, and what is wrong with it.
fn render_problems(app: &App, parameters: &Parameters, problems: Vec<ParameterError>) -> Response {
    let view = LogPage {
        layout: Layout::new(app, "Log"),
        form: Form::new(parameters, problems, &[]),
        chips: chips(parameters),
        rows: Vec::new(),
        pager: Pager::default(),
        is_answered: false,
        is_partial: false,
        note: None,
        loaded: String::new(),
    };
    html(app, StatusCode::BAD_REQUEST, "log.html", &view)
}
