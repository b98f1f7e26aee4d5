//! Long texts, folded to one line.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{json_text, text};

/// Longest line a text is folded to, in bytes.
const SUMMARY_BYTES: usize = 240;
/// How many keys of `extra` its line names.
const SUMMARY_KEYS: usize = 8;

/// A text that shows one line until somebody opens it.
#[derive(Debug, Serialize)]
pub(super) struct Fold {
    summary: String,
    text: String,
    /// There is more of it than `text`.
    is_cut: bool,
}

impl Fold {
    /// A traceback, folded to its last line; its end is what matters, so a cut
    /// takes off the front.
    pub(super) fn traceback(traceback: &str, max_bytes: usize) -> Option<Self> {
        if traceback.trim().is_empty() {
            return None;
        }
        let (shown, is_whole) = text::tail(traceback.trim_end(), max_bytes);
        Some(Self {
            summary: summary(text::last_line(traceback)),
            text: shown.to_owned(),
            is_cut: !is_whole,
        })
    }

    /// A JSON object, folded to its keys.
    pub(super) fn extra(json: &str, max_bytes: usize) -> Option<Self> {
        if json.is_empty() {
            return None;
        }
        let (shown, is_whole) = text::head(json, max_bytes, usize::MAX);
        Some(Self {
            summary: summary(&keys(json)),
            text: json_text::indent(shown),
            is_cut: !is_whole,
        })
    }
}

fn summary(line: &str) -> String {
    let (shown, is_whole) = text::head(line, SUMMARY_BYTES, 1);
    let dots = if is_whole { "" } else { "…" };
    format!("{shown}{dots}")
}

fn keys(json: &str) -> String {
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(json) else {
        return json.to_owned();
    };
    let mut keys: Vec<_> = object
        .keys()
        .take(SUMMARY_KEYS)
        .map(String::as_str)
        .collect();
    if object.len() > SUMMARY_KEYS {
        keys.push("…");
    }
    keys.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Fold;

    #[test]
    fn a_traceback_keeps_its_end() {
        let check = |text: &str, expected: Option<(&str, &str, bool)>| {
            let fold = Fold::traceback(text, 12);
            let found = fold
                .as_ref()
                .map(|f| (f.summary.as_str(), f.text.as_str(), f.is_cut));
            assert_eq!(found, expected, "{text:?}");
        };
        check("", None);
        check(" \n", None);
        check("KeyError\n", Some(("KeyError", "KeyError", false)));
        check(
            "Traceback:\n  here\nKeyError: 1\n",
            Some(("KeyError: 1", "\nKeyError: 1", true)),
        );
    }

    #[test]
    fn extra_is_folded_to_its_keys() {
        let check = |json: &str, expected: &str| {
            let fold = Fold::extra(json, 1_000).expect("a fold");
            assert_eq!(fold.summary, expected, "{json}");
        };
        check(r#"{"a":1,"b":{"c":2}}"#, "a, b");
        check("no json", "no json");
        check(
            &format!("no json {}", "x".repeat(500)),
            &format!("no json {}…", "x".repeat(232)),
        );
    }
}
