//! What the disk destroys: found, told once, set aside; the rest stays readable,
//! and what only speeds a search up hides nothing.

use std::collections::BTreeSet;

use domain::{Entry, Order, Record, RecordFilter, RecordQuery};
use proto::v1;
use sqlx::SqliteConnection;
use store::verify::{self, Problem};
use testkit::wait_until;
use uuid::Uuid;

use crate::harness::{Clients, DEADLINE, Store, bulky, database, entries};

const ONE: Uuid = Uuid::from_u128(1);
/// Three blocks of so many records.
const COUNT: u64 = 1_000;
/// The block in the middle.
const FIRST_ID: u64 = COUNT + 1;

/// How the middle one of three blocks is damaged.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// A byte of this column of a table, in the rows from the first id to the last
    /// one, whatever slice they are.
    Flip(&'static str, &'static str, u64, u64),
    /// What a statement does.
    Sql(&'static str),
}

async fn inflict(conn: &mut SqliteConnection, damage: Damage) {
    match damage {
        Damage::Flip(table, column, first, last) => {
            let rows = format!(
                "SELECT rowid, {column} FROM {table} WHERE rowid % (1 << 56) BETWEEN ? AND ?"
            );
            let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(sqlx::AssertSqlSafe(rows))
                .bind(first.cast_signed())
                .bind(last.cast_signed())
                .fetch_all(&mut *conn)
                .await
                .unwrap();
            assert!(!rows.is_empty(), "{damage:?} meets something");
            for (id, mut bytes) in rows {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x10;
                let update = format!("UPDATE {table} SET {column} = ? WHERE rowid = ?");
                let update = sqlx::query(sqlx::AssertSqlSafe(update)).bind(bytes);
                update.bind(id).execute(&mut *conn).await.unwrap();
            }
        }
        Damage::Sql(sql) => {
            let done = sqlx::query(sql).execute(&mut *conn).await.unwrap();
            assert!(done.rows_affected() > 0, "{sql} meets something");
        }
    }
}

async fn loaded() -> Store {
    let store = Store::start().await;
    let (mut bridge, _) = store.clients().open(ONE).await;
    for first in [1, FIRST_ID, FIRST_ID + COUNT] {
        let batch = entries("a", first..first + COUNT);
        bridge.append(first, batch).await.unwrap();
    }
    assert_eq!(store.count("SELECT count(*) FROM block").await, 3);
    store
}

fn expected(id: u64) -> Record {
    Record {
        id,
        message: format!("a {id}"),
        ..testkit::record(id)
    }
}

/// Every match, by pages, and the coverage of the last page.
async fn find(clients: &mut Clients, query: &str, order: Order) -> (BTreeSet<u64>, v1::Coverage) {
    let filter = RecordFilter::new(query::parse(query, 0).unwrap());
    let mut found = BTreeSet::new();
    let mut cursor = None;
    loop {
        let (before, after) = match order {
            Order::NewestFirst => (cursor, None),
            Order::OldestFirst => (None, cursor),
        };
        let query = RecordQuery {
            filter: filter.clone(),
            order,
            limit: 700,
            before,
            after,
        };
        let page = clients.list(query).await;
        assert!(!page.partial, "nothing is waited for");
        for record in page.records {
            let record = Record::from(record);
            assert_eq!(record, expected(record.id));
            assert!(found.insert(record.id), "{} came twice", record.id);
        }
        match page.next {
            0 => return (found, page.coverage.unwrap()),
            next => cursor = Some(next),
        }
    }
}

const QUERIES: [&str; 7] = [
    "*",
    "\"a 1500\" OR \"a 15\" OR \"a 2500\"",
    "system_id:system_1",
    "-system_id:system_1",
    "level>=error",
    "received_at>=2023-11-14T22:13:21.9Z",
    "received_at<2023-11-14T22:13:21.9Z created<2040-01-01",
];

/// What is left is found by every query in both orders; `is_lost` says whether
/// the block in the middle is.
async fn check_searches(clients: &mut Clients, is_lost: bool, damage: Damage) {
    for query in QUERIES {
        let filter = RecordFilter::new(query::parse(query, 0).unwrap());
        let is_there = |id: &u64| !is_lost || !(FIRST_ID..FIRST_ID + COUNT).contains(id);
        let ids = (1..=3 * COUNT).filter(is_there);
        let wanted: BTreeSet<u64> = ids.filter(|id| filter.matches(&expected(*id))).collect();
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let (found, coverage) = find(clients, query, order).await;
            assert_eq!(found, wanted, "{query} {order:?} {damage:?}");
            assert_eq!(coverage.records_covered, coverage.records_total);
        }
    }
    let (_, coverage) = find(clients, "zzz", Order::NewestFirst).await;
    // What a damaged number says of itself is not known.
    let is_told = coverage.damaged_records > 0;
    assert_eq!(is_told, is_lost, "{damage:?}");
    for (id, is_left) in [(1, true), (1_500, !is_lost), (2_500, true)] {
        let record = clients.records.get_record(v1::GetRecordRequest { id });
        assert_eq!(record.await.is_ok(), is_left, "{id} {damage:?}");
    }
}

