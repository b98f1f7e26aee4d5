//! What people say about alerts, by forms and by JSON.

use herald_web::Changes;
use serde_json::json;
use testkit::http::{Response, get_with, post, post_form};

use super::web;
use crate::{fake_store::alerts::known, text::inner, web::Web};

/// A form of the page of alerts, sent with the cookie that came with it.
async fn send(
    web: &Web,
    path: &str,
    headers: &[(&str, &str)],
    fields: &[(&str, &str)],
) -> Response {
    let page = web.get("/alerts").await;
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let token = cookie.split_once('=').unwrap().1;
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .append_pair("token", token)
        .finish();
    let cookie = [("cookie", cookie.as_str())];
    let url = format!("{}{path}", web.base);
    post_form(&url, &[&cookie, headers].concat(), form)
        .await
        .unwrap()
}

fn said(web: &Web) -> Vec<String> {
    std::mem::take(&mut web.store.alerts().said)
}

#[tokio::test]
async fn alerts_are_acknowledged_and_silenced_by_forms() {
    let web = web().await;
    let check = async |path: &str, fields: &[(&str, &str)], to: &str, expected: &str| {
        let response = send(&web, path, &[], fields).await;
        assert_eq!(response.status.as_u16(), 303, "{}", response.text());
        assert_eq!(response.headers["location"], to);
        assert_eq!(said(&web), [expected]);
    };
    let list = ("back", "/alerts?state=firing");
    check(
        "/alerts/2",
        &[("do", "acknowledge"), list],
        "/alerts?state=firing#a2",
        "2 acknowledged by \"\"",
    )
    .await;
    check(
        "/alerts/2",
        &[("do", "1h")],
        "/alerts/2",
        "2 silenced for Some(60) min by \"\"",
    )
    .await;
    check(
        "/alerts/3",
        &[("do", "1d"), ("back", "//evil.example")],
        "/alerts/3",
        "3 silenced for Some(1440) min by \"\"",
    )
    .await;
    check(
        "/alerts/4",
        &[("do", "unsilence"), list],
        "/alerts?state=firing#a4",
        "4 silenced for None min by \"\"",
    )
    .await;
    let page = web.page("/alerts", 200).await;
    let row = inner(&page, "<tr id=\"a2\"", "</tr>");
    assert!(
        row.contains("state-silenced") && row.contains("value=\"unsilence\""),
        "{row}"
    );

    let fail = async |path: &str, fields: &[(&str, &str)], status: u16, text: &str| {
        let response = send(&web, path, &[], fields).await;
        assert_eq!(response.status.as_u16(), status, "{fields:?}");
        assert!(
            response.text().contains(text),
            "{text} in {}",
            response.text()
        );
    };
    fail(
        "/alerts/1",
        &[("do", "acknowledge")],
        400,
        "Nothing was changed: the alert has ended",
    )
    .await;
    fail(
        "/alerts/2",
        &[("do", "until"), ("until", "2020-01-01T00:00")],
        400,
        "has passed",
    )
    .await;
    fail(
        "/alerts/2",
        &[("do", "until"), ("until", "")],
        400,
        "say until when",
    )
    .await;
    fail(
        "/alerts/2",
        &[("do", "explode")],
        400,
        "nothing that can be done",
    )
    .await;
    fail("/alerts/99", &[("do", "1h")], 404, "There is no alert 99").await;
}

#[tokio::test]
async fn nobody_elsewhere_says_anything() {
    let web = web().await;
    for headers in [
        [("sec-fetch-site", "cross-site")],
        [("origin", "http://evil.example")],
        [("host", "evil.example")],
    ] {
        let response = send(&web, "/alerts/2", &headers, &[("do", "1d")]).await;
        assert_eq!(response.status.as_u16(), 403, "{headers:?}");
    }
    let url = format!("{}/alerts/2", web.base);
    let response = post_form(&url, &[], "do=1d&token=".to_owned())
        .await
        .unwrap();
    assert_eq!(response.status.as_u16(), 403);
    assert_eq!(said(&web), Vec::<String>::new());
    let url = format!("{}/alerts", web.base);
    let page = get_with(&url, &[("host", "evil.example")])
        .await
        .unwrap()
        .text();
    assert!(
        !page.contains("method=\"post\"") && page.contains("but not changed"),
        "{page}"
    );
}

#[tokio::test]
async fn where_changes_are_off_alerts_are_read_only() {
    let web = Web::changed_by(Changes::Refused).await;
    *web.store.alerts() = known();
    for path in ["/alerts", "/alerts/3"] {
        let page = web.page(path, 200).await;
        assert!(!page.contains("method=\"post\""), "{page}");
        assert!(page.contains("WEB_CHANGES=allow"), "{page}");
    }
    let url = format!("{}/api/v1/alerts/2/silence", web.base);
    let json = [("content-type", "application/json")];
    let response = post(&url, &json, "{\"until\": null}".to_owned())
        .await
        .unwrap();
    assert_eq!(response.status.as_u16(), 403);
}

#[tokio::test]
async fn programs_say_the_same_by_json() {
    let web = web().await;
    let send = async |path: &str, content_type: &str, body: String| {
        let url = format!("{}/api/v1/alerts/{path}", web.base);
        post(&url, &[("content-type", content_type)], body)
            .await
            .unwrap()
    };
    let json = "application/json; charset=utf-8";
    let answer = send("2/acknowledge", json, json!({"by": "anna"}).to_string()).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    assert_eq!(answer.json()["alert"]["id"], 2);
    assert!(answer.json()["alert"]["acknowledged_at"].is_string());
    let answer = send("2/silence", json, json!({"until": null}).to_string()).await;
    assert_eq!(
        answer.json()["alert"]["silenced_until"],
        serde_json::Value::Null
    );
    assert_eq!(
        said(&web),
        [
            "2 acknowledged by \"anna\"",
            "2 silenced for None min by \"\""
        ]
    );
    let fail = async |path: &str, content_type: &str, body: &str, status: u16, text: &str| {
        let answer = send(path, content_type, body.to_owned()).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {body}");
        let message = answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(message.contains(text), "{message}");
    };
    fail("2/silence", json, "{}", 400, "missing field `until`").await;
    fail(
        "2/silence",
        json,
        "{\"until\": \"2020-01-01\"}",
        400,
        "until: `2020-01-01` has passed",
    )
    .await;
    fail(
        "2/silence",
        json,
        "{\"until\": null, \"x\": 1}",
        400,
        "unknown field `x`",
    )
    .await;
    fail("2/acknowledge", json, "", 400, "the body: ").await;
    fail(
        "2/acknowledge",
        "text/plain",
        "{}",
        403,
        "content-type: application/json",
    )
    .await;
    fail("1/acknowledge", json, "{}", 400, "the alert has ended").await;
    fail("99/acknowledge", json, "{}", 404, "there is no alert 99").await;
    fail("x/acknowledge", json, "{}", 404, "no such alert").await;
    let large = format!("{{\"by\": \"{}\"}}", "x".repeat(5_000));
    fail("2/acknowledge", json, &large, 413, "at most 4096 bytes").await;
    assert_eq!(
        web.get("/api/v1/alerts/2/silence").await.status.as_u16(),
        405
    );
}
