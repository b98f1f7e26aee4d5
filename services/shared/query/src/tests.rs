//! Queries, one line each, and what they ask for.

use std::ops::Bound;

use domain::{
    Condition, ExtraPath, ExtraTest, Glob, NumberField, NumberRange, Pattern, TextField, TextTest,
};

use super::{parse, print, words};

mod document;
mod errors;
mod properties;

/// 2026-11-23T00:22:41.123456Z
const NOW: i64 = 1_795_393_361_123_456;

/// A query means this, and so does what is printed of it.
#[track_caller]
fn check(text: &str, expected: &Condition) {
    assert_eq!(parse(text, NOW).as_ref(), Ok(expected), "{text}");
    let printed = print(expected);
    assert_eq!(parse(&printed, 0).as_ref(), Ok(expected), "{printed}");
}

fn contains(text: &str) -> Condition {
    Condition::Contains(text.to_owned())
}

fn all(conditions: impl Into<Vec<Condition>>) -> Condition {
    Condition::All(conditions.into())
}

fn any(conditions: impl Into<Vec<Condition>>) -> Condition {
    Condition::Any(conditions.into())
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn is(text: &str) -> TextTest {
    TextTest::Is(text.to_owned())
}

fn part(text: &str) -> TextTest {
    TextTest::Contains(text.to_owned())
}

/// Pieces joined by `*`.
fn like(text: &str) -> TextTest {
    TextTest::Like(Glob::new(text.split('*').map(str::to_owned).collect()))
}

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).unwrap()
}

#[test]
fn free_words_are_contained() {
    let check = |text: &str, parts: &[&str]| {
        let all = parts.iter().map(|part| contains(part));
        check(text, &super::simplify(Condition::All(all.collect())));
    };
    check("", &[]);
    check(" \t\n\u{a0}", &[]);
    check("disk", &["disk"]);
    check("disk  full", &["disk", "full"]);
    check("disk AND full", &["disk", "full"]);
    check("(disk) AND (full now)", &["disk", "full", "now"]);
    check("\"disk full\"", &["disk full"]);
    check(
        r#""a\"b\\c\n\t\r\0\u{e4}\u{1F600}""#,
        &["a\"b\\c\n\t\r\0ä😀"],
    );
    check("\"\"", &[""]);
    check("\"OR\" \"AND\" \"NOT\" or", &["OR", "AND", "NOT", "or"]);
    check("ORDER NOTE ANDROID", &["ORDER", "NOTE", "ANDROID"]);
    check(r"C:\temp\new", &[r"C:\temp\new"]);
    check("http://host:80/x?a=b&c", &["http://host:80/x?a=b&c"]);
    check(
        "12:30:05 ValueError: :x ::",
        &["12:30:05", "ValueError:", ":x", "::"],
    );
    check("main() f(a,(b)) (g(x))", &["main()", "f(a,(b))", "g(x)"]);
    check("5\" {\"a\":1}", &["5\"", "{\"a\":1}"]);
    check("key=\"two words\"", &["key=\"two", "words\""]);
    check("--verbose - -- a-b", &["--verbose", "-", "--", "a-b"]);
    check("/var/log/x / // /a", &["/var/log/x", "/", "//", "/a"]);
    check("bill* *ing a*b \"x\"*", &["bill", "ing", "a*b", "x"]);
    check("* disk **", &["disk"]);
    check(
        "a>b count>5 x<=y path=/x",
        &["a>b", "count>5", "x<=y", "path=/x"],
    );
    check(
        "extra.foo extra. extra.a=b",
        &["extra.foo", "extra.", "extra.a=b"],
    );
    check("größe e\u{301}", &["größe", "e\u{301}"]);
}

