//! Webhooks: a POST of JSON, to servers that take it and others.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    routing::post,
};
use domain::{DeliveryState, Notification};
use neelix_cronjob::delivery::{Delivered, deliver_once};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    fake_store::{FakeStore, RUN, now_us},
    mail,
};

type Calls = Arc<Mutex<Vec<(String, HeaderMap, String)>>>;

/// A server that answers `/STATUS` with that status.
async fn serve() -> (String, Calls) {
    let calls = Calls::default();
    let answer = async |State(calls): State<Calls>, uri: Uri, headers: HeaderMap, body: String| {
        let path = uri.path().trim_start_matches('/').to_owned();
        let status: u16 = path.parse().unwrap_or(200);
        calls.lock().unwrap().push((uri.to_string(), headers, body));
        let location = [(header::LOCATION, "/200")];
        (StatusCode::from_u16(status).unwrap(), location)
    };
    let router = Router::new()
        .fallback(post(answer))
        .with_state(Arc::clone(&calls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address.to_string(), calls)
}

async fn call(url: &str) -> (Delivered, Notification) {
    let notification = mail::notification(&[url]);
    let delivered = deliver_once(&notification, &mail::post("keep:")).await;
    (delivered, notification)
}

#[tokio::test]
async fn a_webhook_gets_the_json_once() {
    let (address, calls) = serve().await;
    let (delivered, notification) = call(&format!("http://{address}/hook?token=secret#part")).await;
    assert_eq!((delivered.delivered, delivered.undelivered), (1, 0));
    let calls = calls.lock().unwrap();
    let [(uri, headers, body)] = &calls[..] else {
        panic!("{calls:?}");
    };
    assert_eq!(uri, "/hook?token=secret");
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    assert!(!headers.contains_key(header::AUTHORIZATION));
    assert_eq!(*body, notification.json);
}

#[tokio::test]
async fn a_login_goes_where_it_belongs() {
    let (address, calls) = serve().await;
    call(&format!("http://an%40na:se%3Acret@{address}/x")).await;
    let calls = calls.lock().unwrap();
    assert_eq!(calls[0].0, "/x");
    // base64 of `an@na:se:cret`
    assert_eq!(
        calls[0].1[header::AUTHORIZATION],
        "Basic YW5AbmE6c2U6Y3JldA=="
    );
}

#[tokio::test]
async fn an_answer_says_whether_it_may_work_later() {
    let (address, calls) = serve().await;
    let check = async |status: u16, expected: &str| {
        let (delivered, _) = call(&format!("http://{address}/{status}")).await;
        assert_eq!(delivered.errors, [expected.to_owned()], "{status}");
    };
    check(400, "webhook failed: the webhook answered 400").await;
    check(404, "webhook failed: the webhook answered 404").await;
    check(410, "webhook failed: the webhook answered 410").await;
    check(408, "webhook waits: the webhook answered 408").await;
    check(429, "webhook waits: the webhook answered 429").await;
    check(500, "webhook waits: the webhook answered 500").await;
    check(503, "webhook waits: the webhook answered 503").await;
    check(302, "webhook waits: the webhook answered 302").await;
    check(307, "webhook waits: the webhook answered 307").await;
    assert_eq!(calls.lock().unwrap().len(), 9, "a redirect was followed");
}

#[tokio::test]
async fn no_secret_of_a_url_is_told() {
    let port = testkit::port::free();
    let (delivered, _) = call(&format!("http://u:secret@127.0.0.1:{port}/secret?t=secret")).await;
    assert_eq!(
        delivered.errors,
        ["webhook waits: the webhook cannot be reached"]
    );
    let (delivered, _) = call("http://").await;
    assert_eq!(
        delivered.errors,
        ["webhook failed: it is no URL that can be called"]
    );
}

#[tokio::test]
async fn a_site_that_is_away_holds_up_no_other() {
    let (address, calls) = serve().await;
    let away = format!("http://127.0.0.1:{}", testkit::port::free());
    let urls = [
        format!("{away}/a"),
        format!("http://{address}/b"),
        format!("{away}/c"),
    ];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let mut notification = mail::notification(&urls);
    notification.created_us = now_us();
    let store = FakeStore::with(vec![notification]).await;
    let clock = neelix_cronjob::delivery::StoreClock::new(now_us());
    let shutdown = CancellationToken::new();
    let post = mail::post("keep:");
    let client = &mut store.client();
    neelix_cronjob::delivery::deliver_due(client, RUN, clock, &post, &shutdown).await;
    let deliveries = store.deliveries();
    let states: Vec<_> = deliveries.iter().map(|it| it.state).collect();
    let (waiting, delivered) = (DeliveryState::Waiting, DeliveryState::Delivered);
    assert_eq!(states, [waiting, delivered, waiting]);
    assert_eq!(
        deliveries[2].error,
        "not tried: the webhook cannot be reached"
    );
    assert_eq!(calls.lock().unwrap().len(), 1);
}
