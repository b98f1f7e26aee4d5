//! `/`: the newest records, and those that pass the filters in the URL.

mod bar;
mod buckets;
mod chips;
mod counts;
mod facets;
mod histogram;
mod range;
mod walk;

use axum::{
    extract::RawQuery,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use domain::{CountQuery, RecordQuery};
use serde::Serialize;

use super::{
    columns::Columns,
    detail,
    layout::Layout,
    page::{Main, Page, PageError, fill},
    problem,
    row::{Row, Style, grouped},
    saved::Menu,
    tail,
    view::View,
};
use crate::{
    app::App,
    changes::name_of_this,
    request::{BadQuery, LimitRule, PAGE, ParameterError, Parameters, link, read_id, read_records},
    store_client::RecordPage,
    utc,
};
pub(super) use counts::percent;
pub(super) use facets::Facet;

pub(super) use chips::{Chip, chips};

use bar::Bar;
use walk::{Pager, Walk};

const LIMIT: LimitRule = LimitRule {
    max: 1_000,
    hint: " on a page; the API gives up to 10,000",
};

#[derive(Serialize)]
struct BarView {
    bar: Bar,
    saved: Menu,
}

#[derive(Serialize)]
struct LogView<'a> {
    chips: Vec<Chip>,
    rows: Vec<Row>,
    columns: &'a Columns,
    pager: Pager,
    /// Whether the records were asked for.
    is_answered: bool,
    is_partial: bool,
    /// How many records of this page's stretch the disk has destroyed.
    damaged: Option<String>,
    /// Why the query's words are looked for instead of what it says.
    note: Option<String>,
    /// The record that is to be open and is not among the rows.
    missing: Option<u64>,
    /// Where records are sent to, for who has not sent any.
    bridge: Option<Bridge>,
    loaded: String,
}

/// The stage's bridge, seen from who looks: where these pages are, with the port that
/// it has if nobody has said otherwise.
#[derive(Serialize)]
struct Bridge {
    host: String,
    port: u16,
}

/// What a URL asks for.
struct Asked {
    query: RecordQuery,
    columns: Columns,
    open: Option<u64>,
    note: Option<ParameterError>,
    problems: Vec<ParameterError>,
}

/// `GET /`
pub(crate) async fn show(
    app: App,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = Parameters::read(query.as_deref(), PAGE);
    let now = utc::now();
    let mut asked = Asked::read(&parameters, now);
    if asked.problems.is_empty() && !parameters.written_shortest() {
        return Redirect::to(&link(&parameters, &[])).into_response();
    }
    let is_tail = parameters.get("tail").is_some();
    let view = View::new(parameters, &asked.query.filter, now);
    let problems = std::mem::take(&mut asked.problems);
    let is_sound = problems.is_empty();
    let bar = BarView {
        bar: Bar::new(
            &view,
            &asked.query.filter,
            asked.query.order,
            &asked.columns,
            problems,
        ),
        saved: Menu::new(&app, &view).await,
    };
    let (title, style) = match (is_sound, is_tail) {
        (false, _) => ("Log", ""),
        (true, false) => ("Log", "log"),
        (true, true) => ("Tail", "tailing"),
    };
    let layout = Layout::new(&app, title).at("/").styled(style);
    let page = match fill(&app, "log/bar.html", &bar) {
        Ok(bar) => Page::new(&app, layout).with_bar(bar),
        Err(failure) => return problem::respond_to(&app, &failure),
    };
    if !is_sound {
        return match fill(&app, "log.html", &unanswered(&view, &asked.columns)) {
            Ok(main) => page.whole(StatusCode::BAD_REQUEST, &main),
            Err(failure) => problem::respond_to(&app, &failure),
        };
    }
    if is_tail {
        let Asked {
            query,
            columns,
            note,
            ..
        } = asked;
        let main = tail::main(app, view, columns, query.filter, note);
        return page.when_ready(main).await;
    }
    let bridge = Bridge {
        host: name_of_this(&uri, &headers).unwrap_or_else(|| "localhost".to_owned()),
        port: app.stage.bridge_port(),
    };
    page.when_ready(async move { answer(app, view, asked, bridge).await })
        .await
}

/// What is wrong with a view.
pub(super) fn problems(parameters: &Parameters) -> Vec<ParameterError> {
    Asked::read(parameters, utc::now()).problems
}

impl Asked {
    fn read(parameters: &Parameters, now: i64) -> Self {
        let mut request = read_records(parameters, now, LIMIT, BadQuery::SearchWords);
        let mut note = |name: &str, message: String| {
            request.problems.push(ParameterError::new(name, message));
        };
        if request.query.before.is_some() && request.query.after.is_some() {
            let message = "give `before` or `after`, not both: a page goes on from one record";
            note("after", message.to_owned());
        }
        let columns = parameters
            .get("columns")
            .map_or_else(Default::default, |text| {
                Columns::read(text).unwrap_or_else(|problem| {
                    note("columns", problem);
                    Columns::default()
                })
            });
        if let Some(tail) = parameters.get("tail").filter(|tail| *tail != "1") {
            note(
                "tail",
                format!("`{tail}` is not 1: leave it out for the list"),
            );
        }
        let open = parameters.get("open").and_then(|text| {
            let id = read_id(text);
            id.map_err(|problem| note("open", problem)).ok()
        });
        Self {
            query: request.query,
            columns,
            open,
            note: request.note,
            problems: request.problems,
        }
    }
}

/// The rows, then the counts.
async fn answer(app: App, view: View, asked: Asked, bridge: Bridge) -> Result<Main, PageError> {
    let question: CountQuery = counts::question(&asked.query.filter, view.now());
    let counting = app.store.counting(question);
    let walk = Walk::new(asked.query);
    let mut page = app.store.list(walk.query()).await?;
    let pager = walk.arrange(&mut page, view.parameters());
    let rows = rows(&app, &view, &asked.columns, asked.open, &page)?;
    let missing = asked
        .open
        .filter(|open| rows.iter().all(|row| row.id() != *open));
    let shown = LogView {
        chips: chips(&view),
        rows,
        columns: &asked.columns,
        pager,
        is_answered: true,
        is_partial: page.partial,
        damaged: page
            .coverage
            .filter(|coverage| coverage.damaged_records > 0)
            .map(|coverage| grouped(coverage.damaged_records)),
        note: asked.note.map(|problem| problem.to_string()),
        missing,
        bridge: Some(bridge),
        loaded: render::rfc3339(view.now())[11..19].to_owned(),
    };
    let html = fill(&app, "log.html", &shown)?;
    Ok(Main::new(html).then(counts::panels(app, view, counting)))
}

fn rows(
    app: &App,
    view: &View,
    columns: &Columns,
    open: Option<u64>,
    page: &RecordPage,
) -> Result<Vec<Row>, PageError> {
    let mut rows = Style::new(view, columns).rows(&page.records);
    let Some(at) = rows.iter().position(|row| Some(row.id()) == open) else {
        return Ok(rows);
    };
    let details = detail::fragment(app, &page.records[at], view)?;
    let row = rows.remove(at);
    let close_href = format!("{}#r{}", view.here(&[("open", None)]), row.id());
    rows.insert(at, row.opened(details, close_href));
    Ok(rows)
}

fn unanswered<'a>(view: &View, columns: &'a Columns) -> LogView<'a> {
    LogView {
        chips: chips(view),
        rows: Vec::new(),
        columns,
        pager: Pager::default(),
        is_answered: false,
        is_partial: false,
        damaged: None,
        note: None,
        missing: None,
        bridge: None,
        loaded: String::new(),
    }
}
