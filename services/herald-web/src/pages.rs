//! The HTML pages.

mod fold;
mod layout;
pub(crate) mod log;
pub(crate) mod problem;
pub(crate) mod record;
mod row;

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use tracing::error;

use crate::app::App;

/// A filled-in template as an answer.
fn html(app: &App, status: StatusCode, template: &str, view: &impl Serialize) -> Response {
    match app.templates.render(template, view) {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => {
            error!(template, %error, "template not rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
