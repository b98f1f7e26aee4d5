//! Saved searches: one name each whatever its case, kept over restarts and in
//! backups, changed by one at a time.

use proto::v1;
use tempfile::TempDir;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    backup::backup,
    harness::{Clients, Store, database, entries},
};

const ONE: Uuid = Uuid::from_u128(1);

async fn save(
    clients: &mut Clients,
    name: &str,
    query: &str,
    overwrite: bool,
) -> Result<v1::SavedSearch, Status> {
    let request = v1::SaveSearchRequest {
        name: name.to_owned(),
        query: query.to_owned(),
        overwrite,
    };
    let saved = clients.searches.save_search(request).await?.into_inner();
    Ok(saved.saved_search.unwrap())
}

async fn rename(
    clients: &mut Clients,
    name: &str,
    new_name: &str,
) -> Result<v1::SavedSearch, Status> {
    let request = v1::RenameSearchRequest {
        name: name.to_owned(),
        new_name: new_name.to_owned(),
    };
    let renamed = clients.searches.rename_search(request).await?.into_inner();
    Ok(renamed.saved_search.unwrap())
}

async fn delete(clients: &mut Clients, name: &str) -> Result<(), Status> {
    let name = name.to_owned();
    let request = v1::DeleteSearchRequest { name };
    clients.searches.delete_search(request).await.map(drop)
}

/// Names and queries.
async fn list(clients: &mut Clients) -> Vec<(String, String)> {
    let request = v1::ListSavedSearchesRequest {};
    let list = clients.searches.list_saved_searches(request).await.unwrap();
    let searches = list.into_inner().saved_searches.into_iter();
    searches.map(|found| (found.name, found.query)).collect()
}

fn pair(name: &str, query: &str) -> (String, String) {
    (name.to_owned(), query.to_owned())
}

fn check<T: std::fmt::Debug>(outcome: Result<T, Status>, code: Code, message: &str) {
    let status = outcome.unwrap_err();
    assert_eq!((status.code(), status.message()), (code, message));
}

#[tokio::test]
async fn searches_are_saved_renamed_and_deleted() {
    let store = Store::start().await;
    let mut clients = store.clients();
    assert_eq!(list(&mut clients).await, []);
    let first = save(
        &mut clients,
        " Night errors ",
        "level=ERROR&from=-12h",
        false,
    );
    let first = first.await.unwrap();
    assert_eq!(first.name, "Night errors");
    assert!(first.created_us > 0 && first.created_us == first.updated_us);
    save(&mut clients, "all", "", false).await.unwrap();
    let expected = [
        pair("all", ""),
        pair("Night errors", "level=ERROR&from=-12h"),
    ];
    assert_eq!(list(&mut clients).await, expected);

    let again = save(&mut clients, "NIGHT errors", "level=ERROR", true)
        .await
        .unwrap();
    assert_eq!(again.created_us, first.created_us);
    assert!(again.updated_us > first.updated_us);
    let expected = [pair("all", ""), pair("NIGHT errors", "level=ERROR")];
    assert_eq!(list(&mut clients).await, expected);

    rename(&mut clients, "night ERRORS", "Night errors")
        .await
        .unwrap();
    let renamed = rename(&mut clients, "night errors", "a view")
        .await
        .unwrap();
    assert_eq!(
        (renamed.name.as_str(), renamed.query.as_str()),
        ("a view", "level=ERROR")
    );
    assert_eq!(renamed.created_us, first.created_us);
    delete(&mut clients, "ALL").await.unwrap();
    assert_eq!(list(&mut clients).await, [pair("a view", "level=ERROR")]);
}

