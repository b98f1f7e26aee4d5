//! Programs with HeraldHandler (`clients/python`): whatever happens to the bridge, each
//! record is there once and in order. `HERALD_RESTARTS=200` restarts more often,
//! `HERALD_SEED` repeats a run.

#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use e2e::{api, chance::Chance, program};
use serde_json::Value;
use testkit::{
    Installation, Process,
    python::{self, Python},
    wait_until,
};

const SOON: Duration = Duration::from_mins(1);
/// How long a program may take.
const PATIENCE: Duration = Duration::from_mins(3);

fn client() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../clients/python"))
}

/// The Pythons that the handler is for.
fn pythons() -> Vec<Python> {
    let all = python::interpreters().into_iter();
    let found: Vec<Python> = all.filter(|it| it.version >= (3, 8)).collect();
    assert!(
        !found.is_empty(),
        "no CPython 3.8 or later: install python3"
    );
    found
}

fn port(herald: &Installation) -> String {
    let address = herald.bridge_address();
    address.split(':').nth(1).unwrap().to_owned()
}

/// Starts `acknowledged.py` in a mode, as the system of the same name.
fn start(herald: &Installation, python: &Path, mode: &str, count: u64) -> Process {
    let script = program::path("acknowledged.py").display().to_string();
    let (port, count) = (port(herald), count.to_string());
    let arguments = [&script, mode, "127.0.0.1", &port, mode, &count];
    let environment = [
        ("PYTHONPATH", client().display().to_string()),
        ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        // Newer ones warn of any fork beside threads.
        ("PYTHONWARNINGS", "ignore".to_owned()),
    ];
    Process::start(python, arguments, environment)
}

/// Waits for the program's end; what it has said last.
async fn end(program: &mut Process) -> Value {
    let status = program.end(PATIENCE).await;
    assert!(status.success(), "{status}: {}", program.stderr());
    assert_eq!(program.stderr(), "");
    let said = program.stdout();
    serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap()
}

async fn run(herald: &Installation, python: &Python, mode: &str, count: u64) -> Value {
    let mut program = start(herald, &python.path, mode, count);
    end(&mut program).await
}

fn texts(records: &[Value]) -> Vec<&str> {
    records.iter().map(|it| api::text(it, "message")).collect()
}

/// Each of the records of `acknowledged.py` is there once and in order.
async fn check_numbers(herald: &Installation, system: &str, count: u64) {
    let filters = format!("system_id={system}");
    let count = usize::try_from(count).unwrap();
    let found = api::exactly(&herald.web_url(), &filters, count, SOON).await;
    for (number, text) in texts(&found).iter().enumerate() {
        assert_eq!(*text, format!("record {number}"));
    }
}

#[tokio::test]
async fn a_bridge_that_is_killed_and_stopped_all_the_time_loses_and_doubles_nothing() {
    const COUNT: u64 = 20_000;
    let restarts = env::var("HERALD_RESTARTS").map_or(15, |it| it.parse().unwrap());
    let mut chance = Chance::from_environment();
    // Small segments, so that kills meet their beginnings and ends too.
    let herald = Installation::new().with("BRIDGE_SEGMENT_BYTES", "256KiB");
    let _store = herald.store().await;
    let _web = herald.web().await;
    let mut program = start(&herald, &python::newest().path, "steady", COUNT);
    let mut restarted = 0;
    while restarted < restarts && program.is_running() {
        let mut bridge = herald.bridge().await;
        let moment = chance.time(Duration::ZERO, Duration::from_millis(600));
        let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
        match restarted % 3 {
            2 => {
                bridge.terminate();
                assert!(bridge.end(SOON).await.success(), "{}", bridge.stderr());
            }
            _ => bridge.kill().await,
        }
        restarted += 1;
    }
    assert!(restarted > 5, "{restarted} restarts only");
    let _bridge = herald.bridge().await;
    let said = end(&mut program).await;
    assert_eq!(said["flushed"], true, "{said}");
    assert_eq!(said["dropped"], 0, "{said}");
    check_numbers(&herald, "steady", COUNT).await;
    let status = api::status(&herald.web_url()).await;
    assert_eq!(status["records"], COUNT, "{status}");
    assert_eq!(status["lost"], 0, "{status}");
    assert_eq!(status["dead_letters"], 0, "{status}");
}

