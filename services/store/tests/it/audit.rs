//! Who has changed what: noted with the change or not at all, told by pages, and never
//! changed by anybody.

use domain::{Author, AuthorKind};
use proto::v1::{self, AuditAction};
use tempfile::TempDir;
use testkit::wait_until;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::{
    alerts::{acknowledge, get, silence},
    backup::backup,
    harness::{Clients, DEADLINE, Store, database},
    runs::{alert, found, now_us, run},
};

/// A change in the name of somebody at herald-web.
pub(crate) fn by<T>(name: &str, message: T) -> Request<T> {
    let address = Some("192.0.2.7".parse().unwrap());
    let mut request = Request::new(message);
    let author = Author::cut(AuthorKind::User, name, "", address);
    proto::author::attach(&mut request, &author);
    request
}

pub(crate) async fn list(
    clients: &mut Clients,
    request: v1::ListAuditEntriesRequest,
) -> v1::ListAuditEntriesResponse {
    let listed = clients.audit.list_audit_entries(request).await;
    listed.unwrap().into_inner()
}

async fn all(clients: &mut Clients) -> Vec<v1::AuditEntry> {
    let request = v1::ListAuditEntriesRequest::default();
    list(clients, request).await.entries
}

/// Action, object, before and after of each.
fn told(entries: &[v1::AuditEntry]) -> Vec<(AuditAction, &str, &str, &str)> {
    let told = |entry: &'_ v1::AuditEntry| entry.action();
    let entries = entries.iter();
    entries
        .map(|entry| (told(entry), &*entry.object, &*entry.before, &*entry.after))
        .collect()
}

fn save(name: &str, query: &str) -> v1::SaveSearchRequest {
    v1::SaveSearchRequest {
        name: name.to_owned(),
        query: query.to_owned(),
        overwrite: true,
    }
}

fn signing_in(action: AuditAction, object: &str) -> v1::AddAuditEntryRequest {
    v1::AddAuditEntryRequest {
        action: action.into(),
        object: object.to_owned(),
        ..v1::AddAuditEntryRequest::default()
    }
}

#[tokio::test]
async fn every_change_of_saved_searches_is_noted_with_what_was_before() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let before_us = now_us();
    let searches = &mut clients.searches;
    let saved = searches.save_search(by("anna", save("Night", "q=1"))).await;
    saved.unwrap();
    let saved = searches.save_search(by("bo", save("NIGHT", "q=2"))).await;
    saved.unwrap();
    let rename = v1::RenameSearchRequest {
        name: "night".to_owned(),
        new_name: "Day".to_owned(),
    };
    searches.rename_search(by("bo", rename)).await.unwrap();
    let name = "day".to_owned();
    let delete = v1::DeleteSearchRequest { name };
    searches.delete_search(delete.clone()).await.unwrap();
    // What is not done is not noted.
    searches.delete_search(by("bo", delete)).await.unwrap_err();
    let mut taken = save("a", "q=1");
    searches.save_search(taken.clone()).await.unwrap();
    taken.overwrite = false;
    searches.save_search(taken).await.unwrap_err();

    let entries = all(&mut clients).await;
    let expected = [
        (AuditAction::SearchSaved, "a", "", "q=1"),
        (AuditAction::SearchDeleted, "Day", "q=2", ""),
        (AuditAction::SearchRenamed, "Day", "NIGHT", "Day"),
        (AuditAction::SearchChanged, "NIGHT", "q=1", "q=2"),
        (AuditAction::SearchSaved, "Night", "", "q=1"),
    ];
    assert_eq!(told(&entries), expected);
    let first = &entries[4];
    assert!((before_us..=now_us()).contains(&first.at_us), "{first:?}");
    let author = first.author.clone().unwrap();
    assert_eq!(
        (author.kind(), &*author.name, &*author.address),
        (v1::AuthorKind::User, "anna", "192.0.2.7")
    );
    // Who has not said for whom is the author.
    let author = entries[0].author.clone().unwrap();
    assert_eq!(
        (author.kind(), &*author.name, &*author.address),
        (v1::AuthorKind::Client, "", "127.0.0.1")
    );
}

