//! Who sees some systems only sees nothing of the others, wherever they look.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{collections::BTreeSet, time::Duration};

use domain::{Alert, AlertSubject, DeadLetter, Entry, Heartbeat, Notification, Record};
use e2e::{
    alerts::{self, Findings},
    appender::append,
    command::succeed,
    site::now_us,
};
use proto::v1::{SaveSearchRequest, saved_search_service_client::SavedSearchServiceClient};
use serde_json::Value;
use testkit::{
    Installation, Process,
    http::{self, Response},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const SOON: Duration = Duration::from_secs(20);
/// Stands in every text of every other system, and in no question.
const SECRET: &str = "zzsecretzz";
/// The other system is asked for by this.
const OTHER: &str = "bank-zz*";
/// The newest record of somebody's own.
const NEWEST: &str = "own record 59";

/// A store with a system of somebody's own and another one, and alerts of both.
struct Site {
    herald: Installation,
    limited: String,
    whole: String,
    own_record: u64,
    other_record: u64,
    own_alert: u64,
    other_alert: u64,
    _processes: [Process; 2],
}

impl Site {
    async fn new() -> Self {
        let herald = Installation::new();
        let tokens = herald.folder().join("tokens").display().to_string();
        let herald = herald.with("WEB_TOKENS", tokens);
        let add = async |arguments: &[&str]| {
            let arguments = [&["token", "add"], arguments].concat();
            let token = succeed(&herald, &arguments).await;
            format!("Bearer {}", token.trim())
        };
        let limited = ["own", "--role", "operator", "--systems", "shop*,web"];
        let (limited, whole) = (
            add(&limited).await,
            add(&["all", "--role", "operator"]).await,
        );
        let processes = [herald.store().await, herald.web().await];
        append(&herald.store_url(), entries()).await;
        let mut first = 0;
        alerts::run(&herald.store_url(), |state| {
            first = state.next_alert_id;
            findings(state)
        })
        .await;
        save_searches(&herald.store_url()).await;
        let mut site = Self {
            herald,
            limited,
            whole,
            own_record: 0,
            other_record: 0,
            own_alert: first + 4,
            other_alert: first,
            _processes: processes,
        };
        let records = site
            .json(&site.whole, "/api/v1/records?limit=10000&order=asc")
            .await;
        let id_of = |other: bool| {
            let mut records = records["records"].as_array().unwrap().iter();
            let record = records.find(|it| it.to_string().contains(SECRET) == other);
            record.unwrap()["id"].as_u64().unwrap()
        };
        (site.own_record, site.other_record) = (id_of(false), id_of(true));
        site
    }

    async fn get(&self, who: &str, path: &str) -> Response {
        let url = self.herald.web_url() + path;
        http::get_with(&url, &[("authorization", who)])
            .await
            .unwrap()
    }

    async fn json(&self, who: &str, path: &str) -> Value {
        let answer = self.get(who, path).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text());
        answer.json()
    }

    async fn post(&self, who: &str, path: &str, body: &str) -> Response {
        let url = self.herald.web_url() + path;
        let headers = [("authorization", who), ("content-type", "application/json")];
        http::post(&url, &headers, body.to_owned()).await.unwrap()
    }

    /// What follows the log gets, until somebody's newest record has come.
    async fn followed(&self, who: &str, path: &str) -> String {
        let address = self.herald.web_url();
        let address = address.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {who}\r\n\
             Accept: text/event-stream\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let reading = async {
            while !String::from_utf8_lossy(&answer).contains(NEWEST) {
                assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{path}");
            }
        };
        timeout(SOON, reading).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A path of the description with each number that it can have.
    fn filled(&self, path: &str) -> Vec<String> {
        let ids = match path.contains("/alerts/") {
            true => [self.own_alert, self.other_alert],
            false => [self.own_record, self.other_record],
        };
        match path.contains("{id}") {
            true => ids.map(|id| path.replace("{id}", &id.to_string())).into(),
            false => vec![path.to_owned()],
        }
    }
}

/// Records of both in turn, the last one somebody's own; and a frame of the other's.
fn entries() -> Vec<Entry> {
    let now = now_us();
    let record = |number: u64| Record {
        received_us: now - 3_600_000_000 + i64::try_from(number).unwrap() * 1_000_000,
        exception: "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nOwnError: x"
            .to_owned(),
        ..testkit::record(number)
    };
    let mut entries = Vec::new();
    for number in 0..60 {
        let other = Record {
            logger: format!("{SECRET}.ledger"),
            message: format!("vault {number} {SECRET}"),
            system_id: format!("bank-{SECRET}"),
            sub_system_id: format!("{SECRET}-host"),
            sub_sub_system_id: SECRET.to_owned(),
            produkt_id: SECRET.to_owned(),
            user_spec_1: SECRET.to_owned(),
            user_spec_2: SECRET.to_owned(),
            module: SECRET.to_owned(),
            function: SECRET.to_owned(),
            path: format!("/{SECRET}.py"),
            exception: format!(
                "Traceback (most recent call last):\n  File \"{SECRET}.py\", line 1, in f\n\
                 {SECRET}.Error: {SECRET}"
            ),
            extra: format!("{{\"{SECRET}\":\"{SECRET}\"}}"),
            ..record(2 * number)
        };
        let own = Record {
            message: format!("own record {number}"),
            system_id: if number % 2 == 0 { "web" } else { "shop-front" }.to_owned(),
            ..record(2 * number + 1)
        };
        entries.extend([Entry::Record(Box::new(other)), Entry::Record(Box::new(own))]);
    }
    entries.push(Entry::DeadLetter(Box::new(DeadLetter {
        id: 0,
        received_us: now,
        peer: "192.0.2.1:1".to_owned(),
        reason: format!("no pickle: {SECRET}"),
        size_bytes: SECRET.len() as u64,
        sha256: [0; 32],
        head: SECRET.into(),
    })));
    entries
}

/// What neelix finds of the other system, and one thing of somebody's own, told of in a
/// mail with all the rest.
fn findings(state: &domain::RunState) -> Findings {
    let mut found = alerts::bakery(state, now_us(), Some(SECRET));
    let (alert, heartbeat) = (found.alerts[0].clone(), found.heartbeats[0].clone());
    let own = Alert {
        id: alert.id + 4,
        subject: AlertSubject {
            rule: "own rule".to_owned(),
            condition: "MSG=own".to_owned(),
            system_id: "shop-front".to_owned(),
            sub_system_id: String::new(),
        },
        reason: "own reason".to_owned(),
        ..alert
    };
    found.notifications.push(Notification {
        message_id: format!("digest.{}@cellar", own.id),
        subject: format!("own and {SECRET}"),
        text: format!("own and {SECRET}"),
        alert_ids: vec![own.id, own.id - 4],
        deliveries: Vec::new(),
        ..found.notifications[0].clone()
    });
    found.alerts.push(own);
    found.heartbeats.push(Heartbeat {
        rule: "own rule".to_owned(),
        system_id: "web".to_owned(),
        sub_system_id: String::new(),
        expected: "own expectation".to_owned(),
        ..heartbeat
    });
    found
}

async fn save_searches(url: &str) {
    let channel = runtime::grpc::channel(url).unwrap();
    let mut client = SavedSearchServiceClient::new(channel);
    for (name, query) in [
        ("own search", "system_id=web&level=ERROR".to_owned()),
        (SECRET, "q=timeout".to_owned()),
        ("other search", format!("system_id=bank-{SECRET}")),
    ] {
        let request = SaveSearchRequest {
            name: name.to_owned(),
            query,
            overwrite: false,
        };
        client.save_search(request).await.unwrap();
    }
}

#[tokio::test]
async fn no_route_of_the_api_tells_of_other_systems() {
    let site = Site::new().await;
    let description = site.json(&site.whole, "/api/v1/openapi.json").await;
    let mut told = BTreeSet::new();
    let mut walked = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            walked += 1;
            for address in site.filled(path) {
                if method == "post" {
                    let answer = site.post(&site.limited, &address, "{}").await.text();
                    assert!(!answer.contains(SECRET), "{method} {address}: {answer}");
                    continue;
                }
                assert_eq!(method, "get", "{path}");
                if path.ends_with("/tail") {
                    for query in ["?after=0", "?after=0&max_per_second=1000"] {
                        let address = format!("{address}{query}");
                        let answer = site.followed(&site.limited, &address).await;
                        assert!(!answer.contains(SECRET), "{address}: {answer}");
                        let answer = site.followed(&site.whole, &address).await;
                        assert!(answer.contains(SECRET), "{address}");
                    }
                    told.insert(path.as_str());
                    continue;
                }
                for query in [
                    String::new(),
                    "?limit=1000".to_owned(),
                    "?limit=1000&order=asc".to_owned(),
                    "?q=vault".to_owned(),
                    format!("?q=system_id:{OTHER}"),
                    format!("?q=NOT+own+OR+system_id:{OTHER}"),
                    "?before=10000&after=0".to_owned(),
                    "?before=500&after=500&scope=everything".to_owned(),
                    "?before=500&after=500&scope=system".to_owned(),
                    "?by=system_id".to_owned(),
                    "?fields=system_id,logger,module,fingerprint,user_spec_1".to_owned(),
                    "?format=ndjson".to_owned(),
                    "?state=firing".to_owned(),
                ] {
                    let address = format!("{address}{query}");
                    let answer = site.get(&site.limited, &address).await.text();
                    assert!(!answer.contains(SECRET), "{address}: {answer}");
                    if site
                        .get(&site.whole, &address)
                        .await
                        .text()
                        .contains(SECRET)
                    {
                        told.insert(path.as_str());
                    }
                }
            }
        }
    }
    assert!(walked >= 19, "all of the description: {walked}");
    // Who sees all is told by these: so the test would notice.
    for path in [
        "/api/v1/records",
        "/api/v1/records/{id}",
        "/api/v1/records/{id}/context",
        "/api/v1/fields",
        "/api/v1/histogram",
        "/api/v1/tail",
        "/api/v1/export",
        "/api/v1/systems",
        "/api/v1/exceptions",
        "/api/v1/dead_letters",
        "/api/v1/alerts",
        "/api/v1/alerts/{id}",
        "/api/v1/heartbeats",
        "/api/v1/saved_searches",
    ] {
        assert!(told.contains(path), "{path} of {told:?}");
    }
}

