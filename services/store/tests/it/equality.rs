//! Every answer equals a naive filter, while records come in and are merged, the
//! process is killed, and retention removes the oldest.

use std::{collections::BTreeSet, time::Duration};

use domain::{Order, Record, RecordQuery};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRunner},
};
use tempfile::TempDir;
use testkit::wait_until;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    crash::{self, Random},
    harness::{Clients, DEADLINE, Store, as_entries},
    search::{naive, page_through, query, record},
};

const ONE: Uuid = Uuid::from_u128(1);
const SEED: u64 = 5;

/// The record that has this id: the spool has no gap, so that numbers are ids.
fn known(id: u64) -> Record {
    Record {
        id,
        ..record(id, SEED)
    }
}

fn history(newest_id: u64) -> Vec<Record> {
    (1..=newest_id).map(known).collect()
}

fn random_queries(count: usize) -> Vec<RecordQuery> {
    let mut runner = TestRunner::new(Config::default());
    let mut next = || query().new_tree(&mut runner).unwrap().current();
    std::iter::repeat_with(&mut next).take(count).collect()
}

/// The query bound to what is there, to be asked in few pages.
fn bounded(query: &RecordQuery, newest_id: u64) -> RecordQuery {
    RecordQuery {
        limit: query.limit.max(newest_id as usize / 8 + 1).min(10_000),
        before: Some(query.before.unwrap_or(u64::MAX).min(newest_id + 1)),
        ..query.clone()
    }
}

/// Sends batches of any size until the store is gone.
async fn load(clients: Clients, seed: u64, acknowledged: watch::Sender<u64>) {
    let mut random = Random(seed);
    let Ok((mut bridge, mut next)) = clients.try_open(ONE).await else {
        return;
    };
    loop {
        let most = [3, 40, 400][random.below(3) as usize];
        let size = 1 + random.below(most);
        let batch: Vec<Record> = (next..next + size).map(|id| record(id, SEED)).collect();
        if bridge.append(next, as_entries(&batch)).await.is_err() {
            return;
        }
        next += size;
        acknowledged.send_replace(next - 1);
    }
}

/// Asks until the store is gone; gives how many answers were right.
async fn ask(mut clients: Clients, queries: Vec<RecordQuery>, known: watch::Receiver<u64>) -> u64 {
    let mut answers = 0;
    for query in queries.iter().cycle() {
        let newest_id = *known.borrow();
        let query = bounded(query, newest_id);
        let request = proto::query_to_request(&query);
        let Ok(page) = clients.records.list_records(request).await else {
            return answers;
        };
        let page = page.into_inner().records;
        let found: Vec<Record> = page.into_iter().map(Record::from).collect();
        assert!(found == naive(&history(newest_id), &query), "{query:?}");
        answers += 1;
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_right_before_and_after_kills_at_random() {
    let kills = std::env::var("HERALD_KILLS").map_or(12, |kills| kills.parse().unwrap());
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut random = Random(seed);
    let folder = TempDir::new().unwrap();
    let (acknowledged, told) = watch::channel(0_u64);
    let mut answers = 0;
    for _ in 0..kills {
        let mut process = crash::start(&folder);
        let clients = crash::serving(&process).await;
        let mut tasks = JoinSet::new();
        tasks.spawn(ask(clients.clone(), random_queries(40), told.clone()));
        let loading = load(
            clients.clone(),
            random.below(u64::MAX >> 1),
            acknowledged.clone(),
        );
        let loading = tokio::spawn(loading);
        let lives = Duration::from_millis(50 + random.below(900));
        assert!(
            tokio::time::timeout(lives, process.end(DEADLINE))
                .await
                .is_err()
        );
        process.kill().await;
        answers += tasks.join_next().await.unwrap().unwrap();
        loading.await.unwrap();
    }
    assert!(answers > 0, "nobody had the time to ask");
    let process = crash::start(&folder);
    let mut clients = crash::serving(&process).await;
    let (_, next) = clients.open(ONE).await;
    assert!(next > *told.borrow(), "acknowledged records are lost");
    let records = history(next - 1);
    for query in random_queries(60) {
        let query = RecordQuery {
            limit: usize::MAX,
            ..query
        };
        let expected = naive(&records, &query);
        let found = page_through(&mut clients, bounded(&query, next - 1)).await;
        assert!(
            found == expected,
            "{query:?}: {} of {}",
            found.len(),
            expected.len()
        );
    }
}

/// A record that hardly compresses.
fn bulky(id: u64) -> Record {
    let mut random = Random(id);
    Record {
        stack: (0..60)
            .map(|_| format!("{:08x}", random.below(1 << 30)))
            .collect(),
        ..known(id)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_retention_removes_is_missing_at_the_old_end_only() {
    const MAX_BYTES: u64 = 4 << 20;
    const RECORDS: u64 = 40_000;
    let store = Store::start_with(|config| config.max_bytes = Some(MAX_BYTES)).await;
    let mut clients = store.clients();
    let (acknowledged, told) = watch::channel(0_u64);
    let done = CancellationToken::new();
    let loading = tokio::spawn({
        let (clients, done) = (store.clients(), done.clone());
        async move {
            let (mut bridge, mut next) = clients.open(ONE).await;
            let mut random = Random(7);
            while next < RECORDS {
                let size = 1 + random.below(400);
                let batch: Vec<Record> = (next..next + size).map(bulky).collect();
                bridge.append(next, as_entries(&batch)).await.unwrap();
                next += size;
                acknowledged.send_replace(next - 1);
            }
            done.cancel();
        }
    });
    let oldest = async |clients: &mut Clients| {
        let query = RecordQuery {
            order: Order::OldestFirst,
            limit: 1,
            ..RecordQuery::default()
        };
        let page = clients.list(query).await;
        page.records.first().map_or(0, |record| record.id)
    };
    let mut asked_in_time = 0;
    for query in random_queries(400) {
        let newest_id = *told.borrow();
        let query = RecordQuery {
            after: None,
            before: None,
            ..query
        };
        let from = oldest(&mut clients).await;
        let found = page_through(&mut clients, bounded(&query, newest_id)).await;
        let cut = oldest(&mut clients).await;
        let found: Vec<u64> = found.iter().map(|record| record.id).collect();
        let ids: BTreeSet<u64> = found.iter().copied().collect();
        assert_eq!(ids.len(), found.len(), "twice: {query:?}");
        // The stack is in no condition.
        let there: Vec<Record> = (from.max(1)..=newest_id).map(known).collect();
        let all = RecordQuery {
            limit: usize::MAX,
            ..query.clone()
        };
        let expected = naive(&there, &all);
        let expected: BTreeSet<u64> = expected.iter().map(|record| record.id).collect();
        assert!(ids.is_subset(&expected), "{query:?}");
        let left = expected.iter().filter(|id| **id >= cut);
        let missing: Vec<&u64> = left.filter(|id| !ids.contains(id)).collect();
        assert_eq!(
            missing,
            [0_u64; 0].iter().collect::<Vec<_>>(),
            "{query:?} {cut}"
        );
        if done.is_cancelled() {
            break;
        }
        asked_in_time += u32::from(cut > 1);
    }
    loading.await.unwrap();
    assert!(asked_in_time > 0, "retention was never at work");
    wait_until("the oldest are gone", DEADLINE, async || {
        store.clients().get_status().await.oldest_received_us > known(1).received_us
    })
    .await;
}
