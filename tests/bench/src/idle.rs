//! Memory at rest, and the time of a start with many records.

use std::time::{Duration, Instant};

use testkit::{Installation, http, wait_until};

use crate::{
    append,
    lines::Lines,
    report::{Report, Target},
    throughput::mib,
};

/// Starts `herald up` on an empty folder, then on one with `records`.
pub(crate) async fn run(lines: &Lines, records: u64, report: &mut Report) {
    let installation = Installation::new();
    let herald = installation.up().await;
    settled().await;
    let resident = mib(herald.resident_bytes());
    report.hold(
        "everything idle, resident",
        resident,
        "MiB",
        Target::AtMost(60.0),
    );
    drop(herald);

    let installation = Installation::new();
    append::fill_folder(lines, records, &installation).await;
    let start = Instant::now();
    let herald = installation.start("herald", &["up"]);
    let url = format!("{}/readyz", installation.web_url());
    wait_until("the page is ready", Duration::from_secs(30), async || {
        http::get(&url)
            .await
            .is_ok_and(|answer| answer.status.is_success())
    })
    .await;
    let took = start.elapsed().as_secs_f64();
    report.hold(
        "start with the records, until ready",
        took,
        "s",
        Target::AtMost(0.5),
    );
    settled().await;
    report.add(
        "idle with the records, resident",
        mib(herald.resident_bytes()),
        "MiB",
    );
}

/// Gives a service the time to come to rest.
async fn settled() {
    tokio::time::sleep(Duration::from_secs(5)).await;
}
