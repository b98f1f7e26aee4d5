//! `/api/v1/tail`: records as they are taken, as server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt, stream};
use proto::v1::TailRecordsResponse;
use serde::Serialize;

use super::ApiError;
use crate::{
    app::App,
    request::{
        BadQuery, FILTER, KnownName, ParameterError, Parameters, Reader, read_filter, read_id,
    },
    store_client::{Pieces, StoreError},
    utc,
};

/// What it can be asked.
pub(super) const PARAMETERS: &[&[KnownName]] = &[FILTER, OWN];
const OWN: &[KnownName] = &[("after", "after")];
/// What a browser sends to resume: the `id` of the last event it has.
const LAST_EVENT_ID: &str = "last-event-id";
/// After how long without an event a comment shows that the line is alive.
const COMMENT_INTERVAL: Duration = Duration::from_secs(15);
/// After how long a client connects anew.
const RETRY: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct ProgressView {
    through: u64,
}

#[derive(Serialize)]
struct ProblemView {
    message: String,
}

/// `GET /api/v1/tail`
pub(crate) async fn follow(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let (filter, _) = read_filter(&mut reader, utc::now(), BadQuery::Refuse);
    let after = reader.value("after", read_id);
    reader.finish()?;
    // A browser that connects anew repeats the URL: where it has come to since counts.
    let after = last_event_id(&headers)?.or(after).unwrap_or(0);
    let shutdown = app.shutdown.clone();
    match app.store.tail(&filter, after).await {
        Ok(pieces) => {
            let events = Tail::events(pieces, after).take_until(shutdown.cancelled_owned());
            Ok(respond(events))
        }
        // An `EventSource` tries again only after an answer that is a stream.
        Err(failure @ StoreError::NoAnswer) if wants_events(&headers) => {
            let events = [start(), problem(&failure)].map(Ok::<_, Infallible>);
            Ok(respond(stream::iter(events)))
        }
        Err(failure) => Err(failure.into()),
    }
}

fn respond(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let alive = KeepAlive::new().interval(COMMENT_INTERVAL).text("alive");
    // A proxy that collects the answer before it hands it on would keep it forever.
    let unbuffered = [("x-accel-buffering", "no")];
    (unbuffered, Sse::new(events).keep_alive(alive)).into_response()
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    read_id(&text)
        .map(Some)
        .map_err(|message| ApiError::Parameter(ParameterError::new("Last-Event-ID", message)))
}

fn wants_events(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

/// A tail at work.
struct Tail {
    pieces: Pieces<TailRecordsResponse>,
    /// The `id` of the client's last event.
    told: u64,
}

impl Tail {
    /// Ends with the store's stream, after an event that says why.
    fn events(
        pieces: Pieces<TailRecordsResponse>,
        told: u64,
    ) -> impl Stream<Item = Result<Event, Infallible>> {
        let steps = stream::unfold(Some(Self { pieces, told }), async |tail| {
            let mut tail = tail?;
            match tail.pieces.next().await {
                Ok(Some(piece)) => {
                    let events = tail.tell(piece);
                    Some((events, Some(tail)))
                }
                Ok(None) => Some((vec![problem(&StoreError::NoAnswer)], None)),
                Err(failure) => Some((vec![problem(&failure)], None)),
            }
        });
        stream::iter([start()])
            .chain(steps.flat_map(stream::iter))
            .map(Ok)
    }

    /// Each record with its id, and how far the store has looked since.
    fn tell(&mut self, piece: TailRecordsResponse) -> Vec<Event> {
        let mut events = Vec::with_capacity(piece.records.len() + 1);
        for record in piece.records {
            let record = domain::Record::from(record);
            self.told = record.id;
            let event = Event::default().id(record.id.to_string());
            events.push(event.data(render::json_line(&record)));
        }
        if piece.through > self.told {
            self.told = piece.through;
            let event = Event::default()
                .event("progress")
                .id(piece.through.to_string());
            let view = ProgressView {
                through: piece.through,
            };
            events.push(event.json_data(view).expect("a number is JSON"));
        }
        events
    }
}

fn start() -> Event {
    Event::default().retry(RETRY).comment("following")
}

fn problem(failure: &StoreError) -> Event {
    let view = ProblemView {
        message: failure.to_string(),
    };
    let event = Event::default().event("problem");
    event.json_data(view).expect("a text is JSON")
}
