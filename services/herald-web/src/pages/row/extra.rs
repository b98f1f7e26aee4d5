//! What else a record carries, in one line: keys with their values as they are.

use std::fmt;

use render::cut;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// How many entries a row shows.
const MAX_ENTRIES: usize = 6;
/// Longest key and longest value, in bytes.
const MAX_KEY_BYTES: usize = 40;
const MAX_VALUE_BYTES: usize = 60;
/// What every record of a stock client has: the time since its program's start.
const OF_EVERY_RECORD: &str = "relativeCreated";

/// A key and its value, both cut to what a line takes.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    key: String,
    value: String,
}

/// The first entries of a JSON object; none of what is no object.
pub(super) fn entries(json: &str) -> Vec<Entry> {
    let entries: Option<Entries> = serde_json::from_str(json).ok();
    entries.map(|entries| entries.0).unwrap_or_default()
}

struct Entries(Vec<Entry>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
            if key == OF_EVERY_RECORD || entries.len() > MAX_ENTRIES {
                continue;
            }
            entries.push(if entries.len() == MAX_ENTRIES {
                Entry {
                    key: "…".to_owned(),
                    value: String::new(),
                }
            } else {
                Entry {
                    key: short(&key, MAX_KEY_BYTES),
                    value: shown(value.get()),
                }
            });
        }
        Ok(Entries(entries))
    }
}

/// A text without its quotes; of what holds others, its kind.
fn shown(json: &str) -> String {
    match json.as_bytes().first() {
        Some(b'{') if json != "{}" => "{…}".to_owned(),
        Some(b'[') if json.len() > MAX_VALUE_BYTES => "[…]".to_owned(),
        Some(b'"') => {
            let text = serde_json::from_str(json).unwrap_or_else(|_| json.to_owned());
            short(&text, MAX_VALUE_BYTES)
        }
        _ => short(json, MAX_VALUE_BYTES),
    }
}

fn short(text: &str, max_bytes: usize) -> String {
    let (shown, is_whole) = cut::head(text, max_bytes, 1);
    let dots = if is_whole { "" } else { "…" };
    format!("{shown}{dots}")
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn entries_are_shown_in_their_order() {
        let check = |json: &str, expected: &str| {
            let entries = entries(json);
            let shown: Vec<_> = entries
                .iter()
                .map(|entry| format!("{}={}", entry.key, entry.value))
                .collect();
            assert_eq!(shown.join(" "), expected, "{json}");
        };
        check(r#"{"b":1.10,"a":"x y"}"#, "b=1.10 a=x y");
        check(r#"{"relativeCreated":12.5}"#, "");
        check(r#"{"a":{"b":1},"c":[1,2],"d":{}}"#, "a={…} c=[1,2] d={}");
        check(
            r#"{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8}"#,
            "1=1 2=2 3=3 4=4 5=5 6=6 …=",
        );
        check(
            &format!(r#"{{"a":"{}\nb"}}"#, "x".repeat(100)),
            &format!("a={}…", "x".repeat(60)),
        );
        check("no json", "");
        check("", "");
    }
}
