//! The pages that are about Herald itself: rejected frames, status, help.

use testkit::record;

use crate::{
    fake_store::Mood,
    text::{href, inner},
    web::Web,
};

#[tokio::test]
async fn rejected_frames_are_shown_with_their_bytes() {
    let web = Web::with(Vec::new()).await;
    let page = web.page("/rejected", 200).await;
    for text in [
        "<b>1 frame</b> could not become records",
        "<b>looks like an HTTP request</b>",
        "47 45 54 20 2f 20 ff",
        "GET / ·",
        "The first 7 of 1,000 bytes",
        "10.0.0.7:41234",
        "through <bdi>web01</bdi>, number 42",
        "2026-11-23 00:22:41",
        "href=\"/api/v1/dead_letters?limit=1&amp;before=8\"",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let losses = inner(&page, "<section class=\"losses\">", "</section>");
    for text in [
        "<b>2 frames</b>",
        "the disk has destroyed them",
        "<bdi>web01</bdi>",
        "17 to 18",
    ] {
        assert!(losses.contains(text), "{text} in {losses}");
    }
}

#[tokio::test]
async fn older_rejected_frames_have_pages_of_their_own() {
    let web = Web::with(Vec::new()).await;
    let page = web.page("/rejected?before=7", 200).await;
    assert!(page.contains("There are no older ones."));
    assert_eq!(href(&page, ">newest first</a>"), "/rejected");
    assert!(
        !page.contains("Declared losses"),
        "losses are on the first page"
    );
    let page = web.page("/rejected?before=x", 400).await;
    assert!(page.contains("before: `x` is no id"));
}

#[tokio::test]
async fn the_status_is_told_in_units_of_people() {
    let web = Web::with((0..2).map(record).collect()).await;
    let page = web.page("/status", 200).await;
    for text in [
        "<p class=\"big\" title=\"2 records\">2</p>",
        "<span title=\"8,192 bytes\">8 KiB</span>",
        "<span title=\"4,096 bytes\">4 KiB</span> of it free",
        "limit <span title=\"1,073,741,824 bytes\">1 GiB</span>",
        "<p class=\"big\">30 d</p>",
        "<a href=\"/rejected\">1</a>",
        "2 frames lost and declared",
        "The disk has damaged 1 block since",
        "<bdi>web01</bdi>",
        "title=\"6f1e2d3c-0000-4000-8000-000000000001\">6f1e2d3c · next 43",
        "aria-label=\"The spool is 50 % full\"",
        "aria-label=\"The database holds 1 % of its limit\"",
        "3 <span class=\"key\">entries, 4 ms</span>",
        "<bdi>home</bdi>: <span class=\"state-late\">not connected, 8 ",
        "<bdi>full</bdi>: <span class=\"state-late\">waits until it has room, 9 ",
        "<bdi>10.0.0.7</bdi> slowed</span> <span class=\"key\">to 1,000/s since ",
        "<span class=\"state-late\">7</span>",
        "<dt>Waiting to be merged</dt><dd>3</dd>",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
}

#[tokio::test]
async fn the_status_loads_itself_anew_when_asked_to() {
    let web = Web::with(vec![record(1)]).await;
    let answer = web.get("/status?refresh=15").await;
    assert_eq!(answer.headers["refresh"], "15");
    let here = inner(&answer.text(), "aria-current=\"true\">", "</a>").to_owned();
    assert_eq!(here, "15 s");
    assert!(!web.get("/status").await.headers.contains_key("refresh"));
    for wrong in ["0", "3601", "often"] {
        let page = web.page(&format!("/status?refresh={wrong}"), 400).await;
        assert!(page.contains("refresh: "), "{page}");
    }
}

#[tokio::test]
async fn a_store_without_time_to_count_still_has_a_status() {
    let web = Web::with(vec![record(1)]).await;
    web.store
        .set_mood(Mood::Failing(tonic::Status::internal("no")));
    let page = web.page("/status", 200).await;
    assert!(page.contains("the store had no time to count"), "{page}");
    web.store
        .set_mood(Mood::Broken(tonic::Status::unavailable("away")));
    for path in ["/status", "/rejected"] {
        let page = web.page(path, 503).await;
        assert!(page.contains("The store does not answer"), "{path}");
    }
}

#[tokio::test]
async fn the_help_explains_what_there_is() {
    let web = Web::with(vec![record(1)]).await;
    web.store
        .set_mood(Mood::Broken(tonic::Status::unavailable("away")));
    let page = web.page("/help", 200).await;
    web.store.set_mood(Mood::Well);
    for text in [
        "<kbd>?</kbd>",
        "<code>extra</code>",
        "href=\"/api/v1/openapi.json\"",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let mut tried = 0;
    for example in page.split("<td><a href=\"").skip(1) {
        let target = inner(&format!("\"{example}"), "\"", "\"").replace("&amp;", "&");
        let log = web.page(&target, 200).await;
        assert!(!log.contains("The query cannot be read"), "{target}");
        tried += 1;
    }
    assert!(tried >= 20, "{tried} examples");
}

#[tokio::test]
async fn every_page_is_in_the_navigation_of_all() {
    let web = Web::with(vec![record(1)]).await;
    let places = [
        "/",
        "/systems",
        "/exceptions",
        "/alerts",
        "/rejected",
        "/status",
        "/help",
    ];
    for path in places.into_iter().chain(["/record/1"]) {
        let page = web.page(path, 200).await;
        let navigation = inner(&page, "<nav class=\"places\"", "</nav>").to_owned();
        for place in places {
            let link = format!("<a href=\"{place}\"");
            assert!(navigation.contains(&link), "{place} on {path}");
            let is_here = navigation.contains(&format!("{link} aria-current=\"page\""));
            assert_eq!(is_here, path == place, "{place} on {path}");
        }
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
    }
}
