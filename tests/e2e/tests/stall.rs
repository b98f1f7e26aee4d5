//! A store that stands still: programs do not notice, the bridge stays small,
//! and everything arrives afterwards. `HERALD_STALL_SECONDS=60` is the full
//! length.

#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{env, time::Duration};

use e2e::{api, program};
use serde_json::Value;
use testkit::{Installation, python};

const RATE: u64 = 5_000;
const MAX_GROWTH_BYTES: u64 = 128 << 20;
const SLOWEST_CALL_MS: f64 = 50.0;

fn stall_seconds() -> u64 {
    env::var("HERALD_STALL_SECONDS").map_or(10, |seconds| {
        seconds.parse().expect("HERALD_STALL_SECONDS is a number")
    })
}

#[tokio::test]
async fn log_calls_stay_fast_while_the_store_stands_still() {
    let herald = Installation::new();
    let store = herald.store().await;
    let _web = herald.web().await;
    let bridge = herald.bridge().await;
    let port = herald
        .bridge_address()
        .split(':')
        .nth(1)
        .unwrap()
        .to_owned();
    let warm_up = ["127.0.0.1", &port, "warm", &RATE.to_string(), "1"];
    program::run(&python::newest(), "steady.py", &warm_up, &[]).await;

    store.freeze();
    let before = bridge.resident_bytes();
    let seconds = stall_seconds().to_string();
    let arguments = ["127.0.0.1", &port, "steady", &RATE.to_string(), &seconds];
    let answer = program::run(&python::newest(), "steady.py", &arguments, &[]).await;
    let grown = bridge.peak_resident_bytes().saturating_sub(before);
    store.thaw();

    let answer: Value = serde_json::from_str(&answer).unwrap();
    let logged = answer["logged"].as_u64().unwrap();
    assert!(logged >= RATE * stall_seconds() * 9 / 10, "{answer}");
    assert!(
        answer["slowest_ms"].as_f64().unwrap() < SLOWEST_CALL_MS,
        "{answer}"
    );
    assert!(grown < MAX_GROWTH_BYTES, "the bridge grew by {grown} bytes");

    let deadline = Duration::from_secs(60);
    let count = usize::try_from(logged).unwrap();
    let records = api::exactly(&herald.web_url(), "system_id=steady", count, deadline).await;
    for (number, record) in records.iter().enumerate() {
        assert_eq!(api::text(record, "message"), format!("record {number}"));
    }
}
