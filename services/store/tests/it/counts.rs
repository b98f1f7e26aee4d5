//! Counts equal naive ones over all records: for random histories, filters,
//! fields, limits and buckets, while blocks are merged.

use std::{collections::HashMap, time::Duration};

use domain::{CountBy, CountQuery, Entry, Level, Micros, Record, RecordFilter, TextField};
use proptest::{
    prelude::{Strategy, any},
    prop_oneof,
    sample::select,
    strategy::Just,
    test_runner::{Config, TestRunner},
};
use proto::v1;
use testkit::wait_until;
use tonic::Code;
use uuid::Uuid;

use crate::{
    harness::{Bridge, Clients, DEADLINE, Store},
    search::{self, EPOCH_US, filter},
};

const ONE: Uuid = Uuid::from_u128(1);
const LEVELS: [i32; 10] = [-7, 5, 10, 20, 25, 30, 39, 40, 50, 70];

/// Batches of records that are made from numbers, and questions about them.
#[derive(Debug, Clone)]
struct Story {
    batches: Vec<(usize, u64)>,
    queries: Vec<CountQuery>,
}

fn story() -> impl Strategy<Value = Story> {
    let size = prop_oneof![4 => 1_usize..20, 2 => 20_usize..300, 1 => 1_100_usize..1_300];
    (
        proptest::collection::vec((size, any::<u64>()), 1..12),
        proptest::collection::vec(query(), 8),
    )
        .prop_map(|(batches, queries)| Story { batches, queries })
}

fn query() -> impl Strategy<Value = CountQuery> {
    let fields: Vec<TextField> = TextField::ALL
        .into_iter()
        .filter(|field| !field.is_prose())
        .collect();
    (
        prop_oneof![1 => Just(RecordFilter::default()), 2 => filter()],
        proptest::collection::vec(select(fields), 0..4),
        prop_oneof![1_usize..4, 20_usize..1_000],
        prop_oneof![Just(0_usize), 1_usize..10, 50_usize..80],
        proptest::option::of(select(TextField::CONTEXT.to_vec())),
    )
        .prop_map(
            |(filter, fields, values_per_field, buckets, by)| CountQuery {
                filter,
                fields,
                values_per_field,
                buckets,
                by: by.map_or(CountBy::Level, CountBy::Field),
            },
        )
}

pub(crate) fn record(number: u64, seed: u64) -> Record {
    let record = search::record(number, seed);
    let noise = (number ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    Record {
        level: LEVELS[(noise % 10) as usize],
        produkt_id: match noise % 7 {
            0 => String::new(),
            rest => format!("product {}", rest / 2),
        },
        thread_name: format!("thread {}", noise % 900),
        ..record
    }
}

/// Appends records with the numbers from `first` on; gives them as they are
/// stored.
pub(crate) async fn append(bridge: &mut Bridge, first: u64, size: u64, seed: u64) -> Vec<Record> {
    let numbers = first..first + size;
    let stored = numbers.map(|id| Record {
        id,
        ..record(id, seed)
    });
    let stored: Vec<Record> = stored.collect();
    append_all(bridge, &stored).await;
    stored
}

/// Appends records whose ids follow what the store has; they become few blocks.
pub(crate) async fn append_all(bridge: &mut Bridge, records: &[Record]) {
    let mut next = 0;
    for batch in records.chunks(1_000) {
        let entries = batch.iter().cloned();
        let entries = entries.map(|record| Entry::Record(Box::new(record)));
        bridge.send_batch(batch[0].id, entries.collect()).await;
        next = batch[0].id + batch.len() as u64;
    }
    bridge.acknowledged(next).await.unwrap();
}

/// The time range that is cut, as far as records tell.
pub(crate) fn range(records: &[Record], filter: &RecordFilter) -> Option<(Micros, Micros)> {
    let times = RecordFilter {
        from_us: filter.from_us,
        to_us: filter.to_us,
        ..RecordFilter::default()
    };
    let within = records.iter().filter(|record| times.matches(record));
    let received = within.map(|record| record.received_us);
    let (min, max) = received.clone().min().zip(received.max())?;
    Some((
        filter.from_us.unwrap_or(min),
        filter.to_us.unwrap_or(max + 1),
    ))
}

/// The range in equal parts.
pub(crate) fn parts(range: Option<(Micros, Micros)>, count: usize) -> Vec<(Micros, Micros)> {
    let Some((from, to)) = range else {
        return Vec::new();
    };
    let at = |part: usize| from + (to - from) * part as i64 / count as i64;
    (0..count).map(|part| (at(part), at(part + 1))).collect()
}

/// Values by falling count, then by value.
pub(crate) fn top<'a>(values: impl Iterator<Item = &'a str>) -> Vec<v1::ValueCount> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut top: Vec<v1::ValueCount> = counts
        .into_iter()
        .map(|(value, records)| v1::ValueCount {
            value: value.to_owned(),
            records,
        })
        .collect();
    top.sort_by(|one, other| {
        let by_records = other.records.cmp(&one.records);
        by_records.then_with(|| one.value.cmp(&other.value))
    });
    top
}