#[tokio::test]
async fn a_full_spool_makes_the_program_wait_and_drops_nothing() {
    const COUNT: u64 = 20_000;
    let herald = Installation::new()
        .with("BRIDGE_SPOOL_MAX_BYTES", "1MiB")
        .with("BRIDGE_SEGMENT_BYTES", "256KiB");
    let bridge = herald.bridge().await;
    let mut program = start(&herald, &python::newest().path, "flood", COUNT);
    wait_until("the spool is full", SOON, async || {
        bridge.stderr().contains("the spool is full") || bridge.stdout().contains("is full")
    })
    .await;
    assert!(program.is_running(), "{}", program.stderr());
    let _store = herald.store().await;
    let _web = herald.web().await;
    let said = end(&mut program).await;
    assert_eq!(said["flushed"], true, "{said}");
    assert_eq!(said["dropped"], 0, "{said}");
    check_numbers(&herald, "flood", COUNT).await;
    let all = api::all(&herald.web_url(), "").await;
    assert!(!texts(&all).iter().any(|text| text.contains("dropped")));
}

#[tokio::test]
async fn without_a_bridge_records_wait_and_what_finds_no_place_is_told() {
    let herald = Installation::new();
    let python = python::newest();
    let mut early = start(&herald, &python.path, "early", 5_000);
    let mut drops = start(&herald, &python.path, "drops", 5_000);
    for program in [&early, &drops] {
        wait_until("it has logged", SOON, async || {
            program.stdout().contains("logged")
        })
        .await;
    }
    let _up = herald.up().await;
    let said = end(&mut early).await;
    assert_eq!(said["flushed"], true, "{said}");
    check_numbers(&herald, "early", 5_000).await;

    let said = end(&mut drops).await;
    assert_eq!(
        (&said["flushed"], &said["dropped"]),
        (&true.into(), &4_900.into())
    );
    let found = api::exactly(&herald.web_url(), "system_id=drops", 101, SOON).await;
    let told = found.last().unwrap();
    let text = api::text(told, "message");
    assert!(text.starts_with("4900 records were dropped"), "{text}");
    assert_eq!(told["extra"]["dropped_records"], 4_900);
    assert_eq!(told["level_name"], "WARNING");
}

#[tokio::test]
async fn every_python_forks_runs_threads_and_configures_handlers() {
    const COUNT: u64 = 50;
    for python in pythons() {
        let herald = Installation::new();
        let _up = herald.up().await;
        let who = python.path.display().to_string();
        let said = run(&herald, &python, "fork", COUNT).await;
        assert_eq!(said["flushed"], true, "{said} {who}");
        assert_eq!(said["statuses"], serde_json::json!([0, 0, 0]), "{who}");
        let found = api::exactly(&herald.web_url(), "system_id=fork", 350, SOON).await;
        for name in [
            "parent", "child 0", "child 1", "child 2", "worker 0", "worker 1", "again",
        ] {
            let of_name = |text: &&&str| text.starts_with(name);
            let texts: Vec<&str> = texts(&found).iter().filter(of_name).copied().collect();
            let expected: Vec<String> = (0..COUNT).map(|it| format!("{name} {it}")).collect();
            assert_eq!(texts, expected, "{who}");
        }

        // Two of the nested records, and one that tells of the third.
        let said = run(&herald, &python, "threads", COUNT).await;
        assert_eq!(
            (&said["flushed"], &said["dropped"]),
            (&true.into(), &1.into())
        );
        let count = 8 * 50 + 1 + 2 + 1;
        api::exactly(&herald.web_url(), "system_id=threads", count, SOON).await;

        let folder = tempfile::tempdir().unwrap();
        let script = program::path("acknowledged.py").display().to_string();
        let port = port(&herald);
        let arguments = [
            "-c",
            CHANGE_FOLDER,
            &script,
            "configured",
            "127.0.0.1",
            &port,
            "own",
        ];
        let environment = [
            ("PYTHONPATH", client().display().to_string()),
            ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
            ("FOLDER", folder.path().display().to_string()),
        ];
        let mut program = Process::start(&python.path, arguments, environment);
        let said = end(&mut program).await;
        assert_eq!(
            said["handlers"],
            serde_json::json!(["HeraldHandler"]),
            "{who}"
        );
        let found = api::exactly(&herald.web_url(), "system_id=own", 3, SOON).await;
        let mut texts = texts(&found);
        texts.sort_unstable();
        assert_eq!(
            texts,
            ["adopted", "by dictConfig", "by fileConfig"],
            "{who}"
        );
    }
}

