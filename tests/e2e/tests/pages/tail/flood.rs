//! More records than anybody reads: the page says so, and stays quick.

use std::time::{Duration, Instant};

use e2e::{sender::Sender, site::Site};
use testkit::wait_until;

use super::{AT_END, followed};
use crate::SOON;

const PER_SECOND: u64 = 20_000;
/// How long the flood lasts: until more rows have come than are kept.
const FLOOD: Duration = Duration::from_secs(22);
/// Share of a core that the page's own thread may take: the rest is there for
/// whoever reads.
const BUSY: f64 = 0.8;

#[tokio::test]
async fn a_flood_is_sampled_and_the_page_stays_quick() {
    let site = Site::empty().await;
    let page = followed(&site, "/?tail=1").await;
    let start = Instant::now();
    let sender = Sender::start("flood", site.herald.bridge_address(), PER_SECOND);
    page.until_text(".rate", "narrow the filter").await;
    let before = page.work().await;
    wait_until("the flood has lasted", FLOOD + SOON, async || {
        page.press("j").await;
        page.click(".hold").await;
        start.elapsed() > FLOOD
    })
    .await;
    let work = page.work().await;
    let share = (work.all_ms - before.all_ms) / (start.elapsed().as_secs_f64() * 1e3);
    let told = page.text(".rate").await;
    let sent = sender.sent();
    sender.stop().await;
    assert!(share < BUSY, "{share} of a core: {work:?}");
    let rows = page.count(".flow tbody > tr").await;
    let expected = 200..=1_000;
    assert!(
        expected.contains(&rows),
        "{rows} rows after {sent} records: {told}"
    );
    // Such as: showing 40 of about 20,000 records/s; narrow the filter to see all
    let words: Vec<&str> = told.split(' ').collect();
    assert_eq!(
        (words[0], words[2], words[3]),
        ("showing", "of", "about"),
        "{told}"
    );
    let number = |text: &str| text.replace(',', "").parse::<f64>().unwrap();
    assert!(number(words[1]) <= 100.0, "{told}");
    let rate = number(words[4]);
    assert!(rate > 1_000.0 && rate < 40_000.0, "{told}");
    if page.has(("button", "Follow")).await {
        page.click(".hold").await;
    }
    page.until("the newest is in sight", AT_END).await;
}
