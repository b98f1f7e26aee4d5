//! The controls of the pages that list other things than records.

use e2e::{audit, browser::Target, site::Site};

use super::{Control, Way, use_all};

/// Nothing is asked for in the address.
const BARE: &str = "location.search === ''";

#[tokio::test]
async fn systems_and_exceptions_lead_on_in_every_way() {
    let (site, _) = Site::bakery().await;
    let systems = |name: &'static str, address: &str| {
        Control::leads("/systems", Target::Named("link", name), address)
    };
    let first_system = |column: &'static str, address: &str| {
        Control::leads("/systems", Target::Css(column), address)
    };
    let exceptions =
        |target: Target<'static>, address: &str| Control::leads("/exceptions", target, address);
    use_all(
        &site,
        &[
            systems("7 days", "/systems?from=-7d"),
            systems("Records", "/systems?sort=records"),
            systems("System", "/systems?sort=system"),
            first_system(".systems tbody .c-system a", "/?system_id="),
            first_system(".systems tbody .c-last a", "/record/"),
            first_system(".systems tbody .c-go a", "/exceptions?system_id="),
            Control::does("/systems?from=-7d", ("link", "24 hours"), BARE),
            Control::does("/systems?find=unheard-of", ("link", "Show all"), BARE),
            exceptions(("link", "everything").into(), "from=@0"),
            exceptions(("link", "most frequent first").into(), "sort=records"),
            exceptions(("link", "newest traceback").into(), "/record/"),
            exceptions(".exceptions .kind".into(), "/?q=fingerprint:"),
            exceptions(".exceptions .c-first a".into(), "/record/"),
            exceptions(".systems-line a".into(), "&system_id="),
            Control::does(
                "/exceptions?system_id=oven",
                ("link", "Remove filter system_id"),
                BARE,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_is_about_herald_itself_is_used_in_every_way() {
    let (site, _) = Site::bakery().await;
    let leads = |at: &str, name: &'static str, address: &str| {
        Control::leads(at, Target::Named("link", name), address)
    };
    use_all(
        &site,
        &[
            Control::does(
                "/rejected",
                ".rejected summary",
                "document.querySelector('.rejected details').open",
            ),
            Control::leads(
                "/rejected",
                ".rejected .c-go a",
                "/api/v1/dead_letters?limit=1",
            ),
            Control::does("/rejected?before=1", ("link", "To the newest"), BARE),
            leads("/status", "60 s", "/status?refresh=60"),
            Control::does("/status?refresh=60", ("link", "off"), BARE),
            leads("/status", "4", "/rejected"),
            leads("/help", "disk -tape", "/?q=disk+-tape"),
            leads("/help", "/api/v1/openapi.json", "openapi.json"),
            Control::does("/help", ("link", "Keys"), "location.hash === '#keys'"),
        ],
    )
    .await;
}

#[tokio::test]
async fn who_has_changed_what_is_narrowed_in_every_way() {
    let site = Site::judged().await;
    audit::deeds(&site.herald.store_url()).await;
    use_all(
        &site,
        &[
            Control::leads("/audit", ("link", "anna"), "/audit?who=anna"),
            Control::leads("/audit?who=anna", ("link", "7 days"), "who=anna&from=-7d"),
            Control::leads("/audit", ".audit a[href^='/alerts/']", "/alerts/"),
            Control::does("/audit?who=anna&from=-7d", ("link", "clear"), BARE),
            Control::does("/audit?who=nobody", ("link", "All entries"), BARE),
            Control::does("/audit?before=1", ("link", "To the newest"), BARE),
        ],
    )
    .await;
    for way in Way::ALL {
        let page = way.page(&site).await;
        page.open(&site.url("/audit?from=-7d")).await;
        page.fill("#who", "ANNA").await;
        match way {
            Way::Keyboard => page.press("Enter").await,
            _ => page.click(("button", "Show")).await,
        }
        let found = "document.querySelectorAll('.audit tbody tr').length === 5 \
                     && location.search.includes('from=-7d')";
        page.until(&format!("anna's are found by {way:?}"), found)
            .await;
        assert_eq!(page.complaints(), Vec::<String>::new(), "{way:?}");
    }
}

#[tokio::test]
async fn lists_are_searched_in_every_way() {
    let (site, _) = Site::bakery().await;
    for way in Way::ALL {
        let page = way.page(&site).await;
        for (path, text, shown, count) in [
            (
                "/systems?sort=records",
                "TILL north",
                ".systems tbody tr",
                1,
            ),
            ("/exceptions", "oven", ".exceptions tbody tr", 1),
        ] {
            page.open(&site.url(path)).await;
            page.fill("[data-search]", text).await;
            match way {
                Way::Keyboard => page.press("Enter").await,
                _ => page.click(("button", "Find")).await,
            }
            let found = format!("document.querySelectorAll('{shown}').length === {count}");
            page.until(&format!("{text} is found by {way:?}"), &found)
                .await;
            let kept =
                "!location.search.includes('sort') || location.search.includes('sort=records')";
            assert!(page.holds(kept).await, "{path}");
        }
        assert_eq!(page.complaints(), Vec::<String>::new(), "{way:?}");
    }
}
