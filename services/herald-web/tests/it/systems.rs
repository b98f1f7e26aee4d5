//! The systems page.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Record;
use testkit::record;

use crate::{
    fake_store::Mood,
    text::{href, inner},
    web::Web,
};

const MINUTE: i64 = 60_000_000;

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_micros().try_into().unwrap()
}

fn from(system: &str, host: &str, minutes_ago: i64) -> Record {
    Record {
        received_us: now_us() - minutes_ago * MINUTE,
        system_id: system.to_owned(),
        sub_system_id: host.to_owned(),
        ..record(1)
    }
}

/// Three systems: one on two hosts, one that is silent, one without a name.
async fn web() -> Web {
    Web::with(vec![
        from("old", "attic", 3 * 24 * 60),
        from("", "", 120),
        from("shop", "web01", 90),
        from("shop", "web01", 40),
        from("shop", "web02", 30),
        from("shop", "web01", 1),
    ])
    .await
}

/// Names of the rows, and one column of each.
fn rows<'a>(page: &'a str, column: &str) -> Vec<(String, &'a str)> {
    let body = inner(page, "<tbody>", "</tbody>");
    body.split("<tr>")
        .skip(1)
        .map(|row| {
            let name = |class: &str| match row.split_once(&format!("class=\"c-{class}\"")) {
                Some((_, rest)) => inner(rest, "<bdi>", "</bdi>").to_owned(),
                None => String::new(),
            };
            let has_name = !row.contains("without a name");
            let names = if has_name {
                format!("{}/{}", name("system"), name("sub_system"))
            } else {
                "/".to_owned()
            };
            (names, inner(row, &format!("class=\"c-{column}\""), "</td>"))
        })
        .collect()
}

fn names(page: &str) -> Vec<String> {
    rows(page, "records")
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

#[tokio::test]
async fn every_system_is_listed_with_its_signs_of_life() {
    let web = web().await;
    let page = web.page("/systems", 200).await;
    assert_eq!(names(&page), ["shop/web01", "shop/web02", "/", "old/attic"]);
    let column = |name: &str| -> Vec<String> {
        let cells = rows(&page, name).into_iter();
        cells
            .map(|(_, cell)| {
                cell.split(['<', '>'])
                    .map(str::trim)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    };
    let check = |name: &str, expected: [&str; 4]| {
        for (cell, expected) in column(name).iter().zip(expected) {
            assert!(cell.contains(expected), "{name}: {expected} in {cell}");
        }
    };
    check("state", ["active", "quiet", "quiet", "silent"]);
    check("records", ["3 records", "1 record", "1 record", "1 record"]);
    check("last", ["1 min ", "30 min ", "2 h ", "3 d"]);
    check("first", ["1 h 30 min", "30 min", "2 h", "3 d"]);
    check(
        "recent",
        [
            "3 records over the last 24 hours",
            "1 record",
            "1 record",
            "0 records",
        ],
    );
    check(
        "recent",
        [
            "aria-label=\"Over the last 24 hours: at most",
            "",
            "",
            "at most 0 in",
        ],
    );
    assert!(page.contains("href=\"/record/6#r6\""));
}

#[tokio::test]
async fn a_system_leads_to_its_log() {
    let web = web().await;
    let page = web.page("/systems?from=-7d", 200).await;
    let logs: Vec<_> = rows(&page, "system")
        .iter()
        .map(|(_, cell)| href(cell, "</a>"))
        .collect();
    let expected = [
        "/?system_id=shop&sub_system_id=web01&from=-7d",
        "/?system_id=shop&sub_system_id=web02&from=-7d",
        "/?q=system_id%3A%22%22+sub_system_id%3A%22%22&from=-7d",
        "/?system_id=old&sub_system_id=attic&from=-7d",
    ];
    assert_eq!(logs, expected);
    let exceptions = href(&page, ">exceptions<");
    assert_eq!(
        exceptions,
        "/exceptions?system_id=shop&sub_system_id=web01&from=-7d"
    );
    for (log, count) in logs.iter().zip([3, 1, 1, 1]) {
        let found = web
            .json(&log.replacen("/?", "/api/v1/records?", 1), 200)
            .await;
        assert_eq!(found["records"].as_array().unwrap().len(), count, "{log}");
    }
}

#[tokio::test]
async fn the_table_is_sorted_by_its_headings() {
    let web = web().await;
    let check = async |query: &str, expected: [&str; 4]| {
        let page = web.page(&format!("/systems{query}"), 200).await;
        assert_eq!(names(&page), expected, "{query}");
    };
    check(
        "?sort=system",
        ["/", "old/attic", "shop/web01", "shop/web02"],
    )
    .await;
    check(
        "?sort=system&order=desc",
        ["shop/web01", "shop/web02", "old/attic", "/"],
    )
    .await;
    check(
        "?sort=records",
        ["shop/web01", "/", "old/attic", "shop/web02"],
    )
    .await;
    check("?order=asc", ["old/attic", "/", "shop/web02", "shop/web01"]).await;
    check(
        "?sort=first",
        ["shop/web02", "shop/web01", "/", "old/attic"],
    )
    .await;
    let page = web.page("/systems?sort=records&from=-7d", 200).await;
    assert_eq!(
        href(&page, ">Records</a>"),
        "/systems?from=-7d&sort=records&order=asc"
    );
    assert_eq!(href(&page, ">System</a>"), "/systems?from=-7d&sort=system");
    assert_eq!(href(&page, ">Last record</a>"), "/systems?from=-7d");
    assert_eq!(
        inner(&page, "class=\"c-records\" aria-sort=\"", "\""),
        "descending"
    );
    assert_eq!(page.matches("aria-sort").count(), 1);
}

#[tokio::test]
async fn systems_are_found_by_name() {
    let web = web().await;
    let check = async |find: &str, expected: &[&str]| {
        let page = web
            .page(&format!("/systems?sort=system&find={find}"), 200)
            .await;
        assert_eq!(names(&page), expected, "{find}");
        assert!(
            page.contains("name=\"sort\" value=\"system\""),
            "the order is kept"
        );
    };
    check("SHOP", &["shop/web01", "shop/web02"]).await;
    check("02+shop", &["shop/web02"]).await;
    let page = web.page("/systems?find=nothing", 200).await;
    assert!(page.contains("No system is called like this."));
    assert_eq!(href(&page, ">Show all</a>"), "/systems");
}

#[tokio::test]
async fn what_is_wrong_or_missing_is_told() {
    let check = async |web: &Web, path: &str, status: u16, message: &str| {
        let page = web.page(path, status).await;
        assert!(page.contains(message), "{message} in {page}");
    };
    let web = web().await;
    check(
        &web,
        "/systems?sort=colour",
        400,
        "sort: `colour` is no column",
    )
    .await;
    check(&web, "/systems?order=up", 400, "order: `up` is no order").await;
    check(&web, "/systems?from=soon", 400, "from: `soon` is no time").await;
    web.store.set_mood(Mood::Deadline(2));
    check(&web, "/systems", 200, "The store had no time for all").await;
    web.store
        .set_mood(Mood::Broken(tonic::Status::unavailable("away")));
    check(&web, "/systems", 503, "The store does not answer").await;
    let empty = Web::with(Vec::new()).await;
    check(&empty, "/systems", 200, "No record has been received yet").await;
}