#[tokio::test]
async fn every_change_of_alerts_is_noted_once() {
    let store = Store::start().await;
    let mut clients = store.clients();
    run(&mut clients, found(0, vec![alert(1, "shop")])).await;
    // Runs of neelix are no changes of somebody.
    assert_eq!(all(&mut clients).await, []);
    let request = v1::AcknowledgeAlertRequest {
        id: 1,
        by: "anna".to_owned(),
    };
    let known = clients.alerts.acknowledge_alert(by("anna", request)).await;
    known.unwrap();
    acknowledge(&mut clients, 1).await.unwrap();
    let until_us = now_us() / 1_000_000 * 1_000_000 + 3_600_000_000;
    silence(&mut clients, 1, Some(until_us)).await.unwrap();
    let later_us = until_us + 60_000_000;
    silence(&mut clients, 1, Some(later_us)).await.unwrap();
    silence(&mut clients, 1, None).await.unwrap();
    silence(&mut clients, 1, None).await.unwrap();
    acknowledge(&mut clients, 2).await.unwrap_err();
    let entries = all(&mut clients).await;
    let text = |us: i64| {
        let at = time::OffsetDateTime::from_unix_timestamp(us / 1_000_000).unwrap();
        let format = &time::format_description::well_known::Rfc3339;
        format!("until {}", at.format(format).unwrap())
    };
    let (until, later) = (text(until_us), text(later_us));
    let expected = [
        (AuditAction::AlertUnsilenced, "1", &*later, ""),
        (AuditAction::AlertSilenced, "1", &until, &later),
        (AuditAction::AlertSilenced, "1", "", &until),
        (AuditAction::AlertAcknowledged, "1", "", ""),
    ];
    assert_eq!(told(&entries), expected);
    assert_eq!(entries[3].detail, "shop of shop");
    assert_eq!(entries[3].author.as_ref().unwrap().name, "anna");
}

/// Guards against entries without a change, and changes without an entry.
#[tokio::test]
async fn a_change_and_its_entry_are_made_together_or_not_at_all() {
    let store = Store::start().await;
    let mut clients = store.clients();
    run(&mut clients, found(0, vec![alert(1, "shop")])).await;
    let mut conn = store.database().await;
    let refuse =
        "CREATE TRIGGER no BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, ''); END";
    sqlx::query(refuse).execute(&mut conn).await.unwrap();
    let failed = |outcome: Result<(), Status>| {
        assert_eq!(outcome.unwrap_err().code(), Code::Internal);
    };
    failed(acknowledge(&mut clients, 1).await.map(drop));
    failed(
        silence(&mut clients, 1, Some(now_us() + 9_000_000_000))
            .await
            .map(drop),
    );
    failed(clients.searches.save_search(save("a", "")).await.map(drop));
    failed(clients.status.backup(v1::BackupRequest {}).await.map(drop));
    sqlx::query("DROP TRIGGER no")
        .execute(&mut conn)
        .await
        .unwrap();
    let kept = get(&mut clients, 1).await.unwrap();
    let kept = kept.alert.unwrap();
    assert_eq!((kept.acknowledged_us, kept.silenced_until_us), (None, None));
    assert_eq!(store.count("SELECT count(*) FROM saved_search").await, 0);

    for (table, name) in [("alert_event", "one"), ("saved_search", "two")] {
        let refuse = format!(
            "CREATE TRIGGER {name} BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, ''); END"
        );
        let refuse = sqlx::AssertSqlSafe(refuse);
        sqlx::query(refuse).execute(&mut conn).await.unwrap();
    }
    failed(acknowledge(&mut clients, 1).await.map(drop));
    failed(
        silence(&mut clients, 1, Some(now_us() + 9_000_000_000))
            .await
            .map(drop),
    );
    failed(clients.searches.save_search(save("a", "")).await.map(drop));
    assert_eq!(all(&mut clients).await, []);
}