fn levels(records: &[&Record]) -> Vec<(i32, u64)> {
    let count = |level: Level| {
        let of_level = records.iter().filter(|r| Level::of(r.level) == level);
        (level.number(), of_level.count() as u64)
    };
    let all = Level::ALL.into_iter().map(count);
    all.filter(|(_, records)| *records > 0).collect()
}

fn field_counts(found: &[&Record], field: TextField, limit: usize) -> v1::FieldCounts {
    let texts: Vec<String> = found.iter().map(|r| field.of(r).into_owned()).collect();
    let mut values = top(texts.iter().map(String::as_str));
    let others = values.split_off(limit.min(values.len()));
    v1::FieldCounts {
        field: field.name().to_owned(),
        values,
        others: others.iter().map(|value| value.records).sum(),
        more: !others.is_empty(),
    }
}

fn buckets(records: &[Record], found: &[&Record], query: &CountQuery) -> Vec<v1::Bucket> {
    let listed: Vec<v1::ValueCount> = match query.by {
        CountBy::Level => Vec::new(),
        CountBy::Field(field) => field_counts(found, field, query.values_per_field).values,
    };
    let bucket = |(start_us, end_us): (i64, i64)| {
        let is_within = |record: &&&Record| (start_us..end_us).contains(&record.received_us);
        let within: Vec<&Record> = found.iter().filter(is_within).copied().collect();
        let of_level = |(level, records)| v1::Count {
            level,
            value: String::new(),
            records,
        };
        let counts: Vec<v1::Count> = match query.by {
            CountBy::Level => levels(&within).into_iter().map(of_level).collect(),
            CountBy::Field(field) => {
                let here = field_counts(&within, field, usize::MAX).values;
                let here: HashMap<&str, u64> = here
                    .iter()
                    .map(|count| (&*count.value, count.records))
                    .collect();
                let count = |value: &v1::ValueCount| {
                    Some(v1::Count {
                        level: 0,
                        value: value.value.clone(),
                        records: *here.get(&*value.value)?,
                    })
                };
                listed.iter().filter_map(count).collect()
            }
        };
        v1::Bucket {
            start_us,
            end_us,
            records: within.len() as u64,
            counts,
        }
    };
    let range = range(records, &query.filter);
    match query.buckets {
        0 => Vec::new(),
        count => parts(range, count).into_iter().map(bucket).collect(),
    }
}

/// All answers to a question.
async fn answers(clients: &mut Clients, query: &CountQuery) -> Vec<v1::CountRecordsResponse> {
    let request = proto::count_to_request(query);
    let mut stream = clients.records.count_records(request).await.unwrap();
    let mut answers = Vec::new();
    while let Some(answer) = stream.get_mut().message().await.unwrap() {
        answers.push(answer);
    }
    answers
}

