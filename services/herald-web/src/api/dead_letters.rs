//! `/api/v1/dead_letters`: frames that could not become records.

use axum::{extract::RawQuery, response::Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;

use super::{ApiError, json};
use crate::{
    app::App,
    request::{KnownName, LimitRule, Parameters, Reader, read_count, read_id},
    store_client::StoredDeadLetter,
};

/// What it can be asked.
pub(super) const PARAMETERS: &[&[KnownName]] = &[OWN];
const OWN: &[KnownName] = &[("limit", "limit"), ("before", "before")];
/// A letter has up to 64 KiB of its frame.
const LIMIT: LimitRule = LimitRule {
    max: 100,
    hint: "; go on with `next` of the answer",
};
const DEFAULT_LIMIT: usize = 50;

#[derive(Serialize)]
struct ListView<'a> {
    dead_letters: Vec<DeadLetterView<'a>>,
    next: Option<u64>,
}

#[derive(Serialize)]
struct DeadLetterView<'a> {
    id: u64,
    received_at: String,
    peer: &'a str,
    reason: &'a str,
    size_bytes: u64,
    sha256: String,
    head_base64: String,
    bridge_id: &'a str,
    sequence: u64,
}

/// `GET /api/v1/dead_letters`
pub(crate) async fn list(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let limit = reader.value("limit", |text| read_count(text, LIMIT));
    let limit = u32::try_from(limit.unwrap_or(DEFAULT_LIMIT)).expect("at most 100 letters");
    let before = reader.value("before", read_id).unwrap_or(0);
    reader.finish()?;
    let (letters, next) = app.store.dead_letters(limit, before).await?;
    Ok(json(&ListView {
        dead_letters: letters.iter().map(view).collect(),
        next,
    }))
}

fn view(stored: &StoredDeadLetter) -> DeadLetterView<'_> {
    let letter = &stored.letter;
    DeadLetterView {
        id: letter.id,
        received_at: render::rfc3339(letter.received_us),
        peer: &letter.peer,
        reason: &letter.reason,
        size_bytes: letter.size_bytes,
        sha256: letter
            .sha256
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        head_base64: BASE64_STANDARD.encode(&letter.head),
        bridge_id: &stored.bridge_id,
        sequence: stored.sequence,
    }
}
