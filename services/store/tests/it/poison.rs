//! A record that SQLite itself refuses is found among its neighbours and set
//! aside as a dead letter.

use domain::{Entry, Record};
use proto::v1;
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use uuid::Uuid;

use crate::harness::{Store, database, entries};

const ONE: Uuid = Uuid::from_u128(1);
/// A time of making that the trigger refuses.
const POISON_US: i64 = -666;

/// Makes the database refuse whatever holds a poisoned record.
async fn poison(store: &Store) {
    let mut conn = SqliteConnectOptions::new()
        .filename(database(store.folder.path()))
        .connect()
        .await
        .unwrap();
    sqlx::query(
        "CREATE TRIGGER poison BEFORE INSERT ON block WHEN NEW.min_created_us = -666
         BEGIN SELECT RAISE(ABORT, 'poisoned'); END",
    )
    .execute(&mut conn)
    .await
    .unwrap();
}

fn poisoned(numbers: std::ops::Range<u64>, bad: &[u64]) -> Vec<Entry> {
    let mut batch = entries("a", numbers.clone());
    for (number, entry) in numbers.zip(&mut batch) {
        if let (Entry::Record(record), true) = (entry, bad.contains(&number)) {
            record.created_us = POISON_US;
        }
    }
    batch
}

#[tokio::test]
async fn a_refused_record_is_set_aside_and_its_neighbours_go_in() {
    let store = Store::start().await;
    let mut clients = store.clients();
    poison(&store).await;
    let (mut bridge, _) = clients.open(ONE).await;
    let bad = [1, 500, 501, 999, 1_400];
    bridge.append(1, poisoned(1..1_000, &bad)).await.unwrap();
    bridge
        .append(1_000, poisoned(1_000..1_401, &bad))
        .await
        .unwrap();

    let good = (1..1_401).filter(|number| !bad.contains(number));
    let expected: Vec<String> = good.map(|number| format!("a {number}")).collect();
    assert_eq!(clients.messages().await, expected);

    let request = v1::ListDeadLettersRequest::default();
    let letters = clients.records.list_dead_letters(request).await.unwrap();
    let mut letters = letters.into_inner().dead_letters;
    letters.reverse();
    let numbers: Vec<u64> = letters.iter().map(|letter| letter.sequence).collect();
    assert_eq!(numbers, bad);
    for letter in letters {
        assert_eq!(letter.reason, "refused by the store: poisoned");
        let kept: v1::Record = prost::Message::decode(letter.head).unwrap();
        let kept = Record::from(kept);
        assert_eq!(kept.message, format!("a {}", letter.sequence));
    }
    assert_eq!(clients.open(ONE).await.1, 1_401);
}
