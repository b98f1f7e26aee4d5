//! A severity as pages show it.

use domain::{Level, Record};
use render::cut;
use serde::Serialize;

use crate::{pages::view::filtered, request::Parameters};

/// A severity.
#[derive(Debug, Serialize)]
pub(in crate::pages) struct LevelView {
    /// Class in the stylesheet.
    class: String,
    name: String,
    /// Shown when the name alone would mislead.
    number: Option<i32>,
    /// The list from this severity on.
    href: String,
}

impl LevelView {
    /// A record's; the link keeps `parameters`.
    pub(in crate::pages) fn new(record: &Record, parameters: &Parameters) -> Self {
        let level = Level::of(record.level);
        let name = match record.level_name.trim() {
            "" => level.name().to_owned(),
            name => cut::head(name, 24, 1).0.to_owned(),
        };
        let is_plain = record.level == level.number() && name == level.name();
        let least = if record.level == level.number() {
            level.name().to_owned()
        } else {
            record.level.to_string()
        };
        Self {
            class: level.name().to_lowercase(),
            name,
            number: (!is_plain).then_some(record.level),
            href: filtered(parameters, "level", &least),
        }
    }
}
