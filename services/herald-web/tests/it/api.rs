//! The JSON API: shape, parameters, cursors, errors.

use domain::Record;
use proto::v1;
use serde_json::{Value, json};
use testkit::record;

use crate::{fake_store::Mood, web::Web};

fn records(count: u64) -> Vec<Record> {
    (0..count).map(record).collect()
}

fn ids(answer: &Value) -> Vec<u64> {
    let records = answer["records"].as_array().expect("a list of records");
    records.iter().map(|r| r["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_record_has_every_field_under_its_name() {
    let mut full = record(3);
    full.received_us = 1_795_393_361_123_456;
    full.exception = "ValueError: x".to_owned();
    full.extra = r#"{"order":12345678901234567890,"a":[1.10,null]}"#.to_owned();
    let web = Web::with(vec![full]).await;
    let answer = web.get("/api/v1/records/1").await;
    assert_eq!(answer.headers["content-type"], "application/json");
    insta::assert_snapshot!(answer.text(), @r#"{"id":1,"received_at":"2026-11-23T00:22:41.123456Z","created":"2023-11-14T22:13:20.003000Z","level":40,"level_name":"ERROR","logger":"shop.module_3","message":"record 3","system_id":"system_0","sub_system_id":"host_3","sub_sub_system_id":"worker","produkt_id":"product_1","user_spec_1":"blue","user_spec_2":"north","package_version":"1.2.19","api_version":"7","module":"module_3","function":"function_3","path":"/srv/shop/module_3.py","line":13,"process":4321,"process_name":"MainProcess","thread":139637976000000,"thread_name":"MainThread","exception":"ValueError: x","stack":"","peer":"127.0.0.1:50000","extra":{"order":12345678901234567890,"a":[1.10,null]}}"#);
}

#[tokio::test]
async fn an_empty_record_keeps_its_shape() {
    let web = Web::with(vec![Record::default()]).await;
    let record = web.json("/api/v1/records/1", 200).await;
    assert_eq!(record["extra"], Value::Null);
    assert_eq!(record["stack"], "");
    assert_eq!(record["line"], 0);
    assert_eq!(record["created"], "1970-01-01T00:00:00.000000Z");
    assert_eq!(record.as_object().unwrap().len(), 27);
}

#[tokio::test]
async fn lists_go_on_by_cursor() {
    let web = Web::with(records(7)).await;
    let check = async |path: &str, expected: &[u64], next: Value| {
        let answer = web.json(path, 200).await;
        assert_eq!(ids(&answer), expected, "{path}");
        assert_eq!(answer["next"], next, "{path}");
        assert_eq!(answer["partial"], false, "{path}");
    };
    check("/api/v1/records", &[7, 6, 5, 4, 3, 2, 1], Value::Null).await;
    check("/api/v1/records?limit=3", &[7, 6, 5], json!(5)).await;
    check("/api/v1/records?limit=3&before=5", &[4, 3, 2], json!(2)).await;
    check("/api/v1/records?limit=3&before=2", &[1], Value::Null).await;
    check("/api/v1/records?order=asc&limit=3", &[1, 2, 3], json!(3)).await;
    check("/api/v1/records?order=asc&after=6", &[7], Value::Null).await;
    check("/api/v1/records?after=2&before=5", &[4, 3], Value::Null).await;
}

#[tokio::test]
async fn filters_reach_the_store() {
    let web = Web::with(records(10)).await;
    let check = async |query: &str, expected: &[u64]| {
        let answer = web.json(&format!("/api/v1/records?{query}"), 200).await;
        assert_eq!(ids(&answer), expected, "{query}");
    };
    check("system_id=system_1&sub_system_id=host_0", &[5]).await;
    check("level=critical", &[10, 5]).await;
    check("level=41", &[10, 5]).await;
    check("q=RECORD+7", &[8]).await;
    check("q=%227+record%22", &[]).await;
    check("pattern=ord+7", &[8]).await;
    check("from=2023-11-14T22:13:20.508Z", &[10, 9]).await;
    check(
        "from=2023-11-14T22:13:20.508Z&to=2023-11-14T22:13:20.509Z",
        &[9],
    )
    .await;
    check("from=-1h", &[]).await;
    check(
        "q=record+AND+NOT+(level%3E%3Dinfo+OR+system_id:system_1)",
        &[6, 1],
    )
    .await;
    check("q=system_id:system_1+OR+7&level=critical", &[5]).await;
    check("q=extra.attempt:3", &[4]).await;
}

#[tokio::test]
async fn a_bad_query_is_told_with_its_place() {
    let web = Web::with(records(1)).await;
    for route in [
        "records",
        "fields",
        "histogram",
        "tail",
        "export",
        "exceptions",
    ] {
        let answer = web
            .json(&format!("/api/v1/{route}?q=disk+(full"), 400)
            .await;
        let error = &answer["error"];
        assert_eq!(error["parameter"], "q", "{route}: {answer}");
        assert!(
            error["column"].as_u64().is_some_and(|at| at >= 6),
            "{answer}"
        );
        for text in ["message", "hint"] {
            assert!(
                error[text].as_str().is_some_and(|text| !text.is_empty()),
                "{answer}"
            );
        }
    }
    assert!(
        web.store.questions().is_empty(),
        "nothing reached the store"
    );
}

#[tokio::test]
async fn a_partial_answer_says_so() {
    let web = Web::with(records(5)).await;
    web.store.set_mood(Mood::Deadline(2));
    let answer = web.json("/api/v1/records", 200).await;
    assert_eq!(answer["partial"], true);
    assert_eq!(answer["next"], 4);
    let expected = json!({
        "records_total": 5,
        "records_covered": 2,
        "damaged_records": 0,
        "from": "2023-11-14T22:13:20.503000Z",
        "to": "2023-11-14T22:13:20.504000Z",
    });
    assert_eq!(answer["coverage"], expected);
    let answer = web.json("/api/v1/records/3/context", 200).await;
    assert_eq!(answer["partial"], true);
}

#[tokio::test]
async fn neighbours_come_in_the_order_of_ids() {
    let web = Web::with(records(30)).await;
    let check = async |query: &str, before: usize, after: usize| {
        let path = format!("/api/v1/records/10/context{query}");
        let answer = web.json(&path, 200).await;
        let count = |side: &str| answer[side].as_array().unwrap().len();
        assert_eq!(
            (count("before"), count("after")),
            (before, after),
            "{query}"
        );
        assert_eq!(answer["record"]["id"], 10);
        if before > 0 {
            assert_eq!(answer["before"][before - 1]["id"], 9);
            assert_eq!(answer["after"][0]["id"], 11);
        }
    };
    check("", 9, 20).await;
    check("?before=2&after=1", 2, 1).await;
    check("?before=0&after=0", 0, 0).await;
    let ids = async |scope: &str| {
        let path = format!("/api/v1/records/10/context?before=2&after=1&scope={scope}");
        let answer = web.json(&path, 200).await;
        let ids = ["before", "after"].map(|side| answer[side].as_array().unwrap().clone());
        let ids = ids.concat();
        ids.iter()
            .map(|r| r["id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("everything").await, [8, 9, 11]);
    assert_eq!(ids("system").await, [4, 7, 13]);
    assert_eq!(ids("process").await, [22]);
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let web = Web::with(records(1)).await;
    let check = async |path: &str, parameter: &str, message: &str| {
        let answer = web.json(path, 400).await;
        let expected = json!({"error": {"parameter": parameter, "message": message}});
        assert_eq!(answer, expected, "{path}");
    };
    check(
        "/api/v1/records?limit=abc",
        "limit",
        "`abc` is no number from 1 to 10000",
    )
    .await;
    check(
        "/api/v1/records?limit=10001",
        "limit",
        "`10001` is above 10000; go on with `next` of the answer",
    )
    .await;
    check(
        "/api/v1/records?levle=ERROR",
        "levle",
        "no such parameter; the nearest is `level`",
    )
    .await;
    check("/api/v1/records/x", "id", "`x` is no id of a record").await;
    check(
        "/api/v1/records/1/context?before=1001",
        "before",
        "`1001` is above 1000",
    )
    .await;
    check(
        "/api/v1/records/1/context?scope=host",
        "scope",
        "`host` is no scope: use everything, system or process",
    )
    .await;
    check(
        "/api/v1/records/1?fields=id",
        "fields",
        "no such parameter; this address takes none",
    )
    .await;
    assert!(
        web.store.questions().is_empty(),
        "nothing reached the store"
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let web = Web::with(records(1)).await;
    let check = async |path: &str, message: &str| {
        let answer = web.json(path, 404).await;
        let expected = json!({"error": {"parameter": null, "message": message}});
        assert_eq!(answer, expected, "{path}");
    };
    let gone = "there is no such record, or no longer";
    check("/api/v1/records/2", gone).await;
    check("/api/v1/records/2/context", gone).await;
    check("/api/v1/nothing", "there is nothing at this address").await;
}

#[tokio::test]
async fn dead_letters_show_what_came() {
    let web = Web::with(Vec::new()).await;
    let expected = json!({
        "id": 7,
        "received_at": "2026-11-23T00:22:41.123456Z",
        "peer": "10.0.0.7:41234",
        "reason": "looks like an HTTP request",
        "size_bytes": 1_000,
        "sha256": "ab".repeat(32),
        "head_base64": "R0VUIC8g/w==",
        "bridge_id": "6f1e2d3c-0000-4000-8000-000000000001",
        "sequence": 42,
    });
    let check = async |query: &str, letters: Value, next: Value| {
        let answer = web.json(&format!("/api/v1/dead_letters{query}"), 200).await;
        assert_eq!(answer, json!({"dead_letters": letters, "next": next}));
    };
    check("", json!([expected]), Value::Null).await;
    check("?limit=1", json!([expected]), json!(7)).await;
    check("?before=7", json!([]), Value::Null).await;
    web.json("/api/v1/dead_letters?limit=101", 400).await;
}

#[tokio::test]
async fn the_status_is_told() {
    let web = Web::with(records(2)).await;
    let status = web.json("/api/v1/status", 200).await;
    assert_eq!(status["stage"], "DEVELOPMENT");
    assert_eq!(status["records"], 2);
    assert_eq!(status["oldest_received_at"], "2023-11-14T22:13:20.500000Z");
    assert_eq!(status["bridges"][0]["name"], "web01");
    let of_blocks = ["blocks", "blocks_damaged", "small_blocks", "wal_bytes"];
    assert_eq!(
        of_blocks.map(|name| status[name].as_u64()),
        [5, 1, 3, 1_024].map(Some)
    );
    assert_eq!(status["started_at"], "2026-11-22T23:22:41.123456Z");
    assert_eq!(status["retention_s"], 30 * 86_400);
    assert_eq!(status["max_bytes"], 1 << 30);
    let report = &status["bridges"][0]["report"];
    assert_eq!(report["lag_ms"], 4);
    let destination = |name, lag, waiting| {
        json!({
            "name": name, "connected": false, "waiting": waiting,
            "lag_entries": lag, "lag_ms": 61_000,
        })
    };
    let expected = [destination("home", 8, false), destination("full", 9, true)];
    assert_eq!(report["destinations"], json!(expected));
    let slowed = &report["slowed"][0];
    assert_eq!(slowed["address"], "10.0.0.7");
    assert_eq!(slowed["records_per_second"], 1_000);
}

#[tokio::test]
async fn the_store_is_asked_exactly_what_the_url_says() {
    let web = Web::with(Vec::new()).await;
    web.json(
        "/api/v1/records?user_spec_1=a&limit=10000&order=asc&after=3",
        200,
    )
    .await;
    let expected = v1::ListRecordsRequest {
        filter: Some(v1::RecordFilter {
            query: "user_spec_1:a".to_owned(),
            ..v1::RecordFilter::default()
        }),
        order: v1::Order::OldestFirst.into(),
        limit: 10_000,
        before: 0,
        after: 3,
    };
    assert_eq!(web.store.questions(), [expected]);
}
