//! Texts of every kind are found as they are, through the API.

use std::collections::BTreeSet;

use domain::{Record, RecordFilter, RecordQuery};
use uuid::Uuid;

use crate::harness::{Clients, Store, as_entries};

const ONE: Uuid = Uuid::from_u128(1);

/// One of each kind, and enough others for filters to be asked.
fn records() -> Vec<Record> {
    let huge = |end: &str| format!("{}{end}", "lorem ipsum ".repeat(90_000));
    let messages = [
        "Straße".to_owned(),
        "STRASSE".to_owned(),
        "ÄRGER im Büro".to_owned(),
        "a\u{308}rger".to_owned(),
        "Καλημέρα ΣΊΣΥΦΟΣ".to_owned(),
        "İstanbul ISPARTA ıspanak".to_owned(),
        "\u{212a}elvin".to_owned(),
        "e\u{301}cole \u{e9}cole".to_owned(),
        "nul\0nul".to_owned(),
        "\0".to_owned(),
        "100% of_it 'quoted\" \\back".to_owned(),
        "100x of it".to_owned(),
        "tab\tline\nreturn\r".to_owned(),
        "\u{feff}mark \u{200d} \u{1f469}\u{200d}\u{1f680}".to_owned(),
        "\u{ffff}\u{10ffff}".to_owned(),
        huge("needle in the end"),
        huge("NEEDLE IN THE END \u{130}"),
        String::new(),
    ];
    let plain = (0..600).map(|number| format!("plain {number}"));
    let messages = messages.into_iter().chain(plain);
    (1..)
        .zip(messages)
        .map(|(number, message)| Record {
            id: number,
            message,
            user_spec_1: format!("job%{number}_\"'\0ß"),
            user_spec_2: if number % 2 == 0 {
                "Straße"
            } else {
                "STRASSE"
            }
            .to_owned(),
            ..testkit::record(number)
        })
        .collect()
}

const QUERIES: [&str; 38] = [
    "straße",
    "STRAßE",
    "strasse",
    "ärger",
    "ÄRGER",
    "\"a\u{308}rger\"",
    "\"A\u{308}RGER\"",
    "\"\u{308}\"",
    "καλημέρα",
    "σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "σίσυφοσ",
    "istanbul",
    "\"i\u{307}stanbul\"",
    "İstanbul",
    "ısparta",
    "isparta",
    "kelvin",
    "\u{212a}ELVIN",
    "école",
    "\"e\u{301}cole\"",
    "\"nul\\0NUL\"",
    "\"\\0\"",
    "100%",
    "\"100% of_it\"",
    "of_it",
    "\"'quoted\\\" \\\\BACK\"",
    "\"tab\\tLINE\\nreturn\\r\"",
    "\u{feff}",
    "\u{1f469}\u{200d}\u{1f680}",
    "\"\\u{10ffff}\"",
    "\"needle in the END\"",
    "message:\"\"",
    "user_spec_1:\"job%7_\\\"'\\0ß\"",
    "user_spec_1:\"job%7_\\\"'\\0SS\"",
    "user_spec_1:job%6*",
    "user_spec_2:Straße",
    "user_spec_2:~STRAßE",
];

async fn check(clients: &mut Clients, records: &[Record]) {
    for query in QUERIES {
        let filter = RecordFilter::new(query::parse(query, 0).unwrap());
        let expected = records.iter().filter(|record| filter.matches(record));
        let expected: BTreeSet<u64> = expected.map(|record| record.id).collect();
        let page = clients
            .list(RecordQuery {
                filter,
                limit: 10_000,
                ..RecordQuery::default()
            })
            .await;
        assert_eq!(page.next, 0, "{query}");
        let mut found = BTreeSet::new();
        for record in page.records.into_iter().map(Record::from) {
            found.insert(record.id);
            let sent = &records[record.id as usize - 1];
            assert!(
                record == *sent,
                "{query}: {} came back otherwise",
                record.id
            );
        }
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn texts_of_every_kind_are_found() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let records = records();
    let (mut bridge, _) = clients.open(ONE).await;
    bridge.append(1, as_entries(&records)).await.unwrap();
    check(&mut clients, &records).await;
}

#[tokio::test]
async fn what_the_eye_expects_is_found() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    bridge.append(1, as_entries(&records())).await.unwrap();
    let mut check = async |query: &str, expected: &[u64]| {
        let filter = RecordFilter::new(query::parse(query, 0).unwrap());
        let query = RecordQuery {
            filter,
            order: domain::Order::OldestFirst,
            ..RecordQuery::default()
        };
        let page = clients.list(query.clone()).await;
        let found: Vec<u64> = page.records.iter().map(|record| record.id).collect();
        assert_eq!(found, expected, "{query:?}");
    };
    check("straße", &[1]).await;
    check("strasse", &[2]).await;
    check("ärger", &[3]).await;
    check("\"a\u{308}rger\"", &[4]).await;
    check("\"nul\\0nul\"", &[9]).await;
    check("100%", &[11]).await;
    check("of_it", &[11]).await;
    check("needle", &[16, 17]).await;
    check("user_spec_1:\"job%7_\\\"'\\0ß\"", &[7]).await;
}
