//! The log and the page of one record.

use domain::Record;
use testkit::record;

use crate::{fake_store::Mood, web::Web};

/// The parts of a page that are between these two texts, trimmed.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page
        .split_once(start)
        .unwrap_or_else(|| panic!("{start} in {page}"));
    rest.split_once(end).unwrap_or((rest, "")).0.trim()
}

fn shown_ids(page: &str) -> Vec<u64> {
    let rows = page.split("<tr class=\"row ").skip(1);
    rows.filter_map(|row| between(row, "id=\"r", "\"").parse().ok())
        .collect()
}

fn step(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("<a class=\"step {name}\" href=\""))?;
    Some(rest.split_once('"')?.0.replace("&amp;", "&"))
}

#[tokio::test]
async fn a_row_shows_every_column() {
    let shown = Record {
        received_us: 1_795_393_361_123_456,
        created_us: 1_795_389_000_000_000,
        exception: "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no\n"
            .to_owned(),
        stack: "Stack (most recent call last):\n  File \"b.py\", line 2".to_owned(),
        ..record(3)
    };
    let web = Web::with(vec![shown]).await;
    let page = web.page("/", 200).await;
    insta::assert_snapshot!(between(&page, "<tbody>", "</tbody>"), @r#"
    <tr class="day"><th colspan="5" scope="rowgroup">Monday, 23 November 2026</th></tr>
    <tr class="row error" id="r1">
    <td class="when"><a class="toggle" href="/?open=1#r1" aria-expanded="false" aria-label="Details of record 1" data-row="1"></a><a class="time" href="/record/1#r1"><time datetime="2026-11-23T00:22:41.123456Z">00:22:41.123</time></a><span class="lag" title="created 2026-11-22T23:10:00.000000Z">created 1 h 12 min earlier</span></td>
    <td class="severity"><a class="level" href="/?level=ERROR">ERROR</a></td>
    <td class="place"><div class="names"><bdi class="value system_id"><a href="/?system_id=system_0" title="Only system_id system_0">system_0</a><a class="minus" href="/?q=-system_id%3Asystem_0" title="Without system_id system_0" aria-label="Without system_id system_0">−</a></bdi><span class="slash">/</span><bdi class="value sub_system_id"><a href="/?sub_system_id=host_3" title="Only sub_system_id host_3">host_3</a><a class="minus" href="/?q=-sub_system_id%3Ahost_3" title="Without sub_system_id host_3" aria-label="Without sub_system_id host_3">−</a></bdi><span class="slash">/</span><bdi class="value sub_sub_system_id"><a href="/?sub_sub_system_id=worker" title="Only sub_sub_system_id worker">worker</a><a class="minus" href="/?q=-sub_sub_system_id%3Aworker" title="Without sub_sub_system_id worker" aria-label="Without sub_sub_system_id worker">−</a></bdi> <bdi class="value produkt_id tag"><a href="/?produkt_id=product_1" title="Only produkt_id product_1">product_1</a><a class="minus" href="/?q=-produkt_id%3Aproduct_1" title="Without produkt_id product_1" aria-label="Without produkt_id product_1">−</a></bdi> <bdi class="value user_spec_1 tag"><a href="/?user_spec_1=blue" title="Only user_spec_1 blue">blue</a><a class="minus" href="/?q=-user_spec_1%3Ablue" title="Without user_spec_1 blue" aria-label="Without user_spec_1 blue">−</a></bdi> <bdi class="value user_spec_2 tag"><a href="/?user_spec_2=north" title="Only user_spec_2 north">north</a><a class="minus" href="/?q=-user_spec_2%3Anorth" title="Without user_spec_2 north" aria-label="Without user_spec_2 north">−</a></bdi></div></td>
    <td class="code"><bdi>module_3</bdi><span class="dot">.</span><bdi>function_3</bdi><span class="line">:13</span> <bdi class="version">1.2.19</bdi></td>
    <td class="what"><div class="message">record 3 <span class="extra"><span class="entry"><bdi class="name">attempt</bdi>=<bdi>3</bdi></span></span></div><div class="exception">ValueError: no</div></td>
    </tr>
    "#);
}

#[tokio::test]
async fn steps_lead_through_all_records_and_back() {
    let web = Web::with((0..7).map(record).collect()).await;
    let walk = async |start: &str, name: &str| {
        let mut pages = Vec::new();
        let mut href = Some(start.to_owned());
        while let Some(at) = href {
            let page = web.page(&at, 200).await;
            href = step(&page, name);
            pages.push(shown_ids(&page));
        }
        pages
    };
    let check = async |start: &str, name: &str, expected: &[&[u64]]| {
        assert_eq!(walk(start, name).await, expected, "{start}");
    };
    check("/?limit=3", "older", &[&[7, 6, 5], &[4, 3, 2], &[1]]).await;
    check(
        "/?limit=3&before=2",
        "newer",
        &[&[1], &[4, 3, 2], &[7, 6, 5]],
    )
    .await;
    check(
        "/?limit=3&order=asc",
        "newer",
        &[&[1, 2, 3], &[4, 5, 6], &[7]],
    )
    .await;
    check("/?limit=3&system_id=system_0", "older", &[&[7, 4, 1]]).await;
}

#[tokio::test]
async fn a_form_leads_to_the_shortest_address() {
    let web = Web::with(Vec::new()).await;
    let check = async |path: &str, expected: &str| {
        let answer = web.get(path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert_eq!(answer.headers["location"], expected, "{path}");
    };
    check("/?pattern=&level=&limit=", "/").await;
    check(
        "/?pattern=disk+full&level=&notify_level=ERROR",
        "/?pattern=disk+full&level=ERROR",
    )
    .await;
    web.page("/?pattern=disk+full", 200).await;
}

#[tokio::test]
async fn a_wrong_parameter_is_told_at_its_field_and_the_form_is_kept() {
    let web = Web::with(vec![record(1)]).await;
    let page = web
        .page(
            "/?limit=abc&level=loud&starting_at=soon&pattern=disk&system_id=a&colour=red",
            400,
        )
        .await;
    let check = |expected: &str| assert!(page.contains(expected), "{expected} in {page}");
    check("id=\"limit-problem\"><b>limit</b>: `abc` is no number from 1 to 1000");
    check("<b>level</b>: `loud` is no level");
    check("id=\"from-problem\"><b>from</b>: `soon` is no time");
    check("<b>colour</b>: no such parameter");
    check("name=\"limit\" type=\"text\" value=\"abc\"");
    check("type=\"hidden\" name=\"pattern\" value=\"disk\"");
    check("type=\"hidden\" name=\"system_id\" value=\"a\"");
    assert!(web.store.questions().is_empty(), "the store was not asked");
    let both = web.page("/?before=3&after=1", 400).await;
    assert!(both.contains("<b>after</b>: give `before` or `after`, not both"));
}

#[tokio::test]
async fn active_filters_can_be_taken_away() {
    let web = Web::with(vec![record(0)]).await;
    let page = web
        .page("/?system_id=system_0&q=record&limit=5&before=9", 200)
        .await;
    let chips = between(&page, "<ul class=\"chips\"", "</ul>");
    let check = |expected: &str| assert!(chips.contains(expected), "{expected} in {chips}");
    check("href=\"/?q=record&amp;limit=5\" aria-label=\"Remove filter system_id is system_0\">");
    check("href=\"/?system_id=system_0&amp;limit=5\" aria-label=\"Remove filter has record\">");
    check("class=\"operator\" href=\"/?system_id=system_0&amp;limit=5&amp;q=-record\"");
    check("class=\"operator\" href=\"/?limit=5&amp;q=record+-system_id%3Asystem_0\"");
    assert!(page.contains("name=\"q\" type=\"search\" value=\"record\""));
}

#[tokio::test]
async fn a_query_that_is_none_is_searched_for_by_its_words() {
    let noted = Record {
        message: "(read fd failed".to_owned(),
        ..record(0)
    };
    let web = Web::with(vec![noted, record(1)]).await;
    let page = web.page("/?q=(read+failed", 200).await;
    assert_eq!(shown_ids(&page), [1]);
    let note = between(&page, "<p class=\"note\"", "</p>");
    assert!(note.contains("its words are searched for"), "{note}");
    assert!(note.contains("at column"), "{note}");
    let page = web.page("/?q=message:record", 200).await;
    assert_eq!(shown_ids(&page), [2]);
    assert!(!page.contains("<p class=\"note\""), "{page}");
}

#[tokio::test]
async fn an_unusual_level_shows_its_number() {
    let check = async |level: i32, name: &str, class: &str, shown: &str| {
        let unusual = Record {
            level,
            level_name: name.to_owned(),
            ..record(0)
        };
        let page = Web::with(vec![unusual]).await.page("/", 200).await;
        assert!(
            page.contains(&format!("<tr class=\"row {class}\"")),
            "{level}"
        );
        assert!(
            page.contains(&format!("\">{shown}</a></td>")),
            "{shown}: {page}"
        );
    };
    check(30, "WARNING", "warning", "WARNING").await;
    check(25, "NOTICE", "info", "NOTICE 25").await;
    check(50, "INFO", "critical", "INFO 50").await;
    check(40, "", "error", "ERROR").await;
    check(-1, "", "debug", "DEBUG -1").await;
}

#[tokio::test]
async fn an_empty_log_says_why() {
    let web = Web::with(Vec::new()).await;
    let check = async |path: &str, expected: &str| {
        let page = web.page(path, 200).await;
        assert!(page.contains(expected), "{path}: {page}");
    };
    check("/", "Nothing has been received yet.").await;
    check("/?level=ERROR", "No record passes these filters.").await;
    check("/?before=5", "There are no more records in this direction.").await;
}

#[tokio::test]
async fn a_partial_list_says_so() {
    let web = Web::with((0..5).map(record).collect()).await;
    web.store.set_mood(Mood::Deadline(2));
    let page = web.page("/", 200).await;
    assert!(page.contains("The search ended at its deadline"), "{page}");
    assert_eq!(step(&page, "older").as_deref(), Some("/?before=4"));
}
