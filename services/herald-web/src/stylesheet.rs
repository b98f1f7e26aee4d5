//! The stylesheet, embedded, under a name that changes with its content: it may
//! be kept for ever.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

const CSS: &str = include_str!("static/herald.css");

/// The file name in `/static/`.
pub(crate) fn name() -> String {
    let hash = Sha256::digest(CSS.as_bytes());
    let hash: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("herald-{hash}.css")
}

/// Answers a request for `asked` when the stylesheet is called `name` now.
pub(crate) fn respond(asked: &str, name: &str) -> Response {
    if asked != name {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, CSS).into_response()
}
