//! The command line shows records: query, context, tail, verify.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{collections::BTreeMap, path::Path, process::Command, time::Duration};

use domain::Record;
use e2e::{
    account::{arrived, numbered},
    api,
    command::{fail, shell, succeed},
    sender::{Sender, send},
};
use serde_json::Value;
use testkit::{Installation, Process, python, wait_until};

const SOON: Duration = Duration::from_secs(60);

/// A running Herald with these records.
async fn with(records: &[Record]) -> (Installation, Process) {
    let herald = Installation::new();
    let up = herald.up().await;
    send(&herald.bridge_address(), records).await;
    api::exactly(&herald.web_url(), "", records.len(), SOON).await;
    (herald, up)
}

fn record(message: &str, level: i32) -> Record {
    Record {
        message: message.to_owned(),
        level,
        level_name: String::new(),
        system_id: "shop".to_owned(),
        sub_system_id: "web01".to_owned(),
        ..testkit::record(1)
    }
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_query_is_answered_in_every_form() {
    let hostile = Record {
        exception: "Traceback:\n  File\nValueError: \x1b[2Jboom".to_owned(),
        ..record("\x1b]0;owned\x07disk full\nERROR fake", 40)
    };
    let (herald, _up) = with(&[record("tape full", 20), hostile, record("=1+1", 30)]).await;
    let query =
        async |arguments: &[&str]| succeed(&herald, &[&["query"], arguments].concat()).await;

    let table = query(&["full", "--color", "never"]).await;
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].ends_with("Z ERROR    shop/web01 #2 ␛]0;owned␇disk full"),
        "{table}"
    );
    let below = ["    ERROR fake", "    Traceback:", "      File"];
    assert_eq!(lines[1..4], below, "{table}");
    assert_eq!(lines[4], "    ValueError: ␛[2Jboom");
    assert!(
        lines[5].ends_with("Z INFO     shop/web01 #1 tape full"),
        "{table}"
    );
    assert_eq!(lines.len(), 6, "{table}");
    let painted = query(&["full", "--color", "always"]).await;
    assert!(
        painted.contains("tape \x1b[30;43mfull\x1b[0m\n"),
        "{painted:?}"
    );

    let found = json_lines(&query(&["--order", "oldest", "--format", "ndjson"]).await);
    assert_eq!(found, api::all(&herald.web_url(), "").await);
    let some = [
        "--fields",
        "message,id",
        "--format",
        "ndjson",
        "-l",
        "error",
    ];
    let expected = "{\"message\":\"\\u001b]0;owned\\u0007disk full\\nERROR fake\",\"id\":2}\n";
    assert_eq!(query(&some).await, expected);
    let csv = query(&["-n", "1", "--format", "csv", "--fields", "id,level,message"]).await;
    assert_eq!(csv, "id,level,message\r\n3,30,'=1+1\r\n");
    let long = query(&["id:1", "--format", "long"]).await;
    assert!(long.contains("\nsystem_id: shop\n"), "{long}");

    for limit in ["0", "50", "1"] {
        let found = json_lines(&query(&["-n", limit, "-f", "ndjson", "level<40"]).await);
        let ids: Vec<_> = found.iter().map(|record| record["id"].clone()).collect();
        let expected: &[i32] = if limit == "1" { &[3] } else { &[3, 1] };
        assert_eq!(ids, expected, "--limit {limit}");
    }
    let ids = async |arguments: &[&str]| {
        let answer = query(&[&["--fields", "id"], arguments].concat()).await;
        answer.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(&["--before", "3"]).await, "2 1");
    assert_eq!(ids(&["--after", "1", "--order", "oldest"]).await, "2 3");
    assert_eq!(ids(&["--since", "1h"]).await, "3 2 1");
    assert_eq!(ids(&["--until", "-1h"]).await, "");
    assert_eq!(ids(&["-n", "0", "--until", "1h"]).await, "");
    assert_eq!(ids(&["--", "-full"]).await, "3");
}

