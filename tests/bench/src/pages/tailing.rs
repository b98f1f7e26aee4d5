//! From a log call to the screen of somebody who follows.

use std::time::Duration;

use domain::Record;
use e2e::browser::{Browser, Page};
use testkit::{Installation, frame, wait_until};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::interval};

use crate::{
    append::now_us,
    lines::Lines,
    load::Load,
    report::{Report, Target},
};

const RATE: u64 = 10_000;
const TIME: Duration = Duration::from_secs(25);
const PROBES: u64 = 400;

/// Notes for each probe that appears how long ago it was logged, when it has
/// been painted.
const WATCH: &str = "(() => {
    window.delays = [];
    new MutationObserver(changes => {
        const seen = changes.flatMap(it => [...it.addedNodes])
            .flatMap(it => [...(it.textContent ?? '').matchAll(/probe (\\d{16})/g)])
            .map(it => Number(it[1]) / 1000);
        if (seen.length === 0) return;
        requestAnimationFrame(() => setTimeout(() => {
            const now = performance.timeOrigin + performance.now();
            window.delays.push(...seen.map(it => now - it));
        }));
    }).observe(document.querySelector('main'), {childList: true, subtree: true});
    return true;
})()";

/// Logs a probe now and then among 10,000 records a second, and looks for it in
/// a browser: in a tail of the probes alone, and in one of everything, which
/// samples.
pub(crate) async fn run(lines: &Lines, report: &mut Report) {
    let load = Load::new(lines);
    let installation = Installation::new();
    let _store = installation.store().await;
    let _bridge = installation.bridge().await;
    let _web = installation.web().await;
    let browser = Browser::start().await;
    let probes = watch(&browser, &installation, "/?tail=1&q=probe").await;
    let everything = watch(&browser, &installation, "/?tail=1").await;
    let sender = load.send_paced(&installation.bridge_address(), RATE, TIME);
    send_probes(&installation.bridge_address()).await;
    let all = format!("window.delays.length >= {PROBES}");
    wait_until("every probe is seen", Duration::from_secs(10), async || {
        probes.evaluate(&all).await == true
    })
    .await;
    let mut delays = delays(&probes).await;
    delays.sort_by(f64::total_cmp);
    let at = |part: f64| delays[(delays.len() as f64 * part) as usize];
    let what = "log call to screen at 10,000 records/s";
    report.add(format!("{what}, p50"), at(0.5), "ms");
    report.hold(
        format!("{what}, p99"),
        at(0.99),
        "ms",
        Target::AtMost(250.0),
    );
    let waits = everything.input_waits().await;
    let longest = waits.into_iter().fold(0.0, f64::max);
    report.add("longest input in a tail of all of them", longest, "ms");
    // A bridge that goes away before the load ends would be a failure.
    wait_until("the load has ended", TIME, async || sender.is_finished()).await;
}

async fn watch(browser: &Browser, installation: &Installation, path: &str) -> Page {
    let page = browser.page().await;
    page.open(&(installation.web_url() + path)).await;
    page.evaluate(WATCH).await;
    page
}

async fn send_probes(address: &str) {
    let mut stream = TcpStream::connect(address).await.expect("a bridge");
    stream.set_nodelay(true).expect("an open socket");
    let mut ticks = interval(Duration::from_millis(53));
    for number in 0..PROBES {
        ticks.tick().await;
        let created_us = now_us();
        let record = Record {
            created_us,
            message: format!("probe {created_us}"),
            ..testkit::record(number)
        };
        let sent = stream.write_all(&frame::pickle(&record)).await;
        sent.expect("a bridge that reads");
    }
}

async fn delays(page: &Page) -> Vec<f64> {
    let delays = page.evaluate("window.delays").await;
    let delays = delays.as_array().into_iter().flatten();
    delays.filter_map(serde_json::Value::as_f64).collect()
}
