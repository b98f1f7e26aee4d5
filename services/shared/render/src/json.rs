//! A record as JSON.

use domain::Record;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::rfc3339;

/// A record as JSON on one line, without its end.
#[must_use]
pub fn json_line(record: &Record) -> String {
    let json = serde_json::to_string(&JsonRecord::new(record)).expect("the view has text keys");
    if !json.contains(['\n', '\r']) {
        return json;
    }
    // Inside of JSON's strings there are none: these lie between the values of `extra`.
    json.replace(['\n', '\r'], " ")
}

/// A record under the names of the HTTP API, all of them always there; `extra`
/// digit for digit as it was sent, null for none.
#[derive(Debug, Serialize)]
pub struct JsonRecord<'a> {
    id: u64,
    received_at: String,
    created: String,
    level: i32,
    level_name: &'a str,
    logger: &'a str,
    message: &'a str,
    system_id: &'a str,
    sub_system_id: &'a str,
    sub_sub_system_id: &'a str,
    produkt_id: &'a str,
    user_spec_1: &'a str,
    user_spec_2: &'a str,
    package_version: &'a str,
    api_version: &'a str,
    module: &'a str,
    function: &'a str,
    path: &'a str,
    line: i64,
    process: i64,
    process_name: &'a str,
    thread: i64,
    thread_name: &'a str,
    exception: &'a str,
    stack: &'a str,
    peer: &'a str,
    extra: Option<Extra<'a>>,
}

/// What is no valid JSON, which no store of ours gives out, becomes a text.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Extra<'a> {
    Json(&'a RawValue),
    Text(&'a str),
}

impl<'a> JsonRecord<'a> {
    /// The record's view.
    #[must_use]
    pub fn new(record: &'a Record) -> Self {
        Self {
            id: record.id,
            received_at: rfc3339(record.received_us),
            created: rfc3339(record.created_us),
            level: record.level,
            level_name: &record.level_name,
            logger: &record.logger,
            message: &record.message,
            system_id: &record.system_id,
            sub_system_id: &record.sub_system_id,
            sub_sub_system_id: &record.sub_sub_system_id,
            produkt_id: &record.produkt_id,
            user_spec_1: &record.user_spec_1,
            user_spec_2: &record.user_spec_2,
            package_version: &record.package_version,
            api_version: &record.api_version,
            module: &record.module,
            function: &record.function,
            path: &record.path,
            line: record.line,
            process: record.process,
            process_name: &record.process_name,
            thread: record.thread,
            thread_name: &record.thread_name,
            exception: &record.exception,
            stack: &record.stack,
            peer: &record.peer,
            extra: extra(&record.extra),
        }
    }
}

fn extra(text: &str) -> Option<Extra<'_>> {
    if text.is_empty() {
        return None;
    }
    Some(serde_json::from_str(text).map_or(Extra::Text(text), Extra::Json))
}

#[cfg(test)]
mod tests {
    use super::{JsonRecord, json_line};
    use crate::csv;

    #[test]
    fn the_names_are_those_of_the_columns() {
        let record = testkit::record(1);
        let json = serde_json::to_string(&JsonRecord::new(&record)).unwrap();
        let mut rest = json.as_str();
        for name in csv::COLUMNS {
            let (_, after) = rest
                .split_once(&format!("\"{name}\":"))
                .unwrap_or_else(|| panic!("no {name} in {rest}"));
            rest = after;
        }
    }

    #[test]
    fn extra_is_given_as_it_was_sent() {
        let check = |extra: &str, expected: &str| {
            let record = domain::Record {
                extra: extra.to_owned(),
                ..domain::Record::default()
            };
            let json = serde_json::to_string(&JsonRecord::new(&record)).unwrap();
            let (_, found) = json.split_once("\"extra\":").expect("an extra");
            assert_eq!(found, format!("{expected}}}"));
        };
        check("", "null");
        check(
            r#"{"a":12345678901234567890.10}"#,
            r#"{"a":12345678901234567890.10}"#,
        );
        check("{\"a\":\n1}", "{\"a\":\n1}");
        check("no json", "\"no json\"");
    }

    #[test]
    fn a_line_is_one_line() {
        let record = domain::Record {
            message: "two\nlines".to_owned(),
            extra: "{\"a\":\r\n1}".to_owned(),
            ..domain::Record::default()
        };
        let line = json_line(&record);
        assert!(!line.contains(['\n', '\r']), "{line}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["message"], "two\nlines");
        assert_eq!(value["extra"]["a"], 1);
    }
}
