//! Good files and every way in which one can be wrong.

use super::{Kind, parse};
use crate::spool::Begin;

const GOOD: &str = r##"
[[destination]]
name = "headquarters"
kind = "herald"
url = "http://127.0.0.1:9120"
begin = "newest"
rate = 5_000
max_backlog = "512MiB"
query = "level>=warning -system_id:test"
fields = ["message", "system_id"]
extra = ["request.id", '"with.dot"']
mask = ["email", "invoice"]

[[destination]]
name = "old"
kind = "predecessor"
address = "localhost:9019"

[[mask]]
name = "invoice"
regex = 'INV-\d+'
replacement = "#"
"##;

#[test]
fn a_file_says_what_it_says() {
    let routes = parse(GOOD).unwrap();
    let [first, second] = &routes[..] else {
        panic!("two destinations");
    };
    assert_eq!(
        (first.name.as_str(), first.begin),
        ("headquarters", Begin::Newest)
    );
    assert_eq!(first.rate.map(std::num::NonZeroU32::get), Some(5_000));
    assert_eq!(first.backlog.max_bytes, Some(512 << 20));
    assert_eq!(
        first.policy.fields.as_ref().unwrap().names,
        ["message", "system_id"]
    );
    assert_eq!(first.policy.extra.as_ref().unwrap()[1].0, ["with.dot"]);
    let masked = first.policy.own_text("INV-12 of a@b.org");
    assert_eq!(masked, "# of [email]");
    let address = "localhost:9019".to_owned();
    assert_eq!(
        (&second.kind, second.policy.is_open()),
        (&Kind::Predecessor { address }, true)
    );
    assert!(parse("").unwrap().is_empty());
}

/// The problems of a destination with these lines instead of, or besides, good ones.
fn problems(lines: &str) -> Vec<String> {
    let good = ["name = \"x\"", "kind = \"herald\"", "url = \"http://h:1\""];
    let kept = good.into_iter().filter(|line| {
        let key = line.split(' ').next().unwrap();
        !lines.lines().any(|own| own.starts_with(key))
    });
    let lines: Vec<&str> = kept.chain(lines.lines()).collect();
    let text = format!("[[destination]]\n{}\n", lines.join("\n"));
    let problems = parse(&text).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn every_mistake_is_told_with_its_line_and_the_way_out() {
    let check = |lines: &str, expected: &str| {
        let problems = problems(lines).join("\n");
        assert!(problems.contains(expected), "{lines}: {problems}");
    };
    check(
        "nane = \"y\"",
        "5: `nane` is no key of a destination; did you mean `name`?",
    );
    check("name = \"\"", "4: `name` is empty");
    check("name = \"store\"", "set BRIDGE_STORE_URL");
    check("name = \"a b\"", "`a b` is no name");
    check("name = 5", "`name` is a text, not a integer");
    check("kind = \"heralds\"", "did you mean `herald`?");
    check("kind = \"predecessor\"", "has no `url`; it has `address`");
    check("kind = \"predecessor\"", "needs `address`");
    check("url = \"localhost\"", "is no address of a server");
    check(
        "tls_cert = \"a.pem\"",
        "`tls_cert` and `tls_key` belong together",
    );
    check(
        "kind = \"predecessor\"\naddress = \"h:1\"\ntls_ca = \"a.pem\"",
        "has no `tls_ca`; lead it through an ssh tunnel",
    );
    check("begin = \"now\"", "write \"oldest\" or \"newest\"");
    check("rate = 0", "`rate` is a whole number of at least 1");
    check("rate = \"5\"", "`rate` is a whole number of at least 1");
    check("max_backlog = \"much\"", "is no size");
    check("query = \"level>=loud\"", "`query`: ");
    check("query = \"created>-1h\"", "relative to now");
    check("fields = [\"mesage\"]", "did you mean `message`?");
    check(
        "fields = \"message\"",
        "`fields` is a list of texts, not a string",
    );
    check("fields = [1]", "`fields` has texts only");
    check("extra = [\"a:* OR b\"]", "is no path in extra");
    check("mask = [\"emial\"]", "did you mean `email`?");
    check("= 5", "5: ");
    let all = problems("rate = 0\nbegin = \"x\"\nmask = [\"y\"]\nfields = [\"z\"]");
    assert_eq!(all.len(), 3 + 1, "{all:?}");
}

#[test]
fn masks_and_doubles_are_checked() {
    let check = |text: &str, expected: &str| {
        let problems = parse(text).err().unwrap_or_default();
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(shown.join("\n").contains(expected), "{text}: {shown:?}");
    };
    check("[[mask]]\nname = \"x\"", "1: a mask needs `regex`");
    check("[[mask]]\nname = \"x\"\nregex = '('", "3: `regex`: ");
    check(
        "[[mask]]\nname = \"x\"\nregex = 'a*'",
        "finds even the empty text",
    );
    check(
        "[[mask]]\nname = \"email\"\nregex = 'a'",
        "there is a mask `email` already",
    );
    check("[mask]\nname = \"x\"", "begin each with [[mask]]");
    check("[[destinations]]", "did you mean `destination`?");
    let route = "[[destination]]\nname = \"x\"\nkind = \"herald\"\nurl = \"http://h:1\"\n";
    check(
        &format!("{route}{route}"),
        "6: there is a destination `x` already",
    );
    let own = "[[mask]]\nname = \"word\"\nregex = '[a-z]+'\n";
    check(
        &format!("{own}{route}mask = [\"word\"]"),
        "is found by `word`",
    );
}