#[tokio::test]
async fn lists_are_told_by_pages_and_narrowed() {
    let store = Store::start().await;
    let mut clients = store.clients();
    for number in 0..7 {
        let name = if number % 2 == 0 { "Änna" } else { "bo" };
        let request = save(&format!("search {number}"), "q=1");
        clients
            .searches
            .save_search(by(name, request))
            .await
            .unwrap();
    }
    let mut seen = Vec::new();
    let mut before = 0;
    loop {
        let request = v1::ListAuditEntriesRequest {
            limit: 3,
            before,
            ..v1::ListAuditEntriesRequest::default()
        };
        let page = list(&mut clients, request).await;
        assert!(page.entries.len() <= 3);
        seen.extend(page.entries.into_iter().map(|entry| entry.object));
        before = page.next;
        if before == 0 {
            break;
        }
    }
    let expected: Vec<_> = (0..7)
        .rev()
        .map(|number| format!("search {number}"))
        .collect();
    assert_eq!(seen, expected);

    let entries = all(&mut clients).await;
    let (first_us, last_us) = (entries[6].at_us, entries[0].at_us);
    let everything = v1::ListAuditEntriesRequest::default();
    let of = |who: &str| v1::ListAuditEntriesRequest {
        who: who.to_owned(),
        ..everything.clone()
    };
    let doing = |action: AuditAction| v1::ListAuditEntriesRequest {
        actions: vec![action.into()],
        ..everything.clone()
    };
    for (request, expected) in [
        (of("Änn"), 4),
        (of("BO"), 3),
        (of("192.0.2."), 7),
        (of("%"), 0),
        (of("bo\n192"), 0),
        (doing(AuditAction::SearchSaved), 7),
        (doing(AuditAction::SignedIn), 0),
        (
            v1::ListAuditEntriesRequest {
                from_us: last_us,
                ..everything.clone()
            },
            1,
        ),
        (
            v1::ListAuditEntriesRequest {
                to_us: last_us,
                ..everything.clone()
            },
            6,
        ),
        (
            v1::ListAuditEntriesRequest {
                to_us: first_us,
                ..everything.clone()
            },
            0,
        ),
    ] {
        let found = list(&mut clients, request.clone()).await.entries;
        assert_eq!(found.len(), expected, "{request:?}");
    }
    for wrong in [
        v1::ListAuditEntriesRequest {
            limit: 1_001,
            ..everything.clone()
        },
        of(&"x".repeat(101)),
        v1::ListAuditEntriesRequest {
            actions: vec![99],
            ..everything.clone()
        },
    ] {
        let refused = clients.audit.list_audit_entries(wrong).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
}

#[tokio::test]
async fn only_signing_in_is_told_by_others() {
    let store = Store::start().await;
    let mut clients = store.clients();
    for action in [AuditAction::SignedIn, AuditAction::SignedOut] {
        let request = by("anna", signing_in(action, ""));
        clients.audit.add_audit_entry(request).await.unwrap();
    }
    let refused = v1::AddAuditEntryRequest {
        detail: "wrong password".to_owned(),
        count: 7,
        ago_ms: 60_000,
        ..signing_in(AuditAction::SignInRefused, "anna")
    };
    clients
        .audit
        .add_audit_entry(refused.clone())
        .await
        .unwrap();
    let entries = all(&mut clients).await;
    assert_eq!((entries[0].count, entries[1].count), (7, 1));
    assert_eq!(entries[0].detail, "wrong password");
    let ago_us = now_us() - entries[0].at_us;
    assert!((60_000_000..90_000_000).contains(&ago_us), "{ago_us}");
    for wrong in [
        signing_in(AuditAction::AlertSilenced, "7"),
        signing_in(AuditAction::Unspecified, ""),
        signing_in(AuditAction::SignedIn, &"x".repeat(101)),
        signing_in(AuditAction::SignedIn, "a\nb"),
        v1::AddAuditEntryRequest {
            detail: "x".repeat(201),
            ..refused.clone()
        },
        v1::AddAuditEntryRequest {
            ago_ms: u64::MAX,
            ..refused
        },
    ] {
        let refused = clients.audit.add_audit_entry(wrong).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
    assert_eq!(all(&mut clients).await.len(), 3);
}

#[tokio::test]
async fn copies_checks_and_imports_are_noted_and_copies_have_the_entries() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let folder = TempDir::new().unwrap();
    backup(&mut clients, &database(folder.path())).await;
    let checked = clients.status.verify(v1::VerifyRequest {}).await;
    drop(checked.unwrap());
    clients
        .open_as(Uuid::from_u128(1), "import old.sqlite")
        .await;
    clients.open_as(Uuid::from_u128(2), "bridge").await;
    let entries = all(&mut clients).await;
    let expected = [
        (AuditAction::RecordsImported, "old.sqlite", "", ""),
        (AuditAction::StoreVerified, "", "", ""),
        (AuditAction::BackupMade, "", "", ""),
    ];
    assert_eq!(told(&entries), expected);
    let copy = Store::start_in(folder, |_| {}).await;
    let copied = all(&mut copy.clients()).await;
    assert_eq!(told(&copied), [(AuditAction::BackupMade, "", "", "")]);
}

#[tokio::test]
async fn entries_are_not_changed_and_outlive_what_they_are_about() {
    let mut store = Store::start_with(|config| {
        config.alert_retention = std::time::Duration::from_millis(1);
    })
    .await;
    let mut clients = store.clients();
    run(&mut clients, found(0, vec![alert(1, "shop")])).await;
    acknowledge(&mut clients, 1).await.unwrap();
    let ended = crate::alerts::resolved(alert(1, "shop"));
    run(&mut clients, found(0, vec![ended])).await;
    let is_gone = async || get(&mut store.clients(), 1).await.is_err();
    wait_until("the alert is removed", DEADLINE, is_gone).await;
    let entries = all(&mut clients).await;
    assert_eq!(entries.len(), 1);
    let mut conn = store.database().await;
    let change = sqlx::query("UPDATE audit_entry SET author_name = 'bo'");
    let refused = change.execute(&mut conn).await.unwrap_err().to_string();
    assert!(refused.contains("never changed"), "{refused}");
    drop(conn);
    store.restart().await;
    assert_eq!(all(&mut store.clients()).await, entries);
}

#[tokio::test]
async fn what_is_too_old_or_too_much_is_removed_and_no_number_is_given_twice() {
    let mut store = Store::start().await;
    let mut conn = store.database().await;
    // Somebody tries for days: changes stay.
    sqlx::query(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 20600)
         INSERT INTO audit_entry SELECT n, ?, CASE WHEN n <= 100 THEN 4 ELSE 12 END,
             '', '', '', '', 5, '', '', '', 1 FROM numbers",
    )
    .bind(now_us())
    .execute(&mut conn)
    .await
    .unwrap();
    store.restart().await;
    wait_until("the oldest are removed", DEADLINE, async || {
        store.count("SELECT count(*) FROM audit_entry").await == 20_100
    })
    .await;
    let oldest = "SELECT min(id) FROM audit_entry WHERE action = 12";
    assert_eq!(store.count(oldest).await, 601);
    assert_eq!(store.count("SELECT min(id) FROM audit_entry").await, 1);

    store.stop().await;
    store.config.audit_retention = std::time::Duration::from_millis(1);
    store.resume().await;
    wait_until("all are removed", DEADLINE, async || {
        store.count("SELECT count(*) FROM audit_entry").await == 0
    })
    .await;
    let mut clients = store.clients();
    clients.searches.save_search(save("a", "")).await.unwrap();
    assert_eq!(all(&mut clients).await[0].id, 20_601);
}
