//! What is shown when there is nothing to show.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use super::{html, layout::Layout};
use crate::{
    api::{RETRY_AFTER_S, status_of},
    app::App,
    store_client::StoreError,
};

#[derive(Serialize)]
struct ProblemView<'a> {
    layout: Layout,
    heading: &'a str,
    message: &'a str,
}

/// A page that says what is wrong. `message` must be a text of ours.
pub(crate) fn respond(app: &App, status: StatusCode, message: &str) -> Response {
    let heading = status.canonical_reason().unwrap_or("Problem");
    let view = ProblemView {
        layout: Layout::new(app, heading),
        heading,
        message,
    };
    html(app, status, "problem.html", &view)
}

/// The same for a store's error; when the store is away, the page asks again
/// by itself.
pub(crate) fn respond_to_store(app: &App, failure: &StoreError) -> Response {
    let status = status_of(failure);
    if status != StatusCode::SERVICE_UNAVAILABLE {
        return respond(app, status, &failure.to_string());
    }
    let heading = "The store does not answer";
    let view = ProblemView {
        layout: Layout::new(app, heading).refreshed_after(RETRY_AFTER_S),
        heading,
        message: "The bridges keep what programs send meanwhile. This page tries again by \
                  itself every 5 seconds and shows the records as soon as the store is back.",
    };
    let mut response = html(app, status, "problem.html", &view);
    let value = HeaderValue::from_static(RETRY_AFTER_S);
    response.headers_mut().insert(header::RETRY_AFTER, value);
    response
}
