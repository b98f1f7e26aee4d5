//! What is searched is found: every way agrees with `RecordFilter::matches`.

use domain::{Condition, Order, Record, RecordFilter, TextField, TextTest};
use proptest::prelude::*;

use super::generate::{filter, records};
use crate::block::fuse::mix;
use crate::block::{Block, Effort, EncodedBlock, FACET_FIELDS, Looks, Plan, Verdict, encode};

/// Searches as the store does; gives ids.
fn search(
    block: &EncodedBlock,
    filter: &RecordFilter,
    ids: std::ops::Range<u64>,
    order: Order,
    limit: usize,
) -> Vec<Record> {
    let plan = Plan::new(filter);
    let counted = |leaf| {
        let (_, place, value) = plan.values().find(|(of, ..)| *of == leaf)?;
        let counts = block.facets.fields[place].as_ref()?;
        let count = counts.iter().find(|(known, _)| known == value);
        Some(count.map_or(0, |(_, count)| *count))
    };
    let verdict = plan.verdict(&block.meta, &counted);
    let mut looks = Looks::default();
    let mut slices = plan.slices().iter();
    let passes_filter = block.filter.is_empty()
        || slices.all(|slice| plan.look(*slice, &block.filter[*slice], &mut looks));
    let mut opened = Block::open(&block.meta, block.parts[0].clone()).unwrap();
    if let Some(sketch) = &block.sketch {
        opened = opened.with_sketch(sketch);
    }
    let whole = ids == (0..u64::MAX) && limit == usize::MAX;
    let selection = opened.select(&plan, ids).unwrap();
    let mut found = Vec::new();
    for chunk in opened.chunks(&selection, order) {
        let part = opened.part_of(chunk).map(|part| block.parts[part].clone());
        let chunk = opened.open_chunk(chunk, part.unwrap_or_default()).unwrap();
        let rows = opened
            .scan(&plan, &selection, &chunk, order, limit - found.len())
            .unwrap();
        found.extend(opened.records(&chunk, &rows).unwrap());
    }
    if selection.is_exact() {
        assert_eq!(selection.count().min(limit), found.len());
    }
    assert!(found.is_empty() || passes_filter && verdict != Verdict::Nothing);
    assert!(!whole || verdict != Verdict::Everything || found.len() == block.meta.count as usize);
    found
}

fn naive(records: &[Record], filter: &RecordFilter) -> Vec<Record> {
    records
        .iter()
        .filter(|record| filter.matches(record))
        .cloned()
        .collect()
}

fn records_and_filter() -> impl Strategy<Value = (Vec<Record>, RecordFilter)> {
    records().prop_flat_map(|records| {
        let filter = filter(&records);
        (Just(records), filter)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_match_is_found_and_nothing_else(
        (records, filter) in records_and_filter(),
        (low, high, limit) in (990u64..1400, 990u64..1400, 0usize..500),
    ) {
        let block = encode(1000, &records, Effort::Fast);
        let mut expected = naive(&records, &filter);
        let all = search(&block, &filter, 0..u64::MAX, Order::OldestFirst, usize::MAX);
        prop_assert!(all == expected);
        expected.retain(|record| (low..high).contains(&record.id));
        expected.reverse();
        expected.truncate(limit);
        let some = search(&block, &filter, low..high, Order::NewestFirst, limit);
        prop_assert!(some == expected);
    }
}

/// A block of log lines, each with an id, as operators search them.
fn lines() -> Vec<Record> {
    let line = |id: u64| Record {
        id,
        level: if id.is_multiple_of(100) { 40 } else { 20 },
        system_id: format!("service-{}", id % 7),
        user_spec_1: format!("job {id}"),
        function: "handle_request".to_owned(),
        message: format!(
            "Accepted connection from 10.0.{}.{} request {:016x}",
            id % 200,
            id % 50,
            mix(id)
        ),
        exception: match id % 500 {
            0 => "Traceback ...\nValueError: NO SUCH Ähre".to_owned(),
            _ => String::new(),
        },
        ..Record::default()
    };
    (1..=4096).map(line).collect()
}

#[test]
fn lines_are_found_by_what_is_in_them() {
    let records = lines();
    let block = encode(1, &records, Effort::Fast);
    let check = |substrings: &[&str], context: &[(TextField, &str)], expected: usize| {
        let texts = substrings.iter().map(|text| contains(text));
        let values = context.iter().map(|(field, value)| is(*field, value));
        let filter = RecordFilter::new(Condition::All(texts.chain(values).collect()));
        let found = search(&block, &filter, 0..u64::MAX, Order::OldestFirst, usize::MAX);
        assert!(
            found == naive(&records, &filter),
            "{substrings:?} {context:?}"
        );
        assert_eq!(found.len(), expected, "{substrings:?} {context:?}");
    };
    check(&[], &[], 4096);
    check(&["accepted"], &[], 4096);
    check(&["HANDLE_"], &[], 4096);
    check(&["no such ähre"], &[], 8);
    check(&["NO SUCH ÄHRE", "10.0.100."], &[], 4);
    check(&["10.0.199."], &[], 20);
    check(&["absent"], &[], 0);
    check(&[], &[(TextField::UserSpec1, "job 77")], 1);
    check(&[], &[(TextField::UserSpec1, "job 7777")], 0);
    check(&["10.0.77."], &[(TextField::System, "service-0")], 3);
    let request = format!("{:016X}", mix(77));
    check(&[&request], &[], 1);
    for part in 0..=8 {
        check(&[&request[part..part + 8]], &[], 1);
    }
}

#[test]
fn the_filter_rules_out_what_is_not_there() {
    let block = encode(1, &lines(), Effort::Fast);
    let passes = |text: String, context: bool| {
        let condition = match context {
            true => is(TextField::UserSpec1, &text),
            false => contains(&text),
        };
        let plan = Plan::new(&RecordFilter::new(condition));
        assert!(!plan.slices().is_empty());
        let mut looks = Looks::default();
        plan.slices()
            .iter()
            .all(|slice| plan.look(*slice, &block.filter[*slice], &mut looks))
    };
    let id = |n: u64| format!("{:016x}", mix(n + 5000));
    let share = |passed: &dyn Fn(u64) -> bool| (1..=2000).filter(|n| passed(*n)).count();
    assert!(share(&|n| passes(id(n), false)) <= 2);
    assert!(share(&|n| passes(id(n)[..8].to_owned(), false)) <= 30);
    assert!(share(&|n| passes(format!("job {}", n + 5000), true)) <= 20);
    assert!(!passes("zebrafish".to_owned(), false));
}

#[test]
fn values_are_counted() {
    let records = lines();
    let facets = encode(1, &records, Effort::Fast).facets;
    let counts = |field| {
        let place = FACET_FIELDS.iter().position(|known| *known == field);
        facets.fields[place.unwrap()].as_ref()
    };
    let systems = counts(TextField::System).unwrap();
    assert_eq!(systems.len(), 7);
    for (system, count) in systems {
        let expected = records.iter().filter(|record| record.system_id == *system);
        assert_eq!(*count as usize, expected.count(), "{system}");
    }
    assert_eq!(counts(TextField::UserSpec1), None);
    assert_eq!(
        counts(TextField::Produkt).unwrap(),
        &[(String::new(), 4096)]
    );
    assert_eq!(counts(TextField::Fingerprint).unwrap().len(), 2);
}

fn contains(text: &str) -> Condition {
    Condition::Contains(text.to_owned())
}

fn is(field: TextField, value: &str) -> Condition {
    Condition::Text(field, TextTest::Is(value.to_owned()))
}
