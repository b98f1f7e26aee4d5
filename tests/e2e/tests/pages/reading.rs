//! Reading: each person their own view, back and forth, and nothing moves while
//! one reads.

use std::collections::BTreeSet;

use domain::{Entry, Record};
use e2e::{
    browser::Page,
    sender,
    site::{Site, now_us},
};

/// The ids of the records that are shown, in their order.
async fn shown(page: &Page) -> Vec<u64> {
    let ids = page
        .evaluate("[...document.querySelectorAll('[id^=r]')].map(it => Number(/^r(\\d+)$/.exec(it.id)?.[1])).filter(Boolean)")
        .await;
    let ids = ids.as_array().unwrap().iter();
    ids.map(|id| id.as_u64().unwrap()).collect()
}

#[tokio::test]
async fn two_people_see_their_own() {
    let (site, _) = Site::bakery().await;
    let anna = site.page("/?level=ERROR").await;
    let bert = site.page("/?system_id=till").await;
    let before = shown(&anna).await;
    for _ in 0..3 {
        bert.follow(bert.click(("link", "older"))).await;
        anna.reload().await;
        assert_eq!(shown(&anna).await, before);
        assert!(bert.url().await.contains("system_id=till"));
        assert!(
            !bert
                .text("main")
                .await
                .contains("payment of order 4711 failed")
        );
    }
    // The same link shows another person the same.
    let address = bert.url().await;
    let clara = site.browser.page().await;
    clara.open(&address).await;
    assert_eq!(shown(&clara).await, shown(&bert).await);
}

#[tokio::test]
async fn back_and_forward_lead_through_the_views() {
    let (site, _) = Site::bakery().await;
    let page = site.page("/").await;
    let mut views = vec![(page.url().await, shown(&page).await)];
    page.follow(page.click(("link", "older"))).await;
    views.push((page.url().await, shown(&page).await));
    page.follow(page.click(("link", "older"))).await;
    page.follow(page.click(("link", "Log"))).await;
    page.back().await;
    page.back().await;
    assert_eq!((page.url().await, shown(&page).await), views[1]);
    page.back().await;
    assert_eq!((page.url().await, shown(&page).await), views[0]);
    page.forward().await;
    assert_eq!((page.url().await, shown(&page).await), views[1]);
}

#[tokio::test]
async fn a_thousand_records_of_one_time_are_each_shown_once() {
    let site = Site::empty().await;
    let now_us = now_us() - 1_000_000;
    let record = |number| {
        Entry::Record(Box::new(Record {
            received_us: now_us,
            created_us: now_us,
            ..testkit::record(number)
        }))
    };
    site.keep((0..1_050).map(record)).await;
    let page = site.page("/").await;
    let mut seen = Vec::new();
    loop {
        seen.push(shown(&page).await);
        // One that comes in meanwhile is newer than all of these.
        sender::send(&site.herald.bridge_address(), &[testkit::record(2_000)]).await;
        if !page.has(("link", "older")).await {
            break;
        }
        page.follow(page.click(("link", "older"))).await;
    }
    let all: Vec<u64> = seen.iter().flatten().copied().collect();
    assert_eq!(all.len(), 1_050);
    assert!(all.is_sorted_by(|newer, older| newer > older));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 1_050);
    // And back: the same pages.
    for expected in seen.iter().rev().skip(1).take(5) {
        page.follow(page.click(("link", "newer"))).await;
        assert_eq!(&shown(&page).await, expected);
    }
}

#[tokio::test]
async fn what_arrives_does_not_move_what_is_read() {
    let (site, _) = Site::bakery().await;
    let page = site.page("/").await;
    page.wheel(300).await;
    page.until("the page has scrolled", "scrollY > 100").await;
    let before = (page.scrolled().await, shown(&page).await);
    let records: Vec<Record> = (0..200).map(testkit::record).collect();
    sender::send(&site.herald.bridge_address(), &records).await;
    e2e::api::exactly(&site.herald.web_url(), "user_spec_1=blue", 200, crate::SOON).await;
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        .await;
    assert_eq!((page.scrolled().await, shown(&page).await), before);
    page.assert_still().await;
}
