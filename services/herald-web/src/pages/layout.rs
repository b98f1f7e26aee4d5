//! What every page has around its content.

use domain::Stage;
use serde::Serialize;

use crate::app::App;

/// The pages that the header leads to.
const NAVIGATION: &[(&str, &str)] = &[
    ("/", "Log"),
    ("/systems", "Systems"),
    ("/exceptions", "Exceptions"),
    ("/rejected", "Rejected"),
    ("/status", "Status"),
    ("/help", "Help"),
];

/// The frame of a page.
#[derive(Debug, Serialize)]
pub(super) struct Layout {
    title: String,
    stage: &'static str,
    stage_class: &'static str,
    navigation: Vec<Entry>,
    stylesheet: String,
    script: String,
    /// What `script` imports.
    modules: Vec<String>,
    icon: String,
    version: &'static str,
    /// The class of `<main>`.
    style: &'static str,
}

#[derive(Debug, Serialize)]
struct Entry {
    href: &'static str,
    label: &'static str,
    is_here: bool,
}

impl Layout {
    /// `title` must be a text of ours, not of a record.
    pub(super) fn new(app: &App, title: impl Into<String>) -> Self {
        let (stage_class, colour) = look(app.stage);
        let entry = |(href, label): &(&'static str, &'static str)| Entry {
            href,
            label,
            is_here: false,
        };
        Self {
            title: title.into(),
            stage: app.stage.name(),
            stage_class,
            navigation: NAVIGATION.iter().map(entry).collect(),
            stylesheet: app.assets.stylesheet(),
            script: app.assets.script(),
            modules: app.assets.modules(),
            icon: format!(
                "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
                 %3Crect width='16' height='16' rx='3' fill='%23{colour}'/%3E\
                 %3Cpath d='M3.5 4.5h9M3.5 8h6M3.5 11.5h7.5' stroke='%23fff' stroke-width='1.6'/%3E%3C/svg%3E"
            ),
            version: env!("CARGO_PKG_VERSION"),
            style: "",
        }
    }

    /// Gives `<main>` a class.
    pub(super) fn styled(self, style: &'static str) -> Self {
        Self { style, ..self }
    }

    /// Marks the page's entry in the navigation.
    pub(super) fn at(mut self, href: &str) -> Self {
        for entry in &mut self.navigation {
            entry.is_here = entry.href == href;
        }
        self
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
