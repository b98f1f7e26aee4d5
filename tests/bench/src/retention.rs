//! Commits while a million old records are being removed.

use std::time::Duration;

use testkit::Installation;

use crate::{
    append,
    lines::Lines,
    report::{Report, Target, quantile_ms},
    throughput::database_bytes,
};

const BATCHES: u64 = 500;

/// Compares the commits of two stores with old records: one keeps them, one
/// removes them.
pub(crate) async fn run(lines: &Lines, records: u64, report: &mut Report) {
    let (keeping, _) = commits(lines, records, "3650d").await;
    report.add("commit of 200 records, old ones kept, p99", keeping, "ms");
    let (removing, freed) = commits(lines, records, "1h").await;
    report.add(
        "commit of 200 records, old ones being removed, p99",
        removing,
        "ms",
    );
    report.hold("the ratio", removing / keeping, "", Target::AtMost(2.0));
    report.add("given back to the disk", freed as f64 / 1e6, "MB");
}

/// p99 of the commits in milliseconds, and by how many bytes the database
/// shrank.
async fn commits(lines: &Lines, records: u64, retention: &str) -> (f64, u64) {
    let mut installation = Installation::new();
    let mut store = installation.store().await;
    append::fill(
        lines,
        records,
        Duration::from_hours(2),
        &installation.store_url(),
    )
    .await;
    store.terminate();
    store.end(Duration::from_secs(60)).await;
    let full = database_bytes(&installation);
    installation
        .vars
        .push(("STORE_RETENTION".to_owned(), retention.to_owned()));
    let mut store = installation.store().await;
    let mut times = append::commit_times(lines, BATCHES, &installation.store_url()).await;
    store.terminate();
    store.end(Duration::from_secs(60)).await;
    let freed = full.saturating_sub(database_bytes(&installation));
    (quantile_ms(&mut times, 0.99), freed)
}
