//! `/api/v1/gaps`: frames that were lost, and declared so.

use axum::{extract::RawQuery, response::Response};
use proto::v1;
use serde::Serialize;

use super::{ApiError, json};
use crate::{
    app::App,
    request::{KnownName, LimitRule, Parameters, Reader, read_count},
};

/// What it can be asked.
pub(super) const PARAMETERS: &[&[KnownName]] = &[&[("limit", "limit")]];
const LIMIT: LimitRule = LimitRule {
    max: 1_000,
    hint: "",
};
const DEFAULT_LIMIT: usize = 50;

#[derive(Serialize)]
struct ListView<'a> {
    gaps: Vec<GapView<'a>>,
}

#[derive(Serialize)]
struct GapView<'a> {
    bridge_id: &'a str,
    first_sequence: u64,
    count: u64,
    reason: &'a str,
    declared_at: String,
}

/// `GET /api/v1/gaps`
pub(crate) async fn list(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let limit = reader.value("limit", |text| read_count(text, LIMIT));
    let limit = u32::try_from(limit.unwrap_or(DEFAULT_LIMIT)).expect("at most 1,000 gaps");
    reader.finish()?;
    let gaps = app.store.gaps(limit).await?;
    Ok(json(&ListView {
        gaps: gaps.iter().map(view).collect(),
    }))
}

fn view(gap: &v1::Gap) -> GapView<'_> {
    GapView {
        bridge_id: &gap.bridge_id,
        first_sequence: gap.first_sequence,
        count: gap.count,
        reason: &gap.reason,
        declared_at: render::rfc3339(gap.declared_us),
    }
}
