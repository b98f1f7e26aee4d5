//! Records as programs send them: what `logging.handlers.SocketHandler` would
//! put on the wire (protocol-1 pickle), and Herald's two JSON forms.

mod pickle;

pub use pickle::Pickler;

use domain::Record;
use serde_json::{Map, Value};

/// The frame of a standard `SocketHandler`: 4 bytes big-endian length, then
/// `pickle.dumps(record.__dict__, 1)`.
#[must_use]
pub fn pickle(record: &Record) -> Vec<u8> {
    length_prefixed(&pickle_body(record))
}

/// The same without the length.
#[must_use]
pub fn pickle_body(record: &Record) -> Vec<u8> {
    let mut pickler = Pickler::new();
    pickler.dict(&attributes(record));
    pickler.finish()
}

/// A length-prefixed JSON object with the keys of Python's record.
#[must_use]
pub fn json(record: &Record) -> Vec<u8> {
    length_prefixed(Value::from(attributes(record)).to_string().as_bytes())
}

/// One line of newline-delimited JSON with the keys of Python's record.
#[must_use]
pub fn json_line(record: &Record) -> Vec<u8> {
    let mut line = Value::from(attributes(record)).to_string().into_bytes();
    line.push(b'\n');
    line
}

/// Puts the length before a body.
///
/// # Panics
/// When the body is 4 GiB or larger.
#[must_use]
pub fn length_prefixed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a body below 4 GiB");
    [&length.to_be_bytes(), body].concat()
}

/// `record.__dict__` as `SocketHandler.makePickle` leaves it, with what
/// ps.basic adds. What the bridge sets itself (id, time of receipt, peer) is
/// not in it; the keys of `extra` are on the top level, as in Python.
#[must_use]
pub fn attributes(record: &Record) -> Map<String, Value> {
    let text_or_none = |text: &str| match text {
        "" => Value::Null,
        text => Value::from(text),
    };
    let seconds = record.created_us as f64 / 1e6;
    let filename = record.path.rsplit('/').next().unwrap_or_default();
    let mut attributes = Map::new();
    let mut set = |key: &str, value: Value| {
        attributes.insert(key.to_owned(), value);
    };
    set("name", record.logger.as_str().into());
    set("msg", record.message.as_str().into());
    set("args", Value::Null);
    set("levelname", record.level_name.as_str().into());
    set("levelno", record.level.into());
    set("pathname", record.path.as_str().into());
    set("filename", filename.into());
    set("module", record.module.as_str().into());
    set("exc_info", Value::Null);
    set("exc_text", text_or_none(&record.exception));
    set("stack_info", text_or_none(&record.stack));
    set("lineno", record.line.into());
    set("funcName", record.function.as_str().into());
    set("created", seconds.into());
    set("msecs", (seconds.fract() * 1e3).into());
    set("relativeCreated", 1234.5.into());
    set("thread", record.thread.into());
    set("threadName", record.thread_name.as_str().into());
    set("processName", record.process_name.as_str().into());
    set("process", record.process.into());
    set("package_version", text_or_none(&record.package_version));
    set("api_version", text_or_none(&record.api_version));
    set("SYSTEM_ID", text_or_none(&record.system_id));
    set("SUB_SYSTEM_ID", text_or_none(&record.sub_system_id));
    set("SUB_SUB_SYSTEM_ID", text_or_none(&record.sub_sub_system_id));
    set("PRODUKT_ID", text_or_none(&record.produkt_id));
    set("USER_SPEC_1", text_or_none(&record.user_spec_1));
    set("USER_SPEC_2", text_or_none(&record.user_spec_2));
    if let Ok(Value::Object(extra)) = serde_json::from_str(&record.extra) {
        attributes.extend(extra);
    }
    attributes
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    use super::{attributes, pickle_body};
    use crate::{python, record};

    /// CPython itself reads the pickle and writes it byte for byte the same.
    #[test]
    fn cpython_agrees_with_the_pickler() {
        let body = pickle_body(&record(41));
        for python in python::interpreters() {
            if python.version < (3, 7) {
                continue;
            }
            let script = "import sys, pickle, json\n\
                body = sys.stdin.buffer.read()\n\
                record = pickle.loads(body)\n\
                assert pickle.dumps(record, 1) == body\n\
                print(json.dumps(record))\n";
            let mut child = Command::new(&python.path)
                .args(["-c", script])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("a Python");
            let mut stdin = child.stdin.take().expect("a pipe");
            stdin.write_all(&body).expect("a reader");
            drop(stdin);
            let output = child.wait_with_output().expect("its output");
            let read: serde_json::Map<_, _> =
                serde_json::from_slice(&output.stdout).expect("the record as JSON");
            assert_eq!(read, attributes(&record(41)), "{}", python.path.display());
        }
    }
}