#[tokio::test]
async fn a_wrong_query_is_shown_where_it_is_wrong() {
    let herald = Installation::new();
    let drawing = "  disk level>=loud\n              ^^^^\nhint: ";
    for command in ["query", "tail"] {
        fail(&herald, &[command, "disk", "level>=loud"], 2, drawing).await;
        fail(&herald, &[command, "--level", "loud"], 2, "loud").await;
        fail(
            &herald,
            &[command, "--since", "soon"],
            2,
            "`soon` is no time",
        )
        .await;
        fail(&herald, &[command, "--fields", "mesage"], 2, "message").await;
        fail(&herald, &[command, "disk"], 1, "no store answers").await;
    }
    fail(&herald, &["context", "x"], 2, "x").await;
    fail(&herald, &["context", "0"], 2, "0").await;
    fail(&herald, &["context", "1"], 1, "no store answers").await;
    fail(&herald, &["verify"], 1, "no store answers").await;
}

#[tokio::test]
async fn a_record_is_shown_between_its_neighbours() {
    let of = |system: &str, number: u64| Record {
        system_id: system.to_owned(),
        ..numbered("c", number)
    };
    let records = [of("a", 0), of("b", 1), of("a", 2), of("b", 3), of("a", 4)];
    let (herald, _up) = with(&records).await;
    let ids = async |arguments: &[&str]| {
        let arguments = [&["context", "3", "--fields", "id"], arguments].concat();
        succeed(&herald, &arguments).await
    };
    assert_eq!(ids(&[]).await, "  1\n  2\n> 3\n  4\n  5\n");
    assert_eq!(ids(&["--before", "1", "--after", "0"]).await, "  2\n> 3\n");
    assert_eq!(ids(&["--scope", "system"]).await, "  1\n> 3\n  5\n");
    assert_eq!(
        ids(&["--format", "csv", "--after", "0"]).await,
        "id\r\n1\r\n2\r\n3\r\n"
    );
    fail(&herald, &["context", "6"], 1, "there is no record 6").await;
}

/// A reader that has had enough ends a command quietly, whether it is writing
/// or waits for records.
#[tokio::test]
async fn a_reader_may_leave() {
    let records: Vec<Record> = (0..3_000).map(|number| numbered("c", number)).collect();
    let (herald, _up) = with(&records).await;
    let folder = tempfile::tempdir().unwrap();
    for command in [
        "query -n 0 -f ndjson",
        "query -n 3000",
        "tail -n 3000",
        "tail",
    ] {
        let script = format!("{{ \"$0\" {command}; echo $? > code; }} | head -1");
        let answer = shell(&herald, &script, folder.path());
        assert_eq!(answer.lines().count(), 1, "{command}: {answer}");
        let code = std::fs::read_to_string(folder.path().join("code")).unwrap();
        assert_eq!(code, "0\n", "{command}");
    }
}

fn told(tail: &Process) -> BTreeMap<String, u64> {
    let text = tail.stdout();
    // The last line may be half written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    arrived(&json_lines(whole))
}

async fn interrupt(mut tail: Process) -> String {
    tail.interrupt();
    let status = tail.end(SOON).await;
    assert!(status.success(), "{status}: {}", tail.stderr());
    tail.stderr()
}

#[tokio::test]
async fn a_tail_goes_on_where_it_was_cut() {
    let herald = Installation::new();
    let mut store = herald.store().await;
    let _bridge = herald.bridge().await;
    let sender = Sender::start("load", herald.bridge_address(), 500);
    wait_until("there are records", SOON, async || sender.sent() > 100).await;
    let arguments = ["tail", "system:account", "-f", "ndjson", "--since", "1h"];
    let tail = herald.start("herald", &arguments);
    let count = || told(&tail).get("load-00000").copied().unwrap_or(0);
    for round in 0..3 {
        let goal = count() + 300;
        wait_until("the tail goes on", SOON, async || count() > goal).await;
        if round == 2 {
            break;
        }
        if round == 0 {
            store.kill().await;
        } else {
            store.terminate();
            store.end(SOON).await;
        }
        let gone = "is gone; reconnecting";
        wait_until("the tail has noticed", SOON, async || {
            tail.stderr().matches(gone).count() == round + 1
        })
        .await;
        store = herald.store().await;
    }
    let sent = sender.stop().await;
    wait_until("all is told", SOON, async || told(&tail) == sent).await;
    let errors = interrupt(tail).await;
    assert_eq!(errors.matches("following again").count(), 2, "{errors}");
}

