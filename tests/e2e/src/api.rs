//! Herald's HTTP API as a test reads it.

use std::time::Duration;

use serde_json::Value;
use testkit::{http, wait_for};

/// Every record that passes the filters, oldest first. `filters` is the rest of
/// a query string, such as `system_id=shop`, or empty.
///
/// # Panics
/// When the API does not answer, or ends early.
pub async fn all(web_url: &str, filters: &str) -> Vec<Value> {
    let mut records = Vec::new();
    let mut after = 0;
    loop {
        let url = format!("{web_url}/api/v1/records?order=asc&limit=10000&after={after}&{filters}");
        let mut page = http::get_json(&url).await.expect("a page of records");
        if let Value::Array(found) = page["records"].take() {
            records.extend(found);
        }
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => return records,
        }
    }
}

/// Waits until as many records as expected pass the filters, and returns them,
/// oldest first.
///
/// # Panics
/// When that takes longer than `deadline`, or there are more.
pub async fn exactly(web_url: &str, filters: &str, count: usize, deadline: Duration) -> Vec<Value> {
    let what = format!("{count} records pass `{filters}`");
    let records = wait_for(&what, deadline, async || {
        let records = all(web_url, filters).await;
        (records.len() >= count).then_some(records)
    })
    .await;
    assert_eq!(records.len(), count, "{filters}");
    records
}

/// What the store says about itself.
///
/// # Panics
/// When the API does not answer.
pub async fn status(web_url: &str) -> Value {
    http::get_json(&format!("{web_url}/api/v1/status"))
        .await
        .expect("the status")
}

/// A text of a record.
///
/// # Panics
/// When the field is no text.
#[must_use]
pub fn text<'r>(record: &'r Value, field: &str) -> &'r str {
    record[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is no text in {record}"))
}
