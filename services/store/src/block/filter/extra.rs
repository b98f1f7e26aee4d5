//! Which values of `extra` have keys.

use std::borrow::Cow;

use domain::Decimal;

/// Values deeper than so many keys have none.
pub(in crate::block) const EXTRA_DEPTH: usize = 4;
/// Of a record with more values than these, the rest has none.
pub(in crate::block) const EXTRA_VALUES: usize = 64;
/// Longer values have none.
const MAX_LEN: usize = 256;

/// The text that stands for a value and all that are equal to it: whole numbers
/// in full, so that `4711`, `"4711"` and `4711.0` share one. None for what has
/// no key: long texts, and numbers with a fraction, which are measurements that
/// nobody looks for.
pub(in crate::block) fn extra_text(value: &str) -> Option<Cow<'_, str>> {
    if value.len() > MAX_LEN {
        return None;
    }
    let may_be_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.');
    if !value.as_bytes().first().is_some_and(may_be_number) {
        return Some(Cow::Borrowed(value));
    }
    let is_plain = value.len() < 20
        && value.bytes().all(|byte| byte.is_ascii_digit())
        && (value.len() == 1 || !value.starts_with('0'));
    if is_plain {
        return Some(Cow::Borrowed(value));
    }
    match value.parse::<Decimal>() {
        Ok(number) => {
            let text = number.to_string();
            (!text.contains('.')).then_some(Cow::Owned(text))
        }
        Err(_) => Some(Cow::Borrowed(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::extra_text;

    #[test]
    fn equal_values_share_a_text() {
        let check = |value: &str, expected: Option<&str>| {
            assert_eq!(extra_text(value).as_deref(), expected, "{value}");
        };
        check("4711", Some("4711"));
        check("4711.0", Some("4711"));
        check("04711", Some("4711"));
        check("-0", Some("0"));
        check("0", Some("0"));
        check("1.5", None);
        check("1e400", None);
        check("10.0.0.7", Some("10.0.0.7"));
        check("abc", Some("abc"));
        check("", Some(""));
        check(&"x".repeat(300), None);
    }
}
