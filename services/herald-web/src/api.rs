//! The JSON API. Fields and formats are described in `docs/api.md`.

pub(crate) mod dead_letters;
pub(crate) mod records;
pub(crate) mod status;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    query::{ParameterError, Parameters},
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
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorView<'a>,
}

#[derive(Serialize)]
struct ErrorView<'a> {
    parameter: Option<&'a str>,
    message: &'a str,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Parameter(problem) => error(
                StatusCode::BAD_REQUEST,
                Some(&problem.parameter),
                &problem.message,
            ),
            Self::Store(failure) => store_error(&failure),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An error as JSON.
pub(crate) fn error(status: StatusCode, parameter: Option<&str>, message: &str) -> Response {
    let body = ErrorBody {
        error: ErrorView { parameter, message },
    };
    let mut response = json(&body);
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
    let status = status_of(failure);
    let mut response = error(status, None, &message);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let value = header::HeaderValue::from_static(RETRY_AFTER_S);
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
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