#[tokio::test]
async fn what_cannot_be_done_is_named() {
    let store = Store::start().await;
    let mut clients = store.clients();
    for name in ["one", "two"] {
        save(&mut clients, name, "q=1", false).await.unwrap();
    }
    let taken = save(&mut clients, "ONE", "q=2", false).await;
    check(
        taken,
        Code::AlreadyExists,
        "a saved search named `ONE` exists already",
    );
    let taken = rename(&mut clients, "one", "Two").await;
    check(
        taken,
        Code::AlreadyExists,
        "a saved search named `Two` exists already",
    );
    let missing = "there is no saved search named `three`";
    check(
        rename(&mut clients, "three", "four").await,
        Code::NotFound,
        missing,
    );
    check(delete(&mut clients, "three").await, Code::NotFound, missing);
    let nameless = "the name is empty: give it one";
    check(
        save(&mut clients, " ", "", true).await,
        Code::InvalidArgument,
        nameless,
    );
    check(
        rename(&mut clients, "one", "").await,
        Code::InvalidArgument,
        nameless,
    );
    let long = "x".repeat(101);
    check(
        save(&mut clients, &long, "", true).await,
        Code::InvalidArgument,
        "the name has 101 characters: 100 are the most",
    );
    check(
        save(&mut clients, "a\u{1b}b", "", true).await,
        Code::InvalidArgument,
        "the name has the control character U+001B: leave it out",
    );
    check(
        save(&mut clients, "a", "q=<script>", true).await,
        Code::InvalidArgument,
        "the view's address has the character '<': percent-encode it",
    );
    check(
        save(&mut clients, "a", &"q".repeat(8_193), true).await,
        Code::InvalidArgument,
        "the view's address has 8193 bytes: 8192 are the most",
    );
    let expected = [pair("one", "q=1"), pair("two", "q=1")];
    assert_eq!(list(&mut clients).await, expected);
}

#[tokio::test]
async fn there_are_not_too_many() {
    let store = Store::start().await;
    let mut clients = store.clients();
    for number in 0..1_000 {
        let name = format!("search {number}");
        save(&mut clients, &name, "q=1", false).await.unwrap();
    }
    let full = save(&mut clients, "one more", "", true).await;
    let message = "there are 1000 saved searches, and no more may be: delete one first";
    check(full, Code::FailedPrecondition, message);
    save(&mut clients, "Search 7", "q=2", true).await.unwrap();
    delete(&mut clients, "search 8").await.unwrap();
    save(&mut clients, "one more", "", true).await.unwrap();
    assert_eq!(list(&mut clients).await.len(), 1_000);
}

#[tokio::test]
async fn a_name_is_given_once_while_records_come_in() {
    let store = Store::start().await;
    let (mut bridge, _) = store.clients().open(ONE).await;
    let ingest = tokio::spawn(async move {
        for first in (1..20_001).step_by(500) {
            let batch = entries("a", first..first + 500);
            bridge.append(first, batch).await.unwrap();
        }
    });
    for round in 0..10 {
        let name = format!("round {round}");
        let tries = (0..8).map(|_| {
            let (mut clients, name) = (store.clients(), name.clone());
            tokio::spawn(async move { save(&mut clients, &name, "q=1", false).await.is_ok() })
        });
        let tries: Vec<_> = tries.collect();
        let mut saved = 0;
        for outcome in tries {
            saved += usize::from(outcome.await.unwrap());
        }
        assert_eq!(saved, 1, "{name}");
    }
    ingest.await.unwrap();
    assert_eq!(list(&mut store.clients()).await.len(), 10);
}

#[tokio::test]
async fn restarts_and_backups_keep_them() {
    let mut store = Store::start().await;
    save(&mut store.clients(), "Größe", "q=gr%C3%B6%C3%9Fe", false)
        .await
        .unwrap();
    store.restart().await;
    let expected = [pair("Größe", "q=gr%C3%B6%C3%9Fe")];
    assert_eq!(list(&mut store.clients()).await, expected);
    let folder = TempDir::new().unwrap();
    backup(&mut store.clients(), &database(folder.path())).await;
    let copy = Store::start_in(folder, |_| {}).await;
    assert_eq!(list(&mut copy.clients()).await, expected);
}