/// What the running store, and afterwards a look at its file, find.
async fn problems(store: &mut Store) -> (Vec<(u64, u64)>, Vec<(u64, u64)>) {
    let answers = store.clients().status.verify(v1::VerifyRequest {}).await;
    let mut answers = answers.unwrap().into_inner();
    let mut told = Vec::new();
    let mut is_done = false;
    while let Some(answer) = answers.message().await.unwrap() {
        let problems = answer.problems.into_iter();
        told.extend(problems.map(|problem| (problem.first_id, problem.records)));
        is_done = answer.done;
    }
    assert!(is_done);
    store.stop().await;
    let mut found: Vec<Problem> = Vec::new();
    verify::file(&database(store.folder.path()), |progress| {
        found.extend(progress.problems);
    })
    .await
    .unwrap();
    let found = found.into_iter();
    let found = found.map(|problem| (problem.first_id, problem.records));
    (told, found.collect())
}

/// Damages the block while the store runs, or while it does not.
async fn check(damage: Damage, is_lost: bool, while_running: bool) {
    let mut store = loaded().await;
    let before = store.metric("herald_store_damaged_total").await;
    if while_running {
        inflict(&mut store.database().await, damage).await;
    } else {
        store.stop().await;
        inflict(&mut store.database().await, damage).await;
        store.resume().await;
    }
    let mut clients = store.clients();
    check_searches(&mut clients, is_lost, damage).await;
    check_searches(&mut clients, is_lost, damage).await;
    let blocks = u64::from(is_lost);
    let status = clients.get_status().await;
    assert_eq!(status.blocks_damaged, blocks, "{damage:?}");
    let told = store.metric("herald_store_damaged_total").await;
    let told = told.unwrap_or(0.0) - before.unwrap_or(0.0);
    assert_eq!(told, blocks as f64, "told once: {damage:?}");
    let (told, found) = problems(&mut store).await;
    for problems in [told, found] {
        let [(first_id, _)] = problems[..] else {
            panic!("one problem, not {problems:?} {damage:?}");
        };
        assert_eq!(first_id, FIRST_ID, "{damage:?}");
    }
}

const PARTS: (u64, u64) = (FIRST_ID * 64, FIRST_ID * 64 + 63);

#[tokio::test]
async fn a_damaged_part_costs_its_block() {
    for while_running in [true, false] {
        let first = Damage::Flip("block_part", "data", PARTS.0, PARTS.0);
        check(first, true, while_running).await;
        let chunk = Damage::Flip("block_part", "data", PARTS.0 + 1, PARTS.0 + 1);
        check(chunk, true, while_running).await;
    }
}

#[tokio::test]
async fn a_missing_part_costs_its_block() {
    for while_running in [true, false] {
        let first = "DELETE FROM block_part WHERE id = 1001 * 64";
        check(Damage::Sql(first), true, while_running).await;
        let chunk = "DELETE FROM block_part WHERE id = 1001 * 64 + 1";
        check(Damage::Sql(chunk), true, while_running).await;
    }
}

#[tokio::test]
async fn a_damaged_filter_hides_nothing() {
    for while_running in [true, false] {
        let flipped = Damage::Flip("block_filter", "bits", FIRST_ID, FIRST_ID);
        check(flipped, false, while_running).await;
        let missing = "DELETE FROM block_filter WHERE id % (1 << 56) = 1001 AND (id >> 56) % 2 = 0";
        check(Damage::Sql(missing), false, while_running).await;
    }
}

#[tokio::test]
async fn damaged_counts_hide_nothing() {
    let flipped = Damage::Flip("block", "facets", FIRST_ID, FIRST_ID);
    check(flipped, false, true).await;
    check(flipped, false, false).await;
}

