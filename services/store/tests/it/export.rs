//! Exports: everything that passes, in order, resumed anywhere, never a good
//! end before the end, and in constant memory.

use domain::{Order, Record, RecordFilter, RecordQuery};
use proto::v1;
use tempfile::TempDir;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

use crate::{
    crash,
    harness::{Clients, Store, as_entries, entries, serving_address},
    search::{naive, record},
};

const ONE: Uuid = Uuid::from_u128(1);
const ORDERS: [Order; 2] = [Order::NewestFirst, Order::OldestFirst];

type Pieces = Streaming<v1::ExportRecordsResponse>;

fn filter(query: &str) -> RecordFilter {
    RecordFilter::new(query::parse(query, 0).unwrap())
}

fn request(query: &RecordQuery) -> v1::ExportRecordsRequest {
    v1::ExportRecordsRequest {
        filter: Some(proto::filter_to_proto(&query.filter)),
        order: proto::order_to_proto(query.order).into(),
        before: query.before.unwrap_or(0),
        after: query.after.unwrap_or(0),
        limit: if query.limit == usize::MAX {
            0
        } else {
            query.limit as u64
        },
    }
}

async fn export(clients: &mut Clients, query: &RecordQuery) -> Pieces {
    let request = request(query);
    let pieces = clients.records.export_records(request).await;
    pieces.unwrap().into_inner()
}

/// All pieces: ids of the records, and `through`.
async fn pieces(clients: &mut Clients, query: &RecordQuery) -> Vec<(Vec<Record>, u64)> {
    let mut pieces = export(clients, query).await;
    let mut all = Vec::new();
    let mut covered = 0;
    while let Some(piece) = pieces.message().await.unwrap() {
        let coverage = piece.coverage.unwrap();
        assert!(
            coverage.records_covered >= covered
                && coverage.records_covered <= coverage.records_total
        );
        covered = coverage.records_covered;
        let records = piece.records.into_iter().map(Record::from).collect();
        all.push((records, piece.through));
    }
    all
}

async fn exported(clients: &mut Clients, query: &RecordQuery) -> Vec<Record> {
    let pieces = pieces(clients, query).await;
    pieces
        .into_iter()
        .flat_map(|(records, _)| records)
        .collect()
}

/// A history of 12,000 records in blocks of many sizes.
async fn loaded(store: &Store) -> Vec<Record> {
    let (mut bridge, _) = store.clients().open(ONE).await;
    let mut records = Vec::new();
    let mut next = 1;
    for size in [1, 700, 3, 40, 999, 5, 300, 952].into_iter().cycle() {
        if next > 12_000 {
            return records;
        }
        let batch: Vec<Record> = (next..next + size).map(|id| record(id, 5)).collect();
        bridge.append(next, as_entries(&batch)).await.unwrap();
        records.extend(
            (next..)
                .zip(batch)
                .map(|(id, record)| Record { id, ..record }),
        );
        next += size;
    }
    records
}

#[tokio::test]
async fn an_export_has_everything_in_both_orders_from_any_point_on() {
    let store = Store::start().await;
    let records = loaded(&store).await;
    let mut clients = store.clients();
    let rarely = format!("user_spec_1:\"job {}\"", 5_000);
    for text in ["*", "straße", "level>=error e", "nothing at all", &rarely] {
        for order in ORDERS {
            for limit in [usize::MAX, 1, 777, 5_000] {
                let query = RecordQuery {
                    filter: filter(text),
                    order,
                    limit,
                    ..RecordQuery::default()
                };
                let found = exported(&mut clients, &query).await;
                assert!(
                    found == naive(&records, &query),
                    "{query:?}: {}",
                    found.len()
                );
            }
            let query = RecordQuery {
                filter: filter(text),
                order,
                limit: usize::MAX,
                before: Some(9_000),
                after: Some(100),
            };
            let pieces = pieces(&mut clients, &query).await;
            let mut so_far = Vec::new();
            for (piece, through) in pieces {
                so_far.extend(piece);
                let rest = match order {
                    Order::NewestFirst => RecordQuery {
                        before: Some(through),
                        ..query.clone()
                    },
                    Order::OldestFirst => RecordQuery {
                        after: Some(through),
                        ..query.clone()
                    },
                };
                let mut all = so_far.clone();
                all.extend(exported(&mut clients, &rest).await);
                assert!(all == naive(&records, &query), "{rest:?}: {}", all.len());
            }
        }
    }
}