#[test]
fn words_are_joined_and_excluded() {
    let (a, b, c) = (|| contains("a"), || contains("b"), || contains("c"));
    check("a OR b", &any([a(), b()]));
    check("a b OR c", &any([all([a(), b()]), c()]));
    check("a (b OR c)", &all([a(), any([b(), c()])]));
    check("a OR (b OR c)", &any([a(), b(), c()]));
    check("a OR(b AND(c))", &any([a(), all([b(), c()])]));
    check("-a", &not(a()));
    check("NOT a", &not(a()));
    check("NOT(a b)", &not(all([a(), b()])));
    check("-(a OR b) c", &all([not(any([a(), b()])), c()]));
    check("NOT NOT a", &not(not(a())));
    check("NOT -a", &not(not(a())));
    check("-\"a b\"", &not(contains("a b")));
    check("-OR", &not(contains("OR")));
    check("-*", &any([]));
    check("NOT -*", &all([]));
    check("a OR *", &any([a(), all([])]));
}

#[test]
fn a_text_field_is_tested() {
    let check = |text: &str, field, test| check(text, &Condition::Text(field, test));
    check("system_id:billing", TextField::System, is("billing"));
    check("system:billing", TextField::System, is("billing"));
    check("sub_system:h1", TextField::SubSystem, is("h1"));
    check("sub_sub_system:x", TextField::SubSubSystem, is("x"));
    check("product:p", TextField::Produkt, is("p"));
    check("produkt:p", TextField::Produkt, is("p"));
    check("user_spec_1:u", TextField::UserSpec1, is("u"));
    check("func:main()", TextField::Function, is("main()"));
    check("version:1.2", TextField::PackageVersion, is("1.2"));
    check("message:disk", TextField::Message, part("disk"));
    check("msg:\"disk full\"", TextField::Message, part("disk full"));
    check("message:=disk", TextField::Message, is("disk"));
    check("exception:=\"a\nb\"", TextField::Exception, is("a\nb"));
    check("stack:x", TextField::Stack, part("x"));
    check("message:\"\"", TextField::Message, is(""));
    check("message:~\"\"", TextField::Message, part(""));
    check("module:\"\"", TextField::Module, is(""));
    check("module:~Sto", TextField::Module, part("Sto"));
    check("module:=a*b", TextField::Module, is("a*b"));
    check("module:\"a*b\"", TextField::Module, is("a*b"));
    check("module:val*", TextField::Module, like("val*"));
    check("module:*val*", TextField::Module, like("*val*"));
    check("module:a*b", TextField::Module, like("a*b"));
    check("module:a***b", TextField::Module, like("a*b"));
    check("module:\"a b\"*", TextField::Module, like("a b*"));
    check("module:*\"a b\"*c", TextField::Module, like("*a b*c"));
    check("module:**", TextField::Module, like("*"));
    check("message:disk*", TextField::Message, like("disk*"));
    check(
        "module:/^st/",
        TextField::Module,
        TextTest::Finds(pattern("^st")),
    );
    check("path:/var/log/x", TextField::Path, is("/var/log/x"));
    check("path:/var/log/", TextField::Path, is("/var/log/"));
    check("path:C:\\x", TextField::Path, is("C:\\x"));
    check("path://srv/x", TextField::Path, is("//srv/x"));
    check("peer:[::1]:80", TextField::Peer, is("[::1]:80"));
    check("module:-x", TextField::Module, is("-x"));
}

#[test]
fn a_field_takes_groups() {
    let module = |test| Condition::Text(TextField::Module, test);
    check("module:*", &not(module(is(""))));
    check("-module:*", &not(not(module(is("")))));
    check("-module:a", &not(module(is("a"))));
    check("module!=a", &not(module(is("a"))));
    check("module:(a OR b)", &any([module(is("a")), module(is("b"))]));
    check(
        "module:(a* OR (~b -c:d) OR /e/)",
        &any([
            module(like("a*")),
            all([module(part("b")), not(module(is("c:d")))]),
            module(TextTest::Finds(pattern("e"))),
        ]),
    );
    check(
        "module!=(a OR b)",
        &not(any([module(is("a")), module(is("b"))])),
    );
    check("(module:a)", &module(is("a")));
}

