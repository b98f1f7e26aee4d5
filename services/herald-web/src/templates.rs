//! The templates, embedded in the binary. Every text they write is inert by
//! default; nothing has to remember to escape it.

use minijinja::{
    Environment, Error, Output, State, UndefinedBehavior, Value, escape_formatter, value::Serde,
};
use serde::Serialize;

use crate::text;

/// The templates by name.
const TEMPLATES: &[(&str, &str)] = &[
    ("top.html", include_str!("templates/top.html")),
    ("bottom.html", include_str!("templates/bottom.html")),
    ("slow.html", include_str!("templates/slow.html")),
    ("problem.html", include_str!("templates/problem.html")),
    ("log.html", include_str!("templates/log.html")),
    ("log/bar.html", include_str!("templates/log/bar.html")),
    ("log/counts.html", include_str!("templates/log/counts.html")),
    ("log/facet.html", include_str!("templates/log/facet.html")),
    ("log/chips.html", include_str!("templates/log/chips.html")),
    ("log/head.html", include_str!("templates/log/head.html")),
    ("log/saved.html", include_str!("templates/log/saved.html")),
    ("row.html", include_str!("templates/row.html")),
    ("values.html", include_str!("templates/values.html")),
    (
        "values/list.html",
        include_str!("templates/values/list.html"),
    ),
    ("detail.html", include_str!("templates/detail.html")),
    ("note.html", include_str!("templates/note.html")),
    ("exceptions.html", include_str!("templates/exceptions.html")),
    ("help.html", include_str!("templates/help.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("rejected.html", include_str!("templates/rejected.html")),
    ("audit.html", include_str!("templates/audit.html")),
    ("alerts.html", include_str!("templates/alerts.html")),
    (
        "alerts/parts.html",
        include_str!("templates/alerts/parts.html"),
    ),
    ("alerts/one.html", include_str!("templates/alerts/one.html")),
    (
        "alerts/rules.html",
        include_str!("templates/alerts/rules.html"),
    ),
    (
        "alerts/runs.html",
        include_str!("templates/alerts/runs.html"),
    ),
    (
        "alerts/silence.html",
        include_str!("templates/alerts/silence.html"),
    ),
    (
        "alerts/refused.html",
        include_str!("templates/alerts/refused.html"),
    ),
    ("rule.html", include_str!("templates/rule.html")),
    ("status.html", include_str!("templates/status.html")),
    ("systems.html", include_str!("templates/systems.html")),
    ("signin.html", include_str!("templates/signin.html")),
    ("forbidden.html", include_str!("templates/forbidden.html")),
    ("saved.html", include_str!("templates/saved.html")),
    ("tail.html", include_str!("templates/tail.html")),
    ("tail/rows.html", include_str!("templates/tail/rows.html")),
    ("record.html", include_str!("templates/record.html")),
];

/// The templates of all pages.
#[derive(Debug)]
pub(crate) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// Compiles them.
    pub(crate) fn new() -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(write_value);
        environment.add_filter("attribute", |text: &str| {
            Value::from_safe_string(text::attribute(text))
        });
        for (name, text) in TEMPLATES {
            environment.add_template(name, text)?;
        }
        Ok(Self { environment })
    }

    /// Fills in a template.
    ///
    /// # Errors
    /// The view lacks what the template needs.
    pub(crate) fn render(&self, name: &str, view: &impl Serialize) -> Result<String, Error> {
        self.environment.get_template(name)?.render(Serde(view))
    }
}

fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => Ok(text::write_inert(out, text)?),
        _ => escape_formatter(out, state, value),
    }
}
