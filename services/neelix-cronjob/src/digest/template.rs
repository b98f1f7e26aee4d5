//! The templates of mails, embedded in the binary. Every text they write can
//! steer nothing, and in HTML is no markup; nothing has to remember that.

use std::{borrow::Cow, sync::LazyLock};

use minijinja::{
    AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value, escape_formatter,
    syntax::SyntaxConfig, value::Serde,
};
use render::terminal;

use super::view::View;

const TEMPLATES: [(&str, &str); 4] = [
    ("mail.txt", include_str!("templates/mail.txt")),
    ("mail.html", include_str!("templates/mail.html")),
    ("record.txt", include_str!("templates/record.txt")),
    ("record.html", include_str!("templates/record.html")),
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(syntax());
    environment.set_formatter(write_value);
    environment.add_filter("indent_by", indent);
    environment.add_filter("wide", |text: &str, width: usize| format!("{text:<width$}"));
    for (name, text) in TEMPLATES {
        let added = environment.add_template(name, text);
        added.expect("the templates of the binary compile");
    }
    environment
});

/// The text part.
pub(super) fn text(view: &View<'_>) -> String {
    fill_in("mail.txt", view)
}

/// The HTML part.
pub(super) fn html(view: &View<'_>) -> String {
    fill_in("mail.html", view)
}

fn fill_in(name: &str, view: &View<'_>) -> String {
    let template = ENVIRONMENT.get_template(name);
    let filled = template.and_then(|template| template.render(Serde(view)));
    filled.expect("the view has what its template names")
}

/// A line with nothing but a statement leaves nothing behind.
fn syntax() -> SyntaxConfig {
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    syntax.expect("the delimiters are the usual ones")
}

/// Each line moved to the right.
fn indent(text: &str, width: usize) -> String {
    let margin = " ".repeat(width);
    let lines: Vec<String> = text.lines().map(|line| format!("{margin}{line}")).collect();
    lines.join("\n")
}

fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let Some(text) = value.as_str().filter(|_| !value.is_safe()) else {
        return escape_formatter(out, state, value);
    };
    let inert = terminal::text(text);
    let written = match state.auto_escape() {
        AutoEscape::Html => escaped(&inert),
        _ => inert,
    };
    Ok(out.write_str(&written)?)
}

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '>', '&', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
