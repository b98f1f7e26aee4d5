//! Pages by id: each record once, both ways, whatever the times; context; one
//! record.

use domain::{Entry, Order, Record, RecordFilter, RecordQuery};
use proto::v1;
use tonic::Code;
use uuid::Uuid;

use crate::harness::{Clients, Store, entries};

const ONE: Uuid = Uuid::from_u128(1);

async fn page_through(
    clients: &mut Clients,
    filter: &RecordFilter,
    order: Order,
    limit: usize,
) -> Vec<u64> {
    let mut ids = Vec::new();
    let mut cursor = None;
    loop {
        let (before, after) = match order {
            Order::NewestFirst => (cursor, None),
            Order::OldestFirst => (None, cursor),
        };
        let query = RecordQuery {
            filter: filter.clone(),
            order,
            limit,
            before,
            after,
        };
        let page = clients.list(query).await;
        assert!(page.records.len() <= limit && !page.partial);
        ids.extend(page.records.iter().map(|record| record.id));
        if page.next == 0 {
            return ids;
        }
        cursor = Some(page.next);
    }
}

#[tokio::test]
async fn a_thousand_records_of_one_time_are_paged_once_each_both_ways() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    for first in (1..1_001).step_by(125) {
        let mut batch = entries("a", first..first + 125);
        for entry in &mut batch {
            if let Entry::Record(record) = entry {
                (record.received_us, record.created_us) = (7, 7);
            }
        }
        bridge.append(first, batch).await.unwrap();
    }
    let matching = |filter: &RecordFilter| {
        let record = |id| Record {
            id,
            message: format!("a {id}"),
            received_us: 7,
            ..testkit::record(id)
        };
        let ids = (1..1_001).filter(|id| filter.matches(&record(*id)));
        ids.collect::<Vec<u64>>()
    };
    for query in [
        "*",
        "level>=error",
        "\"a 7\"",
        "received_at:1970-01-01",
        "nothing",
    ] {
        let filter = RecordFilter::new(query::parse(query, 0).unwrap());
        let rising = matching(&filter);
        let falling: Vec<u64> = rising.iter().rev().copied().collect();
        for limit in [7, 50, 125, 999, 1_000, 1_001] {
            for (order, expected) in [
                (Order::OldestFirst, &rising),
                (Order::NewestFirst, &falling),
            ] {
                let found = page_through(&mut clients, &filter, order, limit).await;
                assert_eq!(found, *expected, "{query} {order:?} {limit}");
            }
        }
    }
}

#[tokio::test]
async fn cursors_bound_a_list_on_both_sides() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    for first in [1, 11, 21] {
        bridge
            .append(first, entries("a", first..first + 10))
            .await
            .unwrap();
    }
    let mut check = async |order, after: u64, before: u64, expected: Vec<u64>| {
        let query = RecordQuery {
            order,
            limit: 4,
            before: (before > 0).then_some(before),
            after: (after > 0).then_some(after),
            ..RecordQuery::default()
        };
        let page = clients.list(query).await;
        let ids: Vec<u64> = page.records.iter().map(|record| record.id).collect();
        assert_eq!(ids, expected, "{order:?} {after} {before}");
    };
    check(Order::NewestFirst, 0, 0, vec![30, 29, 28, 27]).await;
    check(Order::NewestFirst, 0, 12, vec![11, 10, 9, 8]).await;
    check(Order::NewestFirst, 9, 12, vec![11, 10]).await;
    check(Order::NewestFirst, 9, 10, vec![]).await;
    check(Order::NewestFirst, 0, 1, vec![]).await;
    check(Order::NewestFirst, 29, 0, vec![30]).await;
    check(Order::NewestFirst, 0, u64::MAX, vec![30, 29, 28, 27]).await;
    check(Order::OldestFirst, 0, 0, vec![1, 2, 3, 4]).await;
    check(Order::OldestFirst, 19, 0, vec![20, 21, 22, 23]).await;
    check(Order::OldestFirst, 19, 21, vec![20]).await;
    check(Order::OldestFirst, 30, 0, vec![]).await;
    check(Order::OldestFirst, u64::MAX, 0, vec![]).await;
}

#[tokio::test]
async fn one_record_and_its_neighbours_are_found_by_id() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    for first in [1, 11, 21] {
        bridge
            .append(first, entries("a", first..first + 10))
            .await
            .unwrap();
    }
    for id in [1, 10, 11, 30] {
        let request = v1::GetRecordRequest { id };
        let record = clients
            .records
            .get_record(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(record.record.unwrap().message, format!("a {id}"));
    }
    for id in [0, 31, u64::MAX] {
        let request = v1::GetRecordRequest { id };
        let refused = clients.records.get_record(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    }
    let mut check = async |id, before, after, expected: std::ops::Range<u64>| {
        let request = v1::GetRecordContextRequest {
            id,
            before,
            after,
            scope: 0,
        };
        let context = clients.records.get_record_context(request).await.unwrap();
        let context = context.into_inner();
        let records = context.before.into_iter();
        let records = records.chain(context.record).chain(context.after);
        let ids: Vec<u64> = records.map(|record| record.id).collect();
        assert_eq!(ids, expected.collect::<Vec<_>>());
    };
    check(15, 2, 3, 13..19).await;
    check(11, 5, 0, 6..12).await;
    check(1, 5, 1, 1..3).await;
    check(30, 0, 1_000, 30..31).await;
    check(15, 1_000, 1_000, 1..31).await;
    let request = v1::GetRecordContextRequest {
        id: 1,
        before: 1_001,
        after: 0,
        scope: 0,
    };
    let refused = clients
        .records
        .get_record_context(request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_context_field_may_be_unique_per_record() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    for first in (1..20_001).step_by(1_000) {
        let mut batch = entries("a", first..first + 1_000);
        for (number, entry) in (first..).zip(&mut batch) {
            if let Entry::Record(record) = entry {
                record.user_spec_1 = format!("job {number}");
            }
        }
        bridge.append(first, batch).await.unwrap();
    }
    for number in [1, 9_999, 20_000] {
        let query = format!("user_spec_1:\"job {number}\"");
        let filter = RecordFilter::new(query::parse(&query, 0).unwrap());
        let page = clients
            .list(RecordQuery {
                filter,
                ..RecordQuery::default()
            })
            .await;
        let [record] = &page.records[..] else {
            panic!("one record, not {}", page.records.len());
        };
        assert_eq!(record.message, format!("a {number}"));
    }
    let all = clients.all(10_000).await;
    let is_right = |record: &Record| record.user_spec_1 == format!("job {}", record.id);
    assert!(all.len() == 20_000 && all.iter().all(is_right));
}
