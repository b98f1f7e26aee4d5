//! docs/query.md is right: its examples find what it says, its errors are
//! these, and it names every field and limit.

use domain::{NumberField, Record, TextField};
use serde_json::Value;

use crate::{
    MAX_BYTES, MAX_CONDITIONS, MAX_DEPTH, MAX_PATH_BYTES, MAX_PATTERNS, name::ALIASES, parse,
    print, time,
};

const DOCUMENT: &str = include_str!("../../../../../docs/query.md");

/// 2026-11-23T12:00:00Z
const NOW: i64 = 1_795_435_200_000_000;

/// From a heading to the next one.
fn section(heading: &str) -> &'static str {
    let start = DOCUMENT.find(&format!("\n## {heading}\n")).unwrap() + 1;
    let section = &DOCUMENT[start..];
    let end = section.find("\n## ").unwrap_or(section.len());
    &section[..end]
}

/// The queries of the section's table, each with the column beside it.
fn rows(heading: &str) -> Vec<(&'static str, &'static str)> {
    let row = |line: &'static str| {
        let (query, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((query, rest.split(" |").next()?))
    };
    section(heading).lines().filter_map(row).collect()
}

fn record(line: &str) -> Record {
    let fields: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
    let mut record = Record::default();
    for (name, value) in fields {
        let text = value.as_str().unwrap_or_default().to_owned();
        let number = value.as_i64().unwrap_or_default();
        match &*name {
            "id" => record.id = number.cast_unsigned(),
            "created" => record.created_us = time::parse(&text, 0).unwrap(),
            "level" => record.level = number.try_into().unwrap(),
            "line" => record.line = number,
            "system_id" => record.system_id = text,
            "module" => record.module = text,
            "function" => record.function = text,
            "path" => record.path = text,
            "logger" => record.logger = text,
            "message" => record.message = text,
            "exception" => record.exception = text,
            "extra" => record.extra = value.to_string(),
            name => panic!("no field {name}"),
        }
    }
    record
}

#[test]
fn each_example_finds_what_it_says() {
    let lines = section("Examples").lines();
    let records: Vec<Record> = lines
        .filter(|line| line.starts_with('{'))
        .map(record)
        .collect();
    let rows = rows("Examples");
    assert!(records.len() == 5 && rows.len() > 80, "{}", rows.len());
    for (query, expected) in rows {
        let condition = parse(query, NOW)
            .map_err(|error| error.to_string())
            .unwrap();
        let printed = print(&condition);
        let again = parse(&printed, 0).unwrap();
        let found = records.iter().filter(|record| {
            assert_eq!(
                again.matches(record),
                condition.matches(record),
                "{printed}"
            );
            condition.matches(record)
        });
        let found: Vec<String> = found.map(|record| record.id.to_string()).collect();
        let found = if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(" ")
        };
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn each_error_is_the_one_it_names() {
    let rows = rows("What is refused");
    assert!(rows.len() > 10);
    for (query, expected) in rows {
        let error = parse(query, NOW).unwrap_err();
        assert_eq!(error.message, expected, "{query}");
    }
}

#[test]
fn it_names_every_field_and_limit() {
    let texts = TextField::ALL.into_iter().map(TextField::name);
    let numbers = NumberField::ALL.into_iter().map(NumberField::name);
    let aliases = ALIASES.into_iter().map(|(alias, _)| alias);
    for name in texts.chain(numbers).chain(aliases) {
        assert!(section("Fields").contains(&format!("`{name}`")), "{name}");
    }
    let limits = section("What is refused").replace('\n', " ");
    for limit in [
        format!("{MAX_BYTES} bytes"),
        format!("{MAX_CONDITIONS} words"),
        format!("{MAX_PATTERNS} patterns"),
        format!("{MAX_DEPTH} parentheses"),
        format!("{MAX_PATH_BYTES} bytes of keys"),
    ] {
        assert!(limits.contains(&limit), "{limit}");
    }
}
