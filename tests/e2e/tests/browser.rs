//! What the stories rely on: that the browser's driver notices what must not
//! happen on a page.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{fs, time::Duration};

use e2e::browser::{Browser, Page};
use tempfile::NamedTempFile;

/// Shows a document, without a server; it can be loaded anew while it is kept.
async fn show(page: &Page, html: &str) -> NamedTempFile {
    let file = tempfile::Builder::new().suffix(".html").tempfile().unwrap();
    fs::write(&file, format!("<!doctype html><meta charset=utf-8>{html}")).unwrap();
    page.open(&format!("file://{}", file.path().display()))
        .await;
    file
}

async fn assert_complaint(browser: &Browser, html: &str, part: &str) {
    let page = browser.page().await;
    show(&page, html).await;
    testkit::wait_until(
        &format!("{html} is complained about"),
        Duration::from_secs(10),
        async || {
            page.evaluate("1").await;
            page.complaints().iter().any(|it| it.contains(part))
        },
    )
    .await;
    page.expect_complaint("");
}

#[tokio::test]
async fn what_must_not_happen_is_noticed() {
    let browser = Browser::start().await;
    for (html, part) in [
        ("<script>console.error('it burns')</script>", "it burns"),
        ("<script>nobody.knows()</script>", "nobody is not defined"),
        ("<script>setTimeout(() => alert('hello'))</script>", "hello"),
        (
            "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\"><script>1</script>",
            "Content Security Policy",
        ),
        (
            "<meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"><p style='color:red'>x",
            "Content Security Policy",
        ),
    ] {
        assert_complaint(&browser, html, part).await;
    }
    let page = browser.page().await;
    show(&page, "<title>x</title><p>calm").await;
    page.assert_still().await;
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn what_moves_and_what_waits_is_measured() {
    let browser = Browser::start().await;
    let page = browser.page().await;
    let moving = "<title>x</title><div id=a></div><p>text<script>
        addEventListener('load', () => requestAnimationFrame(() => requestAnimationFrame(() => {
            a.style.height = '300px'; document.title = 'moved' })))</script>";
    show(&page, moving).await;
    page.until("it has moved", "document.title === 'moved'")
        .await;
    assert_eq!(page.shifts().await.len(), 1);

    let slow = "<title>x</title><button>go</button><script>
        document.querySelector('button').onmousedown = () => {
            const end = performance.now() + 150; while (performance.now() < end); }</script>";
    show(&page, slow).await;
    page.click(("button", "go")).await;
    page.click(("button", "go")).await;
    let waits = page.input_waits().await;
    assert!(waits.iter().any(|&wait| wait >= 150.0), "{waits:?}");
}

#[tokio::test]
async fn a_person_is_imitated() {
    let browser = Browser::start().await;
    let page = browser.page().await;
    let form = "<title>x</title><a href='#skip'>Skip</a><label>Name <input id=name value=old></label>
        <button aria-label='Say it' onclick=\"said.textContent = document.getElementById('name').value\">s</button>
        <output id=said></output><noscript>plain</noscript>";
    let _kept = show(&page, form).await;
    page.fill(("textbox", "Name"), "new one?").await;
    page.click(("button", "Say it")).await;
    assert_eq!(page.text("#said").await, "new one?");
    page.press("Shift+Tab").await;
    page.press("Shift+Tab").await;
    page.follow(page.press("Enter")).await;
    assert!(page.url().await.ends_with("#skip"));
    page.back().await;
    assert!(!page.url().await.ends_with("#skip"));
    page.tab_to(("textbox", "Name")).await;
    assert!(!page.has(("button", "Nothing")).await);
    page.scripts(false).await;
    page.reload().await;
    assert_eq!(page.texts("noscript").await, ["plain"]);
    page.click(("button", "Say it")).await;
    assert_eq!(page.text("#said").await, "");
}

#[tokio::test]
async fn axe_finds_what_is_there() {
    let browser = Browser::start().await;
    let page: Page = browser.page().await;
    show(
        &page,
        "<html lang=en><title>x</title><main><h1>x</h1><p>x</main>",
    )
    .await;
    page.assert_accessible("a plain page").await;
    show(
        &page,
        "<html lang=en><title>x</title><main><h1>x</h1><button></button></main>",
    )
    .await;
    let found = page.violations().await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["rule"], "button-name");
}
