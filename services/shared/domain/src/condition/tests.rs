//! What conditions mean, one line each.

use std::ops::Bound;

use super::{Condition, ExtraPath, ExtraTest, ExtraValue, Glob, NumberRange, Pattern, TextTest};
use crate::{NumberField, Record, TextField};

fn record() -> Record {
    Record {
        message: "Disk FULL on /dev/sda1".to_owned(),
        module: "storage".to_owned(),
        system_id: "billing".to_owned(),
        level: 40,
        extra: r#"{"order_id":4711,"who":"Anna \u00c4","tags":["red",{"deep":"x"}],
            "a.b":{"c":null},"big":12345678901234567890,"f":1.50,"ok":true,"list":[]}"#
            .to_owned(),
        ..Record::default()
    }
}

#[test]
fn a_tree_holds_as_its_parts_do() {
    let yes = || Condition::Contains("disk full".to_owned());
    let no = || Condition::Contains("tape".to_owned());
    let check = |condition: Condition, expected: bool| {
        assert_eq!(condition.matches(&record()), expected, "{condition:?}");
        let not = Condition::Not(Box::new(condition));
        assert_eq!(not.matches(&record()), !expected, "{not:?}");
    };
    check(yes(), true);
    check(no(), false);
    check(Condition::default(), true);
    check(Condition::Any(Vec::new()), false);
    check(Condition::All(vec![yes(), no()]), false);
    check(Condition::Any(vec![no(), yes()]), true);
    check(yes().and(no()), false);
    check(Condition::Contains("STORAGE".to_owned()), true);
    check(Condition::Contains("billing".to_owned()), false);
    check(Condition::Finds(Pattern::new("F.LL").unwrap()), true);
    check(Condition::Finds(Pattern::new("f.ll").unwrap()), false);
    check(Condition::at_least(40), true);
    check(Condition::at_least(41), false);
    let level = |range| Condition::Number(NumberField::Level, range);
    check(level(NumberRange::only(40)), true);
    check(level(NumberRange::up_to(39)), false);
    check(level(NumberRange { min: 41, max: 39 }), false);
}

#[test]
fn a_field_is_tested_by_itself() {
    let check = |field, test: TextTest, expected: bool| {
        let condition = Condition::Text(field, test);
        assert_eq!(condition.matches(&record()), expected, "{condition:?}");
    };
    let is = |text: &str| TextTest::Is(text.to_owned());
    check(TextField::System, is("billing"), true);
    check(TextField::System, is("Billing"), false);
    check(TextField::SubSystem, is(""), true);
    check(
        TextField::System,
        TextTest::Like(Glob::new(vec!["bill".to_owned(), String::new()])),
        true,
    );
    check(
        TextField::Message,
        TextTest::Contains("full".to_owned()),
        true,
    );
    check(
        TextField::Module,
        TextTest::Contains("full".to_owned()),
        false,
    );
    check(TextField::Fingerprint, is(""), true);
}

#[test]
fn extra_is_tested_by_path() {
    let check = |path: &[&str], test: ExtraTest, expected: bool| {
        let path = ExtraPath(path.iter().map(|key| (*key).to_owned()).collect());
        assert_eq!(
            test.passes(&record().extra, &path),
            expected,
            "{path:?} {test:?}"
        );
    };
    let is = |text: &str| ExtraTest::Text(TextTest::Is(text.to_owned()));
    let at_least =
        |text: &str| ExtraTest::Number(Bound::Included(text.parse().unwrap()), Bound::Unbounded);
    check(&["order_id"], is("4711"), true);
    check(&["order_id"], is("4711.0"), true);
    check(&["order_id"], is("471"), false);
    check(&["who"], is("Anna Ä"), true);
    check(&["tags"], is("red"), true);
    check(&["tags", "deep"], is("x"), true);
    check(&["a.b", "c"], is("null"), true);
    check(&["a", "b"], ExtraTest::Exists, false);
    check(&["a.b"], ExtraTest::Exists, true);
    check(&["list"], ExtraTest::Exists, true);
    check(&["list"], is(""), false);
    check(&["ok"], is("true"), true);
    check(&["f"], is("1.5"), true);
    check(&["big"], is("12345678901234567890"), true);
    check(&["big"], at_least("12345678901234567890"), true);
    check(&["big"], at_least("12345678901234567890.1"), false);
    check(&["order_id"], at_least("4.7e3"), true);
    check(&["who"], at_least("0"), false);
    assert!(!ExtraTest::Exists.passes("", &ExtraPath(vec!["a".to_owned()])));
}

#[test]
fn every_value_is_visited() {
    let record = record();
    let mut seen = Vec::new();
    ExtraValue::visit_all(&record.extra, 4, &mut |path, value| {
        seen.push(format!("{}={}", path.join("/"), value.text()));
    });
    let expected = [
        "order_id=4711",
        "who=Anna Ä",
        "tags=red",
        "tags/deep=x",
        "a.b/c=null",
        "big=12345678901234567890",
        "f=1.50",
        "ok=true",
    ];
    assert_eq!(seen, expected);
    seen.clear();
    ExtraValue::visit_all(&record.extra, 1, &mut |path, _| seen.push(path.join("/")));
    assert_eq!(seen, ["order_id", "who", "tags", "big", "f", "ok"]);
}
