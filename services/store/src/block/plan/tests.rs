//! What a block's summary and filter are asked.

use domain::{
    Condition, NumberField, NumberRange, Pattern, Record, RecordFilter, TextField, TextTest,
};

use super::{Looks, Plan, Verdict};
use crate::block::{Effort, EncodedBlock, encode};

fn is(field: TextField, value: &str) -> Condition {
    Condition::Text(field, TextTest::Is(value.to_owned()))
}

/// Two systems on two hosts that never meet, and a few errors.
fn block() -> EncodedBlock {
    let record = |id: i64| Record {
        received_us: id,
        level: if id % 100 == 0 { 40 } else { 20 },
        system_id: format!("system-{}", id % 2),
        sub_system_id: format!("host-{}", id % 2),
        message: format!("Connection refused by peer, attempt {id}"),
        extra: format!(r#"{{"order_id":{id}}}"#),
        process: id,
        ..Record::default()
    };
    encode(
        100,
        &(100..1_100).map(record).collect::<Vec<_>>(),
        Effort::Fast,
    )
}

fn passes(block: &EncodedBlock, condition: &Condition) -> bool {
    let plan = Plan::new(&RecordFilter::new(condition.clone()));
    let mut looks = Looks::default();
    plan.slices()
        .iter()
        .all(|slice| plan.look(*slice, &block.filter[*slice], &mut looks))
}

#[test]
fn the_summary_decides_ranges() {
    let block = block();
    let check = |condition: Condition, expected| {
        let plan = Plan::new(&RecordFilter::new(condition.clone()));
        assert_eq!(
            plan.verdict(&block.meta, &|_| None),
            expected,
            "{condition:?}"
        );
    };
    let received = |min, max| Condition::Number(NumberField::Received, NumberRange { min, max });
    check(Condition::default(), Verdict::Everything);
    check(received(100, 1_099), Verdict::Everything);
    check(received(101, 1_099), Verdict::Something);
    check(received(1_100, i64::MAX), Verdict::Nothing);
    check(received(5, 4), Verdict::Nothing);
    check(Condition::at_least(20), Verdict::Everything);
    check(Condition::at_least(30), Verdict::Something);
    check(Condition::at_least(41), Verdict::Nothing);
    check(
        Condition::Not(Box::new(Condition::at_least(41))),
        Verdict::Everything,
    );
    check(
        Condition::Any(vec![received(0, 1), Condition::at_least(20)]),
        Verdict::Everything,
    );
    check(Condition::Any(Vec::new()), Verdict::Nothing);
    check(
        Condition::Number(NumberField::Id, NumberRange::up_to(99)),
        Verdict::Nothing,
    );
}

#[test]
fn counted_values_decide() {
    let block = block();
    let plan = Plan::new(&RecordFilter::new(is(TextField::SubSystem, "host-1")));
    assert_eq!(plan.values().collect::<Vec<_>>(), [(0, 1, "host-1")]);
    let check = |counted, expected| {
        assert_eq!(plan.verdict(&block.meta, &|_| counted), expected);
    };
    check(None, Verdict::Something);
    check(Some(0), Verdict::Nothing);
    check(Some(250), Verdict::Something);
    check(Some(1_000), Verdict::Everything);
}

#[test]
fn the_filter_rules_out_what_does_not_meet() {
    let block = block();
    let check = |condition: Condition, expected| {
        assert_eq!(passes(&block, &condition), expected, "{condition:?}");
    };
    let finds = |text| Condition::Finds(Pattern::new(text).unwrap());
    let system = |value| is(TextField::System, value);
    let host = |value| is(TextField::SubSystem, value);
    check(system("system-1"), true);
    check(system("system-1").and(host("host-1")), true);
    check(system("system-1").and(host("host-0")), false);
    check(system("system-0").and(Condition::at_least(40)), true);
    check(system("system-1").and(Condition::at_least(40)), false);
    check(Condition::Any(vec![system("a"), system("system-1")]), true);
    check(Condition::Any(vec![system("a"), system("b")]), false);
    check(Condition::Not(Box::new(system("a"))), true);
    check(Condition::Contains("REFUSED by peer".to_owned()), true);
    check(Condition::Contains("refused by beer".to_owned()), false);
    check(finds("(?i)REFUSED by (peer|host)"), true);
    check(finds("refused by [a-z]+, attempt"), true);
    check(finds("gone|(failed|broken) .*attempt"), false);
    check(finds("(broken)?attempt"), true);
    check(
        Condition::Number(NumberField::Process, NumberRange::only(1_099)),
        true,
    );
    check(
        Condition::Number(NumberField::Process, NumberRange::only(1_700)),
        false,
    );
    let order = |value: &str| {
        let path = domain::ExtraPath(vec!["order_id".to_owned()]);
        Condition::Extra(
            path,
            domain::ExtraTest::Text(TextTest::Is(value.to_owned())),
        )
    };
    check(order("1099"), true);
    check(order("1099.0"), true);
    check(order("1100"), false);
}
