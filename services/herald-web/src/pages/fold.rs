//! Long texts, folded to one line.

use std::fmt;

use render::cut;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, Visitor},
};

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
        let (shown, is_whole) = cut::tail(traceback.trim_end(), max_bytes);
        Some(Self {
            summary: summary(cut::last_line(traceback)),
            text: shown.to_owned(),
            is_cut: !is_whole,
        })
    }

    /// A JSON object, folded to its keys. Every record of a stock client has the
    /// time since its program's start; alone it is not worth a line.
    pub(super) fn extra(json: &str, max_bytes: usize) -> Option<Self> {
        let keys = keys(json);
        if json.is_empty() || keys == "relativeCreated" {
            return None;
        }
        let (front, is_whole) = cut::head(json, max_bytes, usize::MAX);
        let indented = render::indent(front);
        let (shown, is_shown_whole) = cut::head(&indented, 2 * max_bytes, usize::MAX);
        Some(Self {
            summary: summary(&keys),
            text: shown.to_owned(),
            is_cut: !(is_whole && is_shown_whole),
        })
    }
}

fn summary(line: &str) -> String {
    let (shown, is_whole) = cut::head(line, SUMMARY_BYTES, 1);
    let dots = if is_whole { "" } else { "…" };
    format!("{shown}{dots}")
}

fn keys(json: &str) -> String {
    let Ok(Keys(mut keys)) = serde_json::from_str(json) else {
        return json.to_owned();
    };
    if keys.len() > SUMMARY_KEYS {
        keys.truncate(SUMMARY_KEYS);
        keys.push("…".to_owned());
    }
    keys.join(", ")
}

/// The keys of an object in their order, up to one more than are shown.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut keys = Vec::new();
        while let Some((key, IgnoredAny)) = map.next_entry::<String, _>()? {
            if keys.len() <= SUMMARY_KEYS {
                keys.push(key);
            }
        }
        Ok(Keys(keys))
    }
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
        assert!(Fold::extra(r#"{"relativeCreated":12.5}"#, 1_000).is_none());
        check(r#"{"b":1,"a":{"c":2}}"#, "b, a");
        check(
            r#"{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9}"#,
            "1, 2, 3, 4, 5, 6, 7, 8, …",
        );
        check("no json", "no json");
        check(
            &format!("no json {}", "x".repeat(500)),
            &format!("no json {}…", "x".repeat(232)),
        );
    }
}
