//! What is no query says so, at its place, with a way out; also when it is
//! large.

use crate::{MAX_BYTES, QueryError, parse};

fn error(text: &str) -> QueryError {
    let parsed = parse(text, super::NOW);
    parsed.map(|found| format!("{found:?}")).unwrap_err()
}

#[test]
fn errors_point_at_the_place() {
    // The place is between angle brackets.
    let check = |marked: &str, message: &str, hint: &str| {
        let start = marked.find('⟨').unwrap();
        let end = marked.find('⟩').unwrap() - '⟨'.len_utf8();
        let text = marked.replace(['⟨', '⟩'], "");
        let error = error(&text);
        assert_eq!(error.span, start..end, "{marked}: {error}");
        assert_eq!(error.message, message, "{marked}");
        assert!(error.hint.contains(hint), "{marked}: {}", error.hint);
    };
    check("a ⟨\"⟩b c", "this quote is not closed", "`\\\"` is a quote");
    check("module:⟨\"⟩b c", "this quote is not closed", "at its end");
    check("\"a⟨\\x⟩\"", "this escape is unknown", "`\\n`");
    check("\"⟨\\u{110000}⟩\"", "this escape is unknown", "\\u{e4}");
    check("\"⟨\\u{d800}⟩\"", "this escape is unknown", "code point");
    check(
        "\"a\"⟨b⟩",
        "a blank is missing after the closing quote",
        "\\\"",
    );
    check(
        "module:\"a\"⟨b⟩",
        "a blank is missing after the closing quote",
        "",
    );
    check(
        "module:a⟨\"⟩b c\"",
        "a quote stands inside a word",
        "whole value",
    );
    check(
        "module:=a⟨\"⟩b",
        "a quote stands inside a word",
        "whole value",
    );
    check("a ⟨(⟩b OR c", "this parenthesis is not closed", "`)`");
    check("a ⟨(⟩", "this parenthesis is not closed", "`)`");
    check("a⟨)⟩ b", "this `)` closes nothing", "quotes");
    check("⟨)⟩", "this `)` closes nothing", "quotes");
    check(
        "a ⟨( )⟩",
        "there is nothing between these parentheses",
        "quotes",
    );
    check(
        "module:⟨()⟩",
        "there is nothing between these parentheses",
        "",
    );
    check("⟨OR⟩ a", "`OR` has nothing before it", "\"OR\"");
    check("a ⟨OR⟩", "`OR` has nothing after it", "\"OR\"");
    check("(a ⟨OR⟩ )", "`OR` has nothing after it", "\"OR\"");
    check("a OR ⟨OR⟩ b", "`OR` has nothing before it", "\"OR\"");
    check("a AND ⟨OR⟩ b", "`OR` has nothing before it", "\"OR\"");
    check("⟨AND⟩", "`AND` has nothing before it", "\"AND\"");
    check("(⟨AND⟩ a)", "`AND` has nothing before it", "\"AND\"");
    check("a ⟨NOT⟩", "`NOT` has nothing after it", "\"NOT\"");
    check("ä ⟨module:⟩ x", "`module:` has no value", "right behind it");
    check("(⟨level>=⟩)", "`level>=` has no value", "right behind it");
    check("module:⟨~⟩ x", "`~` has no value", "\"\"");
    check(
        "level ⟨>=⟩ error",
        "a blank stands between `level` and `>=`",
        "`level>=`",
    );
    check(
        "(line ⟨<⟩ 5)",
        "a blank stands between `line` and `<`",
        "`line<`",
    );
    check(
        "level:⟨errr⟩",
        "`errr` is no level",
        "did you mean `error`?",
    );
    check("level:⟨loud⟩", "`loud` is no level", "use debug, info");
    check("line:⟨x⟩", "`x` is no whole number", "`line:12`");
    check("line:⟨1.5⟩", "`1.5` is no whole number", "`line>=12`");
    check("line:⟨5..x⟩", "`x` is no whole number", "`line:5..9`");
    check(
        "line:⟨9223372036854775808⟩",
        "`9223372036854775808` is no whole number",
        "",
    );
    check("line:(1 OR ⟨x⟩)", "`x` is no whole number", "");
    check("created>=⟨yesterday⟩", "`yesterday` is no time", "-15m");
    check(
        "created:⟨2026-02-30⟩",
        "`2026-02-30` is no time",
        "RFC 3339",
    );
    check(
        "created>⟨-99999999999w⟩",
        "`-99999999999w` lies further away than time goes",
        "",
    );
    check("extra.ms>=⟨x⟩", "`x` is no number", "`extra.ms>=10.5`");
    check("extra.ms>=⟨1..x⟩", "`x` is no number", "..<9");
    check(
        "module⟨>=⟩x",
        "`module` is a text, which `>=` does not compare",
        "`module:`",
    );
    check(
        "a ⟨/x(y/⟩",
        "the regular expression is wrong: unclosed group",
        "quotes",
    );
    check(
        "module:⟨/x{2,1}/⟩",
        "the regular expression is wrong: invalid repetition count range, the start must be <= the end",
        "",
    );
    check(
        "⟨/(\\w{1000}){1000}/⟩",
        "the regular expression is wrong: the pattern is too large: use fewer or smaller repetitions",
        "",
    );
    check(
        "a ⟨sytem_id⟩:x",
        "no field `sytem_id`",
        "did you mean `system_id`? To search for it as text, write \"sytem_id:x\"",
    );
    check("⟨levl⟩>=error", "no field `levl`", "did you mean `level`?");
    check(
        "⟨user_spec_3⟩:x",
        "no field `user_spec_3`",
        "did you mean `user_spec_",
    );
    check(
        "⟨localhost⟩:8080",
        "no field `localhost`",
        "write \"localhost:8080\"",
    );
    check("⟨order.id⟩:8080", "no field `order.id`", "`extra.order.id`");
    check(
        "⟨error⟩: x",
        "no field `error`",
        "did you mean `level:error`?",
    );
    check("⟨extra⟩:x", "no field `extra`", "`extra.order_id:4711`");
    check("⟨extra.a.⟩:x", "no field `extra.a.`", "an empty key");
    check("⟨extra.a..b⟩:x", "no field `extra.a..b`", "an empty key");
    check("⟨extra⟩:*x", "no field `extra`", "`extra.order_id:4711`");
}

