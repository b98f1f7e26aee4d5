//! JSON as Python writes it, and JSON that nobody should.

use super::{JsonError, parse};
use crate::decode::{limit::Exceeded, shown_as_json};

fn check(json: &str, expected: &str) {
    let (document, outermost) = parse(json.as_bytes()).expect("JSON");
    let shown = shown_as_json(&document, outermost, 8192).expect("within limits");
    assert_eq!(shown, expected, "{json}");
}

fn refuse(json: &str, expected: &JsonError) {
    let found = parse(json.as_bytes()).expect_err("no JSON");
    assert_eq!(found, *expected, "{json}");
}

#[test]
fn values_survive() {
    let same = |json| check(json, json);
    same("null");
    same("true");
    same("false");
    same("0");
    same("-1");
    same("18446744073709551615");
    same("1.5");
    same("-0.0");
    same("\"\"");
    same("\"grün 😀\"");
    same(r#""\"\\\n\r\t\u0000""#);
    same("[]");
    same("{}");
    same(r#"[1,[2,{"a":[]}],{"b":{"c":null},"d":[3]}]"#);
    check(" { \"a\" : [ 1 , 2 ] \r\n} ", r#"{"a":[1,2]}"#);
    check("1e400", "\"inf\"");
    check("1E2", "100.0");
    check("NaN", "\"nan\"");
    check("[Infinity,-Infinity]", "[\"inf\",\"-inf\"]");
    check("18446744073709551616", "\"18446744073709551616\"");
    check("-9223372036854775809", "\"-9223372036854775809\"");
    check(r#""\u00fc\ud83d\ude00\/\b\f""#, "\"ü😀/\\u0008\\u000c\"");
    check(r#""\ud83d x \udcff""#, r#""\\ud83d x \\udcff""#);
    check(r#""\ud83d\ud83d\ude00""#, r#""\\ud83d😀""#);
}

#[test]
fn broken_texts_are_refused() {
    refuse("", &JsonError::Short);
    refuse("  ", &JsonError::Short);
    refuse("[1", &JsonError::Short);
    refuse("\"a", &JsonError::Short);
    refuse("\"a\\", &JsonError::Unexpected(3));
    refuse("{\"a\":", &JsonError::Short);
    refuse("[1,]", &JsonError::Unexpected(3));
    refuse("[1}", &JsonError::Unexpected(2));
    refuse("{1:2}", &JsonError::Unexpected(1));
    refuse("{\"a\" 1}", &JsonError::Unexpected(5));
    refuse("{\"a\":1,}", &JsonError::Unexpected(7));
    refuse("tru", &JsonError::Unexpected(0));
    refuse("01", &JsonError::Unexpected(0));
    refuse("-", &JsonError::Unexpected(0));
    refuse("1-", &JsonError::Unexpected(0));
    refuse("+1", &JsonError::Unexpected(0));
    refuse(r#""\x""#, &JsonError::Unexpected(2));
    refuse(r#""\u12""#, &JsonError::Unexpected(2));
    refuse("1 2", &JsonError::Trailing(2));
    refuse("{}}", &JsonError::Trailing(2));
}

#[test]
fn limits_are_kept() {
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    check(&nested(64), &nested(64));
    refuse(&nested(66), &JsonError::Exceeded(Exceeded::Depth));
    refuse(
        &"[".repeat(1_000_000),
        &JsonError::Exceeded(Exceeded::Depth),
    );
    refuse(
        &format!("[{}0]", "0,".repeat(100_000)),
        &JsonError::Exceeded(Exceeded::Nodes),
    );
    refuse(&"9".repeat(4301), &JsonError::Exceeded(Exceeded::Digits));
    check(&"9".repeat(4300), &format!("\"{}\"", "9".repeat(4300)));
}
