//! Forms that change something: what they send, from whom it is taken, and what
//! tells a browser's form from anybody else's.

use axum::{
    body::Bytes,
    extract::rejection::BytesRejection,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::Response,
};

use super::problem;
use crate::{
    app::App,
    changes::Token,
    store_client::{ChangeFailure, StoreError},
};

/// What a form of this site may send, in bytes.
pub(crate) const MAX_FORM_BYTES: usize = 64 << 10;

/// What a form has sent.
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// A form of ours, from somebody who may change something.
    pub(super) fn read(
        app: &App,
        uri: &Uri,
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<Self, Box<Response>> {
        let form = Self::of_anybody(app, body)?;
        match app.guard.check(&app.who, uri, headers, form.get("token")) {
            Ok(()) => Ok(form),
            Err(error) => Err(refusal(app, StatusCode::FORBIDDEN, &error.to_string())),
        }
    }

    /// A form that says by itself that what it asks for is allowed.
    pub(super) fn of_anybody(
        app: &App,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<Self, Box<Response>> {
        let body = body.map_err(|rejection| match rejection.status() {
            status @ StatusCode::PAYLOAD_TOO_LARGE => {
                let message = format!("a form has at most {MAX_FORM_BYTES} bytes");
                refusal(app, status, &message)
            }
            status => refusal(app, status, "the form did not come whole"),
        })?;
        let fields = form_urlencoded::parse(&body).into_owned().collect();
        Ok(Self { fields })
    }

    /// A field, or nothing.
    pub(super) fn get(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(known, _)| known == name);
        field.map_or("", |(_, value)| value)
    }
}

pub(super) fn refusal(app: &App, status: StatusCode, message: &str) -> Box<Response> {
    Box::new(problem::respond(app, status, message))
}

/// What a page with forms needs to know of who looks at it.
pub(super) struct Visitor {
    pub(super) token: Token,
    /// Why nothing can be changed here.
    pub(super) why_read_only: Option<String>,
}

impl Visitor {
    pub(super) fn new(app: &App, uri: &Uri, headers: &HeaderMap) -> Self {
        let place = app.guard.check_place(&app.who, uri, headers);
        Self {
            token: app.guard.token(&app.who, headers),
            why_read_only: place.err().map(|error| error.to_string()),
        }
    }

    /// Gives the browser its token with an answer, if it has none yet.
    pub(super) fn with_cookie(cookie: Option<String>, mut response: Response) -> Response {
        if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// The status that tells why something was not changed.
pub(crate) fn status_of(failure: &ChangeFailure) -> StatusCode {
    match failure {
        ChangeFailure::Taken(_) => StatusCode::CONFLICT,
        ChangeFailure::Missing(_) => StatusCode::NOT_FOUND,
        ChangeFailure::Refused(_) => StatusCode::BAD_REQUEST,
        ChangeFailure::Store(StoreError::NoAnswer) => StatusCode::SERVICE_UNAVAILABLE,
        ChangeFailure::Store(StoreError::Limited) => StatusCode::FORBIDDEN,
        ChangeFailure::Store(_) => StatusCode::BAD_GATEWAY,
    }
}
