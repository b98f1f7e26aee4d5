//! The keys of the log's page.

use e2e::{browser::Page, site::Site};

/// The class of the row that has the focus.
async fn level(page: &Page) -> String {
    page.string("document.activeElement.closest('.row')?.className ?? 'none'")
        .await
}

#[tokio::test]
async fn keys_lead_through_the_records() {
    let (site, _) = Site::bakery().await;
    let page = site
        .page("/?q=bank&system_id=payments&from=-2d&order=asc&limit=1000")
        .await;
    page.press("/").await;
    assert_eq!(page.string("document.activeElement.id").await, "q");
    // In a field, keys are letters.
    page.press("End").await;
    page.type_text(" jet?").await;
    assert_eq!(
        page.string("document.activeElement.value").await,
        "bank jet?"
    );
    page.press("Escape").await;
    page.evaluate("document.activeElement.blur()").await;

    let at =
        "[...document.querySelectorAll('.row')].indexOf(document.activeElement.closest('.row'))";
    page.press("j").await;
    assert_eq!(page.evaluate(at).await, 0);
    page.press("j").await;
    page.press("j").await;
    page.press("k").await;
    assert_eq!(page.evaluate(at).await, 1);
    page.press("e").await;
    assert!(
        level(&page).await.contains("error"),
        "{}",
        level(&page).await
    );
    let first = page.evaluate(at).await;
    page.press("e").await;
    assert!(page.evaluate(at).await.as_i64() > first.as_i64());
    page.press("E").await;
    assert_eq!(page.evaluate(at).await, first);
    page.press("W").await;
    assert!(level(&page).await.contains("warning"));
    let before = page.evaluate(at).await;
    page.press("e").await;
    assert_eq!(page.evaluate(at).await, first);
    page.press("W").await;
    page.press("W").await;
    page.press("w").await;
    assert_eq!(page.evaluate(at).await, before);
    page.press("e").await;

    page.press("Enter").await;
    page.until(
        "the record is open",
        "document.querySelectorAll('tr.details').length === 1",
    )
    .await;
    assert!(page.url().await.contains("open="));
    assert!(page.text("tr.details").await.contains("BankError"));
    page.press("Escape").await;
    page.until(
        "the record is closed",
        "document.querySelectorAll('tr.details').length === 0",
    )
    .await;
    assert!(!page.url().await.contains("open="));
    assert_eq!(page.evaluate(at).await, first);
    page.assert_still().await;

    page.follow(page.press("t")).await;
    assert!(page.url().await.contains("tail=1"));
    page.back().await;
    page.follow(page.press("?")).await;
    assert!(page.url().await.ends_with("/help"));
}
