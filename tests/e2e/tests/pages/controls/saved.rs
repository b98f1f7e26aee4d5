//! The controls of saved searches: to save, to open, to rename and to delete.

use e2e::{
    browser::{Page, Target},
    site::Site,
};

use super::Way;

/// Fills a field in this way.
async fn fill(way: Way, page: &Page, field: Target<'_>, text: &str) {
    if way == Way::Keyboard {
        page.tab_to(field).await;
        page.of(field, "function() { this.select() }").await;
        page.type_text(text).await;
    } else {
        page.fill(field, text).await;
    }
}

#[tokio::test]
async fn a_view_is_saved_found_renamed_and_deleted_in_every_way() {
    let (site, _) = Site::bakery().await;
    for way in Way::ALL {
        let page = way.page(&site).await;
        page.open(&site.url("/?level=ERROR&from=-1d")).await;
        way.activate(&page, ".menu.saved-menu > summary".into())
            .await;
        page.follow(way.activate(&page, ("link", "Save this view …").into()))
            .await;
        let name = format!("errors <b data-x> by {way:?}");
        fill(way, &page, ("textbox", "Name").into(), &name).await;
        page.follow(way.activate(&page, ("button", "Save").into()))
            .await;
        page.until_text(".searches", &name).await;
        assert_eq!(page.count("[data-x]").await, 0);

        // It leads to the view, from the log, too; the range is still relative.
        page.follow(way.activate(&page, ("link", "Log").into()))
            .await;
        way.activate(&page, ".menu.saved-menu > summary".into())
            .await;
        page.follow(way.activate(&page, Target::Named("link", &name)))
            .await;
        let url = page.url().await;
        assert!(url.ends_with("/?level=ERROR&from=-1d"), "{url}");

        page.open(&site.url("/saved")).await;
        let change = format!("summary[aria-label='Change {name}']");
        way.activate(&page, Target::Css(&change)).await;
        let renamed = format!("nightly by {way:?}");
        let field = Target::Css("details[open] input[name=new_name]");
        fill(way, &page, field, &renamed).await;
        page.follow(way.activate(&page, ("button", "Rename").into()))
            .await;
        page.until_text(".searches", &renamed).await;
        assert!(!page.text(".searches").await.contains(&name));

        let change = format!("summary[aria-label='Change {renamed}']");
        way.activate(&page, Target::Css(&change)).await;
        page.follow(way.activate(&page, ("button", "Delete for all").into()))
            .await;
        page.until_text("main", "Nothing has been saved yet").await;
        if way != Way::Plain {
            page.assert_still().await;
        }
    }
}
