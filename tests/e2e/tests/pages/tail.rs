//! The tail: it follows, waits while somebody reads, says what it leaves out, and
//! loses nothing over cuts and outages.

mod cuts;
mod flood;

use std::ops::Range;

use domain::{Entry, Record};
use e2e::{
    browser::Page,
    site::{Site, now_us},
};

use crate::SOON;

/// Messages that are shown, in their order.
const MESSAGES: &str = "[...document.querySelectorAll('.flow .row .message')]
    .map(it => it.textContent.trim()).filter(it => it.startsWith('tail '))";
/// The newest row is in sight.
const AT_END: &str = "(() => { const list = document.querySelector('.flow');
    return list.scrollHeight - list.clientHeight - list.scrollTop < 4; })()";
/// Nearly as far from there as a wheel turns that pauses it.
const SCROLLED: &str = "(() => { const list = document.querySelector('.flow');
    return list.scrollHeight - list.clientHeight - list.scrollTop > 390; })()";
/// Where the rows in sight are.
const PLACES: &str = "[...document.querySelectorAll('.flow .row')]
    .map(it => [it.id, it.getBoundingClientRect().top]).filter(([, top]) => top > 0 && top < innerHeight)";

/// Records that say which of them they are, from now.
fn numbered(numbers: Range<u64>) -> impl Iterator<Item = Entry> {
    numbers.map(|number| {
        Entry::Record(Box::new(Record {
            received_us: now_us(),
            created_us: now_us(),
            message: format!("tail {number}"),
            extra: String::new(),
            ..testkit::record(number)
        }))
    })
}

fn expected(numbers: Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("tail {number}")).collect()
}

async fn messages(page: &Page) -> Vec<String> {
    let messages = page.evaluate(MESSAGES).await;
    serde_json::from_value(messages).unwrap()
}

/// A tail that follows.
async fn followed(site: &Site, path: &str) -> Page {
    let page = site.page(path).await;
    page.until_text(".state", "Following").await;
    page
}

#[tokio::test]
async fn what_comes_is_shown_below_what_was_there() {
    let (site, _) = Site::bakery().await;
    let page = followed(&site, "/?tail=1").await;
    assert_eq!(page.count(".flow .row").await, 50);
    page.until("the newest is in sight", AT_END).await;
    site.keep(numbered(0..30)).await;
    page.until_text(".flow", "tail 29").await;
    site.keep(numbered(30..31)).await;
    page.until_text(".flow", "tail 30").await;
    assert_eq!(messages(&page).await, expected(0..31));
    page.until("the newest is in sight", AT_END).await;
    assert_eq!(page.count(".flow .row").await, 81);
    page.assert_still().await;
}

#[tokio::test]
async fn it_waits_while_somebody_reads() {
    let (site, _) = Site::bakery().await;
    let page = followed(&site, "/?tail=1").await;
    page.wheel(-400).await;
    page.until_text(".state", "Paused").await;
    page.until("all of it is scrolled", SCROLLED).await;
    let mut places = page.evaluate(PLACES).await;
    page.until("nothing scrolls any more", &still(&places))
        .await;
    site.keep(numbered(0..7)).await;
    page.until_text(".hold", "7 new").await;
    let moved = std::mem::replace(&mut places, page.evaluate(PLACES).await);
    assert_eq!(moved, places, "rows moved while somebody read");
    page.click(("button", "7 new")).await;
    page.until_text(".state", "Following").await;
    assert_eq!(messages(&page).await, expected(0..7));
    page.until("the newest is in sight", AT_END).await;
    // Down to the end is as good as the button.
    page.wheel(-400).await;
    page.until_text(".state", "Paused").await;
    page.wheel(2_000).await;
    page.until_text(".state", "Following").await;
    // Whoever clicks reads, too; rows open in place.
    page.click(".flow .row:last-child .toggle").await;
    page.until_text(".state", "Paused").await;
    page.until_text(".flow .details", "function_6").await;
    site.keep(numbered(7..8)).await;
    page.until_text(".hold", "1 new").await;
    assert_eq!(messages(&page).await, expected(0..7));
    page.tab_to(".hold").await;
    page.press("Enter").await;
    page.until_text(".flow", "tail 7").await;
    page.until_text(".state", "Following").await;
}

/// The rows in sight are where they were, for longer than a scroll takes a step.
fn still(places: &serde_json::Value) -> String {
    format!(
        "(() => {{ const now = JSON.stringify({PLACES});
            const before = window.seenPlaces ?? {:?};
            window.seenPlaces = now;
            window.sameSince = now === before ? window.sameSince ?? performance.now() : undefined;
            return performance.now() - window.sameSince > 300; }})()",
        places.to_string()
    )
}

#[tokio::test]
async fn filters_apply_and_keep_the_tail() {
    let (site, _) = Site::bakery().await;
    let page = site.page("/?system_id=system_1").await;
    page.follow(page.press("t")).await;
    page.until_text(".state", "Following").await;
    page.click(".levels > summary").await;
    page.follow(page.click(("link", "ERROR and above"))).await;
    page.until_text(".state", "Following").await;
    let url = page.url().await;
    for part in ["tail=1", "system_id=system_1", "level=ERROR"] {
        assert!(url.contains(part), "{url}");
    }
    site.keep(numbered(0..60)).await;
    page.until_text(".flow", "tail 58").await;
    assert_eq!(
        messages(&page).await,
        [
            "tail 4", "tail 13", "tail 19", "tail 28", "tail 34", "tail 43", "tail 49", "tail 58"
        ]
    );
    page.follow(page.press("t")).await;
    assert!(!page.url().await.contains("tail"));
    page.back().await;
    page.until_text(".state", "Following").await;
    assert_eq!(messages(&page).await.len(), 8);
}

#[tokio::test]
async fn without_scripts_it_loads_itself_anew() {
    let (site, _) = Site::bakery().await;
    let page = site.browser.page().await;
    page.scripts(false).await;
    page.open(&site.url("/?tail=1")).await;
    page.until(
        "the newest is in sight",
        "document.querySelector('.flow').scrollTop === 0",
    )
    .await;
    assert!(!page.has(".hold").await);
    site.keep(numbered(0..3)).await;
    page.until_within(
        "the rows are there",
        SOON,
        &format!("{MESSAGES}.length === 3"),
    )
    .await;
}
