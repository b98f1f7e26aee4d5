//! From bytes to records and dead letters.

use domain::{Entry, Record};
use proptest::prelude::*;

use super::decode;
use crate::frame::{FrameKind, Oversize};

const RECEIVED_US: i64 = 1_795_392_000_000_000;
const PEER: &str = "10.0.0.1:5000";

fn record(kind: FrameKind, bytes: &[u8]) -> Record {
    match decode(kind, bytes, RECEIVED_US, PEER) {
        Entry::Record(record) => *record,
        other => panic!("{other:?}"),
    }
}

fn reason(kind: FrameKind, bytes: &[u8]) -> String {
    match decode(kind, bytes, RECEIVED_US, PEER) {
        Entry::DeadLetter(letter) => letter.reason,
        other => panic!("{other:?}"),
    }
}

/// A JSON frame gives the record that `fill` makes of an empty one.
fn check(json: &str, fill: impl FnOnce(&mut Record)) {
    let mut expected = Record {
        received_us: RECEIVED_US,
        created_us: RECEIVED_US,
        peer: PEER.to_owned(),
        ..Record::default()
    };
    fill(&mut expected);
    assert_eq!(
        record(FrameKind::JsonLine, json.as_bytes()),
        expected,
        "{json}"
    );
}

#[test]
fn json_takes_the_names_of_the_interface() {
    check(r#"{"message":"hi"}"#, |record| record.message = "hi".into());
    check(
        r#"{"message":"m","level":"warn","system_id":"s","sub_system_id":"h","logger":"l",
            "function":"f","path":"/a/b.py","line":7,"exception":"e","stack":"t","process":1,
            "thread":2,"process_name":"p","thread_name":"q","package_version":"1",
            "api_version":"None","module":"b","created":"2026-11-23T01:02:03.000004+01:00",
            "sub_sub_system_id":"None","produkt_id":null,"user_spec_1":"1","user_spec_2":5}"#,
        |record| {
            *record = Record {
                message: "m".into(),
                level: 30,
                level_name: "WARNING".into(),
                system_id: "s".into(),
                sub_system_id: "h".into(),
                logger: "l".into(),
                function: "f".into(),
                path: "/a/b.py".into(),
                line: 7,
                exception: "e".into(),
                stack: "t".into(),
                process: 1,
                thread: 2,
                process_name: "p".into(),
                thread_name: "q".into(),
                package_version: "1".into(),
                module: "b".into(),
                user_spec_1: "1".into(),
                user_spec_2: "5".into(),
                created_us: 1_795_392_123_000_004,
                ..record.clone()
            };
        },
    );
}