#[tokio::test]
async fn no_page_tells_of_other_systems() {
    let site = Site::new().await;
    let (own, other) = (site.own_record, site.other_record);
    let (own_alert, other_alert) = (site.own_alert, site.other_alert);
    for path in [
        "/".to_owned(),
        "/?q=vault".to_owned(),
        format!("/?q=system_id:{OTHER}"),
        "/?from=-1d&by=system_id".to_owned(),
        format!("/record/{own}"),
        format!("/record/{own}?before=500&after=500"),
        format!("/record/{other}"),
        format!("/record/{own}/row"),
        format!("/record/{other}/row"),
        format!("/record/{own}/rule"),
        format!("/record/{other}/rule"),
        "/values/system_id".to_owned(),
        "/values/system_id/list".to_owned(),
        "/values/user_spec_1/list".to_owned(),
        "/systems".to_owned(),
        "/alerts".to_owned(),
        "/alerts?state=resolved".to_owned(),
        "/alerts/rules".to_owned(),
        "/alerts/runs".to_owned(),
        format!("/alerts/{own_alert}"),
        format!("/alerts/{other_alert}"),
        "/exceptions".to_owned(),
        "/rejected".to_owned(),
        "/status".to_owned(),
        "/saved".to_owned(),
        "/help".to_owned(),
        "/nowhere".to_owned(),
    ] {
        // Somebody else has looked, and what they saw is shared by nobody.
        site.get(&site.whole, &path).await;
        let page = site.get(&site.limited, &path).await.text();
        assert!(!page.contains(SECRET), "{path}: {page}");
    }
    for path in ["/tail?after=0", "/tail?after=0&level=INFO"] {
        let whole = site.followed(&site.whole, path);
        let limited = site.followed(&site.limited, path);
        let (whole, limited) = tokio::join!(whole, limited);
        assert!(whole.contains(SECRET), "{path}");
        assert!(!limited.contains(SECRET), "{path}: {limited}");
    }
}

