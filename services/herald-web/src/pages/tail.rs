//! The log as it comes: `/?tail=1`, oldest at the top, and `/tail`, the rows that
//! follow. Whoever reads gets at most so many records a second, and is told how
//! many there are.

mod feed;
mod follower;
mod piece;

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::RawQuery,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Order, Record, RecordFilter, RecordQuery};
use futures::{Stream, stream};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    columns::Columns,
    log::{Chip, chips},
    page::{Main, PageError, fill},
    problem,
    row::{Row, Style},
    view::View,
};
use crate::{
    api::RETRY_AFTER_S,
    app::App,
    live::{self, LiveError},
    request::{
        BadQuery, PAGE, ParameterError, Parameters, Reader, link_to, read_filter, read_lower_bound,
    },
    store_client::StoreError,
    utc,
};
pub(crate) use feed::Feeds;
use follower::Follower;
use piece::Writer;

/// Rows that are there before the first one comes.
const ROWS: usize = 50;
/// Nobody reads more in a second.
const MAX_PER_SECOND: u32 = 40;
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
    // Before the first record, all that comes is above 0.
    let through = through.map(|record| record.id).max().unwrap_or(0);
    let shown = TailView {
        chips: chips(&view),
        clear_href: "/?tail=1",
        columns: &columns,
        rows: Style::new(&view, &columns)
            .leading_to_records()
            .rows(&records),
        note: note.map(|problem| problem.to_string()),
        stream_href: stream_href(&view, Some(through)),
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
pub(crate) async fn follow(app: App, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
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

impl From<LiveError> for Refusal {
    fn from(error: LiveError) -> Self {
        Self::Live(error)
    }
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
    let after = reader.value("after", read_lower_bound);
    let columns = reader.value("columns", Columns::read).unwrap_or_default();
    reader.finish()?;
    let told = live::last_event_id(headers)?.or(after);
    let what = What {
        view: View::new(parameters, &filter, now),
        columns,
        filter,
    };
    match follower(app, what, told).await {
        Ok(events) => Ok(live::respond_text(app, RETRY, events)),
        Err(LiveError::Store(failure)) if !matches!(failure, StoreError::NoAnswer) => {
            Err(LiveError::Store(failure).into())
        }
        Err(failure) if live::wants_events(headers) => {
            let problem = vec![Bytes::from(live::problem_text(&failure))];
            let events = stream::iter([problem]);
            Ok(live::respond_text(app, RETRY, events))
        }
        Err(failure) => Err(failure.into()),
    }
}

/// What somebody follows.
struct What {
    view: View,
    columns: Columns,
    filter: RecordFilter,
}

impl What {
    /// What tells it from other views: relative times are those of its beginning.
    fn name(&self) -> String {
        let filter = proto::filter_to_proto(&self.filter);
        let view = stream_href(&self.view, None);
        format!(
            "{view} {:?} {:?} {}",
            filter.from_us, filter.to_us, filter.query
        )
    }

    fn writer(&self, app: &App) -> Writer {
        let parameters = self.view.parameters().clone();
        let view = View::new(parameters, &self.filter, self.view.now());
        Writer::new(app.clone(), view, self.columns.clone())
    }
}

/// Somebody who follows from here on, and the events that they get.
async fn follower(
    app: &App,
    what: What,
    told: Option<u64>,
) -> Result<impl Stream<Item = Vec<Bytes>> + use<>, LiveError> {
    let place = app.streams.enter()?;
    let writer = || what.writer(app);
    let subscribed = app.feeds.subscribe(what.name(), app, &what.filter, writer);
    let subscription = subscribed.await?;
    let (events, taken) = mpsc::channel(1);
    let follower = Follower {
        app: app.clone(),
        writer: Writer::new(app.clone(), what.view, what.columns),
        filter: what.filter,
        told,
        subscription,
        events,
        _place: place,
    };
    tokio::spawn(follower.run());
    Ok(ReceiverStream::new(taken))
}
