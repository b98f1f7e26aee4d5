//! What CPython's own picklers write is read as it was meant: every Python on
//! this machine pickles fixed and random values and real log records with every
//! protocol it has, and says itself what they must become.
//!
//! The random values follow `HERALD_SEED` (printed when a case fails).

mod interpreters;

use std::{io::Read, process::Stdio};

use bridge::{decode::decode, frame::FrameKind};
use domain::{Entry, Record};
use interpreters::Interpreter;
use serde_json::{Map, Value};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pickle_cpython/emit.py");
const RANDOM_VALUES: &str = "300";
const SEED: &str = "20261123";

#[test]
fn what_every_cpython_pickles_is_read_as_meant() {
    let seed = std::env::var("HERALD_SEED").unwrap_or_else(|_| SEED.to_owned());
    let interpreters = interpreters::found();
    assert!(!interpreters.is_empty(), "no Python on this machine");
    let mut failures = Vec::new();
    for interpreter in interpreters {
        let cases = run(&interpreter, &seed);
        assert!(cases.len() > 2_000, "only {} cases", cases.len());
        let wrong: Vec<String> = cases.iter().filter_map(check).collect();
        let version = interpreter.version;
        println!("Python {version}: {} of {} fail", wrong.len(), cases.len());
        failures.extend(
            wrong
                .iter()
                .take(10)
                .map(|text| format!("{version}: {text}")),
        );
    }
    assert!(
        failures.is_empty(),
        "HERALD_SEED={seed}:\n{}",
        failures.join("\n")
    );
}

struct Case {
    frame: Vec<u8>,
    label: String,
    fields: Map<String, Value>,
}

fn run(interpreter: &Interpreter, seed: &str) -> Vec<Case> {
    let mut child = interpreter
        .command(&[SCRIPT, seed, RANDOM_VALUES])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the interpreter starts");
    let mut output = Vec::new();
    child
        .stdout
        .take()
        .expect("it is piped")
        .read_to_end(&mut output)
        .expect("the interpreter writes");
    assert!(
        child.wait().expect("it ends").success(),
        "{} fails",
        interpreter.version
    );
    let mut rest = output.as_slice();
    let mut cases = Vec::new();
    while !rest.is_empty() {
        let frame = take(&mut rest).to_vec();
        let mut expected: Value = serde_json::from_slice(take(&mut rest)).expect("JSON");
        let Value::Object(fields) = expected["fields"].take() else {
            panic!("no fields")
        };
        let label = expected["label"].to_string();
        cases.push(Case {
            frame,
            label,
            fields,
        });
    }
    cases
}

fn take<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let (length, after) = rest.split_first_chunk().expect("a length");
    let (part, after) = after.split_at(u32::from_be_bytes(*length) as usize);
    *rest = after;
    part
}

/// What is wrong about the case, if anything.
fn check(case: &Case) -> Option<String> {
    let entry = decode(FrameKind::Pickle, &case.frame, 7, "10.0.0.1:5000");
    let record = match entry {
        Entry::Record(record) => fields(&record),
        other => return Some(format!("{}: {other:?}", case.label)),
    };
    let wrong = case
        .fields
        .iter()
        .find(|(name, expected)| !is_as(&record[name.as_str()], expected));
    wrong.map(|(name, expected)| {
        let found = record[name.as_str()].to_string();
        let expected = expected.to_string();
        let short = |text: &str| text.chars().take(300).collect::<String>();
        format!(
            "{}: {name} is {} instead of {}",
            case.label,
            short(&found),
            short(&expected)
        )
    })
}

/// Whether a value is the expected one, or one of those that may be.
fn is_as(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (_, Value::Object(members)) if members.contains_key("one of") => members["one of"]
            .as_array()
            .is_some_and(|choices| choices.contains(found)),
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && expected
                    .iter()
                    .all(|(key, value)| found.get(key).is_some_and(|found| is_as(found, value)))
        }
        _ => found == expected,
    }
}

fn fields(record: &Record) -> Value {
    let extra: Value = match record.extra.as_str() {
        "" => Value::Object(Map::new()),
        text => serde_json::from_str(text).expect("extra is JSON"),
    };
    serde_json::json!({
        "received_us": record.received_us,
        "created_us": record.created_us,
        "level": record.level,
        "level_name": record.level_name,
        "logger": record.logger,
        "message": record.message,
        "system_id": record.system_id,
        "sub_system_id": record.sub_system_id,
        "sub_sub_system_id": record.sub_sub_system_id,
        "produkt_id": record.produkt_id,
        "user_spec_1": record.user_spec_1,
        "user_spec_2": record.user_spec_2,
        "package_version": record.package_version,
        "api_version": record.api_version,
        "module": record.module,
        "function": record.function,
        "path": record.path,
        "line": record.line,
        "process": record.process,
        "process_name": record.process_name,
        "thread": record.thread,
        "thread_name": record.thread_name,
        "exception": record.exception,
        "stack": record.stack,
        "peer": record.peer,
        "extra": extra,
    })
}
