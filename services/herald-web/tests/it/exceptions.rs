//! The exceptions page.

use domain::Record;
use testkit::record;

use crate::{
    fake_store::Mood,
    text::{href, inner},
    web::Web,
};

fn failed(number: u64, system: &str, exception: &str) -> Record {
    Record {
        system_id: system.to_owned(),
        exception: format!(
            "Traceback (most recent call last):\n  File \"a.py\", line {number}, in f\n{exception}"
        ),
        ..record(number)
    }
}

async fn web() -> Web {
    Web::with(vec![
        failed(1, "shop", "KeyError: 'x'"),
        failed(2, "shop", "shop.DbError: no <disk>"),
        record(3),
        failed(4, "mail", "shop.DbError: full"),
        failed(5, "shop", "shop.DbError: no more"),
        failed(6, "mail", "KeyError: 'y'"),
    ])
    .await
}

fn kinds(page: &str) -> Vec<&str> {
    let rows = page.split("<a class=\"kind\"").skip(1);
    rows.map(|row| inner(row, "<bdi>", "</bdi>")).collect()
}

#[tokio::test]
async fn exceptions_are_grouped_by_where_they_come_from() {
    let web = web().await;
    let page = web.page("/exceptions?from=@0", 200).await;
    assert_eq!(kinds(&page), ["KeyError", "shop.DbError"]);
    assert!(page.contains("<b>2</b> kinds of exceptions over all time"));
    let rows: Vec<_> = page.split("<th scope=\"row\"").skip(1).collect();
    let check = |row: &str, texts: &[&str]| {
        for text in texts {
            assert!(row.contains(text), "{text} in {row}");
        }
    };
    check(
        rows[0],
        &[
            "<bdi>&#39;y&#39;</bdi>",
            "title=\"2 records\"",
            "/record/6#r6",
            "/record/1#r1",
        ],
    );
    check(
        rows[1],
        &[
            "<bdi>no more</bdi>",
            "title=\"3 records\"",
            "/record/5#r5",
            "/record/2#r2",
        ],
    );
    check(
        rows[1],
        &[
            "<bdi>shop</bdi> <span class=\"key\">2</span>",
            "<bdi>mail</bdi> <span class=\"key\">1</span>",
        ],
    );
    check(
        rows[1],
        &[
            "<svg class=\"sparkline\"",
            "aria-label=\"Over all time: at most",
        ],
    );
}

#[tokio::test]
async fn a_group_leads_to_its_records() {
    let web = web().await;
    let page = web.page("/exceptions?from=@0&level=DEBUG&q=no", 200).await;
    assert_eq!(kinds(&page), ["shop.DbError"]);
    let records = href(&page, ">records</a>");
    assert!(
        records.starts_with("/?level=DEBUG&q=fingerprint%3A"),
        "{records}"
    );
    let found = web
        .json(&records.replacen("/?", "/api/v1/records?", 1), 200)
        .await;
    let ids: Vec<_> = found["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["id"].as_u64())
        .collect();
    assert_eq!(
        ids,
        [Some(5), Some(4), Some(2)],
        "all of the group, whatever was searched for"
    );
    let page = web.page("/exceptions?from=2020-01-01&to=now", 200).await;
    let records = href(&page, ">records</a>");
    assert!(records.ends_with("&from=2020-01-01&to=now"), "{records}");
}

#[tokio::test]
async fn groups_are_sorted_and_filtered() {
    let web = web().await;
    let check = async |query: &str, expected: &[&str]| {
        let page = web.page(&format!("/exceptions?from=@0&{query}"), 200).await;
        assert_eq!(kinds(&page), expected, "{query}");
    };
    check("sort=last", &["KeyError", "shop.DbError"]).await;
    check("sort=records", &["shop.DbError", "KeyError"]).await;
    check("sort=first", &["shop.DbError", "KeyError"]).await;
    check("system_id=mail&q=full", &["shop.DbError"]).await;
    let page = web.page("/exceptions?from=@0&system_id=mail", 200).await;
    assert_eq!(
        href(&page, "aria-label=\"Remove filter system_id\""),
        "/exceptions?from=%400"
    );
    assert!(
        page.contains("name=\"system_id\" value=\"mail\""),
        "the search keeps it"
    );
    let page = web.page("/exceptions?from=@0&q=disk+(", 200).await;
    assert!(page.contains("The query cannot be read"), "{page}");
}

#[tokio::test]
async fn what_is_wrong_or_missing_is_told() {
    let web = web().await;
    let check = async |path: &str, status: u16, message: &str| {
        let page = web.page(path, status).await;
        assert!(page.contains(message), "{message} in {page}");
    };
    check("/exceptions", 200, "No exception over the last 24 hours.").await;
    check(
        "/exceptions?q=a",
        200,
        "No exception over the last 24 hours among these records.",
    )
    .await;
    check("/exceptions?sort=size", 400, "sort: `size` is no order").await;
    check("/exceptions?level=loud", 400, "level: `loud` is no level").await;
    web.store.set_mood(Mood::Deadline(2));
    check("/exceptions?from=@0", 200, "The store had no time for all").await;
    web.store
        .set_mood(Mood::Broken(tonic::Status::unavailable("away")));
    check("/exceptions", 503, "The store does not answer").await;
}
