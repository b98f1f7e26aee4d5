//! The JSON API. Fields and formats are described in `docs/api.md`.

mod alerts;
pub(crate) mod audit;
mod coverage;
mod dead_letters;
mod exceptions;
mod export;
mod fields;
mod gaps;
mod heartbeats;
mod histogram;
mod openapi;
mod records;
mod saved_searches;
mod status;
mod systems;
mod tail;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use serde::Serialize;

use crate::{
    access::Need,
    app::Site,
    live::LiveError,
    request::{self, KnownName, ParameterError, Parameters},
    store_client::StoreError,
};

/// One address: its path, the parameters it takes, and what answers.
struct Route(
    &'static str,
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "each handler reads its own; the description is held against it"
        )
    )]
    &'static [&'static [KnownName]],
    MethodRouter<Site>,
);

/// Every address of the API.
pub(crate) fn router() -> Router<Site> {
    let add = |router: Router<Site>, Route(path, _, handler)| router.route(path, handler);
    routes().into_iter().fold(Router::new(), add)
}

/// The path of each of them, and what it needs.
pub(crate) fn needs() -> impl Iterator<Item = (&'static str, Need)> {
    let need = |path| match path {
        audit::PATH | audit::EXPORT_PATH => Need::Operator,
        _ => Need::User,
    };
    routes()
        .into_iter()
        .map(move |Route(path, ..)| (path, need(path)))
}

#[rustfmt::skip]
fn routes() -> [Route; 21] {
    [
        Route("/api/v1/records", request::PARAMETERS, get(records::list)),
        Route("/api/v1/records/{id}", &[], get(records::one)),
        Route("/api/v1/records/{id}/context", records::NEIGHBOURHOOD, get(records::context)),
        Route("/api/v1/fields", fields::PARAMETERS, get(fields::show)),
        Route("/api/v1/histogram", histogram::PARAMETERS, get(histogram::show)),
        Route("/api/v1/tail", tail::PARAMETERS, get(tail::follow)),
        Route("/api/v1/export", export::PARAMETERS, get(export::download)),
        Route("/api/v1/systems", systems::PARAMETERS, get(systems::list)),
        Route("/api/v1/exceptions", exceptions::PARAMETERS, get(exceptions::list)),
        Route("/api/v1/dead_letters", dead_letters::PARAMETERS, get(dead_letters::list)),
        Route("/api/v1/gaps", gaps::PARAMETERS, get(gaps::list)),
        Route("/api/v1/alerts", alerts::PARAMETERS, get(alerts::list)),
        Route("/api/v1/alerts/{id}", &[], get(alerts::one)),
        Route("/api/v1/alerts/{id}/acknowledge", &[], change(post(alerts::acknowledge))),
        Route("/api/v1/alerts/{id}/silence", &[], change(post(alerts::silence))),
        Route("/api/v1/heartbeats", &[], get(heartbeats::list)),
        Route("/api/v1/saved_searches", &[], get(saved_searches::list)),
        Route(audit::PATH, audit::PARAMETERS, get(audit::list)),
        Route(audit::EXPORT_PATH, audit::EXPORT_PARAMETERS, get(audit::download)),
        Route("/api/v1/status", &[], get(status::show)),
        Route("/api/v1/openapi.json", &[], get(openapi::show)),
    ]
}

fn change(route: MethodRouter<Site>) -> MethodRouter<Site> {
    route.layer(DefaultBodyLimit::max(alerts::MAX_BODY_BYTES))
}

/// Seconds after which it is worth asking again when the store is away.
pub(crate) const RETRY_AFTER_S: &str = "5";

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// A parameter is wrong.
    Parameter(ParameterError),
    /// The store gave none.
    Store(StoreError),
    /// Too many follow the log.
    Full(LiveError),
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorView<'a>,
}

#[derive(Serialize)]
struct ErrorView<'a> {
    parameter: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Parameter(problem) => respond(
                StatusCode::BAD_REQUEST,
                ErrorView {
                    parameter: Some(&problem.parameter),
                    message: &problem.message,
                    hint: problem.hint.as_deref(),
                    column: problem.column,
                },
            ),
            Self::Store(failure) => store_error(&failure),
            Self::Full(failure) => later(StatusCode::SERVICE_UNAVAILABLE, &failure.to_string()),
        }
    }
}

impl From<ParameterError> for ApiError {
    fn from(problem: ParameterError) -> Self {
        Self::Parameter(problem)
    }
}

impl From<LiveError> for ApiError {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Store(failure) => Self::Store(failure),
            LiveError::Full(_) => Self::Full(error),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An error as JSON.
pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    let view = ErrorView {
        parameter: None,
        message,
        hint: None,
        column: None,
    };
    respond(status, view)
}

fn respond(status: StatusCode, error: ErrorView<'_>) -> Response {
    let mut response = json(&ErrorBody { error });
    *response.status_mut() = status;
    response
}

/// An answer as JSON.
fn json(value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("views have text keys only");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The parameters, if nothing is wrong with them as such.
fn require_sound(parameters: &Parameters) -> Result<(), ApiError> {
    match parameters.problems().first() {
        None => Ok(()),
        Some(problem) => Err(ApiError::Parameter(problem.clone())),
    }
}

fn store_error(failure: &StoreError) -> Response {
    let message = failure.to_string();
    match status_of(failure) {
        status @ StatusCode::SERVICE_UNAVAILABLE => later(status, &message),
        status => error(status, &message),
    }
}

/// An error that passes.
fn later(status: StatusCode, message: &str) -> Response {
    let mut response = error(status, message);
    let value = header::HeaderValue::from_static(RETRY_AFTER_S);
    response.headers_mut().insert(header::RETRY_AFTER, value);
    response
}

/// The status that tells of a store's error.
pub(crate) fn status_of(failure: &StoreError) -> StatusCode {
    match failure {
        StoreError::NoAnswer => StatusCode::SERVICE_UNAVAILABLE,
        StoreError::NotFound => StatusCode::NOT_FOUND,
        StoreError::Limited => StatusCode::FORBIDDEN,
        StoreError::TooLarge | StoreError::Failed => StatusCode::BAD_GATEWAY,
    }
}