const CHANGE_FOLDER: &str = "import os, runpy, sys\n\
    os.chdir(os.environ['FOLDER'])\n\
    sys.argv[0:1] = []\n\
    runpy.run_path(sys.argv[0], run_name='__main__')\n";

#[tokio::test]
async fn what_is_logged_is_what_the_api_says() {
    let herald = Installation::new();
    let _up = herald.up().await;
    let port = port(&herald);
    for (number, python) in pythons().iter().enumerate() {
        let system = format!("everything-{number}");
        let expected = herald.folder().join(format!("{system}.json"));
        let file = expected.display().to_string();
        let arguments = ["everything", "127.0.0.1", &port, &system, &file];
        let path = client().display().to_string();
        program::run(
            python,
            "acknowledged.py",
            &arguments,
            &[("PYTHONPATH", &path)],
        )
        .await;
        let expected: Vec<Value> = serde_json::from_slice(&fs::read(&expected).unwrap()).unwrap();
        let filters = format!("system_id={system}");
        let found = api::exactly(&herald.web_url(), &filters, expected.len(), SOON).await;
        for (found, expected) in found.iter().zip(&expected) {
            for (field, value) in expected.as_object().unwrap() {
                if field != "extra" {
                    assert_eq!(&found[field], value, "{field} of {found}");
                }
            }
            // What JSON has no form for is its repr; all else is as it was.
            let keys = |record: &Value| -> Vec<String> {
                let extra = record["extra"].as_object();
                extra
                    .into_iter()
                    .flat_map(|it| it.keys().cloned())
                    .collect()
            };
            assert_eq!(
                keys(found).len(),
                keys(expected).len(),
                "{found}\n{expected}"
            );
            for key in [
                "a_list",
                "a_dict",
                "a_datetime",
                "a_decimal",
                "a_uuid",
                "bytes",
            ] {
                assert_eq!(found["extra"][key], expected["extra"][key], "{key}");
            }
            if let Some(object) = found["extra"]["an_object"].as_str() {
                assert!(object.contains("Basket object at 0x"), "{object}");
            }
        }
    }
}

#[tokio::test]
async fn it_installs_without_a_network() {
    let herald = Installation::new();
    let _up = herald.up().await;
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    for name in ["pyproject.toml", "README.md", "herald_logging.py"] {
        fs::copy(client().join(name), source.join(name)).unwrap();
    }
    let builder = python::complete();
    let run = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
    };
    let pip = ["-m", "pip", "--disable-pip-version-check"];
    let offline = ["--quiet", "--no-index", "--no-deps"];
    let wheel = [
        "wheel",
        "--no-build-isolation",
        "--wheel-dir",
        "wheels",
        "./source",
    ];
    run(&builder, &[&pip[..], &wheel, &offline].concat());
    run(&builder, &["-m", "venv", "new"]);
    let python = folder.path().join("new/bin/python");
    let install = ["install", "--find-links", "wheels", "herald-logging"];
    run(&python, &[&pip[..], &install, &offline].concat());

    let script = program::path("acknowledged.py").display().to_string();
    let port = port(&herald);
    let arguments = [&script, "early", "127.0.0.1", &port, "installed", "10"];
    let mut program = Process::start(&python, arguments, [("PYTHONDONTWRITEBYTECODE", "1")]);
    let said = end(&mut program).await;
    assert_eq!(said["flushed"], true, "{said}");
    check_numbers(&herald, "installed", 10).await;
}
