//! Texts of records that want to be more than text: they are shown, and nothing
//! comes of it.

use domain::Alert;
use e2e::{
    alerts, api,
    browser::Page,
    hostile,
    site::{Site, now_us},
};
use serde_json::Value;
use testkit::http;

use crate::places;

/// Elements, attributes and handlers that no template has.
const BORN: &str = "[data-x], img, iframe, object, embed, form[action*=':'], svg[onload], \
    [onclick], [onerror], [onfocus], [onmouseover], a[href^='javascript'], script:not([src]), \
    main style, main link, main meta";

/// Texts in which something turns stand alone, where they turn nothing else.
const TURNED: &str = r"(() => {
    const marks = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u0590-\u06ff]/;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faults = [];
    while (walker.nextNode()) {
        const text = walker.currentNode;
        if (!marks.test(text.data) || text.parentElement.closest('script, option, title')) continue;
        let around = text.parentElement;
        while (around && !/isolate|plaintext/.test(getComputedStyle(around).unicodeBidi)) around = around.parentElement;
        const whole = around?.textContent.replace(/U\+[0-9A-F]+/g, '').trim() ?? '';
        const alone = around?.closest('bdi, pre, code, .message') || whole.length <= text.data.trim().length + 40;
        if (!alone) faults.push(`${text.data.slice(0, 40)} in ${around?.outerHTML.slice(0, 200)}`);
    }
    return faults.slice(0, 5);
})()";

/// Control characters that are shown as they came.
const RAW: &str = r"(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faults = [];
    while (walker.nextNode()) {
        const text = walker.currentNode;
        if (text.parentElement.closest('script, option')) continue;
        if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202e\ufeff]/.test(text.data)) faults.push(text.data.slice(0, 80));
    }
    return faults.slice(0, 5);
})()";

/// Fonts for rare letters come late, and here every row is full of them; a page that
/// is good by everybody's measure moves by less than twice as much.
const RARE_LETTERS: f64 = 0.05;

#[tokio::test]
async fn texts_stay_texts_on_every_page() {
    let site = Site::empty().await;
    site.keep(hostile::entries(now_us() - 1_000_000)).await;
    let records = api::all(&site.herald.web_url(), "").await;
    assert_eq!(records.len(), hostile::texts().len() + 2);
    for is_narrow in [false, true] {
        for record in &records {
            let path = format!("/record/{}", record["id"]);
            // Each record alone is enough at one width.
            if !is_narrow {
                look(&site, &path, is_narrow).await;
            }
        }
        for (_, path) in places(&records[0]["id"].to_string()) {
            look(&site, &path, is_narrow).await;
        }
    }
}

#[tokio::test]
async fn what_neelix_tells_stays_text() {
    let site = Site::empty().await;
    site.keep(hostile::entries(now_us() - 1_000_000)).await;
    for (what, text) in hostile::texts() {
        site.run(|state| {
            let mut findings = alerts::bakery(state, state.now_us, Some(&text));
            // Those of the texts before have ended.
            findings
                .alerts
                .extend(state.alerts.iter().cloned().map(|alert| Alert {
                    resolved_us: Some(state.now_us),
                    ..alert
                }));
            findings
        })
        .await;
        let answer = http::get_json(&site.url("/api/v1/alerts?limit=1"))
            .await
            .unwrap();
        let newest = answer["alerts"][0]["id"].as_u64().unwrap();
        let places = [
            "/alerts",
            "/alerts/rules",
            "/alerts/runs",
            "/systems",
            "/status",
        ];
        let places = places.map(str::to_owned).into_iter();
        for path in places.chain([newest, newest - 3].map(|id| format!("/alerts/{id}"))) {
            look(&site, &path, what.len() % 2 == 0).await;
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_is_text_too() {
    let site = Site::empty().await;
    site.keep(hostile::entries(now_us() - 1_000_000)).await;
    let page = site.browser.page().await;
    page.expect_complaint("status of 400");
    for (what, text) in hostile::texts() {
        if text.len() > 1_000 {
            continue;
        }
        let value: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for name in ["q", "system_id", "level", "from", "limit", "no_such"] {
            page.open(&site.url(&format!("/?{name}={value}"))).await;
            assert_inert(&page, &format!("{what} as {name}")).await;
        }
    }
}

async fn look(site: &Site, path: &str, is_narrow: bool) {
    let page = site.browser.page().await;
    if is_narrow {
        page.size(390, 844).await;
    }
    page.open(&site.url(path)).await;
    let what = format!("{path} at {}", if is_narrow { 390 } else { 1_400 });
    assert_inert(&page, &what).await;
    let shifts = page.shifts().await;
    let moved: f64 = shifts.iter().map(|it| it.value).sum();
    assert!(moved < RARE_LETTERS, "{what} moves by itself: {shifts:#?}");
}

async fn assert_inert(page: &Page, what: &str) {
    let born = page
        .evaluate(&format!(
            "[...document.querySelectorAll(`{BORN}`)].map(it => it.outerHTML.slice(0, 200))"
        ))
        .await;
    assert_eq!(born, Value::Array(Vec::new()), "{what}: made of text");
    let turned = page.evaluate(TURNED).await;
    assert_eq!(turned, Value::Array(Vec::new()), "{what}");
    assert_eq!(page.overflow().await, None, "{what} is too wide");
    let raw = page.evaluate(RAW).await;
    assert_eq!(raw, Value::Array(Vec::new()), "{what}");
    assert_eq!(page.complaints(), Vec::<String>::new(), "{what}");
}
