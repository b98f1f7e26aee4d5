//! The controls of the log's page.

use std::fs;

use e2e::{browser::Target, site::Site};
use testkit::wait_until;

use super::{Control, Way, use_all};
use crate::SOON;

#[tokio::test]
async fn what_is_shown_is_chosen_in_every_way() {
    let (site, _) = Site::bakery().await;
    let at = "/?from=-1d";
    let leads = |target: Target<'static>, address: &str| Control::leads(at, target, address);
    let named = Target::Named;
    let filtered = "/?q=-oven level>=info&system_id=payments&from=-1d";
    let chip = |target: Target<'static>, address: &str| Control::leads(filtered, target, address);
    let range = ".menu.range > summary";
    use_all(
        &site,
        &[
            leads(named("link", "last 1 hour"), "from=-1h").in_menu(range),
            leads(named("link", "last 7 days"), "from=-7d").in_menu(range),
            leads(named("link", "Pin these times"), "from=20").in_menu(range),
            Control::does(
                at,
                named("link", "all time"),
                "!location.search.includes('from')",
            )
            .in_menu(range),
            leads(".menu.levels li.error a".into(), "level=ERROR")
                .in_menu(".menu.levels > summary"),
            leads("a[title='Turn the order around']".into(), "order=asc"),
            leads(named("link", "Show Logger"), "columns=").in_menu(".menu.columns > summary"),
            leads(named("link", "older"), "before="),
            leads(named("link", "oldest"), "order=asc"),
            leads(".legend .warning a".into(), "level").past_the_records(),
            chip(".chip:nth-of-type(1) .operator".into(), "q=oven"),
            chip(
                "a.remove[aria-label*='payments']".into(),
                "?q=-oven+level>=info&from=-1d",
            ),
            Control::does(
                filtered,
                named("link", "clear all"),
                "location.search === ''",
            ),
            leads(
                ".facet a.include[title='Only system_id oven']".into(),
                "system_id=oven",
            )
            .past_the_records(),
            leads(named("link", "Without system_id oven"), "-system_id:oven").past_the_records(),
            leads(".facet .more a".into(), "/values/").past_the_records(),
            leads(".row a.time".into(), "/record/"),
            leads(".row a.level".into(), "level"),
            leads(".row .place a".into(), "system_id="),
            Control::does(
                at,
                ".row a.toggle",
                "document.querySelectorAll('tr.details').length === 1 \
                 && new URL(location).searchParams.has('open')",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_search_is_typed_and_sent_in_every_way() {
    let (site, _) = Site::bakery().await;
    for way in Way::ALL {
        let page = way.page(&site).await;
        page.open(&site.url("/?from=-2d&level=WARNING")).await;
        if way == Way::Keyboard {
            page.tab_to(("searchbox", "Search for")).await;
            page.type_text("order failed").await;
            page.follow(page.press("Enter")).await;
        } else {
            page.fill(("searchbox", "Search for"), "order failed").await;
            page.follow(page.click(("button", "Search"))).await;
        }
        let url = page.url().await;
        for part in ["q=order+failed", "from=-2d", "level=WARNING"] {
            assert!(url.contains(part), "{way:?}: {url}");
        }
        page.until_text(".records", "payment of order 4711 failed")
            .await;
        assert!(page.count(".records mark").await > 10);
        // What cannot be read is searched as it stands, and the page says why.
        page.fill("#q", "order AND (failed").await;
        page.follow(page.press("Enter")).await;
        page.until_text("[role=status]", "cannot be read").await;
        page.open(&site.url("/?from=-1d")).await;
        // A range from a field, and one that means nothing.
        way.activate(&page, ".menu.range > summary".into()).await;
        page.fill("#from", "-3h").await;
        page.follow(page.press("Enter")).await;
        assert!(page.url().await.contains("from=-3h"));
        page.expect_complaint("status of 400");
        way.activate(&page, ".menu.range > summary".into()).await;
        page.fill("#from", "yesterday-ish").await;
        page.follow(page.press("Enter")).await;
        page.until_text(".problem", "yesterday-ish").await;
    }
}

#[tokio::test]
async fn the_histogram_leads_to_a_time() {
    let (site, incident_us) = Site::bakery().await;
    let errors = "/?level=ERROR&from=-1d";
    let highest = "[...document.querySelectorAll('.plot a')].reduce((high, it) => \
        it.querySelectorAll('rect').length > high.querySelectorAll('rect').length ? it : high)";
    for way in Way::ALL {
        let page = way.page(&site).await;
        page.open(&site.url(errors)).await;
        page.until(
            "the bars are there",
            "document.querySelectorAll('.plot a').length > 20",
        )
        .await;
        let number = page
            .evaluate(&format!(
                "[...document.querySelectorAll('.plot a')].indexOf({highest})"
            ))
            .await;
        let bar = format!(".plot a:nth-of-type({})", number.as_u64().unwrap() + 1);
        page.follow(async {
            if way == Way::Keyboard {
                page.tab_to(".plot a:nth-of-type(1)").await;
                for _ in 0..number.as_u64().unwrap() {
                    page.press("ArrowRight").await;
                }
                page.press("Enter").await;
            } else {
                page.click(bar.as_str()).await;
            }
        })
        .await;
        let from = page
            .evaluate("Date.parse(new URL(location).searchParams.get('from'))")
            .await;
        let to = page
            .evaluate("Date.parse(new URL(location).searchParams.get('to'))")
            .await;
        let range = from.as_i64().unwrap() * 1_000..to.as_i64().unwrap() * 1_000;
        // Bars go by the time of day: two of them may share what happened.
        assert!(
            range.start < incident_us + 210_000_000 && range.end > incident_us,
            "{way:?}: {range:?}, {incident_us}"
        );
        page.until_text(".records", "payment of order 47").await;
    }
    // Dragging takes several bars.
    let page = site.page(errors).await;
    page.follow(page.drag(".plot", 0.25, 0.75)).await;
    let hours = page
        .evaluate(
            "(Date.parse(new URL(location).searchParams.get('to')) \
              - Date.parse(new URL(location).searchParams.get('from'))) / 3.6e6",
        )
        .await;
    assert!((11.0..=14.0).contains(&hours.as_f64().unwrap()), "{hours}");
    page.assert_still().await;
}

#[tokio::test]
async fn a_value_is_found_in_a_long_facet() {
    let (site, _) = Site::bakery().await;
    let page = site.page("/?system_id=till").await;
    let find = "input[aria-label='Find in user_spec_1']";
    page.fill(find, "13").await;
    let found = ".facet[aria-label=user_spec_1] .found";
    page.until(
        "one value is left",
        &format!("document.querySelectorAll('{found} li').length === 1"),
    )
    .await;
    page.follow(page.click(".facet[aria-label=user_spec_1] .found a.include"))
        .await;
    assert!(page.url().await.contains("user_spec_1=till-13"));
    // Without scripts, on a page of its own.
    let plain = Way::Plain.page(&site).await;
    plain.open(&site.url("/?system_id=till")).await;
    assert!(!plain.has(find).await);
    plain
        .follow(plain.click(".facet[aria-label=user_spec_1] .more a"))
        .await;
    plain.fill("main input[type=search]", "13").await;
    plain.follow(plain.press("Enter")).await;
    plain.follow(plain.click("a.include")).await;
    let url = plain.url().await;
    assert!(
        url.contains("user_spec_1=till-13") && url.contains("system_id=till"),
        "{url}"
    );
}

#[tokio::test]
async fn all_of_a_view_is_taken_along_in_every_way() {
    let (site, _) = Site::bakery().await;
    for (format, ending) in [
        ("CSV, for spreadsheets", "csv"),
        ("NDJSON, exact", "ndjson"),
    ] {
        for way in Way::ALL {
            let folder = tempfile::tempdir().unwrap();
            let page = way.page(&site).await;
            page.download_to(folder.path()).await;
            page.open(&site.url("/?q=%22payment+of+order%22+failed"))
                .await;
            way.activate(&page, ".menu.export > summary".into()).await;
            way.activate(&page, ("link", format).into()).await;
            wait_until("the file is there", SOON, async || {
                let file = fs::read_dir(folder.path()).unwrap().flatten().next();
                let file =
                    file.filter(|file| file.path().extension().is_some_and(|it| it == ending));
                let text = file.map(|file| fs::read_to_string(file.path()).unwrap_or_default());
                text.is_some_and(|text| text.matches("payment of order").count() == 11)
            })
            .await;
        }
    }
}