async fn check(clients: &mut Clients, records: &[Record], query: &CountQuery) {
    let answer = answers(clients, query).await.pop().unwrap();
    let found = records.iter().filter(|record| query.filter.matches(record));
    let found: Vec<&Record> = found.collect();
    assert!(answer.complete);
    let coverage = answer.coverage.unwrap();
    assert_eq!(coverage.records_covered, coverage.records_total);
    assert_eq!(answer.records, found.len() as u64, "{query:?}");
    let answered = answer.levels.iter().map(|l| (l.level, l.records));
    let expected = levels(&found);
    assert_eq!(answered.collect::<Vec<_>>(), expected, "{query:?}");
    for (field, counts) in query.fields.iter().zip(&answer.fields) {
        let expected = field_counts(&found, *field, query.values_per_field);
        assert_eq!(counts, &expected, "{query:?}");
    }
    assert_eq!(answer.fields.len(), query.fields.len());
    let is_bounded = query.filter.from_us.is_some() && query.filter.to_us.is_some();
    if !is_bounded || range(records, &query.filter).is_some() {
        let expected = buckets(records, &found, query);
        assert_eq!(answer.buckets, expected, "{query:?}");
    }
}

async fn tell(story: Story) {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let mut records: Vec<Record> = Vec::new();
    let mut queries = story.queries.iter().cycle();
    for (size, seed) in &story.batches {
        let first = records.len() as u64 + 1;
        records.extend(append(&mut bridge, first, *size as u64, *seed).await);
        for query in queries.by_ref().take(2) {
            check(&mut clients, &records, query).await;
        }
    }
    for query in &story.queries {
        check(&mut clients, &records, query).await;
    }
}

