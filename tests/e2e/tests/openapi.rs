//! What the real services answer is as their own description says.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::time::Duration;

use e2e::{appender::append, bakery, site::now_us};
use serde_json::{Value, json};
use testkit::{Installation, http, wait_until};

const SOON: Duration = Duration::from_secs(20);

/// The description, with every object closed: nothing may be told that is not in it.
async fn description(url: &str) -> Value {
    let mut description = http::get_json(&format!("{url}/api/v1/openapi.json"))
        .await
        .expect("the description");
    let schemas = description.pointer_mut("/components/schemas").unwrap();
    schemas
        .as_object_mut()
        .unwrap()
        .values_mut()
        .for_each(close);
    description
}

fn close(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties") else {
        return;
    };
    properties
        .as_object_mut()
        .unwrap()
        .values_mut()
        .for_each(close);
    schema["additionalProperties"] = json!(false);
}

#[tokio::test]
async fn every_answer_is_as_described() {
    let herald = Installation::new();
    let _store = herald.store().await;
    let _bridge = herald.bridge().await;
    let _web = herald.web().await;
    append(&herald.store_url(), bakery::day(now_us()).entries).await;
    let url = herald.web_url();
    let description = description(&url).await;
    let status = format!("{url}/api/v1/status");
    wait_until("a bridge has reported", SOON, async || {
        let status = http::get_json(&status).await.unwrap();
        let bridges = status["bridges"].as_array().unwrap();
        bridges.iter().any(|bridge| bridge["report"].is_object())
    })
    .await;
    for (path, query) in [
        ("/api/v1/records", "?limit=500"),
        ("/api/v1/records", "?q=unobtainium"),
        ("/api/v1/records/{id}", ""),
        ("/api/v1/records/{id}/context", "?scope=process"),
        ("/api/v1/fields", "?fields=system_id,logger,fingerprint"),
        ("/api/v1/histogram", ""),
        ("/api/v1/histogram", "?by=system_id&from=-1d"),
        ("/api/v1/systems", "?buckets=24&from=-1d"),
        ("/api/v1/exceptions", "?buckets=24"),
        ("/api/v1/dead_letters", ""),
        ("/api/v1/gaps", ""),
        ("/api/v1/status", ""),
    ] {
        let address = format!("{url}{}{query}", path.replace("{id}", "1000"));
        let answer = http::get(&address).await.unwrap();
        assert_eq!(answer.status, 200, "{address}");
        let response = &description["paths"][path]["get"]["responses"]["200"];
        let mut schema = response["content"]["application/json"]["schema"].clone();
        schema["components"] = description["components"].clone();
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let answer = answer.json();
        let faults: Vec<_> = validator
            .iter_errors(&answer)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{address}: {faults:#?}");
    }
}