#[test]
fn levels_are_completed() {
    let check = |json: &str, level: i32, name: &str| {
        let record = record(FrameKind::Json, json.as_bytes());
        assert_eq!(
            (record.level, record.level_name.as_str()),
            (level, name),
            "{json}"
        );
    };
    check(r#"{"message":"","level":30}"#, 30, "WARNING");
    check(r#"{"message":"","level":"35"}"#, 35, "Level 35");
    check(r#"{"message":"","level":"error"}"#, 40, "ERROR");
    check(r#"{"message":"","level_name":"ERROR"}"#, 40, "ERROR");
    check(
        r#"{"message":"","level_name":"NOTICE","level":25}"#,
        25,
        "NOTICE",
    );
    check(r#"{"message":"","level_name":"NOTICE"}"#, 0, "NOTICE");
    check(r#"{"message":""}"#, 0, "");
}

#[test]
fn what_does_not_fit_its_field_is_kept_beside() {
    let extra = |json: &str, message: &str, extra: &str| {
        check(json, |record| {
            record.message = message.into();
            record.extra = extra.into();
        });
    };
    extra(
        r#"{"message":"m","line":"x","level":1e10,"thread":[1]}"#,
        "m",
        r#"{"line":"x","level":10000000000.0,"thread":[1]}"#,
    );
    extra(
        r#"{"message":"m","created":"soon"}"#,
        "m",
        r#"{"created":"soon"}"#,
    );
    extra(
        r#"{"message":"m","created":NaN}"#,
        "m",
        r#"{"created":"nan"}"#,
    );
    extra(
        r#"{"message":"m","message":"n"}"#,
        "m",
        r#"{"message":"n"}"#,
    );
    extra(r#"{"msg":"m","message":"n"}"#, "m", r#"{"message":"n"}"#);
    extra(r#"{"message":"m","msg":"m"}"#, "m", "");
    extra(
        r#"{"message":"m","a":null,"args":null,"exc_info":null}"#,
        "m",
        r#"{"a":null}"#,
    );
    extra(r#"{"message":"m","args":[1]}"#, "m", r#"{"args":[1]}"#);
    extra(
        r#"{"message":"m","extra":{"a":1,"b":{"c":2}},"d":3}"#,
        "m",
        r#"{"a":1,"b":{"c":2},"d":3}"#,
    );
    extra(r#"{"message":"m","extra":5}"#, "m", r#"{"extra":5}"#);
    extra(
        r#"{"message":{"a":[1,true,null]}}"#,
        r#"{"a":[1,true,null]}"#,
        "",
    );
    extra(r#"{"message":5}"#, "5", "");
    extra(r#"{"message":null}"#, "null", "");
    extra(r#"{"message":"m","msecs":5.0,"taskName":null}"#, "m", "");
}

#[test]
fn a_record_dictionary_in_json_keeps_its_own_path_and_level() {
    check(
        r#"{"msg":"m","levelno":20,"path":"/api","level":"gold","pathname":"/x/y.py","filename":"y.py"}"#,
        |record| {
            record.message = "m".into();
            record.level = 20;
            record.level_name = "INFO".into();
            record.path = "/x/y.py".into();
            record.extra = r#"{"path":"/api","level":"gold"}"#.into();
        },
    );
}

#[test]
fn names_of_the_interface_are_the_programs_own_in_a_pickle() {
    let record = record(
        FrameKind::Pickle,
        b"}(U\x03msgU\x01mU\x05levelU\x04goldU\x08filenameU\x01xu.",
    );
    assert_eq!(record.message, "m");
    assert_eq!(record.extra, r#"{"level":"gold","filename":"x"}"#);
}

#[test]
fn a_frame_that_is_no_record_is_a_dead_letter_with_a_reason() {
    let check = |kind, bytes: &[u8], expected: &str| {
        assert_eq!(reason(kind, bytes), expected, "{}", bytes.escape_ascii());
    };
    let (pickle, json) = (FrameKind::Pickle, FrameKind::Json);
    check(pickle, b"", "unreadable pickle: it ends too early");
    check(
        pickle,
        b"\xff.",
        "unreadable pickle: unknown instruction 0xff at byte 0",
    );
    check(
        pickle,
        b"].",
        "a pickle, but no log record: it is no dictionary",
    );
    check(
        pickle,
        b"}.",
        "a pickle, but no log record: it has neither msg nor message",
    );
    check(
        pickle,
        b"}U\x03msgPx\ns.",
        "unreadable pickle: PERSID refers to something outside the pickle (byte 6)",
    );
    check(
        pickle,
        &[
            b"}(U\x03msgNU\x01x".to_vec(),
            vec![b']'; 65],
            vec![b'a'; 64],
            b"u.".to_vec(),
        ]
        .concat(),
        "a pickle, but no log record: containers nested more than 64 deep",
    );
    check(
        pickle,
        &[b'N'; 100_001],
        "unreadable pickle: more than 100000 values",
    );
    check(
        json,
        format!("{{\"message\":{}}}", "1".repeat(4301)).as_bytes(),
        "unreadable JSON: an integer of more than 4300 digits",
    );
    check(json, b"[]", "JSON, but no log record: it is no dictionary");
    check(
        FrameKind::JsonLine,
        b"hello",
        "unreadable JSON: unexpected byte 0",
    );
    check(
        FrameKind::Garbage,
        b"GET / HTTP/1.1",
        "not log records but an HTTP request",
    );
}

#[test]
fn dead_letters_carry_what_was_sent() {
    let bytes = vec![0xff; 70_000];
    let Entry::DeadLetter(letter) = decode(FrameKind::Pickle, &bytes, RECEIVED_US, PEER) else {
        panic!("no dead letter")
    };
    assert_eq!(
        (letter.received_us, letter.peer.as_str()),
        (RECEIVED_US, PEER)
    );
    assert_eq!(letter.size_bytes, 70_000);
    assert_eq!(letter.head, bytes[..65_536]);
    assert_eq!(letter.sha256[..4], [0x54, 0xc0, 0x57, 0x5c]);

    let note = Oversize {
        size_bytes: 5_000_000,
        sha256: [7; 32],
        head: b"start",
    };
    let stored = note.to_bytes();
    let Entry::DeadLetter(letter) = decode(FrameKind::Oversize, &stored, RECEIVED_US, PEER) else {
        panic!("no dead letter")
    };
    assert_eq!(
        letter.reason,
        "a frame of 5000000 bytes, above the size limit"
    );
    assert_eq!((letter.size_bytes, letter.sha256), (5_000_000, [7; 32]));
    assert_eq!(letter.head, b"start");
}

#[test]
fn what_unfolds_is_cut_and_stays_json() {
    let mut laughs = b"}(U\x03msgU\x01mU\x01x]q\x00(U\x03lolh\x00e0]q\x00(U\x03lol".to_vec();
    laughs.extend_from_slice(b"U\x03lole");
    for level in 1..40_u8 {
        laughs.extend_from_slice(&[b'q', level, b'0', b']', b'(']);
        laughs.extend_from_slice(&[b'h', level, b'h', level, b'e']);
    }
    laughs.extend_from_slice(b"u.");
    let frame_bytes = laughs.len();
    let record = record(FrameKind::Pickle, &laughs);
    assert!(record.extra.len() < 64 * 1024 + 16 * frame_bytes);
    assert!(record.extra.contains("<truncated>"));
    serde_json::from_str::<serde_json::Value>(&record.extra).expect("JSON");
}

/// Programs of valid instructions in senseless order.
fn programs() -> impl Strategy<Value = Vec<u8>> {
    let instruction = prop_oneof![
        prop::sample::select(
            b"N(012]})tldaesubR\x81\x85\x86\x87\x88\x8f\x90\x91\x92\x93\x94o.".as_slice()
        )
        .prop_map(|opcode| vec![opcode]),
        (prop::sample::select(b"qhKU\x8c".as_slice()), 0..4_u8).prop_map(|(opcode, operand)| {
            let mut bytes = vec![opcode, operand];
            if opcode == b'U' || opcode == 0x8c {
                bytes.extend((0..operand).map(|n| b'a' + n));
            }
            bytes
        }),
        prop::sample::select(vec![
            b"U\x03msg".to_vec(),
            b"cdatetime\ndatetime\n".to_vec(),
            b"c__builtin__\ngetattr\n".to_vec(),
            b"ccopy_reg\n_reconstructor\n".to_vec(),
            b"ccollections\nOrderedDict\n".to_vec(),
            b"cuuid\nUUID\n".to_vec(),
            b"cpathlib\nPosixPath\n".to_vec(),
            b"I5\n".to_vec(),
        ]),
    ];
    prop::collection::vec(instruction, 0..60).prop_map(|instructions| {
        let body: Vec<u8> = instructions.concat();
        [b"}(U\x03msg", &body[..], b"u."].concat()
    })
}

fn must_not_fail(kind: FrameKind, bytes: &[u8]) {
    match decode(kind, bytes, RECEIVED_US, PEER) {
        Entry::Record(record) => {
            assert!(record.extra.len() < 8 * 1024 * 1024);
            if !record.extra.is_empty() {
                serde_json::from_str::<serde_json::Value>(&record.extra).expect("JSON");
            }
        }
        Entry::DeadLetter(letter) => assert!(!letter.reason.is_empty()),
        entry @ (Entry::Gap(_) | Entry::Skipped(_)) => panic!("{entry:?}"),
    }
}

proptest! {
    #[test]
    fn no_bytes_break_it(kind in 0..6_u8, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        must_not_fail(FrameKind::try_from(kind).expect("a kind"), &bytes);
    }

    #[test]
    fn no_program_breaks_it(program in programs()) {
        must_not_fail(FrameKind::Pickle, &program);
    }

    #[test]
    fn no_change_breaks_it(program in programs(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut program = program;
        let at = at.index(program.len());
        program[at] = byte;
        must_not_fail(FrameKind::Pickle, &program);
    }

    #[test]
    fn no_json_breaks_it(text in "[\\[\\]{}\":,0-9a-e\\\\u\\-.tfn ]{0,60}") {
        must_not_fail(FrameKind::Json, format!("{{\"msg\":{text}}}").as_bytes());
    }
}
