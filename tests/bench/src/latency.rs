//! From a send to a visible record at a steady 10,000 records/s.

use std::time::Duration;

use testkit::{Installation, http};

use crate::{
    lines::Lines,
    load::{self, Load},
    report::{Report, Target, quantile_ms},
    throughput::mib,
};

const RATE: u64 = 10_000;
const TIME: Duration = Duration::from_secs(30);

/// Sends steadily and asks the API for the newest record again and again. A
/// record sent at some time is visible at the latest when the newest visible
/// one was sent at that time or later.
///
/// # Errors
/// When the API's answer cannot be read.
pub(crate) async fn run(lines: &Lines, report: &mut Report) -> anyhow::Result<()> {
    let load = Load::new(lines);
    let installation = Installation::new();
    let store = installation.store().await;
    let bridge = installation.bridge().await;
    let web = installation.web().await;
    let sender = load.send_paced(&installation.bridge_address(), RATE, TIME);
    let url = format!("{}/api/v1/records?limit=1", installation.web_url());
    let mut delays = Vec::new();
    let mut newest_seen = 0.0_f64;
    while !sender.is_finished() {
        let Some(answer) = http::get_json(&url).await else {
            continue;
        };
        let now = load::now_seconds();
        let Some(created) = answer["records"][0]["created"].as_str() else {
            continue;
        };
        let newest = bench_time(created)?;
        if newest > newest_seen {
            // Everything sent since the newest one seen before has waited for
            // no longer than the oldest of it.
            let oldest = if newest_seen == 0.0 {
                newest
            } else {
                newest_seen
            };
            let steps = ((newest - oldest) * 1e3).max(1.0) as u64;
            let waits = (0..steps).map(|step| now - oldest - step as f64 * 1e-3);
            delays.extend(waits.map(|wait| Duration::from_secs_f64(wait.max(0.0))));
            newest_seen = newest;
        }
    }
    let p50 = quantile_ms(&mut delays, 0.50);
    let p99 = quantile_ms(&mut delays, 0.99);
    report.add("send to visible at 10,000 records/s, p50", p50, "ms");
    report.hold(
        "send to visible at 10,000 records/s, p99",
        p99,
        "ms",
        Target::AtMost(250.0),
    );
    let peak = |process: &testkit::Process| mib(process.peak_resident_bytes());
    report.hold(
        "bridge peak resident",
        peak(&bridge),
        "MiB",
        Target::AtMost(64.0),
    );
    report.hold(
        "store peak resident",
        peak(&store),
        "MiB",
        Target::AtMost(128.0),
    );
    report.add("herald-web peak resident", peak(&web), "MiB");
    Ok(())
}

/// Seconds since the epoch of an RFC 3339 time of today in UTC.
fn bench_time(text: &str) -> anyhow::Result<f64> {
    let number = |range: std::ops::Range<usize>| -> anyhow::Result<f64> {
        Ok(text.get(range).unwrap_or_default().parse::<f64>()?)
    };
    let seconds = number(11..13)? * 3_600.0 + number(14..16)? * 60.0 + number(17..26)?;
    let today = (load::now_seconds() / 86_400.0).floor() * 86_400.0;
    Ok(today + seconds)
}
