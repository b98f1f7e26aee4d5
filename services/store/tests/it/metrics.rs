//! What the store tells of itself over HTTP.

use testkit::wait_until;
use uuid::Uuid;

use crate::harness::{DEADLINE, Store, entries, gap};

#[tokio::test]
async fn counts_and_times_are_told() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(Uuid::from_u128(1)).await;
    let mut batch = entries("a", 1..11);
    batch.push(gap(4));
    bridge.append(1, batch).await.unwrap();
    bridge.append(1, entries("a", 1..4)).await.unwrap();
    clients.messages().await;
    let url = format!("http://{}/metrics", store.address());
    wait_until("all of it is told", DEADLINE, async || {
        let text = testkit::http::get(&url).await.unwrap().text();
        [
            "herald_store_records_total",
            "herald_store_lost_total",
            "herald_store_duplicates_total",
            "herald_store_commit_duration_seconds_bucket",
            "herald_store_query_duration_seconds_bucket{call=\"list_records\"",
            "herald_store_database_bytes",
            "herald_store_free_bytes",
            "herald_store_blocks",
            "herald_store_small_blocks",
            "herald_store_cache_bytes",
            "herald_store_cache_hits_total",
            "herald_store_cache_misses_total",
        ]
        .iter()
        .all(|name| text.contains(name))
    })
    .await;
}
