//! `/api/v1/tail`: records as they are taken, as server-sent events.

use std::time::Duration;

use axum::{
    extract::RawQuery,
    http::HeaderMap,
    response::{Response, sse::Event},
};
use proto::v1::TailRecordsResponse;
use serde::Serialize;

use super::ApiError;
use crate::{
    app::App,
    live::{self, Follow},
    request::{
        BadQuery, FILTER, KnownName, LimitRule, Parameters, Reader, read_count, read_filter,
        read_lower_bound,
    },
    utc,
};

/// What it can be asked.
pub(super) const PARAMETERS: &[&[KnownName]] = &[FILTER, OWN];
const OWN: &[KnownName] = &[("after", "after"), ("max_per_second", "max_per_second")];
/// As the store has it.
const RATE: LimitRule = LimitRule {
    max: 1_000,
    hint: "; leave it out for all records",
};
/// After how long a client connects anew.
const RETRY: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct ProgressView {
    through: u64,
}

#[derive(Serialize)]
struct SampledView {
    left_out: u64,
    through: u64,
}

/// `GET /api/v1/tail`
pub(crate) async fn follow(
    app: App,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let (filter, _) = read_filter(&mut reader, utc::now(), BadQuery::Refuse);
    let after = reader.value("after", read_lower_bound);
    let rate = reader.value("max_per_second", |text| read_count(text, RATE));
    reader.finish()?;
    // A browser that connects anew repeats the URL: where it has come to since counts.
    let after = live::last_event_id(&headers)?.or(after);
    let what = Follow {
        filter,
        after,
        max_per_second: rate.map_or(0, |rate| u32::try_from(rate).unwrap_or(u32::MAX)),
        retry: RETRY,
    };
    let mut told = after;
    let tell = move |piece| tell(piece, &mut told);
    Ok(live::follow(&app, &headers, what, tell).await?)
}

/// Each record with its id, and how far the store has looked since. `told` is
/// the `id` of the client's last event; it has none before the first.
fn tell(piece: TailRecordsResponse, told: &mut Option<u64>) -> Vec<Event> {
    let mut events = Vec::with_capacity(piece.records.len() + 1);
    for record in piece.records {
        let record = domain::Record::from(record);
        *told = Some(record.id);
        let event = Event::default().id(record.id.to_string());
        events.push(event.data(render::json_line(&record)));
    }
    let through = piece.through;
    let last = Event::default().id(through.to_string());
    if piece.left_out > 0 {
        let left_out = piece.left_out;
        let view = SampledView { left_out, through };
        let event = last.event("sampled").json_data(view);
        events.push(event.expect("numbers are JSON"));
    } else if Some(through) > *told {
        let event = last.event("progress").json_data(ProgressView { through });
        events.push(event.expect("a number is JSON"));
    }
    *told = Some(through).max(*told);
    events
}
