//! Every answer equals a naive filter over all records: for random histories,
//! filters, orders, limits and cursors, while blocks are merged.

use std::time::Duration;

use domain::{Condition, Entry, Order, Record, RecordFilter, RecordQuery};
use proptest::{
    prelude::{Strategy, any},
    prop_oneof,
    sample::select,
    strategy::Just,
    test_runner::{Config, TestRunner},
};
use testkit::wait_until;
use uuid::Uuid;

use crate::harness::{Clients, DEADLINE, Store, as_entries};

const ONE: Uuid = Uuid::from_u128(1);
const WORDS: [&str; 8] = [
    "timeout",
    "Straße",
    "deadbeef00",
    "100%",
    "a_b",
    "'quote\"",
    "connection",
    "ÄRGER",
];

/// Batches of records that are made from numbers, and questions about them.
#[derive(Debug, Clone)]
struct Story {
    batches: Vec<(usize, u64)>,
    queries: Vec<RecordQuery>,
}

fn story() -> impl Strategy<Value = Story> {
    let size = prop_oneof![4 => 1_usize..20, 2 => 20_usize..300, 1 => 700_usize..1_000];
    (
        proptest::collection::vec((size, any::<u64>()), 1..24),
        proptest::collection::vec(query(), 12),
    )
        .prop_map(|(batches, queries)| Story { batches, queries })
}

/// Questions of every kind.
pub(crate) fn query() -> impl Strategy<Value = RecordQuery> {
    let cursor = || prop_oneof![2 => Just(None), 1 => (1_u64..3_000).prop_map(Some)];
    (
        filter(),
        any::<bool>(),
        prop_oneof![1_usize..20, 50_usize..2_000],
        cursor(),
        cursor(),
    )
        .prop_map(|(filter, is_newest, limit, before, after)| RecordQuery {
            filter,
            order: if is_newest {
                Order::NewestFirst
            } else {
                Order::OldestFirst
            },
            limit,
            before,
            after,
        })
}

pub(crate) fn filter() -> impl Strategy<Value = RecordFilter> {
    let time = || prop_oneof![3 => Just(None), 1 => (0_i64..3_000_000).prop_map(Some)];
    (condition(), time(), time()).prop_map(|(condition, from_us, to_us)| RecordFilter {
        condition,
        from_us: from_us.map(|time| EPOCH_US + time),
        to_us: to_us.map(|time| EPOCH_US + time),
    })
}

