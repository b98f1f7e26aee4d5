//! What a program that numbers its records and the bridge say to each other besides
//! records: frames of JSON, each with its length in front (`docs/programs.md`).

use serde::Deserialize;
use uuid::Uuid;

/// What is spoken here.
const VERSION: u64 = 1;
/// A hello has no more, in bytes.
const HELLO_BYTES: usize = 1024;

/// How a program begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hello {
    /// What it calls its stream of records.
    pub(super) stream: Uuid,
    /// The number of the first record that was not acknowledged to it.
    pub(super) first: u64,
}

#[derive(Deserialize)]
struct Frame {
    herald_hello: Said,
}

#[derive(Deserialize)]
struct Said {
    version: u64,
    stream: String,
    #[serde(default = "one")]
    first: u64,
}

fn one() -> u64 {
    1
}

impl Hello {
    /// Reads the body of a hello.
    ///
    /// # Errors
    /// For the program, when it cannot be answered.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        if body.len() > HELLO_BYTES {
            return Err(format!("a hello has at most {HELLO_BYTES} bytes"));
        }
        let frame: Frame =
            serde_json::from_slice(body).map_err(|error| format!("no hello: {error}"))?;
        let said = frame.herald_hello;
        if said.version != VERSION {
            let asked = said.version;
            return Err(format!(
                "version {asked} is not spoken here, but {VERSION} is"
            ));
        }
        let stream = Uuid::try_parse(&said.stream).map_err(|_| "stream is no UUID")?;
        if !is_number(said.first) {
            return Err("first is out of range".to_owned());
        }
        Ok(Self {
            stream,
            first: said.first,
        })
    }
}

/// Whether a record can have this number.
pub(super) fn is_number(number: u64) -> bool {
    (1..i64::MAX.cast_unsigned()).contains(&number)
}

/// The answer to a hello: the number expected next, 0 for a stream never heard of.
pub(super) fn answer(expected: u64) -> Vec<u8> {
    framed(&format!(
        r#"{{"herald_hello":{{"version":{VERSION},"expected":{expected}}}}}"#
    ))
}

/// Everything up to `number` is durable.
pub(super) fn acknowledgement(number: u64) -> Vec<u8> {
    framed(&format!(r#"{{"ack":{number}}}"#))
}

/// Why the connection is about to be closed.
pub(super) fn error(text: &str) -> Vec<u8> {
    framed(&serde_json::json!({ "error": text }).to_string())
}

fn framed(body: &str) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("what is said is short");
    [&length.to_be_bytes(), body.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_read_or_told_what_is_wrong() {
        let stream = Uuid::from_u128(0x17);
        let check = |body: &str, expected: Result<u64, &str>| {
            let read = Hello::read(body.as_bytes());
            match (read, expected) {
                (Ok(hello), Ok(first)) => assert_eq!(hello, Hello { stream, first }),
                (Err(text), Err(part)) => assert!(text.contains(part), "{text}"),
                (read, expected) => panic!("{body}: {read:?}, not {expected:?}"),
            }
        };
        let hello = |inner: &str| {
            format!(r#"{{"herald_hello":{{"version":1,"stream":"{stream}"{inner}}}}}"#)
        };
        check(&hello(""), Ok(1));
        check(&hello(r#","first":40,"later":"things""#), Ok(40));
        check(&hello(r#","first":0"#), Err("first is out of range"));
        check(
            &hello(r#","first":9223372036854775807"#),
            Err("out of range"),
        );
        check(&hello(r#","first":-1"#), Err("no hello: "));
        check(&hello(&" ".repeat(1024)), Err("at most 1024 bytes"));
        check(r#"{"herald_hello":17}"#, Err("no hello: "));
        check(r#"{"herald_hello":{"version":1}}"#, Err("`stream`"));
        let other = r#"{"herald_hello":{"version":2,"stream":""}}"#;
        check(other, Err("version 2 is not spoken here, but 1 is"));
        let nameless = r#"{"herald_hello":{"version":1,"stream":"me"}}"#;
        check(nameless, Err("stream is no UUID"));
    }

    #[test]
    fn what_is_said_has_its_length_in_front() {
        assert_eq!(acknowledgement(17), b"\0\0\0\x0a{\"ack\":17}");
        assert_eq!(
            answer(0),
            b"\0\0\0\x2b{\"herald_hello\":{\"version\":1,\"expected\":0}}"
        );
        assert_eq!(error("a \"b\""), b"\0\0\0\x13{\"error\":\"a \\\"b\\\"\"}");
    }
}
