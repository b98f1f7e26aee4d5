//! The log's page: rows that open, columns, marks, facets, histogram, and what comes
//! after the rows.

use domain::Record;
use testkit::record;

use crate::{
    fake_store::Mood,
    text::{href, inner},
    web::Web,
};

fn many(count: u64) -> Vec<Record> {
    (0..count).map(record).collect()
}

/// Where the link with this text leads.
fn to(page: &str, text: &str) -> String {
    href(page, &format!(">{text}</a>"))
}

/// How a page's text is without its tags.
fn plain(html: &str) -> String {
    let pieces = html.split('<').map(|piece| match piece.split_once('>') {
        Some((_, text)) => text,
        None => piece,
    });
    let text: String = pieces.collect::<Vec<_>>().join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_was_looked_for_is_set_off() {
    let noted = Record {
        message: "Disk <full> on DISK".to_owned(),
        exception: "Traceback:\nOSError: disk".to_owned(),
        ..record(0)
    };
    let web = Web::with(vec![noted]).await;
    let check = async |q: &str, expected: &str| {
        let page = web.page(&format!("/?q={q}"), 200).await;
        let row = inner(&page, "<td class=\"what\">", "</td>");
        assert!(row.contains(expected), "{expected} in {row}");
    };
    check(
        "disk",
        "<mark>Disk</mark> &lt;full&gt; on <mark>DISK</mark>",
    )
    .await;
    check("disk", "OSError: <mark>disk</mark>").await;
    check("%22%3Cfull%3E%22", "Disk <mark>&lt;full&gt;</mark>").await;
    check("-tape", "Disk &lt;full&gt; on DISK").await;
}

#[tokio::test]
async fn a_row_opens_in_place_and_closes_again() {
    let web = Web::with(many(5)).await;
    let page = web.page("/?limit=3", 200).await;
    let toggle = inner(&page, "<a class=\"toggle\" href=\"", "\"").replace("&amp;", "&");
    assert_eq!(toggle, "/?limit=3&open=5#r5");
    let page = web.page("/?limit=3&open=4", 200).await;
    let details = inner(&page, "<tr class=\"details", "</tr>");
    assert!(details.contains("aria-label=\"Record 4\""), "{details}");
    assert_eq!(page.matches("aria-expanded=\"true\"").count(), 1);
    let row = inner(&page, "id=\"r4\"", "</tr>");
    assert!(row.contains("href=\"/?limit=3#r4\" aria-expanded=\"true\""));
    let page = web.page("/?limit=3&open=1", 200).await;
    let note = inner(&page, "<p class=\"note\"", "</p>");
    assert!(note.contains("Record 1 is not on this page"), "{note}");
    assert_eq!(to(note, "show it"), "/record/1");
    let page = web.page("/?limit=3&open=4", 200).await;
    assert_eq!(to(&page, "older"), "/?limit=3&before=3");
    let page = web.page("/?open=x", 400).await;
    assert!(page.contains("<b>open</b>: `x` is no id of a record"));
}

#[tokio::test]
async fn columns_are_chosen_by_the_address() {
    let web = Web::with(many(2)).await;
    let check = async |path: &str, expected: &str| {
        let page = web.page(path, 200).await;
        assert_eq!(plain(inner(&page, "<thead>", "</thead>")), expected);
    };
    check("/", "Received Level System Code Message").await;
    check("/?columns=none", "Received Level Message").await;
    check(
        "/?columns=created,logger,process,peer",
        "Received Created Level Process, thread Logger Sender Message",
    )
    .await;
    let page = web.page("/?limit=1", 200).await;
    let choice = to(&page, "Logger");
    assert_eq!(choice, "/?limit=1&columns=system%2Ccode%2Clogger%2Cextra");
    let page = web.page(&choice, 200).await;
    assert_eq!(to(&page, "Logger"), "/?limit=1");
    let page = web.page("/?columns=colour", 400).await;
    assert!(page.contains("<b>columns</b>: `colour` is no column"));
}

#[tokio::test]
async fn facets_narrow_the_view() {
    let web = Web::with(many(30)).await;
    let page = web.page("/?level=WARNING&before=20", 200).await;
    let facet = inner(&page, "aria-label=\"system_id\"", "</section>");
    assert_eq!(
        plain(facet.split_once('>').unwrap().1),
        "system_id system_0 6 − system_1 6 − system_2 6 −"
    );
    assert!(facet.contains("href=\"/?level=WARNING&amp;system_id=system_1\""));
    assert!(facet.contains("href=\"/?level=WARNING&amp;q=-system_id%3Asystem_1\""));
    let page = web.page("/?system_id=system_1", 200).await;
    let facet = inner(&page, "aria-label=\"system_id\"", "</section>");
    assert!(facet.contains("<li class=\"chosen\"><a class=\"include\" href=\"/\""));
}

#[tokio::test]
async fn all_values_of_a_field_can_be_looked_through() {
    let records = (0..30).map(|number| Record {
        system_id: format!("system {number:02}"),
        ..record(number)
    });
    let web = Web::with(records.collect()).await;
    let page = web.page("/?level=INFO", 200).await;
    let more = to(&page, "more values");
    assert_eq!(more, "/values/system_id?level=INFO");
    let page = web.page(&more, 200).await;
    assert_eq!(page.matches("<li><a class=\"include\"").count(), 24);
    assert!(page.contains("href=\"/?level=INFO&amp;system_id=system+07\""));
    let list = web
        .page("/values/system_id/list?level=INFO&find=M+2", 200)
        .await;
    assert!(!list.contains("<html"), "{list}");
    assert_eq!(list.matches("<li><a class=\"include\"").count(), 8);
    assert!(list.contains("system 29"), "{list}");
    let none = web.page("/values/system_id/list?find=zzz", 200).await;
    assert!(none.contains("No value has this in it"), "{none}");
    web.page("/values/message", 404).await;
    web.page("/values/system_id?from=soon", 400).await;
}

#[tokio::test]
async fn bars_lead_to_their_time() {
    let web = Web::with(many(60)).await;
    let path = "/?from=2023-11-14T22:13:20.5Z&to=2023-11-14T22:14:20.5Z&q=record&open=3";
    let page = web.page(path, 200).await;
    let histogram = inner(&page, "<section class=\"histogram\"", "</section>");
    assert!(histogram.contains("<b>60</b> records in all · a bar is 1 s, the highest 60"));
    assert_eq!(histogram.matches("<title>").count(), 60);
    let bar = inner(histogram, "<a href=\"/?q=record&amp;", "</a>");
    assert!(
        bar.starts_with(
            "from=2023-11-14T22%3A13%3A20.500000Z&amp;to=2023-11-14T22%3A13%3A21.500000Z\" \
             aria-label=\"2023-11-14 22:13:20 – 22:13:21: 60 records, 12 CRITICAL, 12 ERROR"
        ),
        "{bar}"
    );
    assert_eq!(bar.matches("<rect class=\"").count(), 6, "{bar}");
    let legend = inner(histogram, "<ul class=\"legend\"", "</ul>");
    assert_eq!(to(legend, "ERROR").matches("level=ERROR").count(), 1);
}

#[tokio::test]
async fn counts_say_how_far_they_came() {
    let web = Web::with(many(8)).await;
    web.store.set_mood(Mood::Deadline(2));
    let page = web.page("/", 200).await;
    let caption = plain(inner(&page, "<p class=\"total\">", "</p>"));
    assert!(caption.starts_with("2 records in all"), "{caption}");
    assert!(caption.ends_with("counts cover 25 %"), "{caption}");
    web.store.set_mood(Mood::Well);
    let page = web.page("/", 200).await;
    let caption = plain(inner(&page, "<p class=\"total\">", "</p>"));
    assert!(caption.starts_with("8 records in all"), "{caption}");
    assert!(!caption.contains("cover"), "{caption}");
}

#[tokio::test]
async fn a_range_can_be_chosen_and_pinned() {
    let web = Web::with(many(1)).await;
    let page = web.page("/?q=record&from=-15m&before=9", 200).await;
    assert_eq!(to(&page, "last 7 days"), "/?q=record&from=-7d");
    assert_eq!(to(&page, "all time"), "/?q=record");
    let pinned = to(&page, "Pin these times");
    assert!(
        pinned.starts_with("/?q=record&before=9&from=20") && pinned.contains("&to=20"),
        "{pinned}"
    );
    let page = web.page(&pinned, 200).await;
    assert!(!page.contains("Pin these times"), "{page}");
}

#[tokio::test]
async fn exports_are_of_the_same_view() {
    let web = Web::with(many(10)).await;
    let page = web
        .page("/?q=record+%28&limit=3&level=ERROR&order=asc", 200)
        .await;
    let csv = to(&page, "CSV, for spreadsheets");
    assert_eq!(
        csv,
        "/api/v1/export?level=ERROR&order=asc&q=record+%22%28%22&format=csv"
    );
    let page = web.page("/?level=ERROR", 200).await;
    let ndjson = to(&page, "NDJSON, exact");
    let lines = web.page(&ndjson, 200).await;
    assert_eq!(lines.lines().count(), 4, "{lines}");
}

#[tokio::test]
async fn rows_come_before_counts_and_partial_counts_before_whole_ones() {
    let web = Web::with(many(8)).await;
    web.store.set_mood(Mood::Counting);
    let mut page = web.begin("/").await;
    let rows = page.until("id=\"r1\"").await;
    assert!(!rows.contains("class=\"counts\""), "{rows}");
    let partial = page.until("counts cover 12 %, counting on …").await;
    assert!(!partial.contains("</html>"), "{partial}");
    web.store.set_mood(Mood::Well);
    let whole = page.until("</html>").await;
    let (_, last) = whole.rsplit_once("<div class=\"counts\">").unwrap();
    assert_eq!(whole.matches("<div class=\"counts\">").count(), 2);
    assert!(last.contains("<b>8</b> records in all"), "{last}");
    assert!(!last.contains("counts cover"), "{last}");
}

#[tokio::test]
async fn records_that_the_disk_has_destroyed_are_told() {
    let web = Web::with(many(3)).await;
    web.store.set_mood(Mood::Damaged(1_200));
    let page = web.page("/", 200).await;
    let note = inner(&page, "<p class=\"note\"", "</p>");
    assert!(note.contains("The disk has destroyed 1,200 records of this stretch"));
    let caption = plain(inner(&page, "<p class=\"total\">", "</p>"));
    assert!(
        caption.ends_with("without 1,200 that the disk has destroyed"),
        "{caption}"
    );
}

#[tokio::test]
async fn counts_that_fail_leave_the_rows() {
    let web = Web::with(many(8)).await;
    web.store
        .set_mood(Mood::Failing(tonic::Status::internal("SELECT")));
    let page = web.page("/", 200).await;
    assert!(page.contains("id=\"r8\"") && page.contains("counts cover 12 %"));
    assert!(!page.contains("counting on") && !page.contains("SELECT"));
}