#[test]
fn patterns_stand_between_slashes() {
    let check = |text: &str, expected: &str| check(text, &Condition::Finds(pattern(expected)));
    check("/disk full/", "disk full");
    check("(/a(b)/)", "a(b)");
    check(r"/a\/b/", "a/b");
    check(r"/a\\\/b\d/", r"a\\/b\d");
    check("/(?i)x\ny/", "(?i)x\ny");
    super::tests::check("-/a/", &not(Condition::Finds(pattern("a"))));
}

#[test]
fn numbers_are_compared() {
    let check = |text: &str, field, min, max| {
        check(text, &Condition::Number(field, NumberRange { min, max }));
    };
    let line = NumberField::Line;
    check("line:12", line, 12, 12);
    check("line:\"12\"", line, 12, 12);
    check("line:-12", line, -12, -12);
    check("line>=12", line, 12, i64::MAX);
    check("line<=12", line, i64::MIN, 12);
    check("line>12", line, 13, i64::MAX);
    check("line<12", line, i64::MIN, 11);
    check("line:5..9", line, 5, 9);
    check("line:9..5", line, 9, 5);
    check("line:5..", line, 5, i64::MAX);
    check("line:..5", line, i64::MIN, 5);
    check("line:..", line, i64::MIN, i64::MAX);
    check("line>9223372036854775807", line, i64::MAX, i64::MIN);
    check("line<-9223372036854775808", line, i64::MAX, i64::MIN);
    let level = NumberField::Level;
    check("level:error", level, 40, 49);
    check("level:Error", level, 40, 49);
    check("level:debug", level, i64::MIN, 19);
    check("level:critical", level, 50, i64::MAX);
    check("level:35", level, 35, 35);
    check("level>=warning", level, 30, i64::MAX);
    check("level>warning", level, 40, i64::MAX);
    check("level<=warning", level, i64::MIN, 39);
    check("level<warn", level, i64::MIN, 29);
    check("level>=debug", level, i64::MIN, i64::MAX);
    check("level>=10", level, 10, i64::MAX);
    check("level:info..error", level, 20, 49);
    let range = |min, max| Condition::Number(line, NumberRange { min, max });
    super::tests::check("line!=12", &not(range(12, 12)));
    super::tests::check("line:(1 OR 5..9)", &any([range(1, 1), range(5, 9)]));
}

#[test]
fn times_are_compared() {
    let check = |text: &str, field, min, max| {
        check(text, &Condition::Number(field, NumberRange { min, max }));
    };
    let (created, received) = (NumberField::Created, NumberField::Received);
    const HOUR: i64 = 3_600_000_000;
    const NOON: i64 = 1_795_435_200_000_000;
    check("created>=-1h", created, NOW - HOUR, i64::MAX);
    check("created:-1h..now", created, NOW - HOUR, NOW);
    check(
        "received<2026-11-23T12:00:00Z",
        received,
        i64::MIN,
        NOON - 1,
    );
    check("received_at:2026-11-23T12:00", received, NOON, NOON);
    check("created:\"2026-11-23 12:00\"", created, NOON, NOON);
    let day = (NOON - 12 * HOUR, NOON + 12 * HOUR - 1);
    check("created:2026-11-23", created, day.0, day.1);
    check(
        "created:2026-11-22..2026-11-23",
        created,
        day.0 - 24 * HOUR,
        day.1,
    );
    check("created>=2026-11-23", created, day.0, i64::MAX);
    check("created>2026-11-23", created, day.1 + 1, i64::MAX);
    check("created<2026-11-23", created, i64::MIN, day.0 - 1);
    check("created<=2026-11-23", created, i64::MIN, day.1);
}

