//! What the bytes of a JSON object must have for a condition on it to hold, so
//! that most objects need not be parsed.

use domain::{Decimal, ExtraPath, ExtraTest, TextTest};
use memchr::{memchr, memchr2_iter, memmem::Finder};

/// Texts that an object contains in which a condition holds, as long as it has
/// neither escapes nor numbers with an exponent.
#[derive(Debug)]
pub(in crate::block) struct Hint {
    texts: Vec<Finder<'static>>,
    is_number: bool,
}

impl Hint {
    /// The hint of a condition.
    pub(super) fn of(path: &ExtraPath, test: &ExtraTest) -> Self {
        let mut texts: Vec<&str> = path.0.iter().map(String::as_str).collect();
        let mut is_number = false;
        if let ExtraTest::Text(TextTest::Is(value)) = test {
            match value.parse::<Decimal>() {
                // Equal numbers share the digits of the shortest form.
                Ok(_) if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                    texts.push(value.trim_start_matches('0').trim_end_matches('0'));
                    is_number = true;
                }
                Ok(_) => {}
                Err(_) => texts.push(value),
            }
        }
        let texts = texts.into_iter().filter(|text| !text.is_empty());
        Self {
            texts: texts
                .map(|text| Finder::new(text.as_bytes()).into_owned())
                .collect(),
            is_number,
        }
    }

    /// Whether the condition may hold in an object.
    pub(in crate::block) fn may_hold(&self, object: &str) -> bool {
        let object = object.as_bytes();
        let has = |finder: &Finder<'_>| finder.find(object).is_some();
        self.texts.iter().all(has)
            || memchr(b'\\', object).is_some()
            || self.is_number && has_exponent(object)
    }
}

/// Whether an `e` follows a digit, as it does in 4.711e3.
fn has_exponent(object: &[u8]) -> bool {
    memchr2_iter(b'e', b'E', object).any(|at| at > 0 && object[at - 1].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use domain::{ExtraPath, ExtraTest, TextTest};

    use super::Hint;

    #[test]
    fn what_may_hold_is_parsed() {
        let check = |value: &str, object: &str, expected: bool| {
            let path = ExtraPath(vec!["id".to_owned()]);
            let test = ExtraTest::Text(TextTest::Is(value.to_owned()));
            let may_hold = Hint::of(&path, &test).may_hold(object);
            assert_eq!(may_hold, expected, "{value} {object}");
            assert!(may_hold || !test.passes(object, &path), "{value} {object}");
        };
        check("4711", r#"{"id":4711}"#, true);
        check("4711", r#"{"id":4711.0}"#, true);
        check("4711", r#"{"id":4.711e3}"#, true);
        check("4700", r#"{"id":47e2}"#, true);
        check("04711", r#"{"id":4711}"#, true);
        check("4711", r#"{"id":4712}"#, false);
        check("4711", r#"{"other":4711}"#, false);
        check("0", r#"{"id":0.0}"#, true);
        check("-5", r#"{"id":-5.0}"#, true);
        check("a", r#"{"id":"b"}"#, false);
        check("a", r#"{"id":"\u0061"}"#, true);
        check("a", r#"{"\u0069d":"a"}"#, true);
    }
}
