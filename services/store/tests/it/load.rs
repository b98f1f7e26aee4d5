//! Reading without a pause while records come in: neither is in the other's way.

use std::fs;

use domain::{RecordFilter, RecordQuery};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::harness::{Clients, Store, entries};

const ONE: Uuid = Uuid::from_u128(1);
const WAL_BYTES: u64 = 4 << 20;

/// Looks through every text, over and over.
async fn read_on(mut clients: Clients, done: CancellationToken) -> u64 {
    let mut answers = 0;
    while !done.is_cancelled() {
        let filter = RecordFilter::new(query::parse("record \"e 7\"", 0).unwrap());
        let query = RecordQuery {
            filter,
            limit: 10_000,
            ..RecordQuery::default()
        };
        clients.list(query).await;
        answers += 1;
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn constant_reading_does_not_let_the_log_grow() {
    let store = Store::start_with(|config| config.wal_bytes = WAL_BYTES).await;
    let (mut bridge, _) = store.clients().open(ONE).await;
    let done = CancellationToken::new();
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        readers.spawn(read_on(store.clients(), done.clone()));
    }
    let wal = store.folder.path().join("herald.sqlite_t-wal");
    let mut most = 0;
    for first in (1..60_001).step_by(100) {
        bridge
            .append(first, entries("record", first..first + 100))
            .await
            .unwrap();
        most = most.max(fs::metadata(&wal).map_or(0, |wal| wal.len()));
    }
    done.cancel();
    while let Some(answers) = readers.join_next().await {
        assert!(answers.unwrap() > 0);
    }
    assert!(most < 2 * WAL_BYTES, "the log grew to {most} bytes");
    assert_eq!(store.clients().get_status().await.records, 60_000);
}