#[tokio::test]
async fn a_damaged_summary_hides_nothing() {
    for sql in [
        "UPDATE block SET min_received_us = max_received_us, max_received_us = max_received_us + 9
         WHERE first_id = 1001",
        "UPDATE block SET min_received_us = 0, max_received_us = 1 WHERE first_id = 1001",
        "UPDATE block SET max_created_us = 9000000000000000 WHERE first_id = 1001",
        "UPDATE block SET min_created_us = 9000000000000000 WHERE first_id = 1001",
        "UPDATE block SET levels = x'0a000000e8030000' WHERE first_id = 1001",
        "UPDATE block SET levels = x'0a' WHERE first_id = 1001",
    ] {
        check(Damage::Sql(sql), false, false).await;
    }
}

#[tokio::test]
async fn a_damaged_number_of_records_costs_no_more_than_its_block() {
    for count in [
        "1",
        "999",
        "1001",
        "1900",
        "9000",
        "4294967296",
        "9223372036854775807",
    ] {
        let sql = format!("UPDATE block SET count = {count} WHERE first_id = 1001");
        let damage = Damage::Sql(sql.leak());
        check(damage, true, false).await;
        if count == "999" {
            check(damage, true, true).await;
        }
    }
}

/// Makes SQLite lose its way in the middle of a value.
async fn destroy_page(store: &Store, part: u64) {
    let value: Vec<u8> = sqlx::query_scalar("SELECT data FROM block_part WHERE id = ?")
        .bind((FIRST_ID * 64 + part).cast_signed())
        .fetch_one(&mut store.database().await)
        .await
        .unwrap();
    let path = database(store.folder.path());
    let mut file = std::fs::read(&path).unwrap();
    assert!(value.len() > 12_000, "several pages: {}", value.len());
    let piece = &value[6_000..6_032];
    let place = file.windows(32).position(|window| window == piece);
    let page = place.unwrap() / 4096 * 4096;
    // The number of the page that follows.
    file[page..page + 4].fill(0xee);
    std::fs::write(&path, file).unwrap();
}

#[tokio::test]
async fn a_destroyed_page_costs_its_block() {
    for part in [0, 1] {
        let mut store = Store::start().await;
        let clients = store.clients();
        let (mut bridge, _) = clients.open(ONE).await;
        for first in [1, FIRST_ID, FIRST_ID + COUNT] {
            let mut batch = bulky(first..first + COUNT, 7);
            for (number, entry) in (first..).zip(&mut batch) {
                if let Entry::Record(record) = entry {
                    let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let noise = (noise ^ noise >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    let noise = (noise ^ noise >> 32).cast_signed();
                    (record.thread, record.process) = (noise, noise.rotate_left(17));
                }
            }
            bridge.append(first, batch).await.unwrap();
        }
        store.stop().await;
        destroy_page(&store, part).await;
        store.resume().await;
        let mut clients = store.clients();
        let rest: BTreeSet<u64> = (1..=COUNT).chain(2 * COUNT + 1..=3 * COUNT).collect();
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let query = RecordQuery {
                order,
                limit: 10_000,
                ..RecordQuery::default()
            };
            let page = clients.list(query).await;
            let found: BTreeSet<u64> = page.records.iter().map(|record| record.id).collect();
            assert_eq!(found.len(), page.records.len());
            assert!(found == rest, "part {part}: {} are left", found.len());
            assert_eq!(page.coverage.unwrap().damaged_records, COUNT);
        }
        let (told, found) = problems(&mut store).await;
        assert_eq!(told, [(FIRST_ID, COUNT)]);
        assert!(found.contains(&(FIRST_ID, COUNT)), "{found:?}");
    }
}

#[tokio::test]
async fn merging_goes_round_a_damaged_block_and_tells_it_once() {
    let mut store = Store::start().await;
    let (mut bridge, _) = store.clients().open(ONE).await;
    for first in [1, 8] {
        let batch = entries("a", first..first + 7);
        bridge.append(first, batch).await.unwrap();
    }
    store.stop().await;
    let damage = Damage::Flip("block_part", "data", 8 * 64, 8 * 64);
    inflict(&mut store.database().await, damage).await;
    store.resume().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    for first in (15..64).step_by(7) {
        let batch = entries("a", first..first + 7);
        bridge.append(first, batch).await.unwrap();
    }
    wait_until("the others are merged", DEADLINE, async || {
        store.count("SELECT count(*) FROM block").await <= 5
    })
    .await;
    assert_eq!(clients.get_status().await.blocks_damaged, 1);
    let (found, coverage) = find(&mut clients, "*", Order::NewestFirst).await;
    assert_eq!(found, (1..8).chain(15..64).collect());
    assert_eq!(coverage.damaged_records, 7);
    let told = store.metric("herald_store_damaged_total").await;
    assert_eq!(told, Some(1.0));
}
