//! The JSON API. Fields and formats are described in `docs/api.md`.

mod coverage;
pub(crate) mod dead_letters;
pub(crate) mod exceptions;
pub(crate) mod export;
pub(crate) mod fields;
pub(crate) mod histogram;
pub(crate) mod records;
pub(crate) mod status;
pub(crate) mod systems;
pub(crate) mod tail;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    live::LiveError,
    request::{ParameterError, Parameters},
    store_client::StoreError,
};

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
        StoreError::TooLarge | StoreError::Failed => StatusCode::BAD_GATEWAY,
    }
}
