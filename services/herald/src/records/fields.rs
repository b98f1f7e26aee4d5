//! Some of a record's fields instead of all.

use std::collections::HashMap;

use domain::{NumberField, Record, TextField};
use render::{csv, rfc3339, terminal};
use serde_json::value::RawValue;

/// Names of fields as the API has them, in the order asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) Vec<String>);

impl Fields {
    /// Appends their values on one inert line.
    pub(crate) fn write_line(&self, out: &mut String, record: &Record) {
        let values = self.0.iter().map(|name| value(record, name));
        out.push_str(&values.collect::<Vec<_>>().join("  "));
        out.push('\n');
    }

    /// Appends a JSON object of them on one line; each value as the whole
    /// record's object has it.
    pub(crate) fn write_json(&self, out: &mut String, record: &Record) {
        let whole = render::json_line(record);
        let values: HashMap<&str, &RawValue> =
            serde_json::from_str(&whole).expect("a record's view is an object");
        let members = self.0.iter().filter_map(|name| {
            let value = values.get(name.as_str())?;
            Some(format!("\"{name}\":{value}"))
        });
        out.push_str(&format!("{{{}}}\n", members.collect::<Vec<_>>().join(",")));
    }

    /// The names as the first row of CSV.
    pub(crate) fn csv_header(&self) -> String {
        format!("{}\r\n", self.0.join(","))
    }

    /// Appends their cells as a row of CSV.
    pub(crate) fn write_csv(&self, out: &mut String, record: &Record) {
        let mut row = String::new();
        csv::write_row(&mut row, record);
        let cells = cells(row.trim_end_matches("\r\n"));
        let picked = self.0.iter().map(|name| {
            let column = csv::COLUMNS.iter().position(|column| column == name);
            column.and_then(|column| cells.get(column)).copied()
        });
        let picked: Vec<&str> = picked.map(Option::unwrap_or_default).collect();
        out.push_str(&picked.join(","));
        out.push_str("\r\n");
    }
}

fn value(record: &Record, name: &str) -> String {
    if let Some(field) = NumberField::named(name) {
        let number = field.of(record);
        return match field.is_time() {
            true => rfc3339(number),
            false => number.to_string(),
        };
    }
    match TextField::named(name) {
        Some(field) => terminal::one_line(&field.of(record)).into_owned(),
        None => terminal::one_line(&record.extra).into_owned(),
    }
}

/// The cells of a row, with their quotes.
fn cells(row: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let is_end = |c: char| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    };
    row.split(is_end).collect()
}

#[cfg(test)]
mod tests {
    use domain::Record;
    use render::csv;

    use super::{Fields, cells};

    fn fields(names: &[&str]) -> Fields {
        Fields(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn record() -> Record {
        Record {
            id: 7,
            message: "=a, \"b\"\n\x1b[2J".to_owned(),
            extra: r#"{"big":12345678901234567890.10,"a":","}"#.to_owned(),
            ..testkit::record(3)
        }
    }

    #[test]
    fn some_fields_are_as_in_the_whole_record() {
        let names = ["extra", "id", "message", "level", "created"];
        let mut out = String::new();
        fields(&names).write_json(&mut out, &record());
        assert_eq!(
            out,
            "{\"extra\":{\"big\":12345678901234567890.10,\"a\":\",\"},\"id\":7,\
             \"message\":\"=a, \\\"b\\\"\\n\\u001b[2J\",\"level\":40,\
             \"created\":\"2023-11-14T22:13:20.003000Z\"}\n"
        );
        let mut out = String::new();
        fields(&["id", "message", "level"]).write_csv(&mut out, &record());
        assert_eq!(out, "7,\"'=a, \"\"b\"\"\n␛[2J\",40\r\n");
        let mut out = String::new();
        fields(&["id", "message", "created"]).write_line(&mut out, &record());
        assert_eq!(out, "7  =a, \"b\"␊␛[2J  2023-11-14T22:13:20.003000Z\n");
    }

    #[test]
    fn every_column_can_be_picked() {
        let all = fields(&csv::COLUMNS);
        let (mut picked, mut whole) = (String::new(), String::new());
        all.write_csv(&mut picked, &record());
        csv::write_row(&mut whole, &record());
        assert_eq!(picked, whole);
        assert_eq!(all.csv_header(), csv::header());
        let mut json = String::new();
        all.write_json(&mut json, &record());
        assert_eq!(json.trim_end(), render::json_line(&record()));
        let mut line = String::new();
        all.write_line(&mut line, &record());
        assert!(line.contains("  system_0  host_3  worker  "), "{line}");
        assert_eq!(cells("a,\"b,\"\"\",c"), ["a", "\"b,\"\"\"", "c"]);
    }
}
