//! `/api/v1/saved_searches`: views of the log with a name.

use axum::{extract::RawQuery, response::Response};
use serde::Serialize;

use super::{ApiError, json, require_sound};
use crate::{app::App, request::Parameters};

#[derive(Serialize)]
struct SearchesView {
    saved_searches: Vec<SearchView>,
}

#[derive(Serialize)]
struct SearchView {
    name: String,
    query: String,
    created_at: String,
    updated_at: String,
}

/// `GET /api/v1/saved_searches`
pub(crate) async fn list(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    require_sound(&Parameters::read(query.as_deref(), &[]))?;
    let searches = app.store.saved_searches().await?.into_iter();
    let saved_searches = searches.map(|search| SearchView {
        name: search.name.into(),
        query: search.query.into(),
        created_at: render::rfc3339(search.created_us),
        updated_at: render::rfc3339(search.updated_us),
    });
    Ok(json(&SearchesView {
        saved_searches: saved_searches.collect(),
    }))
}
