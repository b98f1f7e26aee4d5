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
    layout::Layout,
    page::{Main, Page, PageError, fill},
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
struct Bar {
    form: Form,
}

#[derive(Serialize)]
struct LogPage {
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
    let note = request.note.map(|problem| problem.to_string());
    let form = Form::new(&parameters, Vec::new(), &[]);
    let page = match bar(&app, form) {
        Ok(bar) => Page::new(&app, Layout::new(&app, "Log").at("/")).with_bar(bar),
        Err(failure) => return problem::respond_to(&app, &failure),
    };
    page.when_ready(async move {
        let mut page = app.store.list(walk.query()).await?;
        let pager = walk.arrange(&mut page, &parameters);
        let max_bytes = share(page.records.len());
        let view = LogPage {
            chips: chips(&parameters),
            rows: page
                .records
                .iter()
                .map(|record| Row::new(record, &parameters, max_bytes))
                .collect(),
            pager,
            is_answered: true,
            is_partial: page.partial,
            note,
            loaded: render::rfc3339(now)[..19].replace('T', " "),
        };
        Ok(Main::new(fill(&app, "log.html", &view)?))
    })
    .await
}

/// The form as it was filled in, and what is wrong with it.
fn render_problems(app: &App, parameters: &Parameters, problems: Vec<ParameterError>) -> Response {
    let view = LogPage {
        chips: chips(parameters),
        rows: Vec::new(),
        pager: Pager::default(),
        is_answered: false,
        is_partial: false,
        note: None,
        loaded: String::new(),
    };
    let form = Form::new(parameters, problems, &[]);
    let parts = bar(app, form).and_then(|bar| Ok((bar, fill(app, "log.html", &view)?)));
    match parts {
        Ok((bar, main)) => Page::new(app, Layout::new(app, "Log").at("/"))
            .with_bar(bar)
            .whole(StatusCode::BAD_REQUEST, &main),
        Err(failure) => problem::respond_to(app, &failure),
    }
}

fn bar(app: &App, form: Form) -> Result<String, PageError> {
    fill(app, "form.html", &Bar { form })
}
