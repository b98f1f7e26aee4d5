//! The whole story: `herald`, a Python program that logs, and its records on the
//! page and in the API.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::time::Duration;

use e2e::{api, program};
use testkit::{Installation, http, python, wait_for};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn from_a_python_log_call_to_the_page_and_the_api() {
    let herald = Installation::new();
    // No command: the same as `herald up`.
    let mut up = herald.start("herald", &[]);
    let announcement = wait_for("Herald says where everything is", SOON, async || {
        assert!(up.is_running(), "{}", up.stderr());
        Some(up.stdout()).filter(|said| said.contains("Ctrl-C"))
    })
    .await;
    let records_to = format!(
        "localhost:{}",
        herald.bridge_address().rsplit(':').next().unwrap()
    );
    for part in [
        "stage TESTING",
        &records_to,
        herald.folder().to_str().unwrap(),
    ] {
        assert!(announcement.contains(part), "{part} in {announcement}");
    }
    let page = announcement
        .split_whitespace()
        .find(|word| word.starts_with("http://localhost:"))
        .unwrap()
        .to_owned();

    let expected = herald.folder().join("expected.json");
    let port = records_to.split(':').nth(1).unwrap();
    let arguments = ["localhost", port, "till", expected.to_str().unwrap()];
    program::run(&python::newest(), "stock.py", &arguments, &[]).await;
    api::exactly(&page, "system_id=till&q=no%20such%20text", 0, SOON).await;
    let records = api::exactly(&page, "system_id=till&level=ERROR", 3, SOON).await;
    assert_eq!(api::text(&records[2], "message"), "with a traceback");

    let html = http::get(&format!("{page}/?system_id=till&level=ERROR"))
        .await
        .unwrap()
        .text();
    assert!(html.contains("ValueError: nothing left"), "{html}");
    assert!(html.contains("&lt;b&gt;markup&lt;/b&gt;"), "{html}");
    assert!(!html.contains("<b>markup</b>"), "{html}");

    up.interrupt();
    let status = up.end(SOON).await;
    assert!(status.success(), "{status}: {}", up.stderr());
    assert!(up.stdout().contains("Stopped"), "{}", up.stdout());
}

#[tokio::test]
async fn a_service_that_fails_ends_all_with_its_cause() {
    let herald = Installation::new();
    std::fs::create_dir_all(herald.database()).unwrap();
    let mut up = herald.start("herald", &["up"]);
    let status = up.end(SOON).await;
    let errors = up.stderr();
    assert!(matches!(status.code(), Some(1 | 2)), "{status}: {errors}");
    assert!(errors.contains("herald.sqlite_t"), "{errors}");
}
