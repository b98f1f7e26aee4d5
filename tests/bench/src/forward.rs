//! From one bridge to another: a spool that was filled while the other one was
//! away is passed on, without rules, and with masks.

use std::time::{Duration, Instant};

use e2e::zone::{self, Zone};
use testkit::{http, wait_until};

use crate::{
    lines::Lines,
    load::Load,
    report::{Report, Target},
};

const CONNECTIONS: u64 = 2;
const PATIENCE: Duration = Duration::from_secs(600);
/// Nobody listens there: what comes to the receiver stays in its spool.
const NOWHERE: &str = "127.0.0.1:1";
const MASKS: &str = "mask = [\"email\", \"card\", \"iban\", \"token\", \"password\", \"ip\"]";

/// Passes `records` on twice.
pub(crate) async fn run(lines: &Lines, records: u64, report: &mut Report) {
    let open = measure(lines, records, "", report).await;
    report.hold(
        "bridge to bridge",
        open,
        "records/s",
        Target::AtLeast(80_000.0),
    );
    let masked = measure(lines, records, MASKS, report).await;
    report.add("bridge to bridge, all masks", masked, "records/s");
    report.hold(
        "with masks / without",
        masked / open,
        "",
        Target::AtLeast(0.7),
    );
}

/// Records a second that the receiver has taken durably.
async fn measure(lines: &Lines, records: u64, rules: &str, report: &mut Report) -> f64 {
    let (from, to) = (without_store(Zone::new()), without_store(Zone::new()));
    from.route(&[zone::herald("receiver", &to.ingest_address(), rules)]);
    to.route(&[zone::herald("nowhere", NOWHERE, "")]);
    let sender = from.herald.bridge().await;
    let senders = Load::new(lines).send(&from.herald.bridge_address(), records, CONNECTIONS);
    wait_until("the spool is filled", PATIENCE, async || {
        senders.iter().all(std::thread::JoinHandle::is_finished)
            && metric(&from, "herald_bridge_received_total").await >= records
    })
    .await;
    let before = sender.cpu_time();
    let receiver = to.herald.bridge().await;
    wait_until("it goes on", PATIENCE, async || taken(&to).await > 0).await;
    let (begun, first) = (Instant::now(), taken(&to).await);
    wait_until("everything is there", PATIENCE, async || {
        taken(&to).await >= records
    })
    .await;
    let rate = (records - first) as f64 / begun.elapsed().as_secs_f64();
    let millions = records as f64 / 1e6;
    let cpu = |time: Duration| time.as_secs_f64() / millions;
    let with = if rules.is_empty() { "" } else { ", all masks" };
    report.add(
        format!("sender CPU per million records{with}"),
        cpu(sender.cpu_time() - before),
        "s",
    );
    report.add(
        format!("receiver CPU per million records{with}"),
        cpu(receiver.cpu_time()),
        "s",
    );
    rate
}

fn without_store(mut zone: Zone) -> Zone {
    for (name, value) in [
        ("BRIDGE_STORE_URL", "none"),
        ("BRIDGE_SPOOL_MAX_BYTES", "32GiB"),
    ] {
        zone.herald.vars.push((name.to_owned(), value.to_owned()));
    }
    zone
}

async fn taken(zone: &Zone) -> u64 {
    metric(zone, "herald_bridge_durable_sequence")
        .await
        .saturating_sub(1)
}

async fn metric(zone: &Zone, name: &str) -> u64 {
    http::metric(&zone.herald.bridge_admin(), name)
        .await
        .unwrap_or(0.0) as u64
}
