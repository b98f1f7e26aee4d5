//! Colours, where they are wanted.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use domain::Level;
use runtime::config::Vars;

/// When to write in colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM is `dumb`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether stdout gets colours.
    pub(crate) fn is_on(self, vars: &Vars) -> bool {
        self.decide(vars, io::stdout().is_terminal())
    }

    fn decide(self, vars: &Vars, is_terminal: bool) -> bool {
        let var = |name: &str| vars.iter().find(|(key, _)| key == name);
        let is_refused = var("NO_COLOR").is_some_and(|(_, value)| !value.is_empty())
            || var("TERM").is_some_and(|(_, value)| value == "dumb");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => is_terminal && !is_refused,
        }
    }
}

/// What a text is, for the choice of its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Beside the point.
    Aside,
    /// Of this severity.
    Severity(Level),
    /// What was looked for.
    Match,
}

/// Appends a text, in the colour of its role if colours are on. The text must
/// be inert already.
pub(crate) fn paint(out: &mut String, is_on: bool, role: Role, text: &str) {
    if !is_on || text.is_empty() {
        return out.push_str(text);
    }
    let code = match role {
        Role::Aside | Role::Severity(Level::Debug) => "2",
        Role::Severity(Level::Info) => "32",
        Role::Severity(Level::Warning) => "33",
        Role::Severity(Level::Error) => "1;31",
        Role::Severity(Level::Critical) => "1;37;41",
        Role::Match => "30;43",
    };
    out.push_str(&format!("\x1b[{code}m{text}\x1b[0m"));
}

#[cfg(test)]
mod tests {
    use domain::Level;

    use super::{Color, Role, paint};

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let check = |color: Color, var: (&str, &str), is_terminal, expected| {
            let vars = vec![(var.0.to_owned(), var.1.to_owned())];
            assert_eq!(
                color.decide(&vars, is_terminal),
                expected,
                "{color:?} {var:?}"
            );
        };
        check(Color::Auto, ("TERM", "xterm"), true, true);
        check(Color::Auto, ("TERM", "xterm"), false, false);
        check(Color::Auto, ("TERM", "dumb"), true, false);
        check(Color::Auto, ("NO_COLOR", "1"), true, false);
        check(Color::Auto, ("NO_COLOR", ""), true, true);
        check(Color::Always, ("NO_COLOR", "1"), false, true);
        check(Color::Never, ("TERM", "xterm"), true, false);
    }

    #[test]
    fn a_colour_ends_with_its_text() {
        let painted = |is_on, text| {
            let mut out = String::new();
            paint(&mut out, is_on, Role::Severity(Level::Warning), text);
            out
        };
        assert_eq!(painted(true, "x"), "\x1b[33mx\x1b[0m");
        assert_eq!(painted(false, "x"), "x");
        assert_eq!(painted(true, ""), "");
    }
}
