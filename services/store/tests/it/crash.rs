//! kill -9 at random during load: what was acknowledged is there, once, and the
//! numbers add up.

use std::time::Duration;

use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use testkit::{Process, wait_for};
use tokio::sync::watch;
use uuid::Uuid;

use crate::harness::{Clients, DEADLINE, database, entries, gap, serving_address};

/// Seeded and printed: a failure can be run again.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

/// A store of its own process.
pub(crate) fn start(folder: &TempDir) -> Process {
    let vars = [
        ("DEV_STAGE", "TESTING"),
        ("STORE_LISTEN", "127.0.0.1:0"),
        ("STORE_DATA_DIR", folder.path().to_str().unwrap()),
        // Cut often, so that crashes meet checkpoints, too.
        ("STORE_WAL_BYTES", "16MiB"),
    ];
    Process::start(env!("CARGO_BIN_EXE_store"), [""; 0], vars)
}

/// Its clients, as soon as it serves.
pub(crate) async fn serving(process: &Process) -> Clients {
    let address = wait_for("the store serves", Duration::from_secs(5), async || {
        serving_address(process)
    })
    .await;
    Clients::new(address)
}

/// Every seventh entry is a gap of two numbers.
fn batch(bridge: u128, first: u64, count: u64) -> (Vec<domain::Entry>, u64) {
    let mut next = first;
    let mut batch = Vec::new();
    for _ in 0..count {
        if next.is_multiple_of(7) {
            batch.push(gap(2));
            next += 2;
        } else {
            batch.extend(entries(&format!("bridge {bridge}"), next..next + 1));
            next += 1;
        }
    }
    (batch, next)
}

/// Sends as a bridge does, from where the store stands, until the store is gone;
/// returns the number below which everything was acknowledged.
async fn send(clients: Clients, bridge: u128, seed: u64, acknowledged: watch::Sender<u64>) {
    let mut random = Random(seed);
    let Ok((mut stream, mut next)) = clients.try_open(Uuid::from_u128(bridge)).await else {
        return;
    };
    assert!(
        next >= *acknowledged.borrow(),
        "acknowledged numbers are lost"
    );
    let mut sent = Vec::new();
    loop {
        let (entries, end) = batch(bridge, next, 1 + random.below(400));
        stream.send_batch(next, entries).await;
        if random.below(10) == 0 {
            // The same once more.
            let (entries, _) = batch(bridge, next, 1);
            stream.send_batch(next, entries).await;
        }
        next = end;
        sent.push(end);
        if sent.len() < 4 {
            continue;
        }
        let oldest = sent.remove(0);
        match stream.acknowledged(oldest).await {
            Ok(()) => acknowledged.send_replace(oldest),
            Err(_) => return,
        };
    }
}

async fn check(folder: &TempDir, bridge: u128, next: u64, messages: &[String]) {
    let prefix = format!("bridge {bridge} ");
    let stored: Vec<u64> = messages
        .iter()
        .filter_map(|message| message.strip_prefix(&prefix)?.parse().ok())
        .collect();
    let mut expected = Vec::new();
    let mut number = 1;
    while number < next {
        if number % 7 == 0 {
            number += 2;
        } else {
            expected.push(number);
            number += 1;
        }
    }
    assert_eq!(
        stored,
        expected,
        "bridge {bridge} in {}",
        folder.path().display()
    );
}

/// I8: every number of every spool is a record, a dead letter or declared lost.
async fn check_sums(folder: &TempDir) {
    let path = database(folder.path());
    let mut conn = SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap();
    let sums = "SELECT (SELECT sum(next_sequence - first_sequence) FROM bridge)
                     - (SELECT sum(value) FROM counter)";
    let difference: i64 = sqlx::query_scalar(sums).fetch_one(&mut conn).await.unwrap();
    assert_eq!(difference, 0);
    let check: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn what_was_acknowledged_survives_kills_at_random() {
    let kills = std::env::var("HERALD_KILLS").map_or(50, |kills| kills.parse().unwrap());
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut random = Random(seed);
    let folder = TempDir::new().unwrap();
    let bridges: [u128; 3] = [1, 2, 3];
    let acknowledged: Vec<_> = bridges.iter().map(|_| watch::channel(1_u64).0).collect();
    for round in 0..kills {
        let mut process = start(&folder);
        let clients = serving(&process).await;
        let mut senders = tokio::task::JoinSet::new();
        for (bridge, acknowledged) in bridges.iter().zip(&acknowledged) {
            let seed = random.below(u64::MAX >> 1);
            senders.spawn(send(clients.clone(), *bridge, seed, acknowledged.clone()));
        }
        let lives_ms = random.below(if round % 5 == 0 { 600 } else { 120 });
        let killed = tokio::time::timeout(Duration::from_millis(lives_ms), process.end(DEADLINE));
        assert!(
            killed.await.is_err(),
            "it ended by itself: {}",
            process.stderr()
        );
        process.kill().await;
        while let Some(outcome) = senders.join_next().await {
            outcome.unwrap();
        }
    }
    let mut process = start(&folder);
    let mut clients = serving(&process).await;
    let messages = clients.messages().await;
    for (bridge, acknowledged) in bridges.into_iter().zip(&acknowledged) {
        let (_, next) = clients.open(Uuid::from_u128(bridge)).await;
        assert!(next >= *acknowledged.borrow());
        check(&folder, bridge, next, &messages).await;
    }
    assert!(messages.len() > 1_000, "there was load: {}", messages.len());
    process.terminate();
    process.end(DEADLINE).await;
    check_sums(&folder).await;
}
