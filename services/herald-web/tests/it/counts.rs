//! Counts: by field, over time, by system, by exception.

use domain::Record;
use serde_json::{Value, json};
use testkit::record;
use tonic::Status;

use crate::{fake_store::Mood, web::Web};

fn records(count: u64) -> Vec<Record> {
    (0..count).map(record).collect()
}

fn coverage(total: u64, covered: u64) -> Value {
    let time = |at: u64| format!("2023-11-14T22:13:20.{:03}000Z", 500 + at);
    json!({
        "records_total": total,
        "records_covered": covered,
        "damaged_records": 0,
        "from": time(total - covered),
        "to": time(total - 1),
    })
}

#[tokio::test]
async fn fields_tell_their_values() {
    let web = Web::with(records(10)).await;
    let answer = web
        .json("/api/v1/fields?fields=system_id,level_name&limit=2", 200)
        .await;
    let expected = json!({
        "fields": [
            {
                "field": "system_id",
                "values": [
                    {"value": "system_0", "records": 4},
                    {"value": "system_1", "records": 3},
                ],
                "others": 3,
                "more": true,
            },
            {
                "field": "level_name",
                "values": [
                    {"value": "CRITICAL", "records": 2},
                    {"value": "DEBUG", "records": 2},
                ],
                "others": 6,
                "more": true,
            },
        ],
        "records": 10,
        "partial": false,
        "coverage": coverage(10, 10),
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn the_context_fields_are_counted_when_none_is_named() {
    let web = Web::with(records(10)).await;
    let answer = web
        .json(
            "/api/v1/fields?q=record&level=ERROR&system_id=system_0",
            200,
        )
        .await;
    let names: Vec<_> = answer["fields"].as_array().unwrap().iter().collect();
    let names: Vec<_> = names.iter().map(|f| f["field"].as_str().unwrap()).collect();
    let context = [
        "system_id",
        "sub_system_id",
        "sub_sub_system_id",
        "produkt_id",
        "user_spec_1",
        "user_spec_2",
    ];
    assert_eq!(names, context);
    assert_eq!(answer["records"], 2);
    let hosts = json!([{"value": "host_1", "records": 1}, {"value": "host_3", "records": 1}]);
    assert_eq!(answer["fields"][1]["values"], hosts);
}

#[tokio::test]
async fn a_histogram_counts_by_bucket_and_level() {
    let web = Web::with(records(10)).await;
    let answer = web
        .json(
            "/api/v1/histogram?buckets=2&from=2023-11-14T22:13:20.500Z&to=2023-11-14T22:13:20.510Z",
            200,
        )
        .await;
    let levels = |count: u64| json!({"DEBUG": count, "INFO": count, "WARNING": count, "ERROR": count, "CRITICAL": count});
    let bucket = |start: &str, end: &str| {
        let time = |ms: &str| format!("2023-11-14T22:13:20.{ms}000Z");
        json!({"start": time(start), "end": time(end), "records": 5, "levels": levels(1)})
    };
    let expected = json!({
        "buckets": [bucket("500", "505"), bucket("505", "510")],
        "levels": levels(2),
        "records": 10,
        "partial": false,
        "coverage": coverage(10, 10),
    });
    assert_eq!(answer, expected);
    let text = web.get("/api/v1/histogram?buckets=2").await.text();
    let order = "\"DEBUG\":2,\"INFO\":2,\"WARNING\":2,\"ERROR\":2,\"CRITICAL\":2";
    assert!(text.contains(order), "{text}");
    let default = web.json("/api/v1/histogram", 200).await;
    assert_eq!(default["buckets"].as_array().unwrap().len(), 60);
}

#[tokio::test]
async fn a_histogram_can_be_split_by_a_field() {
    let web = Web::with(records(4)).await;
    let answer = web
        .json("/api/v1/histogram?buckets=1&by=system_id", 200)
        .await;
    let values = json!([
        {"value": "system_0", "records": 2},
        {"value": "system_1", "records": 1},
        {"value": "system_2", "records": 1},
    ]);
    assert_eq!(answer["buckets"][0]["values"], values);
    assert_eq!(answer["buckets"][0].get("levels"), None);
}

#[tokio::test]
async fn nothing_gives_no_buckets() {
    let web = Web::with(Vec::new()).await;
    let answer = web.json("/api/v1/histogram", 200).await;
    assert_eq!(answer["buckets"], json!([]));
    assert_eq!(answer["records"], 0);
    assert_eq!(answer["coverage"]["from"], Value::Null);
}

#[tokio::test]
async fn systems_tell_their_sign_of_life() {
    let web = Web::with(records(5)).await;
    let answer = web
        .json("/api/v1/systems?buckets=2&limit=2&from=2023-11-14T22:13:20.500Z&to=2023-11-14T22:13:20.506Z", 200)
        .await;
    let time = |ms: u32| format!("2023-11-14T22:13:20.{ms}000Z");
    let system = |system: &str, host: &str, id: u64, recent: [u64; 2]| {
        let at = 499 + u32::try_from(id).unwrap();
        json!({
            "system_id": system,
            "sub_system_id": host,
            "first_received_at": time(at),
            "last_received_at": time(at),
            "last_id": id,
            "records": 1,
            "recent": recent,
        })
    };
    let expected = json!({
        "systems": [
            system("system_1", "host_0", 5, [0, 1]),
            system("system_0", "host_3", 4, [0, 1]),
        ],
        "more": true,
        "from": time(500),
        "to": time(506),
        "partial": false,
        "coverage": coverage(5, 5),
    });
    assert_eq!(answer, expected);
    let all = web.json("/api/v1/systems", 200).await;
    assert_eq!(all["systems"].as_array().unwrap().len(), 5);
    assert_eq!((&all["more"], &all["from"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn exceptions_are_grouped_by_their_origin() {
    let failed = |number: u64, message: &str| Record {
        exception: format!(
            "Traceback (most recent call last):\n  File \"/srv/shop/db.py\", line {number}, in save\n    go()\nshop.DbError: {message}\n"
        ),
        ..record(number)
    };
    let web = Web::with(vec![
        failed(0, "a"),
        record(1),
        failed(2, "b"),
        failed(4, "c"),
    ])
    .await;
    let answer = web.json("/api/v1/exceptions?buckets=1&q=record", 200).await;
    let group = &answer["exceptions"][0];
    let expected = json!({
        "fingerprint": group["fingerprint"],
        "kind": "shop.DbError",
        "summary": "shop.DbError: c",
        "records": 3,
        "first_received_at": "2023-11-14T22:13:20.500000Z",
        "last_received_at": "2023-11-14T22:13:20.504000Z",
        "first_id": 1,
        "last_id": 4,
        "systems": [
            {"value": "system_0", "records": 1},
            {"value": "system_1", "records": 1},
            {"value": "system_2", "records": 1},
        ],
        "recent": [3],
    });
    assert_eq!(group, &expected);
    assert_eq!(answer["exceptions"].as_array().unwrap().len(), 1);
    let fingerprint = group["fingerprint"].as_str().unwrap();
    assert_eq!(fingerprint.len(), 16);
    let path = format!("/api/v1/records?q=fingerprint:{fingerprint}");
    let found = web.json(&path, 200).await;
    assert_eq!(found["records"].as_array().unwrap().len(), 3);
    let none = web.json("/api/v1/exceptions?system_id=nobody", 200).await;
    assert_eq!(none["exceptions"], json!([]));
}

#[tokio::test]
async fn counts_at_the_deadline_say_that_they_are_partial() {
    let web = Web::with(records(5)).await;
    web.store.set_mood(Mood::Deadline(2));
    for route in ["fields", "histogram"] {
        let answer = web.json(&format!("/api/v1/{route}"), 200).await;
        assert_eq!(answer["partial"], true, "{route}");
        assert_eq!(answer["records"], 2, "{route}");
        assert_eq!(answer["coverage"], coverage(5, 2), "{route}");
    }
    for route in ["systems", "exceptions"] {
        let answer = web.json(&format!("/api/v1/{route}"), 200).await;
        assert_eq!(answer["partial"], true, "{route}");
    }
}

#[tokio::test]
async fn counts_whose_stream_fails_are_no_answer() {
    let web = Web::with(records(5)).await;
    web.store
        .set_mood(Mood::Failing(Status::internal("SELECT secret FROM block")));
    for route in ["fields", "histogram"] {
        let answer = web.json(&format!("/api/v1/{route}"), 502).await;
        assert_eq!(
            answer["error"]["message"],
            "the store could not answer this"
        );
    }
    web.store
        .set_mood(Mood::Failing(Status::deadline_exceeded("late")));
    let answer = web.json("/api/v1/fields", 200).await;
    assert_eq!(answer["partial"], true);
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let web = Web::with(records(1)).await;
    let check = async |path: &str, parameter: &str, message: &str| {
        let answer = web.json(&format!("/api/v1/{path}"), 400).await;
        assert_eq!(answer["error"]["parameter"], parameter, "{path}");
        let found = answer["error"]["message"].as_str().unwrap();
        assert!(found.contains(message), "{path}: {found}");
    };
    check(
        "fields?fields=message",
        "fields",
        "`message` is no field whose values",
    )
    .await;
    check(
        "fields?fields=logger,logger",
        "fields",
        "`logger` is there twice",
    )
    .await;
    check("fields?limit=1001", "limit", "`1001` is above 1000").await;
    check("fields?order=asc", "order", "no such parameter").await;
    check("histogram?buckets=1001", "buckets", "`1001` is above 1000").await;
    check("histogram?buckets=0", "buckets", "at least 1").await;
    check(
        "histogram?by=logger",
        "by",
        "`logger` is neither `level` nor",
    )
    .await;
    check("systems?q=a", "q", "no such parameter").await;
    check("systems?from=soon", "from", "`soon` is no time").await;
    check("exceptions?limit=1001", "limit", "`1001` is above 1000").await;
}
