//! docs/grpc.md: its commands work, and it has one for every call; the client
//! in Python, too.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{fs, path::PathBuf, time::Duration};

use domain::Record;
use e2e::{
    account::{arrived, numbered},
    grpcurl::{self, Call},
    program,
    sender::{Sender, send},
};
use serde_json::Value;
use testkit::{Installation, Process, python::Python, wait_until};

const SOON: Duration = Duration::from_secs(60);

/// Calls that are no command's: a stream of bytes, one in both directions, what is
/// neelix's or herald-web's alone, and what needs an alert.
const WITHOUT_COMMAND: [&str; 12] = [
    "Append",
    "Backup",
    "BeginRun",
    "RenewRun",
    "CommitRun",
    "ListDueNotifications",
    "ReportDelivery",
    "EndRun",
    "GetAlert",
    "AcknowledgeAlert",
    "SilenceAlert",
    "AddAuditEntry",
];

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The records that the page's commands are about.
fn records() -> Vec<Record> {
    let of = |number: u64, level: i32, message: &str| Record {
        system_id: "shop".to_owned(),
        level,
        message: message.to_owned(),
        ..testkit::record(number)
    };
    let failed = Record {
        exception: "Traceback (most recent call last):\n  File \"a.py\", line 1, in pay\n\
                    ValueError: no bread"
            .to_owned(),
        ..of(2, 40, "disk failed")
    };
    vec![of(1, 30, "disk is full"), failed, of(3, 20, "closing")]
}

/// A store with these records, written; the bridge has brought them.
async fn with_records(herald: &Installation, records: &[Record]) -> (Process, Process) {
    let store = herald.store().await;
    let bridge = herald.bridge().await;
    send(&herald.bridge_address(), records).await;
    let newest = format!("\"{}\"", records.len());
    let status = Call::new("herald.v1.StatusService/GetStatus");
    wait_until("the records are there", SOON, async || {
        let (_, answer) = status.run(herald, &root()).await;
        has(&answer, &format!("\"newestId\": {newest}"))
    })
    .await;
    (store, bridge)
}

/// Part of what a call answers about those records.
fn expected(method: &str) -> &'static str {
    match method {
        "list" => "herald.v1.StatusService",
        "describe" => "TailRecords",
        "ListRecords" | "ExportRecords" => "\"disk failed\"",
        "GetRecord" => "\"disk is full\"",
        "GetRecordContext" => "\"closing\"",
        "TailRecords" => "\"disk failed\"",
        "CountRecords" => "\"complete\": true",
        "ListSystems" => "\"systemId\": \"shop\"",
        "ListExceptions" => "\"kind\": \"ValueError\"",
        "ListDeadLetters" | "ListGaps" => "",
        "SaveSearch" | "ListSavedSearches" => "\"level=ERROR&from=-12h\"",
        "RenameSearch" => "\"name\": \"Night\"",
        "DeleteSearch" => "",
        "ListAuditEntries" => "\"object\": \"Night\"",
        "GetStatus" => "\"newestId\": \"3\"",
        "ListAlerts" | "ListHeartbeats" | "ListRules" | "ListRuns" => "",
        "GetAlertStatus" => "\"linkKey\"",
        "GetRunState" => "\"nextAlertId\": \"1\"",
        "ListSeenSystems" => "\"systemId\": \"shop\"",
        "Verify" => "\"done\": true",
        other => panic!("what does {other} answer?"),
    }
}

/// Whether it holds this piece of JSON; blanks are the tools' own affair.
fn has(answer: &str, expected: &str) -> bool {
    let pressed = |text: &str| text.replace(char::is_whitespace, "");
    pressed(answer).contains(&pressed(expected))
}

fn commands() -> Vec<Call> {
    let page = fs::read_to_string(root().join("docs/grpc.md")).unwrap();
    let lines = page.lines().filter(|line| line.starts_with("grpcurl "));
    lines.map(grpcurl::parse).collect()
}

#[tokio::test]
async fn every_command_of_the_page_works() {
    let herald = Installation::new();
    let _running = with_records(&herald, &records()).await;
    for call in commands() {
        let expected = expected(call.method());
        if call.method() == "TailRecords" {
            let mut tail = call.start(&herald, &root());
            wait_until("the tail has told", SOON, async || {
                has(&tail.stdout(), expected)
            })
            .await;
            tail.kill().await;
            continue;
        }
        let (is_success, answer) = call.run(&herald, &root()).await;
        assert!(is_success, "{call:?}: {answer}");
        // A page of one record has the newest.
        let expected = match call.is_limited_to_one() {
            true => "\"closing\"",
            false => expected,
        };
        assert!(has(&answer, expected), "{call:?}: {answer}");
    }
}

