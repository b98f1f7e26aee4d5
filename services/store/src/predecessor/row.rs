//! One row of the predecessor's table `log` as a record.

use domain::{Level, Record};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its number: rises with every insertion, is never used again.
    pub rowid: i64,
    /// A hash of all its columns, as hexadecimal digits: tells a row from
    /// another one of the same number in another file.
    pub digest: String,
    /// When it was inserted, in the local time of the machine that did it:
    /// `YYYY-MM-DD HH:MM:SS.ffffff`, or whatever is in the column.
    pub created: String,
    /// Everything else. Its times are 0. Columns that have no field of their
    /// own, and values that do not fit theirs, are in `extra`.
    pub record: Record,
}

impl Row {
    /// Reads a row from the names and raw values of its columns.
    pub(super) fn new(rowid: i64, columns: &[(&str, Option<&[u8]>)]) -> Self {
        let mut row = Self {
            rowid,
            digest: digest(columns),
            created: String::new(),
            record: Record::default(),
        };
        let mut filename = String::new();
        let mut extra = Map::new();
        for (column, value) in columns {
            let text = String::from_utf8_lossy(value.unwrap_or_default());
            if text.is_empty() || text == "None" {
                continue;
            }
            match *column {
                "created" => row.created = text.into_owned(),
                "filename" => filename = text.into_owned(),
                // `id` is the rowid; `msecs` and `summary` follow from other columns.
                "id" | "msecs" | "summary" => {}
                column => {
                    if let Err(text) = set(&mut row.record, column, text.into_owned()) {
                        extra.insert(python_name(column).to_owned(), Value::from(text));
                    }
                }
            }
        }
        if !filename.is_empty() && row.record.path.rsplit('/').next() != Some(&filename) {
            extra.insert("filename".to_owned(), Value::from(filename));
        }
        if row.record.level_name.is_empty() {
            row.record.level_name = Level::of(row.record.level).name().to_owned();
        }
        if !extra.is_empty() {
            row.record.extra = Value::from(extra).to_string();
        }
        row
    }
}

/// Puts a value into its field, or gives it back when it has none or is no
/// number where one belongs.
fn set(record: &mut Record, column: &str, text: String) -> Result<(), String> {
    let field = match column {
        "name" => &mut record.logger,
        "levelname" => &mut record.level_name,
        "message" => &mut record.message,
        "system_id" => &mut record.system_id,
        "sub_system_id" => &mut record.sub_system_id,
        "sub_sub_system_id" => &mut record.sub_sub_system_id,
        "produkt_id" => &mut record.produkt_id,
        "user_spec_1" => &mut record.user_spec_1,
        "user_spec_2" => &mut record.user_spec_2,
        "package_version" => &mut record.package_version,
        "api_version" => &mut record.api_version,
        "module" => &mut record.module,
        "funcname" => &mut record.function,
        "pathname" => &mut record.path,
        "processname" => &mut record.process_name,
        "threadname" => &mut record.thread_name,
        "exc_text" => &mut record.exception,
        "stack_info" => &mut record.stack,
        _ => return set_number(record, column, text),
    };
    *field = text;
    Ok(())
}

fn set_number(record: &mut Record, column: &str, text: String) -> Result<(), String> {
    let Ok(number) = text.parse::<i64>() else {
        return Err(text);
    };
    match column {
        "levelno" => record.level = i32::try_from(number).map_err(|_| text)?,
        "lineno" => record.line = number,
        "process" => record.process = number,
        "thread" => record.thread = number,
        _ => return Err(text),
    }
    Ok(())
}

/// The key under which a record that comes over the wire keeps the same.
fn python_name(column: &str) -> &str {
    match column {
        "relativecreated" => "relativeCreated",
        column => column,
    }
}

fn digest(columns: &[(&str, Option<&[u8]>)]) -> String {
    let mut hash = Sha256::new();
    for (_, value) in columns {
        let length = value.map_or(u64::MAX, |value| value.len() as u64);
        hash.update(length.to_le_bytes());
        hash.update(value.unwrap_or_default());
    }
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
