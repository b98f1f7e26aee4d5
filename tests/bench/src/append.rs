//! Records straight into a store, without a bridge.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::{Entry, Record};
use e2e::appender::Appender;
use testkit::Installation;
use uuid::Uuid;

use crate::{lines::Lines, load};

/// Records of a batch.
const BATCH: u64 = 1_000;
/// A value of `user_spec_1` that one record in 100,000 has.
pub(crate) const RARE: &str = "a-needle";

/// The `number`-th record of a filled store, received at `received_us`.
#[must_use]
pub(crate) fn record(lines: &Lines, number: u64, received_us: i64) -> Record {
    let rare = number % 100_000 == 50_000;
    Record {
        received_us,
        created_us: received_us - 1_500,
        user_spec_1: if rare { RARE.to_owned() } else { String::new() },
        ..load::record(lines, number)
    }
}

/// Puts `records` into the store at `url`, one a millisecond, the newest
/// received `age` ago.
pub(crate) async fn fill(lines: &Lines, records: u64, age: Duration, url: &str) {
    let mut appender = Appender::open(url).await;
    let first_us = now_us() - age.as_micros() as i64 - records as i64 * 1_000;
    for first in (0..records).step_by(BATCH as usize) {
        let batch = (first..records.min(first + BATCH))
            .map(|number| entry(record(lines, number, first_us + number as i64 * 1_000)))
            .collect();
        appender.send(batch).await;
        appender.committed(8 * BATCH).await;
    }
    appender.committed(0).await;
}

/// A record as a batch carries it.
pub(crate) fn entry(record: Record) -> Entry {
    Entry::Record(Box::new(record))
}

/// The same, into a store that is started for it and stopped afterwards.
pub(crate) async fn fill_folder(lines: &Lines, records: u64, installation: &Installation) {
    let mut store = installation.store().await;
    fill(lines, records, Duration::ZERO, &installation.store_url()).await;
    store.terminate();
    store.end(Duration::from_secs(60)).await;
}

/// How long each of `batches` takes from its send to its commit, when one is
/// sent every 20 ms.
pub(crate) async fn commit_times(lines: &Lines, batches: u64, url: &str) -> Vec<Duration> {
    let mut appender = Appender::open(url).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let mut times = Vec::new();
    for number in 0..batches {
        let received_us = now_us();
        let batch = (0..200)
            .map(|it| entry(record(lines, number * 200 + it, received_us)))
            .collect();
        ticks.tick().await;
        let start = Instant::now();
        appender.send(batch).await;
        appender.committed(0).await;
        times.push(start.elapsed());
    }
    times
}

/// Appends the same records to a store in this process, without sockets, spool
/// and gRPC; returns records/s.
///
/// # Errors
/// When the store gives up.
pub(crate) async fn bare(lines: &Lines, records: u64) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let direct = store::direct::Direct::open(&folder.path().join("herald.sqlite")).await?;
    let received_us = now_us();
    let batches = (0..records.div_ceil(BATCH)).map(|batch| {
        let numbers = batch * BATCH..records.min((batch + 1) * BATCH);
        numbers
            .map(|number| entry(record(lines, number, received_us)))
            .collect()
    });
    let start = Instant::now();
    direct.append(Uuid::new_v4(), batches).await?;
    let rate = records as f64 / start.elapsed().as_secs_f64();
    direct.close().await?;
    Ok(rate)
}

/// Now, in microseconds since the epoch.
pub(crate) fn now_us() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(since.as_micros()).expect("before the year 294,000")
}