#[tokio::test]
async fn what_is_somebodys_own_they_see_and_change() {
    let site = Site::new().await;
    let me = &site.limited;
    let records = site.json(me, "/api/v1/records?limit=1000").await;
    assert_eq!(records["records"].as_array().unwrap().len(), 60);
    let status = site.json(me, "/api/v1/status").await;
    assert_eq!(status["records"], 60);
    assert_eq!(status["dead_letters"], 0);
    assert_eq!(status["bridges"].as_array().unwrap().len(), 0);
    let path = format!(
        "/api/v1/records/{}/context?before=3&after=3",
        site.own_record + 20
    );
    let context = site.json(me, &path).await;
    let ids = |side: &str| -> Vec<u64> {
        let records = context[side].as_array().unwrap().iter();
        records
            .map(|record| record["id"].as_u64().unwrap())
            .collect()
    };
    let middle = site.own_record + 20;
    assert_eq!(ids("before"), [middle - 6, middle - 4, middle - 2]);
    assert_eq!(ids("after"), [middle + 2, middle + 4, middle + 6]);
    let names = |value: &Value, list: &str, name: &str| -> BTreeSet<String> {
        let items = value[list].as_array().unwrap().iter();
        items
            .map(|item| item[name].as_str().unwrap().to_owned())
            .collect()
    };
    let own = |names: &[&str]| {
        names
            .iter()
            .map(|it| (*it).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let systems = site.json(me, "/api/v1/systems?limit=1000").await;
    assert_eq!(
        names(&systems, "systems", "system_id"),
        own(&["shop-front", "web"])
    );
    let alerts = site.json(me, "/api/v1/alerts").await;
    assert_eq!(names(&alerts, "alerts", "rule"), own(&["own rule"]));
    let beats = site.json(me, "/api/v1/heartbeats").await;
    assert_eq!(
        names(&beats, "heartbeats", "expected"),
        own(&["own expectation"])
    );
    let searches = site.json(me, "/api/v1/saved_searches").await;
    assert_eq!(
        names(&searches, "saved_searches", "name"),
        own(&["own search"])
    );
    let page = site.get(me, "/status").await.text();
    assert!(page.contains("sees <bdi>shop*,web</bdi>"), "{page}");

    for path in [
        format!("/api/v1/records/{}", site.other_record),
        format!("/api/v1/records/{}/context", site.other_record),
        format!("/record/{}", site.other_record),
        format!("/record/{}/row", site.other_record),
        format!("/api/v1/alerts/{}", site.other_alert),
        format!("/alerts/{}", site.other_alert),
    ] {
        assert_eq!(site.get(me, &path).await.status.as_u16(), 404, "{path}");
    }
    for path in [
        "/api/v1/dead_letters",
        "/api/v1/gaps",
        "/rejected",
        "/alerts/rules",
        "/alerts/runs",
    ] {
        assert_eq!(site.get(me, path).await.status.as_u16(), 403, "{path}");
    }
    let acknowledge = |id: u64| format!("/api/v1/alerts/{id}/acknowledge");
    let silence = |id: u64| format!("/api/v1/alerts/{id}/silence");
    for path in [acknowledge(site.other_alert), silence(site.other_alert)] {
        let body = if path.ends_with("silence") {
            "{\"until\":null}"
        } else {
            "{}"
        };
        assert_eq!(
            site.post(me, &path, body).await.status.as_u16(),
            404,
            "{path}"
        );
    }
    let path = format!("/api/v1/alerts/{}", site.other_alert);
    let other = site.json(&site.whole, &path).await;
    assert!(other["acknowledged_at"].is_null(), "{other}");
    let answer = site.post(me, &acknowledge(site.own_alert), "{}").await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
}
