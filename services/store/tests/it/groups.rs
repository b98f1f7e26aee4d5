//! Systems and exceptions equal those that all records tell, while blocks are
//! merged.

use std::collections::{BTreeMap, BTreeSet};

use domain::{CountBy, CountQuery, Record, RecordFilter, TextField, exception};
use proto::v1;
use tonic::Code;
use uuid::Uuid;

use crate::{
    counts::{append, append_all, parts, range, top},
    harness::{Clients, Store},
    search::EPOCH_US,
};

const ONE: Uuid = Uuid::from_u128(1);

fn times(from: Option<i64>, to: Option<i64>) -> RecordFilter {
    RecordFilter {
        from_us: from.map(|time| EPOCH_US + time),
        to_us: to.map(|time| EPOCH_US + time),
        ..RecordFilter::default()
    }
}

fn recent(found: &[&Record], range: Option<(i64, i64)>, buckets: usize) -> Vec<u64> {
    let within = |(from, to): (i64, i64)| {
        let times = found.iter().map(|record| record.received_us);
        times.filter(|time| (from..to).contains(time)).count() as u64
    };
    match buckets {
        0 => Vec::new(),
        count => parts(range, count).into_iter().map(within).collect(),
    }
}

fn bounds(found: &[&Record]) -> (i64, i64) {
    let times = found.iter().map(|record| record.received_us);
    (times.clone().min().unwrap(), times.max().unwrap())
}

fn naive_systems(records: &[Record], filter: &RecordFilter, buckets: usize) -> Vec<v1::System> {
    let range = range(records, filter);
    let mut found: BTreeMap<(&str, &str), Vec<&Record>> = BTreeMap::new();
    for record in records.iter().filter(|record| filter.matches(record)) {
        let key = (&*record.system_id, &*record.sub_system_id);
        found.entry(key).or_default().push(record);
    }
    let mut systems: Vec<v1::System> = found
        .into_iter()
        .map(|((system_id, sub_system_id), found)| v1::System {
            system_id: system_id.to_owned(),
            sub_system_id: sub_system_id.to_owned(),
            first_received_us: bounds(&found).0,
            last_received_us: bounds(&found).1,
            last_id: found.iter().map(|record| record.id).max().unwrap(),
            records: found.len() as u64,
            recent: recent(&found, range, buckets),
        })
        .collect();
    systems.sort_by_key(|system| std::cmp::Reverse((system.last_received_us, system.last_id)));
    systems
}

/// Asks for so many buckets and at most so many systems.
async fn check_systems(
    clients: &mut Clients,
    records: &[Record],
    filter: &RecordFilter,
    asked: &[(u32, u32)],
) {
    for (buckets, limit) in asked.iter().copied() {
        let request = v1::ListSystemsRequest {
            from_us: filter.from_us,
            to_us: filter.to_us,
            buckets,
            limit,
        };
        let answer = clients.records.list_systems(request).await;
        let answer = answer.unwrap().into_inner();
        let mut expected = naive_systems(records, filter, buckets as usize);
        let has_more = expected.len() > limit as usize;
        expected.truncate(limit as usize);
        assert_eq!(answer.systems, expected, "{filter:?} {buckets}");
        assert_eq!((answer.more, answer.partial), (has_more, false));
        if let Some(range) = range(records, filter) {
            assert_eq!((answer.from_us, answer.to_us), range);
        }
    }
}

fn naive_groups(
    records: &[Record],
    filter: &RecordFilter,
    buckets: usize,
) -> Vec<v1::ExceptionGroup> {
    let range = range(records, filter);
    let mut found: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for record in records.iter().filter(|record| filter.matches(record)) {
        let fingerprint = TextField::Fingerprint.of(record).into_owned();
        if !fingerprint.is_empty() {
            found.entry(fingerprint).or_default().push(record);
        }
    }
    let mut groups: Vec<v1::ExceptionGroup> = found
        .into_iter()
        .map(|(fingerprint, found)| {
            let newest = found.last().unwrap();
            v1::ExceptionGroup {
                fingerprint,
                kind: exception::kind(&newest.exception).to_owned(),
                summary: exception::summary(&newest.exception).to_owned(),
                records: found.len() as u64,
                first_received_us: bounds(&found).0,
                last_received_us: bounds(&found).1,
                first_id: found[0].id,
                last_id: newest.id,
                systems: top(found.iter().map(|record| &*record.system_id)),
                recent: recent(&found, range, buckets),
            }
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.last_id));
    groups
}

async fn check_exceptions(clients: &mut Clients, records: &[Record], filter: &RecordFilter) {
    for (buckets, limit) in [(0, 1_000), (9, 1_000), (3, 2)] {
        let request = v1::ListExceptionsRequest {
            filter: Some(proto::filter_to_proto(filter)),
            limit,
            buckets,
        };
        let answer = clients.records.list_exceptions(request).await;
        let answer = answer.unwrap().into_inner();
        let mut expected = naive_groups(records, filter, buckets as usize);
        let has_more = expected.len() > limit as usize;
        expected.truncate(limit as usize);
        assert_eq!(answer.groups, expected, "{filter:?} {buckets}");
        assert_eq!((answer.more, answer.partial), (has_more, false));
    }
}

