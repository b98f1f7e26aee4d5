//! Queries made to hurt: refused or answered, in bounded memory, and nobody else
//! has to wait for them.

use domain::RecordQuery;
use proto::v1;
use tempfile::TempDir;
use testkit::Process;
use tokio::{task::JoinSet, time::Instant};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    crash,
    harness::{Clients, DEADLINE, Store, bulky, entries},
};

const ONE: Uuid = Uuid::from_u128(1);

/// A store that holds so many records.
async fn loaded(folder: &TempDir, records: u64) -> (Process, Clients) {
    let process = crash::start(folder);
    let clients = crash::serving(&process).await;
    let (mut bridge, _) = clients.open(ONE).await;
    for some in (1..records + 1).step_by(20_000) {
        for first in (some..some + 20_000).step_by(1_000) {
            let batch = entries("record", first..first + 1_000);
            bridge.send_batch(first, batch).await;
        }
        bridge.acknowledged(some + 20_000).await.unwrap();
    }
    (process, clients)
}

async fn list(clients: &mut Clients, query: &str) -> Result<v1::ListRecordsResponse, Status> {
    let request = v1::ListRecordsRequest {
        filter: Some(v1::RecordFilter {
            query: query.to_owned(),
            ..v1::RecordFilter::default()
        }),
        ..v1::ListRecordsRequest::default()
    };
    let answer = clients.records.list_records(request).await;
    answer.map(tonic::Response::into_inner)
}

fn joined(count: usize, with: &str, term: impl Fn(usize) -> String) -> String {
    (0..count).map(term).collect::<Vec<_>>().join(with)
}

fn refused() -> Vec<(&'static str, String)> {
    let nested = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    vec![
        ("10,000 terms", joined(10_000, " ", |n| format!("t{n}"))),
        ("10,000 parentheses", nested(10_000)),
        ("30,000 that stay open", "(".repeat(30_000)),
        (
            "20,000 times without",
            format!("{}a{}", "-(".repeat(20_000), ")".repeat(20_000)),
        ),
        ("a huge pattern", r"/(\w{1000}){1000}/".to_owned()),
        ("a long pattern", format!("/{}/", "ab".repeat(30_000))),
        ("21 patterns", joined(21, " OR ", |n| format!("/a{n}+/"))),
        ("a text too long", format!("\"{}\"", "x".repeat(64 << 10))),
    ]
}

fn answered() -> Vec<(&'static str, String)> {
    let absent = |n: usize| format!("absent{:x}", n.wrapping_mul(0x9e37_79b9) & 0xffff_ffff);
    let slow = |n: usize| format!(r"/(?i)(\w+[a-z ]*)*[{n}!]\d{{50}}/");
    let glob = joined(200, "*", |n| ["s", "h", "o", "p"][n % 4].to_owned());
    vec![
        ("20 patterns", joined(20, " OR ", slow)),
        (
            "20 patterns in all fields",
            joined(20, " OR ", |n| format!("path:{}", slow(n))),
        ),
        ("500 absent words", joined(500, " OR ", absent)),
        (
            "500 absent letters",
            joined(500, " OR ", |n| format!("{:02x}~", n)),
        ),
        (
            "500 without",
            joined(500, " ", |n| format!("-{}", absent(n))),
        ),
        (
            "500 systems",
            joined(500, " OR ", |n| format!("system_id:{}", absent(n))),
        ),
        (
            "500 systems without",
            joined(500, " ", |n| format!("-system_id:{}", absent(n))),
        ),
        (
            "500 values in extra",
            joined(500, " OR ", |n| format!("extra.attempt:{}", n + 9)),
        ),
        (
            "500 lines",
            joined(500, " OR ", |n| format!("line>={}", n + 5_000)),
        ),
        (
            "a text of 64 KiB",
            format!("\"{}\"", "x".repeat((64 << 10) - 2)),
        ),
        ("a wildcard", format!("path:*{glob}*")),
        (
            "50 times without",
            format!("{}(zzz{}", "-(".repeat(48), ")".repeat(49)),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_refused_or_answered_in_bounded_memory() {
    const BOUND: u64 = 256 << 20;
    let folder = TempDir::new().unwrap();
    let (process, mut clients) = loaded(&folder, 200_000).await;
    let before = process.resident_bytes();
    for (what, query) in refused() {
        let refusal = list(&mut clients, &query).await.expect_err(what);
        assert_eq!(refusal.code(), Code::InvalidArgument, "{what}: {refusal}");
        assert!(refusal.message().len() < 1_000, "{what}: {refusal}");
    }
    for (what, query) in answered() {
        let started = Instant::now();
        let answer = list(&mut clients, &query).await.expect(what);
        // For whoever measures; how long it may take is not tested.
        println!(
            "{what}: {:?}, partial: {}",
            started.elapsed(),
            answer.partial
        );
        let coverage = answer.coverage.unwrap();
        let is_whole = coverage.records_covered == coverage.records_total;
        let is_full = answer.records.len() == RecordQuery::DEFAULT_LIMIT;
        assert!(is_full || coverage.records_covered > 0, "{what}");
        assert!(
            is_whole || is_full || (answer.partial && answer.next > 0),
            "{what}"
        );
    }
    let grown = process.peak_resident_bytes().saturating_sub(before);
    println!("{} MiB more", grown >> 20);
    assert!(grown < BOUND, "{} MiB more", grown >> 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_slow_searches_hold_up_neither_records_nor_a_quick_one() {
    let store = Store::start_with(|config| config.query_timeout = 6 * DEADLINE).await;
    let mut clients = store.clients();
    let (mut bridge, mut next) = clients.open(ONE).await;
    while next <= 20_000 {
        bridge
            .append(next, bulky(next..next + 500, 7))
            .await
            .unwrap();
        next += 500;
    }
    let mut slow = JoinSet::new();
    let query = "/[0-9a-f]*[^0-9a-f]{9}/";
    for _ in 0..32 {
        let mut clients = clients.clone();
        slow.spawn(async move { list(&mut clients, query).await });
    }
    for (round, first) in (next..).step_by(100).take(5).enumerate() {
        let batch = entries("record", first..first + 100);
        bridge.append(first, batch).await.unwrap();
        let answer = list(&mut clients, "level>=error").await.unwrap();
        assert_eq!(answer.records.len(), RecordQuery::DEFAULT_LIMIT);
        assert_eq!(clients.get_status().await.newest_id, first + 99);
        let slow_one = slow.try_join_next();
        assert!(slow_one.is_none(), "a slow one came before round {round}");
    }
    // Who does not wait any more holds nobody up either.
    slow.shutdown().await;
    assert!(list(&mut clients, "level>=error").await.is_ok());
}
