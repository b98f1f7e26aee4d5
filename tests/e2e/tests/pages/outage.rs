//! The store is slow, away, or starts anew: the page says so at once, and goes
//! on by itself.

use e2e::{browser::Page, site::Site};
use serde_json::Value;

use crate::{SOON, places};

#[tokio::test]
async fn a_slow_store_is_told_and_its_answer_appears() {
    let (site, _) = Site::bakery().await;
    for (name, path) in places("100") {
        if !asks_the_store(name) {
            continue;
        }
        let page = site.browser.page().await;
        site.store.freeze();
        page.begin(&site.url(&path)).await;
        // The note is gone when the question has been given up.
        page.until_text("[role=status]", "slow to answer").await;
        site.store.thaw();
        page.loaded().await;
        let slow = "!document.querySelector('.slow')?.checkVisibility()";
        page.until("the note is gone", slow).await;
        assert_whole(&page, &path).await;
        page.assert_still().await;
    }
}

#[tokio::test]
async fn a_store_that_comes_back_is_noticed() {
    let (mut site, _) = Site::bakery().await;
    let mut pages = Vec::new();
    site.store.kill().await;
    for (name, path) in places("100") {
        if !asks_the_store(name) {
            continue;
        }
        let page = site.browser.page().await;
        page.expect_complaint("status of 503");
        page.open(&site.url(&path)).await;
        page.until_text("main [role=status]", "the store").await;
        assert_no_trace(&page, &path).await;
        pages.push((path, page));
    }
    // Without scripts the browser is told to come again.
    let plain = site.browser.page().await;
    plain.expect_complaint("status of 503");
    plain.scripts(false).await;
    plain.open(&site.url("/")).await;
    plain.until_text("main [role=status]", "the store").await;
    site.store = site.herald.store().await;
    pages.push(("/".to_owned(), plain));
    for (path, page) in pages {
        page.until_within(
            "the page has found the store",
            SOON,
            "!document.querySelector('main [role=status] h1') \
             && document.querySelector('main').innerText.length > 40",
        )
        .await;
        assert_whole(&page, &path).await;
    }
}

/// Help and what is wrong with an address need no store.
fn asks_the_store(name: &str) -> bool {
    name != "help"
}

/// The page has what it is for.
async fn assert_whole(page: &Page, path: &str) {
    let main = page.text("main").await;
    assert!(main.len() > 40, "{path}: {main}");
    assert_no_trace(page, path).await;
}

async fn assert_no_trace(page: &Page, path: &str) {
    let html = page.string("document.documentElement.outerHTML").await;
    for part in ["panicked", ".rs:", "tonic", "transport error", "Status {"] {
        assert!(!html.contains(part), "{path} shows `{part}`");
    }
    assert_ne!(page.evaluate("document.title").await, Value::from(""));
}
