//! A record with all it has, as a part of the log page.

use domain::Record;
use testkit::record;

use crate::{
    fake_store::Mood,
    text::{href, inner},
    web::Web,
};

fn full() -> Record {
    Record {
        received_us: 1_795_393_361_123_456,
        created_us: 1_795_393_361_100_000,
        exception:
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'x'\n"
                .to_owned(),
        stack: "Stack (most recent call last):\n  File \"b.py\", line 2, in g".to_owned(),
        extra: r#"{"order":{"id":12345678901234567890,"items":["a","b"]},"ok":true}"#.to_owned(),
        user_spec_2: String::new(),
        ..record(3)
    }
}

#[tokio::test]
async fn a_row_opens_to_everything() {
    let web = Web::with(vec![full()]).await;
    let answer = web.get("/record/1/row").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    let detail = answer.text();
    assert!(
        detail.starts_with("<article class=\"detail error\""),
        "{detail}"
    );
    for text in [
        "2026-11-23 00:22:41.123456",
        "2026-11-23 00:22:41.100000",
        "23 ms earlier",
        "KeyError: &#39;x&#39;</bdi></summary>",
        "File &quot;b.py&quot;, line 2, in g",
        "12345678901234567890",
        "2 items",
        "Without a value: user_spec_2",
        "ERROR (40)",
        "127.0.0.1:50000",
    ] {
        assert!(detail.contains(text), "{text} in {detail}");
    }
    for href in [
        "/record/1#r1",
        "/record/1?scope=process#r1",
        "/record/1?scope=system#r1",
        "/api/v1/records/1",
        "/?q=fingerprint%3A",
    ] {
        assert!(
            detail.contains(&format!("href=\"{}", href.replace('/', "&#x2f;")))
                || detail.contains(&format!("href=\"{href}")),
            "{href} in {detail}"
        );
    }
    let opened = detail.matches("<details").count();
    assert_eq!(opened, detail.matches("</details>").count());
    assert_eq!(opened, 4, "exception, stack, an object and an array");
}

#[tokio::test]
async fn values_include_and_exclude_within_what_is_asked() {
    let web = Web::with(vec![full()]).await;
    let detail = web
        .page("/record/1/row?q=disk+OR+tape&level=ERROR&before=9", 200)
        .await;
    let check = |label: &str, expected: &str| {
        let href = href(&detail, &format!("aria-label=\"{label}\""));
        assert_eq!(href, expected, "{label}");
    };
    check(
        "Only records with this system_id",
        "/?q=disk+OR+tape&level=ERROR&system_id=system_0",
    );
    check(
        "Without records with this system_id",
        "/?level=ERROR&q=%28disk+OR+tape%29+-system_id%3Asystem_0",
    );
    check(
        "Only records with this line",
        "/?level=ERROR&q=%28disk+OR+tape%29+line%3A13",
    );
    check(
        "Only records with this level",
        "/?level=ERROR&q=%28disk+OR+tape%29+level%3Aerror",
    );
    check(
        "Only records with this value",
        "/?level=ERROR&q=%28disk+OR+tape%29+extra.order.id%3A12345678901234567890",
    );
}

#[tokio::test]
async fn every_link_of_a_row_finds_its_record() {
    let web = Web::with(vec![full()]).await;
    let detail = web.page("/record/1/row", 200).await;
    let mut tried = 0;
    for line in detail.split("<a class=\"act\"").skip(1) {
        let target = inner(line, "href=\"", "\"")
            .replace("&#x2f;", "/")
            .replace("&amp;", "&");
        let found = web
            .json(&target.replacen("/?", "/api/v1/records?", 1), 200)
            .await;
        let count = found["records"].as_array().unwrap().len();
        let expected = usize::from(line.contains("aria-label=\"Only "));
        assert_eq!(count, expected, "{target}");
        tried += 1;
    }
    assert!(tried > 30, "{tried} links");
}

#[tokio::test]
async fn a_huge_record_is_cut_in_the_log_and_whole_on_its_page() {
    let keys: Vec<_> = (0..500).map(|key| format!("\"key{key}\":{key}")).collect();
    let huge = Record {
        message: format!("{}the end", "x".repeat(100_000)),
        exception: format!("the beginning\n{}\nKeyError: 1", "y".repeat(100_000)),
        extra: format!("{{{}}}", keys.join(",")),
        ..record(1)
    };
    let web = Web::with(vec![huge]).await;
    let row = web.page("/record/1/row", 200).await;
    let page = web.page("/record/1", 200).await;
    assert!(row.len() < 250_000, "{}", row.len());
    for text in ["the end", "the beginning", "key499"] {
        assert!(!row.contains(text), "{text}");
        assert!(page.contains(text), "{text}");
    }
    assert!(row.contains("the whole message") && row.contains("the whole exception"));
    assert!(row.contains("the whole extra"));
    assert!(!page.contains("the whole extra"));
}

#[tokio::test]
async fn what_cannot_be_shown_is_told_in_place() {
    let web = Web::with(vec![full()]).await;
    let check = async |path: &str, status: u16, message: &str| {
        let note = web.page(path, status).await;
        assert_eq!(
            note.trim_end(),
            format!("<p class=\"note\" role=\"alert\">This cannot be shown: {message}.</p>"),
        );
    };
    check(
        "/record/2/row",
        404,
        "there is no such record, or no longer",
    )
    .await;
    check(
        "/record/x/row",
        404,
        "there is no such record, or no longer",
    )
    .await;
    web.store
        .set_mood(Mood::Broken(tonic::Status::unavailable("away")));
    check("/record/1/row", 503, "the store does not answer").await;
}
