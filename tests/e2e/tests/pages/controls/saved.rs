//! Saved searches: a view is saved from the log, opened, renamed and deleted, by
//! mouse, by keyboard and without scripts.

use e2e::{browser::Page, site::Site};

/// Names in the list, in its order.
async fn names(page: &Page) -> Vec<String> {
    page.texts(".searches .name a").await
}

#[tokio::test]
async fn a_view_is_saved_shared_and_changed() {
    let (site, _) = Site::bakery().await;
    let page = site.page("/?level=ERROR&from=-12h&q=bank").await;
    page.click(".saved-menu > summary").await;
    page.follow(page.click(("link", "Save this view …"))).await;
    assert_eq!(page.evaluate("document.activeElement.id").await, "name");
    page.until_text("#view-hint", "ERROR").await;
    page.type_text("Bank, last night").await;
    page.follow(page.press("Enter")).await;
    page.until_text(".searches .fresh", "Bank, last night")
        .await;
    assert!(page.violations().await.is_empty());

    // Somebody else sees it, and the same view behind it.
    let other = site.page("/").await;
    other.click(".saved-menu > summary").await;
    other
        .follow(other.click(("link", "Bank, last night")))
        .await;
    assert!(
        other
            .url()
            .await
            .ends_with("/?level=ERROR&from=-12h&q=bank")
    );
    other.click(".saved-menu > summary").await;
    other
        .follow(other.click(("link", "Save this view …")))
        .await;
    other.expect_complaint("status of 409");
    other.fill("#name", "bank, LAST night").await;
    other.follow(other.press("Enter")).await;
    other.until_text("#name-problem", "exists already").await;
    assert!(other.violations().await.is_empty());
    other.click(".instead").await;
    other.follow(other.click(("button", "Save"))).await;
    assert_eq!(names(&other).await, ["bank, LAST night"]);

    // By keyboard alone.
    page.reload().await;
    page.tab_to(".change summary").await;
    page.press("Enter").await;
    page.press("Tab").await;
    page.of(".change input[type=text]", "function() { this.select() }")
        .await;
    page.type_text("Bank").await;
    page.follow(page.press("Enter")).await;
    assert_eq!(names(&page).await, ["Bank"]);
    page.tab_to(".change summary").await;
    page.press("Enter").await;
    page.tab_to(".delete").await;
    page.follow(page.press("Enter")).await;
    assert_eq!(names(&page).await, Vec::<String>::new());
    page.until_text("main", "Nothing has been saved yet").await;
}

#[tokio::test]
async fn searches_are_saved_without_scripts_and_not_from_elsewhere() {
    let (site, _) = Site::bakery().await;
    let page = site.browser.page().await;
    page.scripts(false).await;
    page.open(&site.url("/saved")).await;
    page.fill("#name", "Shop").await;
    page.fill("#view", "/?system_id=shop&tail=1").await;
    page.follow(page.click(("button", "Save"))).await;
    assert_eq!(names(&page).await, ["Shop"]);
    page.click(".change summary").await;
    page.fill(".change input[type=text]", "The shop").await;
    page.follow(page.click(("button", "Rename"))).await;
    assert_eq!(names(&page).await, ["The shop"]);

    // The same form on another site: another one that the browser is at.
    let other = site.browser.page().await;
    other.expect_complaint("status of 403");
    let form = format!(
        "data:text/html,<!doctype html><form method=post action='{}'><input name=name value=evil>\
         <input name=view value='q=1'><button>Win</button></form>",
        site.url("/saved")
    );
    other.open(&form).await;
    other.follow(other.click(("button", "Win"))).await;
    other.until_text("main", "from another site").await;
    page.open(&site.url("/saved")).await;
    assert_eq!(names(&page).await, ["The shop"]);
}