#[test]
fn extra_is_tested() {
    let path = |keys: &[&str]| ExtraPath(keys.iter().map(|key| (*key).to_owned()).collect());
    let check = |text: &str, keys: &[&str], test| check(text, &Condition::Extra(path(keys), test));
    let text = ExtraTest::Text;
    check("extra.order_id:4711", &["order_id"], text(is("4711")));
    check("extra.Order-Id:a", &["Order-Id"], text(is("a")));
    check("extra.a.b:val*", &["a", "b"], text(like("val*")));
    check("extra.\"a b\".\"c.d\":x", &["a b", "c.d"], text(is("x")));
    check("extra.\"\":x", &[""], text(is("x")));
    check("extra.ä:x", &["ä"], text(is("x")));
    check("extra.x:*", &["x"], ExtraTest::Exists);
    check("extra:*", &[], ExtraTest::Exists);
    check("extra.:x", &[], text(is("x")));
    check("extra.x:**", &["x"], text(like("*")));
    check("extra.x:\"\"", &["x"], text(is("")));
    check("extra.x:~part", &["x"], text(part("part")));
    check("extra.x:/re/", &["x"], text(TextTest::Finds(pattern("re"))));
    check("extra.x:=ab", &["x"], text(is("ab")));
    check("extra.x:=4711", &["x"], text(like("4711")));
    check("extra.x:\"1..2\"", &["x"], text(is("1..2")));
    check("extra.x:a..b", &["x"], text(is("a..b")));
    check("extra.x:..", &["x"], text(is("..")));

    let number = |text: &str| text.parse().unwrap();
    let at_least = |text: &str| Bound::Included(number(text));
    let above = |text: &str| Bound::Excluded(number(text));
    let between = |text: &str, min, max| check(text, &["ms"], ExtraTest::Number(min, max));
    between("extra.ms>=10.5", at_least("10.5"), Bound::Unbounded);
    between("extra.ms>-1e3", above("-1000"), Bound::Unbounded);
    between("extra.ms<=1", Bound::Unbounded, at_least("1"));
    between("extra.ms<1", Bound::Unbounded, above("1"));
    between("extra.ms:1..2.5", at_least("1"), at_least("2.5"));
    between("extra.ms:1..", at_least("1"), Bound::Unbounded);
    between("extra.ms:..1", Bound::Unbounded, at_least("1"));
    between("extra.ms>=1..<2", at_least("1"), above("2"));
    between("extra.ms>1..2", above("1"), at_least("2"));
    between("extra.ms>1..<2", above("1"), above("2"));
    between("extra.ms>=..", Bound::Unbounded, Bound::Unbounded);
}

#[test]
fn what_is_no_query_is_searched_as_words() {
    let parts = ["(level:errr", "OR", "\"x", "-y", "/z/"].map(contains);
    assert_eq!(words(" (level:errr OR\n\"x  -y /z/"), all(parts));
    assert_eq!(words("one"), contains("one"));
    assert_eq!(words(" "), Condition::default());
}

#[test]
fn queries_print_as_people_write_them() {
    let check = |text: &str, expected: &str| {
        assert_eq!(print(&parse(text, NOW).unwrap()), expected);
    };
    check(" ( disk  AND full ) ", "disk full");
    check("(a OR b) -c", "(a OR b) -c");
    check("a b OR NOT (c d)", "a b OR -(c d)");
    check(
        "system:billing level>=warning",
        "system_id:billing level>=warning",
    );
    check("level:error", "level:error");
    check("level>39", "level>=error");
    check("module:*", "-module:\"\"");
    check("extra.ms>=10.5 extra.x:*", "extra.ms>=10.5 extra.x:*");
    check("extra.ms:-.025..1e50", "extra.ms:-0.025..0.1e51");
    check(
        "received_at:2026-11-23",
        "received_at:2026-11-23T00:00:00.000000Z..2026-11-23T23:59:59.999999Z",
    );
    check("message:\"disk full\"*", "message:\"disk full\"*");
    check("\"a\u{202e}\u{1}\"", r#""a\u{202e}\u{1}""#);
}
