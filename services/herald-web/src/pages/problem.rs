//! What is shown when there is nothing to show.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

use super::{
    layout::Layout,
    page::{Page, PageError, fill},
};
use crate::{
    api::{RETRY_AFTER_S, status_of},
    app::App,
    store_client::StoreError,
};

#[derive(Serialize)]
struct ProblemView<'a> {
    heading: &'a str,
    message: &'a str,
    /// Seconds after which the page loads itself anew.
    retry_s: Option<&'a str>,
}

#[derive(Serialize)]
struct Note<'a> {
    message: &'a str,
}

/// A page that says what is wrong. `message` must be a text of ours.
pub(crate) fn respond(app: &App, status: StatusCode, message: &str) -> Response {
    let heading = status.canonical_reason().unwrap_or("Problem");
    let view = ProblemView {
        heading,
        message,
        retry_s: None,
    };
    page(app, status, &view)
}

/// The same for a failure; when the store is away, the page asks again by itself.
pub(super) fn respond_to(app: &App, failure: &PageError) -> Response {
    match failure {
        PageError::Template => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        PageError::Missing(message) => respond(app, StatusCode::NOT_FOUND, message),
        PageError::Store(failure) => respond_to_store(app, failure),
    }
}

/// The same for a store's error.
pub(crate) fn respond_to_store(app: &App, failure: &StoreError) -> Response {
    let status = status_of(failure);
    if status != StatusCode::SERVICE_UNAVAILABLE {
        return respond(app, status, &failure.to_string());
    }
    let mut response = page(app, status, &away());
    let value = HeaderValue::from_static(RETRY_AFTER_S);
    response.headers_mut().insert(header::RETRY_AFTER, value);
    response
}

/// What stands instead of content that was to come.
pub(super) fn part(app: &App, failure: &PageError) -> String {
    let message;
    let view = match failure {
        PageError::Store(StoreError::NoAnswer) => away(),
        PageError::Store(failure) => {
            message = failure.to_string();
            ProblemView {
                heading: "Problem",
                message: &message,
                retry_s: None,
            }
        }
        PageError::Missing(message) => ProblemView {
            heading: "Not Found",
            message,
            retry_s: None,
        },
        PageError::Template => ProblemView {
            heading: "Problem",
            message: "this page cannot be shown",
            retry_s: None,
        },
    };
    fill(app, "problem.html", &view).unwrap_or_default()
}

/// What stands in a part of a page that a script asked for.
pub(super) fn respond_in_place(app: &App, failure: &PageError) -> Response {
    let (status, message) = match failure {
        PageError::Store(failure) => (status_of(failure), failure.to_string()),
        PageError::Missing(message) => (StatusCode::NOT_FOUND, message.clone()),
        PageError::Template => {
            let message = "the page has a defect".to_owned();
            (StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    };
    (status, Html(note(app, &message))).into_response()
}

/// What a script puts in a page. `message` must be a text of ours.
pub(super) fn note(app: &App, message: &str) -> String {
    fill(app, "note.html", &Note { message }).unwrap_or_default()
}

fn away() -> ProblemView<'static> {
    ProblemView {
        heading: "The store does not answer",
        message: "The bridges keep what programs send meanwhile. This page tries again by \
                  itself every 5 seconds and shows the records as soon as the store is back.",
        retry_s: Some(RETRY_AFTER_S),
    }
}

fn page(app: &App, status: StatusCode, view: &ProblemView<'_>) -> Response {
    match fill(app, "problem.html", view) {
        Ok(main) => Page::new(app, Layout::new(app, view.heading)).whole(status, &main),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
