//! The log as it comes: `/?tail=1`, oldest at the top, and `/tail`, the rows that
//! follow. Whoever reads gets at most so many records a second, and is told how
//! many there are.

use std::time::Duration;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response, sse::Event},
};
use domain::{Order, Record, RecordFilter, RecordQuery};
use proto::v1::TailRecordsResponse;
use serde::Serialize;
use tracing::error;

use super::{
    columns::Columns,
    log::{Chip, chips},
    page::{Main, PageError, fill},
    problem,
    row::{Row, Style, day},
    view::View,
};
use crate::{
    api::RETRY_AFTER_S,
    app::App,
    live::{self, Follow, LiveError},
    request::{BadQuery, PAGE, ParameterError, Parameters, Reader, link_to, read_filter, read_id},
    utc,
};

/// Rows that are there before the first one comes.
const ROWS: usize = 50;
/// Nobody reads more in a second.
const MAX_PER_SECOND: u32 = 40;
/// Rows of one event: a browser takes so many at once without being felt.
const EVENT_ROWS: usize = 50;
/// After how long a browser connects anew.
const RETRY: Duration = Duration::from_secs(1);
/// What says where in a list one is, and in what order: a tail has its own.
const PLACE: [&str; 5] = ["order", "limit", "before", "after", "open"];

#[derive(Serialize)]
struct TailView<'a> {
    chips: Vec<Chip>,
    /// The tail of everything.
    clear_href: &'static str,
    columns: &'a Columns,
    rows: Vec<Row>,
    /// Why the query's words are looked for instead of what it says.
    note: Option<String>,
    /// Where the rows are that follow.
    stream_href: String,
    loaded: String,
}

#[derive(Serialize)]
struct RowsView<'a> {
    columns: &'a Columns,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Sampled {
    left_out: u64,
}

/// The newest records that pass, and from where it goes on.
pub(super) async fn main(
    app: App,
    view: View,
    columns: Columns,
    filter: RecordFilter,
    note: Option<ParameterError>,
) -> Result<Main, PageError> {
    // What comes between the two questions is among the rows, and what comes after
    // both is above either's newest.
    let newest = newest(&app, RecordFilter::default(), 1).await?;
    let mut records = self::newest(&app, filter, ROWS).await?;
    records.reverse();
    let through = newest.first().into_iter().chain(records.last());
    let through = through.map(|record| record.id).max();
    let shown = TailView {
        chips: chips(&view),
        clear_href: "/?tail=1",
        columns: &columns,
        rows: Style::new(&view, &columns)
            .leading_to_records()
            .rows(&records),
        note: note.map(|problem| problem.to_string()),
        stream_href: stream_href(&view, through),
        loaded: render::rfc3339(view.now())[11..19].to_owned(),
    };
    Ok(Main::new(fill(&app, "tail.html", &shown)?))
}

async fn newest(app: &App, filter: RecordFilter, limit: usize) -> Result<Vec<Record>, PageError> {
    let query = RecordQuery {
        filter,
        order: Order::NewestFirst,
        limit,
        ..RecordQuery::default()
    };
    Ok(app.store.list(query).await?.records)
}

fn stream_href(view: &View, through: Option<u64>) -> String {
    let through = through.map(|id| id.to_string());
    let mut pairs: Vec<_> = view.parameters().iter().collect();
    pairs.retain(|(name, _)| !PLACE.contains(name));
    pairs.extend(through.as_deref().map(|through| ("after", through)));
    link_to("/tail", &pairs)
}

/// `GET /tail`
pub(crate) async fn follow(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match open(&app, &headers, query.as_deref()).await {
        Ok(response) => response,
        Err(Refusal::Parameter(error)) => {
            let message = format!("{}: {error}", error.parameter);
            (StatusCode::BAD_REQUEST, message).into_response()
        }
        Err(Refusal::Live(LiveError::Store(failure))) => problem::respond_to_store(&app, &failure),
        Err(Refusal::Live(error)) => {
            let later = [(header::RETRY_AFTER, RETRY_AFTER_S)];
            (StatusCode::SERVICE_UNAVAILABLE, later, error.to_string()).into_response()
        }
    }
}

/// Why nothing is followed.
enum Refusal {
    Parameter(ParameterError),
    Live(LiveError),
}

impl From<ParameterError> for Refusal {
    fn from(error: ParameterError) -> Self {
        Self::Parameter(error)
    }
}

async fn open(app: &App, headers: &HeaderMap, query: Option<&str>) -> Result<Response, Refusal> {
    let parameters = Parameters::read(query, PAGE);
    let now = utc::now();
    let mut reader = Reader::new(&parameters);
    let (filter, _) = read_filter(&mut reader, now, BadQuery::SearchWords);
    let after = reader.value("after", read_id);
    let columns = reader.value("columns", Columns::read).unwrap_or_default();
    reader.finish()?;
    let after = live::last_event_id(headers)?.or(after).unwrap_or(0);
    let what = Follow {
        filter: filter.clone(),
        after,
        max_per_second: MAX_PER_SECOND,
        retry: RETRY,
    };
    let mut teller = Teller {
        app: app.clone(),
        view: View::new(parameters, &filter, now),
        columns,
        day: Some(day(now)),
    };
    let told = live::follow(app, headers, what, move |piece| teller.tell(piece)).await;
    told.map_err(Refusal::Live)
}

/// Makes rows of what the store tells.
struct Teller {
    app: App,
    view: View,
    columns: Columns,
    /// The day of the row before.
    day: Option<String>,
}

impl Teller {
    /// Rows, each event up to the id that it carries, so that none is told twice or
    /// never; then how many were left out. Without rows, a sign of life.
    fn tell(&mut self, piece: TailRecordsResponse) -> Vec<Event> {
        let event = |name: &str| Event::default().event(name);
        let mut events = Vec::new();
        let records: Vec<Record> = piece.records.into_iter().map(Record::from).collect();
        let mut records = records.chunks(EVENT_ROWS).peekable();
        while let Some(some) = records.next() {
            let through = match (some.last(), records.peek()) {
                (Some(last), Some(_)) => last.id,
                _ => piece.through,
            };
            let Some(rows) = self.rows(some) else {
                return events;
            };
            events.push(Event::default().id(through.to_string()).data(rows));
        }
        if piece.left_out > 0 {
            let left_out = piece.left_out;
            let sampled = event("sampled").json_data(Sampled { left_out });
            events.push(sampled.expect("a number is JSON"));
        }
        if events.is_empty() {
            let through = piece.through.to_string();
            events.push(event("alive").id(through.as_str()).data(through));
        }
        events
    }

    fn rows(&mut self, records: &[Record]) -> Option<String> {
        let style = Style::new(&self.view, &self.columns).leading_to_records();
        let rows = style.rows_after(&mut self.day, records);
        let shown = RowsView {
            columns: &self.columns,
            rows,
        };
        let filled = self.app.templates.render("tail/rows.html", &shown);
        filled
            .inspect_err(|error| error!(%error, "template not rendered"))
            .ok()
    }
}