#[test]
fn an_error_is_shown_with_its_line() {
    let text = "größe\tlevel:errr";
    let error = error(text);
    assert_eq!(error.column(), 13);
    assert_eq!(error.render(text), "größe␉level:errr\n            ^^^^");
    assert_eq!(
        error.to_string(),
        "`errr` is no level at column 13: did you mean `error`? use debug, info, warning, error, critical or a number such as 35"
    );
}

#[test]
fn what_a_query_holds_does_not_reach_a_terminal_raw() {
    for text in [
        "line:\x1b[2J\u{202e}",
        "level:\x1b\x07",
        "created:\u{9b}x",
        "/\x1b(/",
        "extra.a>\0",
    ] {
        let line = error(text).to_string();
        assert!(!line.contains(crate::error::is_hidden), "{line:?}");
    }
}

#[test]
fn large_queries_are_refused() {
    let check = |text: &str, message: &str| {
        assert_eq!(error(text).message, message, "{}", text.len());
    };
    check(&"(".repeat(10_000), "the query is nested too deeply");
    check(&"-(".repeat(10_000), "the query is nested too deeply");
    check(&"module:(".repeat(7_000), "this parenthesis is not closed");
    check(&"NOT ".repeat(10_000), "the query is nested too deeply");
    check(&"a ".repeat(10_000), "the query has too many words");
    check(&"a OR ".repeat(10_000), "the query has too many words");
    check(
        &"/a/ ".repeat(21),
        "the query has too many regular expressions",
    );
    check(&"a".repeat(MAX_BYTES + 1), "the query has 65537 bytes");
    check(
        &format!("{}ä", "a".repeat(MAX_BYTES - 1)),
        "the query has 65537 bytes",
    );
    check(
        &format!("extra.a{}:(a b)", ".a".repeat(600)),
        "this path into extra is too long",
    );
    let nested = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    check(&nested(51), "the query is nested too deeply");
    for text in [
        nested(50),
        "a ".repeat(500),
        "/a/ ".repeat(20),
        "a".repeat(MAX_BYTES),
    ] {
        assert!(parse(&text, 0).is_ok(), "{}", text.len());
    }
    // Depth ends with its parentheses.
    assert!(parse(&"(a) NOT b ".repeat(200), 0).is_ok());
}

/// Takes minutes where something is looked at again for each character.
#[test]
fn long_queries_take_linear_time() {
    let pieces = [
        "a",
        "(",
        "a(",
        ")",
        "\"",
        "\\",
        "\"a",
        "/",
        "/a",
        "/\\",
        "*",
        "a*",
        "-",
        " ",
        "a:",
        "é",
        "extra.",
        "extra.a.",
        "extra.\"\"",
        "module:",
        "module:(a ",
        "line:",
        "..",
        ">",
        "\0",
        "\u{202e}",
        "module:\"a\"*",
        "level> ",
        "_",
        "NOT",
        "OR",
        "a b ",
    ];
    for start in ["", "a ", "module:", "\"", "/", "extra.", "level ", "x:"] {
        for piece in pieces {
            let text = format!("{start}{}", piece.repeat((MAX_BYTES - 8) / piece.len()));
            if let Err(error) = parse(&text, 0) {
                assert!(error.render(&text).len() < 2_000);
                assert!(error.to_string().len() < 1_000);
            }
        }
    }
}
