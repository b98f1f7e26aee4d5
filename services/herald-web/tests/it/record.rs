//! The page of one record: all it has, in the middle of its neighbours.

use domain::Record;
use testkit::record;

use crate::{
    fake_store::Mood,
    text::{href, inner},
    web::Web,
};

fn shown_ids(page: &str) -> Vec<u64> {
    let rows = page.split("id=\"r").skip(1);
    rows.map(|row| row.split_once('"').unwrap().0.parse().unwrap())
        .collect()
}

async fn web() -> Web {
    Web::with((0..40).map(record).collect()).await
}

#[tokio::test]
async fn a_record_stands_marked_and_open_among_its_neighbours() {
    let full = Record {
        exception: "\nValueError: x".to_owned(),
        extra: r#"{"b":1.10,"a":null}"#.to_owned(),
        ..record(3)
    };
    let web = Web::with(vec![record(0), full, record(1)]).await;
    let page = web.page("/record/2", 200).await;
    assert_eq!(shown_ids(&page), [1, 2, 3]);
    let here = inner(&page, "<tbody class=\"here\"", "</tbody>");
    assert_eq!(shown_ids(here), [2], "the record itself is set off");
    let check = |expected: &str| assert!(here.contains(expected), "{expected} in {here}");
    check("<article class=\"detail error\"");
    check("<pre>\n\nValueError: x</pre>");
    check(
        "<bdi class=\"name\">b</bdi><span class=\"key\">:</span> <bdi class=\"value\">1.10</bdi>",
    );
    check("<dt>thread</dt><dd><bdi>139637976000000</bdi>");
    assert!(page.contains("<h1>Record 2</h1>"));
    assert_eq!(
        page.matches("<article").count(),
        1,
        "only the record is open"
    );
    assert!(page.contains("Nothing before") && page.contains("Nothing after"));
}

#[tokio::test]
async fn scopes_choose_the_neighbours() {
    let web = web().await;
    let check = async |query: &str, expected: &[u64], here: &str| {
        let page = web.page(&format!("/record/10{query}"), 200).await;
        assert_eq!(shown_ids(&page), expected, "{query}");
        let marked = inner(&page, "aria-current=\"true\">", "</a>");
        assert!(marked.starts_with(here), "{marked} for {query}");
    };
    check("?before=2&after=1", &[8, 9, 10, 11], "everything").await;
    check(
        "?before=2&after=1&scope=system",
        &[4, 7, 10, 13],
        "same system",
    )
    .await;
    check("?before=2&after=1&scope=process", &[10, 22], "same process").await;
    check("?before=0&after=0&scope=everything", &[10], "everything").await;
    let page = web.page("/record/10?before=2", 200).await;
    let scope = |label: &str| href(&page, &format!(">{label}"));
    assert_eq!(
        scope("same process"),
        "/record/10?scope=process&before=2#r10"
    );
    assert_eq!(scope("same system"), "/record/10?scope=system&before=2#r10");
    assert_eq!(scope("everything"), "/record/10?before=2#r10");
}

#[tokio::test]
async fn more_lines_are_there_on_either_side() {
    let web = web().await;
    let page = web.page("/record/20", 200).await;
    assert_eq!(shown_ids(&page), (10..=30).collect::<Vec<_>>());
    let (before, after) = (href(&page, ">more before"), href(&page, ">more after"));
    assert_eq!(
        (before.as_str(), after.as_str()),
        ("/record/20?before=30#r10", "/record/20?after=30#r30")
    );
    let page = web.page(before.split_once('#').unwrap().0, 200).await;
    assert_eq!(shown_ids(&page), (1..=30).collect::<Vec<_>>());
    assert!(page.contains("Nothing before"));
    let log = href(&page, ">in the log");
    let log = web.page(log.split_once('#').unwrap().0, 200).await;
    assert!(
        shown_ids(&log).contains(&20),
        "the record is on that page of the log"
    );
}

#[tokio::test]
async fn a_search_that_ended_early_says_so() {
    let web = web().await;
    web.store.set_mood(Mood::Deadline(2));
    let page = web.page("/record/1", 200).await;
    assert!(page.contains("ended at its deadline"), "{page}");
    assert!(!page.contains("Nothing before"));
}

#[tokio::test]
async fn a_record_that_is_not_there_is_explained() {
    let check = async |web: &Web, path: &str, status: u16, message: &str| {
        let page = web.page(path, status).await;
        assert!(page.contains(message), "{message} in {page}");
    };
    let web = web().await;
    check(
        &web,
        "/record/41",
        404,
        "There is no record 41 yet: the newest is 40.",
    )
    .await;
    check(&web, "/record/x", 404, "this is no number of a record").await;
    check(&web, "/record/0", 404, "this is no number of a record").await;
    check(
        &web,
        "/record/1?scope=host",
        400,
        "scope: `host` is no scope",
    )
    .await;
    check(
        &web,
        "/record/1?before=501",
        400,
        "before: `501` is above 500",
    )
    .await;
    check(&web, "/record/1?q=a", 400, "no such parameter").await;
    web.store.forget(1);
    check(&web, "/record/1", 404, "Record 1 is no longer here").await;
    check(&web, "/record/1", 404, "removed after 30 d.").await;
    check(
        &web,
        "/record/1",
        404,
        "The oldest that is still here was received at 2023-11-14 22:13:20 UTC.",
    )
    .await;
    let empty = Web::with(Vec::new()).await;
    check(&empty, "/record/1", 404, "nothing has been received yet").await;
}
