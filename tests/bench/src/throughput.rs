//! From socket to committed rows, at full speed.

use std::time::{Duration, Instant};

use testkit::{Installation, http, wait_until};

use crate::{
    append,
    lines::Lines,
    load::Load,
    report::{Report, Target},
};

const CONNECTIONS: u64 = 4;
const PATIENCE: Duration = Duration::from_secs(600);

/// Sends `records` through a bridge into a store, then inserts as many without
/// sockets, spool and gRPC.
///
/// # Errors
/// When the bare insert fails.
pub(crate) async fn run(lines: &Lines, records: u64, report: &mut Report) -> anyhow::Result<()> {
    let load = Load::new(lines);
    let installation = Installation::new();
    let mut store = installation.store().await;
    let bridge = installation.bridge().await;
    let before = (bridge.cpu_time(), store.cpu_time());
    let start = Instant::now();
    let senders = load.send(&installation.bridge_address(), records, CONNECTIONS);
    let mut sent_after = None;
    wait_until("every record is committed", PATIENCE, async || {
        if sent_after.is_none() && senders.iter().all(std::thread::JoinHandle::is_finished) {
            sent_after = Some(start.elapsed());
        }
        stored(&installation).await >= records
    })
    .await;
    let took = start.elapsed().as_secs_f64();
    let rate = records as f64 / took;
    let millions = records as f64 / 1e6;
    let cpu = |now: Duration, then: Duration| (now - then).as_secs_f64() / millions;
    report.add("frame size", load.mean_bytes() as f64, "bytes");
    if let Some(sent_after) = sent_after {
        report.add(
            "taken by the bridge",
            records as f64 / sent_after.as_secs_f64(),
            "records/s",
        );
    }
    report.hold(
        "socket to committed",
        rate,
        "records/s",
        Target::AtLeast(100_000.0),
    );
    report.add(
        "bridge CPU per million records",
        cpu(bridge.cpu_time(), before.0),
        "s",
    );
    report.add(
        "store CPU per million records",
        cpu(store.cpu_time(), before.1),
        "s",
    );
    report.add(
        "bridge peak resident",
        mib(bridge.peak_resident_bytes()),
        "MiB",
    );
    report.add(
        "store peak resident",
        mib(store.peak_resident_bytes()),
        "MiB",
    );
    drop(bridge);
    store.terminate();
    store.end(PATIENCE).await;
    let bytes = database_bytes(&installation) as f64 / records as f64;
    report.hold("disk per record", bytes, "bytes", Target::AtMost(200.0));

    let bare = append::bare(lines, records).await?;
    report.add(
        "bare append of the same records, same schema",
        bare,
        "records/s",
    );
    report.hold(
        "socket to committed / bare append",
        rate / bare,
        "",
        Target::AtLeast(0.5),
    );
    Ok(())
}

/// Records the store has committed.
pub(crate) async fn stored(installation: &Installation) -> u64 {
    let records = http::metric(&installation.store_url(), "herald_store_records_total").await;
    records.unwrap_or(0.0) as u64
}

/// Size of the database of a store that has ended.
pub(crate) fn database_bytes(installation: &Installation) -> u64 {
    std::fs::metadata(installation.database()).map_or(0, |it| it.len())
}

/// Bytes in MiB.
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