#[tokio::test]
async fn an_export_that_is_over_resumes_with_what_has_come_since() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    bridge.append(1, entries("a", 1..1_001)).await.unwrap();
    let mut query = RecordQuery {
        order: Order::OldestFirst,
        limit: usize::MAX,
        ..RecordQuery::default()
    };
    let first = pieces(&mut clients, &query).await;
    let through = first.last().unwrap().1;
    assert_eq!(through, 1_000, "no more has been looked at");
    bridge
        .append(1_001, entries("a", 1_001..1_011))
        .await
        .unwrap();
    query.after = Some(through);
    let ids: Vec<u64> = exported(&mut clients, &query)
        .await
        .iter()
        .map(|record| record.id)
        .collect();
    assert_eq!(ids, (1_001..1_011).collect::<Vec<_>>());
}

#[tokio::test]
async fn bounds_at_the_ends_of_all_ids_are_no_trouble() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    bridge.append(1, entries("a", 1..11)).await.unwrap();
    for order in ORDERS {
        let mut check = async |after: u64, before: u64, expected: u64| {
            let query = RecordQuery {
                order,
                limit: usize::MAX,
                after: Some(after),
                before: Some(before),
                ..RecordQuery::default()
            };
            let found = exported(&mut clients, &query).await.len() as u64;
            assert_eq!(found, expected, "{query:?}");
        };
        check(0, 0, 10).await;
        check(0, 1, 0).await;
        check(0, 2, 1).await;
        check(u64::MAX, 0, 0).await;
        check(u64::MAX - 1, u64::MAX, 0).await;
        check(9, u64::MAX, 1).await;
        check(9, 3, 0).await;
        check(10, 0, 0).await;
        check(i64::MAX.cast_unsigned(), 0, 0).await;
        check(0, i64::MAX.cast_unsigned() + 1, 10).await;
    }
}

async fn to_the_end(mut pieces: Pieces) -> Result<usize, Status> {
    let mut count = 0;
    while let Some(piece) = pieces.message().await? {
        count += piece.records.len();
    }
    Ok(count)
}

#[tokio::test]
async fn a_store_that_stops_never_ends_an_export_well() {
    let mut store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    for first in (1..60_001).step_by(1_000) {
        let batch = entries("a", first..first + 1_000);
        bridge.append(first, batch).await.unwrap();
    }
    drop(bridge);
    let all = RecordQuery {
        limit: usize::MAX,
        ..RecordQuery::default()
    };
    let mut begun = export(&mut clients, &all).await;
    assert!(begun.message().await.unwrap().is_some());
    let (outcome, ()) = tokio::join!(to_the_end(begun), store.stop());
    assert_eq!(outcome.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_client_that_holds_still_costs_no_memory() {
    const RECORDS: u64 = 300_000;
    const BOUND: u64 = 96 << 20;
    let folder = TempDir::new().unwrap();
    let process = crash::start(&folder);
    let mut clients = crash::serving(&process).await;
    let (mut bridge, _) = clients.open(ONE).await;
    for some in (1..RECORDS + 1).step_by(20_000) {
        for first in (some..some + 20_000).step_by(1_000) {
            bridge
                .send_batch(first, entries("a", first..first + 1_000))
                .await;
        }
        bridge.acknowledged(some + 20_000).await.unwrap();
    }
    let before = process.resident_bytes();
    let all = RecordQuery {
        limit: usize::MAX,
        ..RecordQuery::default()
    };
    let mut held = export(&mut clients, &all).await;
    let first = held.message().await.unwrap().unwrap().records.len();
    // While it is held, another one runs to its end: the store has had time.
    let other =
        to_the_end(export(&mut Clients::new(serving_address(&process).unwrap()), &all).await);
    assert_eq!(other.await.unwrap() as u64, RECORDS);
    let grown = process.resident_bytes().saturating_sub(before);
    assert!(grown < BOUND, "{} MiB more", grown >> 20);
    let rest = to_the_end(held).await.unwrap();
    assert_eq!((first + rest) as u64, RECORDS);
    let grown = process.resident_bytes().saturating_sub(before);
    assert!(grown < BOUND, "{} MiB more", grown >> 20);
}