/// Conditions of every kind, up to a few deep.
fn condition() -> impl Strategy<Value = Condition> {
    let texts = [
        "e",
        "ss",
        "EADBEE",
        "nothing",
        "function_3",
        "module_",
        "100%",
        "a_b",
        "straße",
        "ärger",
        "\"'quote\\\"\"",
        "/dead[a-f]+00/",
        "/^Straße [0-9a-f]+ /",
        "level>=warning",
        "level:25",
        "level<40",
        "exception:*",
        "exception:straße",
        "fingerprint:*",
        "line>=2",
        "id:5..2000",
        "received_at>2023-11-14T22:13:21Z",
        "sub_system_id:blue",
        "user_spec_1:*7",
        "extra.order:3",
        "extra.order>=5",
        "extra.tags:b",
        "module:=module_3",
    ];
    let parse = |text: &str| query::parse(text, 0).unwrap();
    let number = |format: fn(u64) -> String| (0_u64..3_000).prop_map(format);
    let leaf = prop_oneof![
        3 => select(texts.to_vec()).prop_map(str::to_owned),
        1 => (0_u64..400).prop_map(|number| format!("{number:04x}")),
        1 => (0_u64..4).prop_map(|number| format!("system_id:system_{number}")),
        1 => (0_u64..4).prop_map(|number| format!("sub_system_id:host_{number}")),
        1 => number(|number| format!("user_spec_1:\"job {number}\"")),
    ];
    let leaf = leaf.prop_map(move |text| parse(&text));
    leaf.prop_recursive(3, 10, 3, |inner| {
        let some = || proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            4 => some().prop_map(Condition::All),
            2 => some().prop_map(Condition::Any),
            1 => inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

pub(crate) const EPOCH_US: i64 = 1_700_000_000_500_000;

/// The `number`-th record of an imagined history.
pub(crate) fn record(number: u64, seed: u64) -> Record {
    let noise = (number ^ seed)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(31);
    let word = WORDS[(noise % 8) as usize];
    Record {
        received_us: EPOCH_US + (number * 1_000 + noise % 5_000).cast_signed(),
        message: format!("{word} {:04x} {}", noise % 400, noise >> 8),
        user_spec_1: format!("job {number}"),
        exception: match noise % 11 {
            0 => format!(
                "Traceback\n  File \"a.py\", line 1, in f{}\nValueError: {word}",
                noise % 3
            ),
            _ => String::new(),
        },
        extra: match noise % 3 {
            0 => format!(r#"{{"order":{},"tags":["a","b"]}}"#, noise % 9),
            _ => String::new(),
        },
        ..testkit::record(number)
    }
}

/// What a query must find.
pub(crate) fn naive(records: &[Record], query: &RecordQuery) -> Vec<Record> {
    let is_asked_for = |record: &&Record| {
        query.before.is_none_or(|before| record.id < before)
            && query.after.is_none_or(|after| record.id > after)
            && query.filter.matches(record)
    };
    let found = records.iter().filter(is_asked_for).cloned();
    match query.order {
        Order::OldestFirst => found.take(query.limit).collect(),
        Order::NewestFirst => found.rev().take(query.limit).collect(),
    }
}

async fn check(clients: &mut Clients, records: &[Record], query: &RecordQuery) {
    let page = clients.list(query.clone()).await;
    let found: Vec<Record> = page.records.into_iter().map(Record::from).collect();
    let expected = naive(records, query);
    let ids = |records: &[Record]| records.iter().map(|record| record.id).collect::<Vec<_>>();
    assert_eq!(ids(&found), ids(&expected), "{query:?}");
    assert_eq!(found, expected);
    let all = RecordQuery {
        limit: usize::MAX,
        ..query.clone()
    };
    let expected = ids(&naive(records, &all));
    // A few pages, and those of one record seldom.
    let limit = query.limit.max(expected.len() / 8);
    let paged = RecordQuery {
        limit,
        ..query.clone()
    };
    assert_eq!(
        ids(&page_through(clients, paged).await),
        expected,
        "{query:?}"
    );
}

/// What a query finds, page after page, to its end.
pub(crate) async fn page_through(clients: &mut Clients, mut query: RecordQuery) -> Vec<Record> {
    let mut found = Vec::new();
    loop {
        let page = clients.list(query.clone()).await;
        assert!(page.records.len() <= query.limit && !page.partial);
        found.extend(page.records.into_iter().map(Record::from));
        match (page.next, query.order) {
            (0, _) => return found,
            (next, Order::NewestFirst) => query.before = Some(next),
            (next, Order::OldestFirst) => query.after = Some(next),
        }
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
        let batch: Vec<Record> = (first..first + *size as u64)
            .map(|number| record(number, *seed))
            .collect();
        let entries = batch.iter().cloned();
        let entries = entries
            .map(|record| Entry::Record(Box::new(record)))
            .collect();
        bridge.append(first, entries).await.unwrap();
        records.extend(
            (first..)
                .zip(batch)
                .map(|(id, record)| Record { id, ..record }),
        );
        for query in queries.by_ref().take(3) {
            check(&mut clients, &records, query).await;
        }
    }
    for query in &story.queries {
        check(&mut clients, &records, query).await;
    }
}

#[test]
fn answers_equal_a_naive_filter_while_blocks_are_merged() {
    let cases = std::env::var("HERALD_CASES").map_or(24, |cases| cases.parse().unwrap());
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
async fn small_blocks_are_merged_and_nothing_changes() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let mut records = Vec::new();
    for id in 1..301 {
        let record = record(id, 7);
        records.push(Record {
            id,
            ..record.clone()
        });
        let entry = Entry::Record(Box::new(record));
        bridge.append(id, vec![entry]).await.unwrap();
    }
    wait_until("few blocks are left", DEADLINE, async || {
        store.count("SELECT count(*) FROM block").await < 60
    })
    .await;
    assert_eq!(clients.all(1_000).await, records);
}

#[tokio::test]
async fn the_deadline_ends_a_search_with_what_it_has() {
    let store = Store::start_with(|config| {
        config.query_timeout = Duration::from_millis(10);
    })
    .await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    for first in (1..100_001).step_by(1_000) {
        let batch = (first..first + 1_000).map(|number| record(number, 3));
        let batch = batch
            .map(|record| Entry::Record(Box::new(record)))
            .collect();
        bridge.append(first, batch).await.unwrap();
    }
    // Too short for the filter of a block: every text is looked through.
    let query = |before| RecordQuery {
        filter: RecordFilter::new(query::parse("e zz", 0).unwrap()),
        before,
        ..RecordQuery::default()
    };
    let mut before = None;
    let mut partial_answers = 0;
    loop {
        let request = proto::query_to_request(&query(before));
        match clients.records.list_records(request).await {
            Ok(page) => {
                let page = page.into_inner();
                assert!(page.records.is_empty());
                if page.next == 0 {
                    break;
                }
                assert!(page.partial && before.is_none_or(|before| page.next < before));
                partial_answers += 1;
                before = Some(page.next);
            }
            Err(late) => assert_eq!(late.code(), tonic::Code::DeadlineExceeded, "{late}"),
        }
    }
    assert!(partial_answers > 0, "it was over too soon to show anything");
}

#[tokio::test]
async fn partial_answers_go_on_to_the_full_one() {
    let store = Store::start_with(|config| {
        config.query_timeout = Duration::from_millis(10);
    })
    .await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let mut records = Vec::new();
    for first in (1..40_001).step_by(1_000) {
        let batch: Vec<Record> = (first..first + 1_000).map(|id| record(id, 3)).collect();
        bridge.append(first, as_entries(&batch)).await.unwrap();
        records.extend(
            (first..)
                .zip(batch)
                .map(|(id, record)| Record { id, ..record }),
        );
    }
    let mut partial_answers = 0;
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let mut query = RecordQuery {
            filter: RecordFilter::new(query::parse("/ 0?07[0-9a-f] / -straße", 0).unwrap()),
            order,
            limit: 10_000,
            ..RecordQuery::default()
        };
        let expected = naive(&records, &query);
        assert!(!expected.is_empty());
        let mut found = Vec::new();
        loop {
            let request = proto::query_to_request(&query);
            let page = match clients.records.list_records(request).await {
                Ok(page) => page.into_inner(),
                Err(late) => {
                    assert_eq!(late.code(), tonic::Code::DeadlineExceeded, "{late}");
                    continue;
                }
            };
            partial_answers += u32::from(page.partial);
            found.extend(page.records.into_iter().map(Record::from));
            match (page.next, order) {
                (0, _) => break,
                (next, Order::NewestFirst) => query.before = Some(next),
                (next, Order::OldestFirst) => query.after = Some(next),
            }
        }
        assert!(
            found == expected,
            "{order:?}: {} of {}",
            found.len(),
            expected.len()
        );
    }
    assert!(partial_answers > 0, "it was over too soon to show anything");
}