#[tokio::test]
async fn systems_and_exceptions_equal_those_that_records_tell() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let mut records = Vec::new();
    let queries = [
        "",
        "straße",
        "level>=warning -timeout",
        "system_id:system_1",
        "/f[12]$/",
    ];
    for (round, size) in [1, 3, 700, 2, 40, 1_500, 5, 5, 5, 300, 1]
        .into_iter()
        .enumerate()
    {
        let first = records.len() as u64 + 1;
        records.extend(append(&mut bridge, first, size, round as u64 * 77).await);
        for filter in [
            times(None, None),
            times(Some(100_000), Some(900_000)),
            times(Some(1_700_000), None),
            times(None, Some(0)),
        ] {
            let asked = [(0, 1_000), (7, 1_000), (60, 3)];
            check_systems(&mut clients, &records, &filter, &asked).await;
        }
        let filter = RecordFilter {
            condition: query::parse(queries[round % queries.len()], 0).unwrap(),
            ..times(None, (round % 2 == 0).then_some(1_000_000))
        };
        check_exceptions(&mut clients, &records, &filter).await;
    }
    check_exceptions(&mut clients, &records, &times(None, None)).await;
}

#[tokio::test]
async fn a_sub_system_or_an_exception_in_every_record_is_told_as_well() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let mut records = Vec::new();
    for first in (1..6_001).step_by(1_500) {
        let made = (first..first + 1_500).map(|id| Record {
            id,
            sub_system_id: format!("pod-{id}"),
            system_id: format!("system {}", id % 900),
            exception: format!("Traceback\n  File \"a.py\", line 1, in f{id}\nValueError: {id}"),
            ..testkit::record(id)
        });
        let made: Vec<Record> = made.collect();
        append_all(&mut bridge, &made).await;
        records.extend(made);
    }
    let answer = clients.records.list_systems(v1::ListSystemsRequest {
        limit: 10_000,
        ..v1::ListSystemsRequest::default()
    });
    let systems = answer.await.unwrap().into_inner().systems;
    assert_eq!(systems, naive_systems(&records, &times(None, None), 0));
    check_exceptions(&mut clients, &records, &times(None, None)).await;
    let answer = clients.records.list_exceptions(v1::ListExceptionsRequest {
        limit: 1_000,
        ..v1::ListExceptionsRequest::default()
    });
    let groups = answer.await.unwrap().into_inner().groups;
    let newest: BTreeSet<u64> = groups.iter().map(|group| group.last_id).collect();
    assert_eq!(newest, (5_001..6_001).collect());
}

#[tokio::test]
async fn an_empty_store_lists_nothing_and_wrong_limits_are_refused() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let systems = clients
        .records
        .list_systems(v1::ListSystemsRequest::default());
    let systems = systems.await.unwrap().into_inner();
    assert_eq!(systems.coverage, Some(v1::Coverage::default()));
    assert!(systems.systems.is_empty() && !systems.more && !systems.partial);
    for (limit, buckets) in [(10_001, 0), (0, 1_001)] {
        let systems = clients.records.list_systems(v1::ListSystemsRequest {
            limit,
            buckets,
            ..v1::ListSystemsRequest::default()
        });
        assert_eq!(systems.await.unwrap_err().code(), Code::InvalidArgument);
        let exceptions = clients.records.list_exceptions(v1::ListExceptionsRequest {
            limit,
            buckets,
            ..v1::ListExceptionsRequest::default()
        });
        assert_eq!(exceptions.await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn what_the_catalog_knows_is_counted_without_reading_a_block() {
    let mut store = Store::start().await;
    let (mut bridge, _) = store.clients().open(ONE).await;
    let records: Vec<Record> = (1..801)
        .map(|id| Record {
            id,
            ..testkit::record(id)
        })
        .collect();
    append_all(&mut bridge, &records).await;
    drop(bridge);
    store.restart().await;
    sqlx::query("DELETE FROM block_part")
        .execute(&mut store.database().await)
        .await
        .unwrap();
    let mut clients = store.clients();
    let query = CountQuery {
        fields: TextField::CONTEXT.to_vec(),
        buckets: 1,
        by: CountBy::Field(TextField::SubSystem),
        ..CountQuery::default()
    };
    let request = proto::count_to_request(&query);
    let mut answers = clients.records.count_records(request).await.unwrap();
    let answer = answers.get_mut().message().await.unwrap().unwrap();
    assert!(answer.complete);
    assert_eq!(answer.coverage.unwrap().damaged_records, 0);
    assert_eq!(answer.buckets[0].records, 800);
    assert_eq!(answer.buckets[0].counts.len(), 4);
    for (field, counts) in query.fields.iter().zip(&answer.fields) {
        let texts: Vec<_> = records.iter().map(|record| field.of(record)).collect();
        assert_eq!(counts.values, top(texts.iter().map(|text| &**text)));
    }
    check_systems(
        &mut clients,
        &records,
        &times(None, None),
        &[(0, 1_000), (1, 5)],
    )
    .await;
    let listed = clients
        .records
        .list_exceptions(v1::ListExceptionsRequest::default());
    let listed = listed.await.unwrap().into_inner();
    assert!(listed.groups.is_empty() && !listed.partial);
    assert_eq!(listed.coverage.unwrap().damaged_records, 0);
}