#[test]
fn the_page_has_a_command_for_every_call() {
    let commands = commands();
    let known: Vec<&str> = commands.iter().map(Call::method).collect();
    let mut calls = 0;
    for file in fs::read_dir(root().join("proto/herald/v1")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines() {
            let Some(call) = line.trim().strip_prefix("rpc ") else {
                continue;
            };
            let (method, _) = call.split_once('(').unwrap();
            let is_told = known.contains(&method) || WITHOUT_COMMAND.contains(&method);
            assert!(is_told, "docs/grpc.md does not tell of {method}");
            calls += 1;
        }
    }
    assert!(calls > 10);
}

#[tokio::test]
async fn production_tells_nobody_its_contract() {
    let herald = Installation::new().with("DEV_STAGE", "PRODUCTION");
    let _store = herald.store().await;
    for call in commands() {
        if !matches!(call.method(), "list" | "ListRecords") {
            continue;
        }
        let (is_success, answer) = call.run(&herald, &root()).await;
        assert_eq!(is_success, call.has_contract(), "{call:?}: {answer}");
    }
}

/// A Python with what tests/requirements.txt lists.
fn python() -> Python {
    let of_tests = root().join(".venv/bin/python");
    let candidates = [of_tests, PathBuf::from("python3")];
    let has_grpc = |python: &&PathBuf| {
        let imported = std::process::Command::new(python)
            .args(["-c", "import grpc_tools"])
            .output();
        imported.is_ok_and(|output| output.status.success())
    };
    let path = candidates.iter().find(has_grpc);
    Python {
        path: path
            .expect("a Python with grpcio-tools: `tests/run prepare`")
            .clone(),
        version: (3, 0),
    }
}

async fn ask(herald: &Installation, arguments: &[&str]) -> Vec<Value> {
    let address = address(herald);
    let arguments = [&[address.as_str()], arguments].concat();
    let answer = program::run(&python(), "grpc_query.py", &arguments, &[]).await;
    json_lines(&answer)
}

fn address(herald: &Installation) -> String {
    herald.store_url().replace("http://", "")
}

fn json_lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_client_in_python_asks_and_follows() {
    let herald = Installation::new();
    let some: Vec<Record> = (0..25).map(|number| numbered("c", number)).collect();
    let (mut store, _bridge) = with_records(&herald, &some).await;
    let mut listed = ask(&herald, &["list", "system:account", "--page", "7"]).await;
    listed.reverse();
    assert_eq!(arrived(&listed)["c"], 25);
    let exported = ask(&herald, &["export", "system:account"]).await;
    assert_eq!(exported, listed);
    let newest = ask(&herald, &["list", "\"record 24\"", "--most", "1"]).await;
    assert_eq!(newest[0]["id"], 25);
    let count = ask(&herald, &["count", "system:account"]).await;
    assert_eq!(count[0]["records"], 25, "{count:?}");
    assert_eq!(count[0]["systems"]["account"], 25, "{count:?}");

    let client = program::path("grpc_query.py");
    let client = client.to_str().unwrap();
    let arguments = [client, &address(&herald), "tail", "user_spec_1:load*"];
    let tail = Process::start(&python().path, arguments, herald.environment());
    let told = || whole_lines(&tail).len();
    // The first connection is for waking the tail; what counts comes after.
    let waking = Sender::start("loadwaking", herald.bridge_address(), 100);
    wait_until("the tail has begun", SOON, async || told() > 0).await;
    waking.stop().await;
    let sender = Sender::start("load", herald.bridge_address(), 300);
    for _ in 0..2 {
        let goal = told() + 100;
        wait_until("the tail goes on", SOON, async || told() > goal).await;
        store.kill().await;
        store = herald.store().await;
    }
    let sent = sender.stop().await;
    wait_until("all is told", SOON, async || {
        let lines = whole_lines(&tail);
        let counted = lines
            .into_iter()
            .filter(|record| record["user_spec_1"] == "load-00000");
        arrived(&counted.collect::<Vec<_>>()).get("load-00000") == sent.get("load-00000")
    })
    .await;
}

fn whole_lines(process: &Process) -> Vec<Value> {
    let text = process.stdout();
    json_lines(text.rfind('\n').map_or("", |end| &text[..end]))
}

#[tokio::test]
async fn a_client_in_python_is_told_what_is_wrong() {
    let herald = Installation::new();
    let _store = herald.store().await;
    let client = program::path("grpc_query.py");
    let arguments = [
        client.to_str().unwrap(),
        &address(&herald),
        "list",
        "level>=loud",
    ];
    let mut process = Process::start(&python().path, arguments, herald.environment());
    assert_eq!(process.end(SOON).await.code(), Some(1));
    let errors = process.stderr();
    assert!(errors.starts_with("INVALID_ARGUMENT: "), "{errors}");
    assert!(errors.contains("column 8"), "{errors}");
}
