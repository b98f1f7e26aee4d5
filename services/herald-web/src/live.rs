//! Answers without end: server-sent events of what the store tells those who
//! follow, as many as there may be, and each no longer than somebody takes it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::RecordFilter;
use futures::{Stream, StreamExt, stream};
use proto::v1::TailRecordsResponse;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tracing::debug;

use crate::{
    app::App,
    request::{ParameterError, read_lower_bound},
    store_client::{Pieces, StoreError},
};

/// What a browser sends to resume: the `id` of the last event it has.
const LAST_EVENT_ID: &str = "last-event-id";
/// After how long without an event a comment shows that the line is alive.
pub(crate) const COMMENT_INTERVAL: Duration = Duration::from_secs(15);
/// A client that takes nothing for so long is given up.
pub(crate) const UNTAKEN_TIME: Duration = Duration::from_secs(60);
/// A proxy that collects the answer before it hands it on would keep it forever.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");
/// Answers of the store that wait for the client.
const WAITING: usize = 1;

/// What somebody follows.
#[derive(Debug)]
pub(crate) struct Follow {
    pub(crate) filter: RecordFilter,
    /// The id behind which it begins; none for the newest.
    pub(crate) after: Option<u64>,
    /// 0 for all.
    pub(crate) max_per_second: u32,
    /// After how long a client connects anew.
    pub(crate) retry: Duration,
}

/// How many may follow at a time; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    places: Arc<Semaphore>,
    most: usize,
}

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LiveError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0} follow the log already, and no more may: try again when one of them has left")]
    Full(usize),
}

#[derive(Serialize)]
struct ProblemView {
    message: String,
}

impl Streams {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most)),
            most,
        }
    }

    /// A place among them.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, LiveError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| LiveError::Full(self.most))
    }
}

/// Where a client that comes back has come to; 0 when there was no record yet.
///
/// # Errors
/// The header is no id.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, ParameterError> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let id = read_lower_bound(&text).map(Some);
    id.map_err(|message| ParameterError::new("Last-Event-ID", message))
}

/// Follows; `tell` makes events of what the store says.
///
/// # Errors
/// There is no stream, and whoever asks is no `EventSource`: that one gets a
/// stream that says so, because it tries again only after such an answer.
pub(crate) async fn follow(
    app: &App,
    headers: &HeaderMap,
    what: Follow,
    tell: impl FnMut(TailRecordsResponse) -> Vec<Event> + Send + 'static,
) -> Result<Response, LiveError> {
    let start = Event::default().retry(what.retry).comment("following");
    match open(app, &what).await {
        Ok((place, pieces)) => {
            let (events, taken) = mpsc::channel(WAITING);
            tokio::spawn(hand_on(place, pieces, tell, events));
            let told = ReceiverStream::new(taken).flat_map(stream::iter);
            let events = stream::iter([start]).chain(told);
            Ok(respond(events.take_until(app.clone().ended())))
        }
        Err(LiveError::Store(failure)) if !matches!(failure, StoreError::NoAnswer) => {
            Err(failure.into())
        }
        Err(failure) if wants_events(headers) => {
            Ok(respond(stream::iter([start, problem(&failure)])))
        }
        Err(failure) => Err(failure),
    }
}

async fn open(
    app: &App,
    what: &Follow,
) -> Result<(OwnedSemaphorePermit, Pieces<TailRecordsResponse>), LiveError> {
    let place = app.streams.enter()?;
    let store = &app.store;
    let pieces = store.tail(&what.filter, what.after, what.max_per_second);
    Ok((place, pieces.await?))
}

/// Until the store's stream ends, which is told, or nobody takes the events.
async fn hand_on(
    _place: OwnedSemaphorePermit,
    mut pieces: Pieces<TailRecordsResponse>,
    mut tell: impl FnMut(TailRecordsResponse) -> Vec<Event>,
    events: mpsc::Sender<Vec<Event>>,
) {
    loop {
        let piece = tokio::select! {
            piece = pieces.next() => piece,
            () = events.closed() => return,
        };
        let (told, is_end) = match piece {
            Ok(Some(piece)) => (tell(piece), false),
            Ok(None) => (vec![problem(&StoreError::NoAnswer)], true),
            Err(failure) => (vec![problem(&failure)], true),
        };
        if told.is_empty() {
            continue;
        }
        match events.send_timeout(told, UNTAKEN_TIME).await {
            Ok(()) if !is_end => {}
            Ok(()) => return,
            Err(_) => {
                debug!("a client took nothing any more");
                return;
            }
        }
    }
}

fn respond(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let alive = KeepAlive::new().interval(COMMENT_INTERVAL).text("alive");
    let events = Sse::new(events.map(Ok::<_, Infallible>));
    ([UNBUFFERED], events.keep_alive(alive)).into_response()
}

/// Whether an `EventSource` asks.
pub(crate) fn wants_events(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

/// Events that are text already, until whoever asks is no longer believed.
pub(crate) fn respond_text(
    app: &App,
    retry: Duration,
    events: impl Stream<Item = Vec<Bytes>> + Send + 'static,
) -> Response {
    let start = Bytes::from(format!("retry: {}\n: following\n\n", retry.as_millis()));
    let events = stream::iter([vec![start]]).chain(events);
    let events = events.take_until(app.clone().ended());
    let parts = events.flat_map(|parts| stream::iter(parts.into_iter().map(Ok::<_, Infallible>)));
    let headers = [("content-type", "text/event-stream"), UNBUFFERED];
    (headers, Body::from_stream(parts)).into_response()
}

/// The event that says why there is no more, as text.
pub(crate) fn problem_text(failure: &impl ToString) -> String {
    let view = ProblemView {
        message: failure.to_string(),
    };
    let json = serde_json::to_string(&view).expect("a text is JSON");
    format!("event: problem\ndata: {json}\n\n")
}

fn problem(failure: &impl ToString) -> Event {
    let view = ProblemView {
        message: failure.to_string(),
    };
    let event = Event::default().event("problem");
    event.json_data(view).expect("a text is JSON")
}
