//! 5,000 connections that send nothing, or half a frame, do not slow a good
//! one.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::time::{Duration, Instant};

use e2e::account::numbered;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use testkit::{Installation, frame, http, wait_until};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const CROWD: usize = 5_000;
const ROUNDS: u64 = 200;
const P99: Duration = Duration::from_millis(200);

/// Each side of each connection needs a file descriptor; the bridge inherits
/// the limit.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let needed = CROWD as u64 + 1_000;
    let maximum = limit.maximum.unwrap_or(u64::MAX);
    assert!(
        maximum >= needed,
        "this test needs `ulimit -Hn` to be at least {needed}, it is {maximum}"
    );
    let wanted = Rlimit {
        current: Some(limit.current.unwrap_or(u64::MAX).max(needed)),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, wanted).unwrap();
}

#[tokio::test]
async fn a_crowd_does_not_slow_a_good_connection() {
    allow_many_files();
    let herald = Installation::new();
    let mut up = herald.up().await;
    let half = frame::pickle(&numbered("half", 0));
    let mut crowd = Vec::with_capacity(CROWD);
    for number in 0..CROWD {
        let mut stream = TcpStream::connect(herald.bridge_address()).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(&half[..half.len() / 2]).await.unwrap();
        }
        crowd.push(stream);
    }
    wait_until(
        "the bridge holds them all",
        Duration::from_secs(30),
        async || {
            let held = http::metric(&herald.bridge_admin(), "herald_bridge_connections").await;
            held.is_some_and(|held| held >= CROWD as f64)
        },
    )
    .await;

    let mut good = TcpStream::connect(herald.bridge_address()).await.unwrap();
    let newest = format!("{}/api/v1/records?limit=1", herald.web_url());
    let mut times = Vec::new();
    for number in 0..ROUNDS {
        let message = format!("record {number}");
        let start = Instant::now();
        good.write_all(&frame::pickle(&numbered("good", number)))
            .await
            .unwrap();
        wait_until(
            "the record is visible",
            Duration::from_secs(10),
            async || {
                let page = http::get_json(&newest).await.unwrap();
                page["records"][0]["message"] == message.as_str()
            },
        )
        .await;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let p99 = times[times.len() * 99 / 100];
    assert!(p99 <= P99, "p99 from send to visible is {p99:?}");
    assert!(up.is_running());
    drop(crowd);
}
