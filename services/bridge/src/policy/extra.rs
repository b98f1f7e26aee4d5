//! What of `extra` may leave: the paths that are allowed, without what is masked.
//! Keys are texts like any other, and numbers are masked as they are written.

use domain::{ExtraPath, ExtraValue, entries, items};

use super::{Hit, mask::Masks};

const FIELD: &str = "extra";
/// What lies deeper does not leave.
const DEPTH: usize = 64;

/// A JSON object with the values at these paths, or all for `None`, masked. Empty
/// when nothing is left, or for what is no JSON object.
pub(super) fn redacted(
    json: &str,
    paths: Option<&[ExtraPath]>,
    masks: &Masks,
    hits: &mut Vec<Hit>,
) -> String {
    let mut writer = Writer {
        masks,
        hits,
        out: String::with_capacity(json.len()),
    };
    let paths: Option<Vec<&[String]>> =
        paths.map(|paths| paths.iter().map(|path| &path.0[..]).collect());
    let json = json.trim();
    match json.starts_with('{') && writer.value(json, paths.as_deref(), 0) {
        true => writer.out,
        false => String::new(),
    }
}

struct Writer<'w> {
    masks: &'w Masks,
    hits: &'w mut Vec<Hit>,
    out: String,
}

impl Writer<'_> {
    /// Writes what of a value may leave; `false` when that is nothing, and then
    /// nothing is written.
    fn value(&mut self, raw: &str, paths: Option<&[&[String]]>, depth: usize) -> bool {
        // A path that ends here takes all that is below.
        let paths = paths.filter(|paths| paths.iter().all(|path| !path.is_empty()));
        if depth > DEPTH {
            return false;
        }
        match raw.as_bytes().first() {
            Some(b'{') => self.object(raw, paths, depth),
            Some(b'[') => self.array(raw, paths, depth),
            _ if paths.is_some() => false,
            _ => self.scalar(raw),
        }
    }

    fn object(&mut self, raw: &str, paths: Option<&[&[String]]>, depth: usize) -> bool {
        let begin = self.out.len();
        self.out.push('{');
        let mut is_empty = true;
        for (key, value) in entries(raw) {
            let below: Option<Vec<&[String]>> = paths.map(|paths| {
                let matching = paths.iter().filter(|path| path[0] == key);
                matching.map(|path| &path[1..]).collect()
            });
            if below.as_ref().is_some_and(Vec::is_empty) {
                continue;
            }
            let before = self.out.len();
            if !is_empty {
                self.out.push(',');
            }
            self.text(&key);
            self.out.push(':');
            let is_written = match self.masks.whole_value(&key) {
                Some((mask, replacement)) => {
                    let instead = serde_json::Value::from(replacement).to_string();
                    if value != instead {
                        self.hits.push(Hit { mask, field: FIELD });
                    }
                    self.out.push_str(&instead);
                    true
                }
                None => self.value(value, below.as_deref(), depth + 1),
            };
            match is_written {
                true => is_empty = false,
                false => self.out.truncate(before),
            }
        }
        self.end(begin, '}', is_empty && (paths.is_some() || depth == 0))
    }

    fn array(&mut self, raw: &str, paths: Option<&[&[String]]>, depth: usize) -> bool {
        let begin = self.out.len();
        self.out.push('[');
        let mut is_empty = true;
        for item in items(raw) {
            let before = self.out.len();
            if !is_empty {
                self.out.push(',');
            }
            match self.value(item, paths, depth + 1) {
                true => is_empty = false,
                false => self.out.truncate(before),
            }
        }
        self.end(begin, ']', is_empty && paths.is_some())
    }

    fn end(&mut self, begin: usize, closing: char, is_nothing: bool) -> bool {
        match is_nothing {
            true => self.out.truncate(begin),
            false => self.out.push(closing),
        }
        !is_nothing
    }

    fn scalar(&mut self, raw: &str) -> bool {
        let Some(value) = ExtraValue::of(raw) else {
            return false;
        };
        let is_text = matches!(value, ExtraValue::Text(_));
        let hits = &mut *self.hits;
        let masked = self.masks.apply(value.text(), &mut |mask| {
            hits.push(Hit { mask, field: FIELD })
        });
        match !is_text && masked == raw {
            true => self.out.push_str(raw),
            false => self.quoted(&masked),
        }
        true
    }

    fn text(&mut self, text: &str) {
        let hits = &mut *self.hits;
        let masked = self
            .masks
            .apply(text, &mut |mask| hits.push(Hit { mask, field: FIELD }));
        self.quoted(&masked);
    }

    fn quoted(&mut self, text: &str) {
        self.out
            .push_str(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::super::{mask::Mask, preset};
    use super::*;

    fn check(json: &str, paths: Option<&[&str]>, expected: &str) {
        let mut masks = vec![Mask::new("own", "hidden", "[own]").unwrap()];
        masks.extend(preset::masks("card").unwrap());
        masks.extend(preset::masks("password").unwrap());
        let masks = Masks::new(masks).unwrap();
        let paths: Option<Vec<ExtraPath>> = paths.map(|paths| {
            let path = |path: &&str| ExtraPath(path.split('.').map(str::to_owned).collect());
            paths.iter().map(path).collect()
        });
        let redacted = redacted(json, paths.as_deref(), &masks, &mut Vec::new());
        assert_eq!(redacted, expected);
    }

    #[test]
    fn only_allowed_paths_are_left() {
        let json = r#"{"a":1,"b":{"c":"x","d":[{"e":2,"f":3},{"f":4},5]},"g":null}"#;
        check(json, None, json);
        check(json, Some(&["a"]), r#"{"a":1}"#);
        check(json, Some(&["b.c", "g"]), r#"{"b":{"c":"x"},"g":null}"#);
        check(json, Some(&["b.d.e"]), r#"{"b":{"d":[{"e":2}]}}"#);
        check(
            json,
            Some(&["b"]),
            r#"{"b":{"c":"x","d":[{"e":2,"f":3},{"f":4},5]}}"#,
        );
        check(json, Some(&["a.x", "c"]), "");
        check(json, Some(&[]), "");
        check("[1]", None, "");
        check("rubbish", None, "");
        check("{}", None, "");
    }

    #[test]
    fn keys_texts_and_numbers_are_masked() {
        check(
            r#"{"hidden key":"is \u0068idden"}"#,
            None,
            r#"{"[own] key":"is [own]"}"#,
        );
        check(r#"{"n":4111111111111111}"#, None, r#"{"n":"[card]"}"#);
        check(
            r#"{"n":[1.50,98765432101]}"#,
            None,
            r#"{"n":[1.50,98765432101]}"#,
        );
        check(
            r#"{"db_password":{"a":[1]},"x":"y"}"#,
            None,
            r#"{"db_password":"[password]","x":"y"}"#,
        );
    }

    #[test]
    fn what_lies_too_deep_does_not_leave() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
        let mut hits = Vec::new();
        let left = redacted(&deep, None, &Masks::default(), &mut hits);
        assert!(!left.contains('1'), "{left}");
    }
}
