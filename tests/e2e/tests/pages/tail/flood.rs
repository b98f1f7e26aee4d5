//! More records than anybody reads: the page says so, and stays quick.

use std::time::{Duration, Instant};

use e2e::{sender::Sender, site::Site};
use testkit::wait_until;

use super::{AT_END, followed};
use crate::SOON;

const PER_SECOND: u64 = 20_000;
/// How long the flood lasts: until more rows have come than are kept.
const FLOOD: Duration = Duration::from_secs(22);
/// What an input may wait for its answer, in milliseconds.
const DELAY_MS: f64 = 100.0;

#[tokio::test]
async fn a_flood_is_sampled_and_the_page_stays_quick() {
    let site = Site::empty().await;
    let page = followed(&site, "/?tail=1").await;
    let start = Instant::now();
    let sender = Sender::start("flood", site.herald.bridge_address(), PER_SECOND);
    page.until_text(".rate", "narrow the filter").await;
    let told = page.text(".rate").await;
    wait_until("the flood has lasted", FLOOD + SOON, async || {
        page.press("j").await;
        page.press("k").await;
        page.click(".hold").await;
        start.elapsed() > FLOOD
    })
    .await;
    let delays = page.input_delays().await;
    let sent = sender.sent();
    sender.stop().await;
    let tasks = page.evaluate("(async () => { const e = []; const o = new PerformanceObserver(l => e.push(...l.getEntries())); o.observe({type:'longtask', buffered:true}); await new Promise(r => setTimeout(r, 300)); return e.map(t => [Math.round(t.startTime), Math.round(t.duration)]) })()").await;
    println!("long tasks {tasks}");
    let mut sorted = delays.clone();
    sorted.sort_by(f64::total_cmp);
    println!(
        "{} delays {:?}",
        sorted.len(),
        &sorted[sorted.len().saturating_sub(20)..]
    );
    let worst = delays.iter().copied().fold(0.0, f64::max);
    assert!(worst < DELAY_MS, "an input waited {worst} ms");
    let rows = page.count(".flow tbody > tr").await;
    assert!(
        (900..=1_000).contains(&rows),
        "{rows} rows after {sent} records: {told}"
    );
    let number = |text: &str| text.replace(',', "").parse::<f64>().unwrap();
    let words: Vec<&str> = told.split(' ').collect();
    assert_eq!(
        (words[0], words[2], words[3]),
        ("showing", "of", "about"),
        "{told}"
    );
    assert!(number(words[1]) <= 100.0, "{told}");
    let rate = number(words[4]);
    assert!(rate > 1_000.0 && rate < 40_000.0, "{told}");
    if !page.has(("button", "Pause")).await {
        page.click(".hold").await;
    }
    page.until("the newest is in sight", AT_END).await;
}