/// Nothing had been told yet that a tail could go on from.
#[tokio::test]
async fn a_tail_of_an_empty_store_misses_nothing_either() {
    let herald = Installation::new();
    let mut store = herald.store().await;
    let tail = herald.start("herald", &["tail", "-f", "csv", "--fields", "message"]);
    wait_until("the tail has begun", SOON, async || {
        !tail.stdout().is_empty()
    })
    .await;
    store.kill().await;
    let bridge = herald.bridge().await;
    let records: Vec<Record> = (0..20).map(|number| numbered("c", number)).collect();
    send(&herald.bridge_address(), &records).await;
    let _store = herald.store().await;
    let expected: String = (0..20)
        .map(|number| format!("record {number}\r\n"))
        .collect();
    let expected = format!("message\r\n{expected}");
    wait_until("all is told", SOON, async || {
        tail.stdout().len() >= expected.len()
    })
    .await;
    assert_eq!(tail.stdout().replace('"', ""), expected);
    interrupt(tail).await;
    drop(bridge);
}

/// Changes one byte of a block, as a dying disk does.
fn damage(database: &Path) {
    let script = "import sqlite3, sys\n\
        database = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
        row, data = database.execute('SELECT id, data FROM block_part \
        ORDER BY length(data) DESC').fetchone()\n\
        data = bytearray(data)\n\
        data[len(data) // 2] ^= 1\n\
        database.execute('UPDATE block_part SET data = ? WHERE id = ?', (bytes(data), row))\n";
    let output = Command::new(python::newest().path)
        .args(["-c", script])
        .arg(database)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

#[tokio::test]
async fn damage_is_found() {
    let records: Vec<Record> = (0..500).map(|number| numbered("c", number)).collect();
    let (herald, mut up) = with(&records).await;
    let copy = herald.folder().join("copy.sqlite");
    let copy = copy.to_str().unwrap();
    let whole = succeed(&herald, &["verify"]).await;
    assert!(whole.contains("500 records: all whole"), "{whole}");
    succeed(&herald, &["backup", copy]).await;
    let whole = succeed(&herald, &["verify", copy]).await;
    assert!(whole.contains("500 records: all whole"), "{whole}");
    let json = succeed(&herald, &["verify", "--format", "json", copy]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["records"], &json["problems"]),
        (&500.into(), &Value::Array(vec![]))
    );
    let database = herald.database();
    let database = database.to_str().unwrap();
    fail(&herald, &["verify", database], 1, "in use").await;
    fail(&herald, &["verify", "nowhere"], 1, "`nowhere`").await;

    damage(Path::new(copy));
    let found = fail(&herald, &["verify", copy], 1, "damage found (1)").await;
    assert!(
        found.starts_with("records ") && found.lines().count() == 1,
        "{found}"
    );
    let json = fail(&herald, &["verify", "--format", "json", copy], 1, "cannot").await;
    let json: Value = serde_json::from_str(&json).unwrap();
    let lost = json["problems"][0]["records"].as_u64().unwrap();
    assert_eq!(json["records"], 500 - lost, "{json}");

    up.terminate();
    up.end(SOON).await;
    std::fs::copy(copy, herald.database()).unwrap();
    let _up = herald.up().await;
    let found = fail(&herald, &["verify"], 1, "damage found (1)").await;
    assert!(found.starts_with("records "), "{found}");
    let arguments = ["query", "-n", "0", "--fields", "id"];
    // The first one finds out, the second one knows.
    for _ in 0..2 {
        let mut query = herald.start("herald", &arguments);
        assert!(query.end(SOON).await.success());
        assert_eq!(query.stdout().lines().count() as u64, 500 - lost);
        let noted = format!("{lost} records in this range could not be read");
        assert!(query.stderr().contains(&noted), "{}", query.stderr());
    }
}
