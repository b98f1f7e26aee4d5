//! SIGTERM: what a program has sent is read, synced and kept.

#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::time::Duration;

use e2e::{
    account::{arrived, numbered},
    api,
};
use testkit::{Installation, Process, frame, wait_until};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const SOON: Duration = Duration::from_secs(30);
const RECORDS: u64 = 5_000;

/// Sends records and returns as soon as the system has taken the bytes, with
/// the connections still open.
async fn send(herald: &Installation) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for connection in 0..4 {
        let mut stream = TcpStream::connect(herald.bridge_address()).await.unwrap();
        let name = connection.to_string();
        let bytes: Vec<u8> = (0..RECORDS)
            .flat_map(|number| frame::pickle(&numbered(&name, number)))
            .collect();
        stream.write_all(&bytes).await.unwrap();
        streams.push(stream);
    }
    streams
}

async fn check_all_there(herald: &Installation) {
    let count = 4 * RECORDS as usize;
    let records = api::exactly(&herald.web_url(), "", count, SOON).await;
    assert!(arrived(&records).values().all(|&count| count == RECORDS));
}

/// As in a cluster, where connections come for a moment after the signal.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_delay_whoever_comes_after_the_signal_is_served() {
    let herald = Installation::new().with("HERALD_STOP_DELAY", "10m");
    let (_store, _web) = (herald.store().await, herald.web().await);
    let bridge = herald.bridge().await;
    bridge.terminate();
    wait_until("the signal is taken", SOON, async || {
        bridge.stderr().contains("shutting down soon")
    })
    .await;
    let open = send(&herald).await;
    let count = 4 * RECORDS as usize;
    api::exactly(&herald.web_url(), "", count, SOON).await;
    // Who asks again does not want to wait.
    terminate(bridge).await;
    drop(open);
    check_all_there(&herald).await;
}

async fn terminate(mut process: Process) {
    process.terminate();
    let status = process.end(SOON).await;
    assert!(status.success(), "{status}: {}", process.stderr());
}

#[tokio::test]
async fn a_stopped_bridge_has_read_every_socket_empty() {
    let herald = Installation::new();
    // Without a store, so that all of it has to wait in the spool.
    let bridge = herald.bridge().await;
    let streams = send(&herald).await;
    terminate(bridge).await;
    drop(streams);
    let _up = herald.up().await;
    check_all_there(&herald).await;
}

#[tokio::test]
async fn everything_in_one_process_stops_in_the_order_of_the_flow() {
    let herald = Installation::new();
    let up = herald.up().await;
    let streams = send(&herald).await;
    terminate(up).await;
    drop(streams);
    let up = herald.up().await;
    check_all_there(&herald).await;
    terminate(up).await;
    // The write-ahead log was put into the database and is gone or empty.
    let wal = herald.folder().join("herald.sqlite_t-wal");
    assert_eq!(std::fs::metadata(wal).map_or(0, |wal| wal.len()), 0);
}
