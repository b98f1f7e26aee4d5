//! The store away, silent, broken, and back.

use std::time::Duration;

use testkit::{record, wait_until};
use tokio::time::Instant;
use tonic::Status;

use crate::{fake_store::Mood, web::Web};

const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_store_that_is_away_is_told_and_found_again() {
    let mut web = Web::with(vec![record(1)]).await;
    let status_of = async |web: &Web, path: &str| web.get(path).await.status.as_u16();
    wait_until("the page is ready", DEADLINE, async || {
        status_of(&web, "/readyz").await == 200
    })
    .await;
    web.store.stop().await;
    let page = web.get("/").await;
    assert_eq!(page.status, 503);
    assert_eq!(page.headers["retry-after"], "5");
    let text = page.text();
    assert!(text.contains("The store does not answer"), "{text}");
    assert!(text.contains("<meta http-equiv=\"refresh\" content=\"5\">"));
    let answer = web.json("/api/v1/records", 503).await;
    assert_eq!(answer["error"]["message"], "the store does not answer");
    wait_until("the page is not ready", DEADLINE, async || {
        status_of(&web, "/readyz").await == 503
    })
    .await;
    assert_eq!(status_of(&web, "/healthz").await, 200);
    web.store.start_again().await;
    wait_until("the page is back", DEADLINE, async || {
        status_of(&web, "/").await == 200 && status_of(&web, "/readyz").await == 200
    })
    .await;
}

#[tokio::test]
async fn a_restart_between_two_requests_is_not_noticed() {
    let mut web = Web::with(vec![record(1)]).await;
    web.page("/", 200).await;
    web.store.stop().await;
    web.store.start_again().await;
    web.page("/", 200).await;
}

#[tokio::test]
async fn a_silent_store_costs_no_more_than_its_deadline() {
    let web = Web::with(vec![record(1)]).await;
    web.store.set_mood(Mood::Silent);
    let began = Instant::now();
    web.json("/api/v1/records", 503).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test]
async fn a_page_says_within_a_second_that_the_store_is_slow() {
    let web = Web::with(vec![record(1)]).await;
    web.store.set_mood(Mood::Silent);
    let began = Instant::now();
    let mut page = web.begin("/").await;
    page.until("The store is slow to answer").await;
    let took = began.elapsed();
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    page.until("The store does not answer").await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(7), "{took:?}");
    page.until("http-equiv=\"refresh\" content=\"5\"").await;
    let answer = page.until("</html>").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn nothing_internal_reaches_the_page() {
    let web = Web::with(vec![record(1)]).await;
    web.store
        .set_mood(Mood::Broken(Status::internal("SELECT secret FROM block")));
    let page = web.page("/", 502).await;
    assert!(!page.contains("SELECT"), "{page}");
    let answer = web.get("/api/v1/records").await;
    assert_eq!(answer.status, 502);
    assert!(!answer.text().contains("SELECT"));
}
