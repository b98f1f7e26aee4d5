//! A record as the dictionary of a Python `LogRecord`, in pickle's protocol 2: data
//! only, nothing that a reader would import or call. `extra` is left out: the
//! published bridge drops a record with a key that its table has no column for.

use domain::{Micros, Record};

/// The pickle of a record.
pub(super) fn record(record: &Record) -> Vec<u8> {
    let mut pickle = Pickle {
        out: Vec::with_capacity(1024 + record.text_bytes()),
    };
    pickle.out.extend_from_slice(b"\x80\x02}(");
    let file_name = record.path.rsplit('/').next().unwrap_or_default();
    let texts = [
        ("name", &*record.logger),
        ("msg", &record.message),
        ("levelname", &record.level_name),
        ("pathname", &record.path),
        ("filename", file_name),
        ("module", &record.module),
        ("funcName", &record.function),
        ("threadName", &record.thread_name),
        ("processName", &record.process_name),
    ];
    for (key, text) in texts {
        pickle.text(key);
        pickle.text(text);
    }
    // What ps.basic and logging say for nothing.
    let optional = [
        ("exc_text", &record.exception, None),
        ("stack_info", &record.stack, None),
        ("SYSTEM_ID", &record.system_id, Some("None")),
        ("SUB_SYSTEM_ID", &record.sub_system_id, Some("None")),
        ("SUB_SUB_SYSTEM_ID", &record.sub_sub_system_id, Some("None")),
        ("PRODUKT_ID", &record.produkt_id, Some("None")),
        ("USER_SPEC_1", &record.user_spec_1, Some("None")),
        ("USER_SPEC_2", &record.user_spec_2, Some("None")),
        ("package_version", &record.package_version, Some("None")),
        ("api_version", &record.api_version, Some("None")),
    ];
    for (key, text, nothing) in optional {
        pickle.text(key);
        match (text.is_empty(), nothing) {
            (false, _) => pickle.text(text),
            (true, Some(nothing)) => pickle.text(nothing),
            (true, None) => pickle.out.push(b'N'),
        }
    }
    let numbers = [
        ("levelno", i64::from(record.level)),
        ("lineno", record.line),
        ("process", record.process),
        ("thread", record.thread),
    ];
    for (key, number) in numbers {
        pickle.text(key);
        pickle.integer(number);
    }
    pickle.times(record.created_us);
    for key in ["args", "exc_info"] {
        pickle.text(key);
        pickle.out.push(b'N');
    }
    pickle.out.extend_from_slice(b"u.");
    pickle.out
}

struct Pickle {
    out: Vec<u8>,
}

impl Pickle {
    fn times(&mut self, created_us: Micros) {
        self.text("created");
        self.float(created_us as f64 / 1e6);
        self.text("msecs");
        self.float((created_us.rem_euclid(1_000_000) / 1_000) as f64);
        self.text("relativeCreated");
        self.float(0.0);
    }

    fn text(&mut self, text: &str) {
        let length = u32::try_from(text.len()).expect("a text below 4 GiB");
        self.out.push(b'X');
        self.out.extend_from_slice(&length.to_le_bytes());
        self.out.extend_from_slice(text.as_bytes());
    }

    fn integer(&mut self, number: i64) {
        match i32::try_from(number) {
            Ok(number) => {
                self.out.push(b'J');
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            Err(_) => {
                self.out.extend_from_slice(b"\x8a\x08");
                self.out.extend_from_slice(&number.to_le_bytes());
            }
        }
    }

    fn float(&mut self, number: f64) {
        self.out.push(b'G');
        self.out.extend_from_slice(&number.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use domain::Entry;

    use super::*;
    use crate::{decode, frame::FrameKind};

    #[test]
    fn our_own_decoder_reads_it_back_but_for_extra() {
        let given = Record {
            received_us: 5,
            created_us: 1_700_000_000_250_000,
            level: 40,
            level_name: "ERROR".to_owned(),
            logger: "shop.cart".to_owned(),
            message: "no stock äöü".to_owned(),
            system_id: "shop".to_owned(),
            path: "/srv/shop/cart.py".to_owned(),
            module: "cart".to_owned(),
            function: "add".to_owned(),
            line: 17,
            process: 4_711,
            process_name: "MainProcess".to_owned(),
            thread: 140_000_000_000_000,
            thread_name: "MainThread".to_owned(),
            exception: "Traceback".to_owned(),
            peer: "10.0.0.1:5".to_owned(),
            extra: r#"{"order":5,"msg":"wrong"}"#.to_owned(),
            ..Record::default()
        };
        let pickle = record(&given);
        let entry = decode::decode(FrameKind::Pickle, &pickle, 5, "10.0.0.1:5");
        let Entry::Record(read) = entry else {
            panic!("{entry:?}");
        };
        assert!(!read.extra.contains("order"), "{}", read.extra);
        let without = |record: Record| Record {
            extra: String::new(),
            ..record
        };
        assert_eq!(without(*read), without(given));
    }
}