#[test]
fn counts_equal_naive_ones_while_blocks_are_merged() {
    let cases = std::env::var("HERALD_CASES").map_or(8, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runner
        .run(&story(), |story| {
            runtime.block_on(tell(story));
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn an_empty_store_has_nothing_to_count() {
    let store = Store::start().await;
    let query = CountQuery {
        fields: vec![TextField::System],
        buckets: 60,
        ..CountQuery::default()
    };
    let answers = answers(&mut store.clients(), &query).await;
    let [answer] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert!(answer.complete && answer.buckets.is_empty() && answer.levels.is_empty());
    assert!(answer.fields[0].values.is_empty() && !answer.fields[0].more);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let request = v1::CountRecordsRequest::default;
    for wrong in [
        v1::CountRecordsRequest {
            buckets: 1_001,
            ..request()
        },
        v1::CountRecordsRequest {
            values_per_field: 1_001,
            ..request()
        },
        v1::CountRecordsRequest {
            fields: vec!["message".to_owned()],
            ..request()
        },
        v1::CountRecordsRequest {
            fields: vec!["module".to_owned(); 33],
            ..request()
        },
        v1::CountRecordsRequest {
            by: "module".to_owned(),
            ..request()
        },
    ] {
        let outcome = match clients.records.count_records(wrong.clone()).await {
            Ok(mut stream) => stream.get_mut().message().await.map(|_| ()),
            Err(status) => Err(status),
        };
        assert_eq!(
            outcome.unwrap_err().code(),
            Code::InvalidArgument,
            "{wrong:?}"
        );
    }
}

/// A store with records that a question has to read all of.
async fn large(timeout: Duration, count: u64) -> (Store, Vec<Record>) {
    let store = Store::start_with(|config| config.query_timeout = timeout).await;
    let (mut bridge, _) = store.clients().open(ONE).await;
    let mut records = Vec::new();
    for first in (1..=count).step_by(1_000) {
        records.extend(append(&mut bridge, first, 1_000, 3).await);
    }
    (store, records)
}

fn dear() -> CountQuery {
    CountQuery {
        filter: RecordFilter::new(query::parse("/[a-z].*[0-9a-f] [0-9]+7$/", 0).unwrap()),
        fields: vec![TextField::UserSpec1],
        buckets: 60,
        ..CountQuery::default()
    }
}

#[tokio::test]
async fn early_answers_grow_into_the_complete_one() {
    let (store, records) = large(Duration::from_secs(600), 12_000).await;
    let clients = store.clients();
    let filter = dear().filter;
    let found = records.iter().filter(|record| filter.matches(record));
    let expected = found.count() as u64;
    // So many at a time that each takes a while.
    let asked = (0..60).map(|_| {
        let mut clients = clients.clone();
        tokio::spawn(async move { answers(&mut clients, &dear()).await })
    });
    let mut early_answers = 0;
    for all in asked.collect::<Vec<_>>() {
        let all = all.await.unwrap();
        let (last, early) = all.split_last().unwrap();
        assert!(last.complete && last.records == expected);
        for two in all.windows(2) {
            let covered =
                |answer: &v1::CountRecordsResponse| answer.coverage.unwrap().records_covered;
            assert!(two[0].records <= two[1].records && covered(&two[0]) <= covered(&two[1]));
            assert!(!two[0].complete);
        }
        early_answers += early.len();
        // Every record has another value.
        let field = &last.fields[0];
        assert!(field.values.iter().all(|value| value.records == 1));
        assert_eq!(field.others, expected - field.values.len() as u64);
    }
    assert!(early_answers > 0, "it was over too soon to show anything");
}

#[tokio::test]
async fn the_deadline_ends_a_count_with_what_it_has() {
    let (store, records) = large(Duration::from_millis(1), 60_000).await;
    let late = answers(&mut store.clients(), &dear()).await.pop().unwrap();
    let coverage = late.coverage.unwrap();
    assert!(!late.complete && late.records < records.len() as u64);
    assert!(coverage.records_covered < coverage.records_total);
    assert_eq!(late.buckets.len(), 60);
}

#[tokio::test]
async fn a_field_of_endless_values_keeps_what_it_lists_exact() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let total = 24_000_u64;
    for first in (1..total).step_by(6_000) {
        let records = (first..first + 6_000).map(|id| Record {
            id,
            user_spec_1: match id % 10 {
                0 => "common".to_owned(),
                _ => format!("job {id}"),
            },
            ..testkit::record(id)
        });
        append_all(&mut bridge, &records.collect::<Vec<_>>()).await;
    }
    let query = CountQuery {
        fields: vec![TextField::UserSpec1],
        buckets: 1_000,
        by: CountBy::Field(TextField::UserSpec1),
        values_per_field: 2,
        ..CountQuery::default()
    };
    let answer = answers(&mut clients, &query).await.pop().unwrap();
    let field = &answer.fields[0];
    assert_eq!(
        (&*field.values[0].value, field.values[0].records),
        ("common", total / 10)
    );
    assert_eq!(field.values[1].records, 1);
    assert_eq!(field.others, total - total / 10 - 1);
    assert!(field.more);
    let of_buckets = |count: fn(&v1::Bucket) -> u64| answer.buckets.iter().map(count).sum::<u64>();
    assert_eq!(of_buckets(|bucket| bucket.records), total);
    assert_eq!(
        of_buckets(|bucket| bucket.counts.iter().map(|c| c.records).max().unwrap_or(0)),
        total / 10
    );
}

#[tokio::test]
async fn a_dropped_stream_ends_its_work() {
    let (store, _) = large(Duration::from_secs(600), 12_000).await;
    let mut clients = store.clients();
    for _ in 0..30 {
        let request = proto::count_to_request(&dear());
        drop(clients.records.count_records(request).await.unwrap());
    }
    // All of them would take long: this one does not stand in line.
    let query = CountQuery {
        filter: RecordFilter {
            from_us: Some(EPOCH_US),
            ..RecordFilter::default()
        },
        ..CountQuery::default()
    };
    wait_until("the store has time", DEADLINE, async || {
        let answers = answers(&mut clients, &query).await;
        answers.len() == 1 && answers[0].complete
    })
    .await;
}
