//! What every page has around its content.

use domain::Stage;
use serde::Serialize;

use crate::app::App;

/// The frame of a page.
#[derive(Debug, Serialize)]
pub(super) struct Layout {
    title: String,
    stage: &'static str,
    stage_class: &'static str,
    stylesheet: String,
    icon: String,
    version: &'static str,
    /// Seconds until the page loads itself anew.
    refresh_s: Option<&'static str>,
}

impl Layout {
    /// `title` must be a text of ours, not of a record.
    pub(super) fn new(app: &App, title: impl Into<String>) -> Self {
        let (stage_class, colour) = look(app.stage);
        Self {
            title: title.into(),
            stage: app.stage.name(),
            stage_class,
            stylesheet: format!("/static/{}", app.stylesheet),
            icon: format!(
                "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
                 %3Crect width='16' height='16' rx='3' fill='%23{colour}'/%3E\
                 %3Cpath d='M3.5 4.5h9M3.5 8h6M3.5 11.5h7.5' stroke='%23fff' stroke-width='1.6'/%3E%3C/svg%3E"
            ),
            version: env!("CARGO_PKG_VERSION"),
            refresh_s: None,
        }
    }

    /// The page loads itself anew after so many seconds.
    pub(super) fn refreshed_after(self, seconds: &'static str) -> Self {
        Self {
            refresh_s: Some(seconds),
            ..self
        }
    }
}

/// A stage's class in the stylesheet and the colour of its icon.
fn look(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Testing => ("testing", "6b4fbb"),
        Stage::Development => ("development", "1f6fb2"),
        Stage::Integration => ("integration", "0f766e"),
        Stage::Production => ("production", "b3141d"),
    }
}
