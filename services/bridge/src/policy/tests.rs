//! Whatever a record contains: what is not allowed and what is masked is not in
//! the bytes that leave.

use domain::{DeadLetter, Entry, Gap, Record};
use proptest::prelude::*;
use prost::Message;
use proto::v1;

use super::{Allowed, FIELDS, Outcome, Policy, Why, allow, mask::Masks, preset};

/// Things that the presets have to find, each with its preset.
const SECRETS: [(&str, &str); 8] = [
    ("email", "anna.secret@example.org"),
    ("card", "4111 1111 1111 1111"),
    ("card", "5500005555555559"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("token", "eyJhbGciOiJub25l.eyJzdWIiOiJ4In0"),
    ("password", "password=hunter2hunter2"),
    ("ip", "203.0.113.77"),
    ("ip", "2001:db8::dead:beef"),
];

fn masking(names: &[&str]) -> Policy {
    let masks = names
        .iter()
        .filter_map(|name| preset::masks(name))
        .flatten();
    Policy {
        masks: Masks::new(masks.collect()).unwrap(),
        ..Policy::default()
    }
}

fn allowing(names: &[&str]) -> Policy {
    let mut allowed = Allowed::default();
    for name in names {
        assert!(allowed.add(name), "{name}");
    }
    Policy {
        fields: Some(allowed),
        ..Policy::default()
    }
}

/// A record with `text(field)` in each of its texts and, as key and as value, in
/// its `extra`.
fn record(text: impl Fn(&str) -> String) -> Record {
    let mut record = Record {
        level: 30,
        created_us: 1,
        received_us: 2,
        line: 11_111,
        process: 22_222,
        thread: 33_333,
        ..Record::default()
    };
    for (field, place) in allow::texts(&mut record) {
        *place = text(field);
    }
    let value = serde_json::json!({
        "list": [text("extra"), { text("extra"): 1 }],
        text("extra"): text("extra"),
    });
    record.extra = value.to_string();
    record
}

fn leaves(policy: &Policy, record: &Record) -> (Record, Vec<u8>) {
    let (outcome, _) = policy.apply(Entry::Record(Box::new(record.clone())));
    let Outcome::Passed(Entry::Record(left)) = outcome else {
        panic!("{outcome:?}");
    };
    let bytes = v1::Entry::from(Entry::Record(left.clone())).encode_to_vec();
    (*left, bytes)
}

fn has(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_masked_text_never_leaves(
        secret in 0..SECRETS.len(),
        before in "([ \"'<>(\\[{,;\n\t]|[a-z]{0,6} )?",
        after in "( .*|[\"'<>\\\\\n\t] ?.{0,20})?",
    ) {
        let (preset, secret) = SECRETS[secret];
        let record = record(|_| format!("{before}{secret}{after}"));
        let policy = masking(&[preset]);
        let (left, bytes) = leaves(&policy, &record);
        prop_assert!(!has(&bytes, secret), "{left:?}");
        let instead = format!("[{preset}]");
        prop_assert!(has(&bytes, &instead), "{left:?}");
        // Masking what was masked changes nothing, but where a key itself looks like one
        // whose value goes as a whole.
        if !matches!(preset, "token" | "password") {
            let (again, hits) = policy.apply(Entry::Record(Box::new(left.clone())));
            prop_assert_eq!((again, hits), (Outcome::Passed(Entry::Record(Box::new(left))), 0));
        }
    }

    #[test]
    fn a_field_not_allowed_never_leaves(
        chosen in proptest::sample::subsequence(FIELDS.to_vec(), 0..FIELDS.len()),
    ) {
        let record = record(|field| format!("<<{field}>>"));
        let (left, bytes) = leaves(&allowing(&chosen), &record);
        for field in FIELDS {
            let may = chosen.contains(&field);
            let is_there = match field {
                "line" => left.line == 11_111,
                "process" => left.process == 22_222,
                "thread" => left.thread == 33_333,
                "received_at" | "created" | "level" => continue,
                field => has(&bytes, &format!("<<{field}>>")),
            };
            prop_assert_eq!(is_there, may, "{}", field);
        }
        prop_assert_eq!((left.level, left.created_us, left.received_us), (30, 1, 2));
    }

    #[test]
    fn no_text_makes_a_policy_panic(text in "\\PC{0,60}", json in "[\\[\\]{}\",:a0\\\\]{0,60}") {
        let mut record = record(|_| text.clone());
        let policy = masking(&preset::NAMES);
        let _left = leaves(&policy, &record);
        record.extra = json;
        let _left = leaves(&policy, &record);
    }
}

#[test]
fn what_is_no_record_leaves_only_where_there_is_no_rule() {
    let letter = Entry::DeadLetter(Box::new(DeadLetter {
        head: b"anna@example.org".to_vec(),
        ..DeadLetter::default()
    }));
    let (outcome, _) = Policy::default().apply(letter.clone());
    assert_eq!(outcome, Outcome::Passed(letter.clone()));
    let (outcome, _) = masking(&["ip"]).apply(letter);
    assert_eq!(outcome, Outcome::Kept(Why::NoRecord));
    let gap = Entry::Gap(Gap {
        count: 3,
        reason: "lost by anna@example.org".to_owned(),
        ..Gap::default()
    });
    let (outcome, hits) = masking(&["email"]).apply(gap);
    let Outcome::Passed(Entry::Gap(gap)) = outcome else {
        panic!("a gap stays one");
    };
    assert_eq!(
        (gap.count, gap.reason.as_str(), hits),
        (3, "lost by [email]", 1)
    );
}

#[test]
fn a_query_looks_at_the_record_as_it_was() {
    let policy = Policy {
        query: Some(query::parse("message:anna level>=warning", 0).unwrap()),
        ..masking(&["email"])
    };
    let check = |message: &str, level: i32, passes: bool| {
        let record = Record {
            message: message.to_owned(),
            level,
            ..Record::default()
        };
        assert_eq!(policy.judge(&record).is_ok(), passes, "{message}");
    };
    check("to anna@example.org", 30, true);
    check("to anna@example.org", 20, false);
    check("to bert@example.org", 30, false);
}
