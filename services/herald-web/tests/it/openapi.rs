//! The description of the HTTP API, held against the API itself.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use domain::{Record, TextField};
use jsonschema::Validator;
use serde_json::{Value, json};
use testkit::{http, record, wait_until};

use crate::{
    audit,
    fake_store::{Mood, alerts},
    web::Web,
};

const DEADLINE: Duration = Duration::from_secs(20);
const ADDRESS: &str = "/api/v1/openapi.json";

/// The description as it is served; no schema lets a member pass that it does
/// not describe, as it would a client that is to outlive the next release.
struct Description(Value);

impl Description {
    async fn of(web: &Web) -> Self {
        let mut description = web.json(ADDRESS, 200).await;
        let schemas = description.pointer_mut("/components/schemas").unwrap();
        schemas
            .as_object_mut()
            .unwrap()
            .values_mut()
            .for_each(close);
        Self(description)
    }

    fn validator(&self, pointer: &str) -> Validator {
        let mut schema = self.0.pointer(pointer).expect(pointer).clone();
        schema["components"] = self.0["components"].clone();
        jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap_or_else(|error| panic!("{pointer}: {error}"))
    }

    fn check(&self, pointer: &str, value: &Value, what: &str) {
        let validator = self.validator(pointer);
        let faults: Vec<_> = validator
            .iter_errors(value)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{what}: {faults:#?} in {value:#}");
    }

    /// The parameters of an address, references followed.
    fn parameters(&self, path: &str) -> Vec<Value> {
        let parameters = self.0["paths"][path]["get"]["parameters"].as_array();
        let resolved = |parameter: &Value| match parameter["$ref"].as_str() {
            Some(name) => self.0.pointer(&name[1..]).expect(name).clone(),
            None => parameter.clone(),
        };
        parameters.into_iter().flatten().map(resolved).collect()
    }

    fn paths(&self) -> Vec<String> {
        self.0["paths"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    }
}

/// Lets no object of a schema have further members.
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

/// Records of every level, with exceptions and extra, over a while.
async fn web() -> Web {
    let records = (1..=20).map(|n| Record {
        exception: if n % 3 == 0 {
            "Traceback:\nKeyError: 'x'".to_owned()
        } else {
            String::new()
        },
        extra: if n % 2 == 0 {
            r#"{"order":12345678901234567890}"#.to_owned()
        } else {
            String::new()
        },
        ..record(n)
    });
    let web = Web::with(records.collect()).await;
    {
        let mut store = web.store.alerts();
        *store = alerts::known();
        store.alerts.push(alerts::alert(7));
        store.notifications[0].alert_ids.push(7);
    }
    *web.store.audit() = audit::log();
    web
}

#[tokio::test]
async fn every_answer_is_as_described() {
    let web = web().await;
    let description = Description::of(&web).await;
    let check = async |path: &str, query: &str, status: u16| {
        let answer = web
            .json(&format!("{}{query}", path.replace("{id}", "7")), status)
            .await;
        let path = path.replace('/', "~1");
        let mut response = format!("/paths/{path}/get/responses/{status}");
        if let Some(name) = description.0.pointer(&response).expect(&response)["$ref"].as_str() {
            response = name[1..].to_owned();
        }
        let schema = format!("{response}/content/application~1json/schema");
        description.check(&schema, &answer, query);
        answer
    };
    let mut checked = BTreeSet::new();
    for (path, query) in [
        ("/api/v1/records", "?limit=3"),
        ("/api/v1/records", ""),
        ("/api/v1/records", "?q=nothing"),
        ("/api/v1/records/{id}", ""),
        ("/api/v1/records/{id}/context", "?before=3&after=0"),
        ("/api/v1/fields", "?limit=1"),
        ("/api/v1/histogram", "?buckets=3"),
        ("/api/v1/histogram", "?buckets=3&by=system_id"),
        ("/api/v1/systems", ""),
        ("/api/v1/systems", "?buckets=3&limit=1"),
        ("/api/v1/exceptions", ""),
        ("/api/v1/exceptions", "?buckets=3"),
        ("/api/v1/dead_letters", "?limit=1"),
        ("/api/v1/dead_letters", "?before=7"),
        ("/api/v1/gaps", ""),
        ("/api/v1/alerts", ""),
        ("/api/v1/alerts", "?state=firing&limit=1"),
        ("/api/v1/alerts/{id}", ""),
        ("/api/v1/heartbeats", ""),
        ("/api/v1/saved_searches", ""),
        ("/api/v1/audit", ""),
        ("/api/v1/audit", "?limit=1&action=signed_in"),
        ("/api/v1/status", ""),
        (ADDRESS, ""),
    ] {
        check(path, query, 200).await;
        checked.insert(path.to_owned());
    }
    for (path, body) in [
        ("/api/v1/alerts/{id}/acknowledge", json!({"by": "anna"})),
        ("/api/v1/alerts/{id}/silence", json!({"until": null})),
    ] {
        let url = format!("{}{}", web.base, path.replace("{id}", "7"));
        let content_type = [("content-type", "application/json")];
        let answer = http::post(&url, &content_type, body.to_string());
        let pointer = format!("/paths/{}/post", path.replace('/', "~1"));
        let media = "content/application~1json/schema";
        let schema = format!("{pointer}/responses/200/{media}");
        description.check(&schema, &answer.await.unwrap().json(), path);
        let schema = format!("{pointer}/requestBody/{media}");
        description.check(&schema, &body, path);
        let refused = http::post(&url, &[], body.to_string()).await.unwrap();
        let schema = format!("/components/responses/Refused/{media}");
        description.check(&schema, &refused.json(), path);
        checked.insert(path.to_owned());
    }
    // Answers that are no JSON are checked by their lines, below.
    checked.extend(
        [
            "/api/v1/tail",
            "/api/v1/export",
            "/api/v1/audit/export",
            "/healthz",
            "/readyz",
            "/metrics",
        ]
        .map(str::to_owned),
    );
    assert_eq!(checked, description.paths().into_iter().collect());
    check("/api/v1/records", "?limit=x", 400).await;
    check("/api/v1/records", "?q=disk+(full", 400).await;
    check("/api/v1/records", "?nothing=1", 400).await;
    let gone = web.json("/api/v1/records/99", 404).await;
    let schema = "/components/responses/NotFound/content/application~1json/schema";
    description.check(schema, &gone, "a record that is not there");
}

#[tokio::test]
async fn lines_and_events_are_as_described() {
    let web = web().await;
    let description = Description::of(&web).await;
    let lines = web.page("/api/v1/export?format=ndjson", 200).await;
    assert_eq!(lines.lines().count(), 20);
    for line in lines.lines() {
        let record = serde_json::from_str(line).unwrap();
        description.check("/components/schemas/Record", &record, "a line");
    }
    for (format, content_type) in [("csv", "text/csv"), ("ndjson", "application/x-ndjson")] {
        let answer = web
            .get(&format!("/api/v1/export?format={format}&limit=1"))
            .await;
        let found = answer.headers["content-type"].to_str().unwrap();
        assert_eq!(found.split(';').next(), Some(content_type));
        let described =
            &description.0["paths"]["/api/v1/export"]["get"]["responses"]["200"]["content"];
        assert!(described[content_type].is_object(), "{described}");
    }
    let lines = web.page("/api/v1/audit/export?format=ndjson", 200).await;
    assert_eq!(lines.lines().count(), 3);
    for line in lines.lines() {
        let entry = serde_json::from_str(line).unwrap();
        description.check("/components/schemas/AuditEntry", &entry, "a line");
    }
    web.store.set_mood(Mood::Breaking(1));
    let mut events = String::new();
    for query in ["level=CRITICAL", "max_per_second=1"] {
        let url = format!("{}/api/v1/tail?after=3&{query}", web.base);
        let tail = tokio::spawn(async move { http::get(&url).await.unwrap().text() });
        wait_until("the tail breaks", DEADLINE, async || {
            web.store.take(record(0));
            tail.is_finished()
        })
        .await;
        events += &tail.await.unwrap();
    }
    let mut seen = BTreeSet::new();
    for event in events.split("\n\n") {
        let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let Some(data) = line("data: ") else { continue };
        let schema = match line("event: ") {
            None => "Record",
            Some("progress") => "TailProgress",
            Some("sampled") => "TailSampled",
            Some("problem") => "TailProblem",
            Some(other) => panic!("an event {other} that is not described"),
        };
        let data = serde_json::from_str(data).unwrap();
        description.check(&format!("/components/schemas/{schema}"), &data, "an event");
        seen.insert(schema);
    }
    assert_eq!(seen.len(), 4, "{events}");
}

#[tokio::test]
async fn every_described_parameter_is_accepted_and_its_limits_hold() {
    let web = web().await;
    let description = Description::of(&web).await;
    let ask = async |path: &str, name: &str, value: &str| {
        let path = path.replace("{id}", "7");
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair(name, value)
            .finish();
        // A tail has no end but that of the store.
        let is_tail = path.ends_with("/tail");
        let mood = if is_tail {
            Mood::Breaking(0)
        } else {
            Mood::Well
        };
        web.store.set_mood(mood);
        web.get(&format!("{path}?{query}")).await.status
    };
    for path in description.paths() {
        for parameter in description.parameters(&path) {
            let name = parameter["name"].as_str().unwrap();
            let schema = &parameter["schema"];
            if parameter["in"] != "query" {
                continue;
            }
            for value in values(&parameter) {
                assert_eq!(ask(&path, name, &value).await, 200, "{path} {name}={value}");
            }
            for value in outside(schema) {
                assert_eq!(ask(&path, name, &value).await, 400, "{path} {name}={value}");
            }
        }
    }
}

/// Values that a parameter can have by its description.
fn values(parameter: &Value) -> Vec<String> {
    let schema = &parameter["schema"];
    let bounds = [
        &parameter["example"],
        &schema["default"],
        &schema["minimum"],
        &schema["maximum"],
    ];
    let choices = [&schema["enum"], &schema["items"]["enum"]].map(|choices| choices.as_array());
    let choices = choices.into_iter().flatten().flatten();
    let values: Vec<String> = bounds.into_iter().chain(choices).filter_map(text).collect();
    assert!(!values.is_empty(), "no example of {parameter}");
    values
}

/// Values that it cannot have.
fn outside(schema: &Value) -> Vec<String> {
    let below = schema["minimum"].as_i64().map(|least| least - 1);
    let above = schema["maximum"].as_i64().map(|most| most + 1);
    let is_chosen = schema["enum"].is_array() || schema["items"].is_object();
    let other = (is_chosen || schema["type"] == "integer").then(|| "other".to_owned());
    let numbers = [below, above]
        .into_iter()
        .flatten()
        .map(|number| number.to_string());
    numbers.chain(other).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => Some(items.iter().filter_map(text).collect::<Vec<_>>().join(",")),
        other => Some(other.to_string()),
    }
}

#[tokio::test]
async fn every_choice_is_described() {
    let web = web().await;
    let description = Description::of(&web).await;
    let choices = |path: &str, name: &str, pointer: &str| -> BTreeSet<String> {
        let parameters = description.parameters(path);
        let parameter = parameters.iter().find(|p| p["name"] == name).expect(name);
        let choices = parameter
            .pointer(pointer)
            .and_then(Value::as_array)
            .expect(name);
        choices.iter().filter_map(text).collect()
    };
    let names = |fields: &[TextField]| fields.iter().map(|field| field.name().to_owned()).collect();
    let mut by: BTreeSet<String> = names(&TextField::CONTEXT);
    let defaults: BTreeSet<String> = by.clone();
    by.insert("level".to_owned());
    assert_eq!(choices("/api/v1/histogram", "by", "/schema/enum"), by);
    assert_eq!(
        choices("/api/v1/fields", "fields", "/schema/default"),
        defaults
    );
    let mut counted = TextField::ALL.to_vec();
    counted.retain(|field| !field.is_prose());
    let counted: BTreeSet<String> = names(&counted);
    assert_eq!(
        choices("/api/v1/fields", "fields", "/schema/items/enum"),
        counted
    );
}

#[tokio::test]
async fn the_written_description_names_every_address() {
    let web = web().await;
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md"));
    let text = text.unwrap();
    for path in Description::of(&web).await.paths() {
        assert!(
            text.contains(&format!("`{path}`")),
            "{path} is not in docs/api.md"
        );
    }
}
