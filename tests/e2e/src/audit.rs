//! What people and programs have done to a store, as herald-web would have asked for it.

use domain::{Author, AuthorKind};
use proto::v1::{
    AcknowledgeAlertRequest, AddAuditEntryRequest, AuditAction, BackupRequest, DeleteSearchRequest,
    RenameSearchRequest, SaveSearchRequest, SilenceAlertRequest,
    alert_service_client::AlertServiceClient, audit_service_client::AuditServiceClient,
    saved_search_service_client::SavedSearchServiceClient,
    status_service_client::StatusServiceClient,
};
use tonic::Request;

use crate::site::now_us;

/// Changes of every kind, by authors of every kind, at the store at `url`, which knows of
/// alerts 1 and 2 that go on.
///
/// # Panics
/// When the store does not take them.
pub async fn deeds(url: &str) {
    let channel = runtime::grpc::channel(url).expect("the URL of a store");
    let anna = person(AuthorKind::User, "anna", "");
    let chat = person(AuthorKind::Token, "chat-of-the-bakery", "Bo Baker");
    let proxied = person(AuthorKind::Proxy, "j.doe@example.com", "");
    let mut alerts = AlertServiceClient::new(channel.clone());
    let request = AcknowledgeAlertRequest {
        id: 1,
        by: "anna".to_owned(),
    };
    alerts
        .acknowledge_alert(by(&anna, request))
        .await
        .expect("an alert");
    let link = person(AuthorKind::Link, "alert 2", "");
    for (author, until_us) in [(&link, Some(now_us() + 3_600_000_000)), (&chat, None)] {
        let request = SilenceAlertRequest {
            id: 2,
            until_us,
            by: String::new(),
        };
        alerts
            .silence_alert(by(author, request))
            .await
            .expect("an alert");
    }
    let mut searches = SavedSearchServiceClient::new(channel.clone());
    for query in [
        "level=ERROR&from=-12h",
        "level=WARNING&system_id=oven&from=-7d",
    ] {
        let request = SaveSearchRequest {
            name: "Errors of the night".to_owned(),
            query: query.to_owned(),
            overwrite: true,
        };
        let saved = searches.save_search(by(&proxied, request)).await;
        saved.expect("a search");
    }
    let request = RenameSearchRequest {
        name: "Errors of the night".to_owned(),
        new_name: "Oven".to_owned(),
    };
    let renamed = searches.rename_search(by(&anna, request)).await;
    renamed.expect("a search");
    let name = "Oven".to_owned();
    let request = by(&anna, DeleteSearchRequest { name });
    searches.delete_search(request).await.expect("a search");
    let mut status = StatusServiceClient::new(channel.clone());
    drop(status.backup(BackupRequest {}).await.expect("a copy"));
    let mut audit = AuditServiceClient::new(channel);
    let stranger = person(AuthorKind::Unsigned, "", "");
    for (author, action, object, detail, count) in [
        (&anna, AuditAction::SignedIn, "", "", 1),
        (
            &stranger,
            AuditAction::SignInRefused,
            "anna",
            "wrong password",
            1,
        ),
        (
            &stranger,
            AuditAction::SignInRefused,
            "",
            "other names: too many at a time",
            12_345,
        ),
        (&anna, AuditAction::SignedOut, "", "", 1),
    ] {
        let request = AddAuditEntryRequest {
            action: action.into(),
            object: object.to_owned(),
            detail: detail.to_owned(),
            count,
            ago_ms: 0,
        };
        let added = audit.add_audit_entry(by(author, request)).await;
        added.expect("an entry");
    }
}

fn person(kind: AuthorKind, name: &str, said: &str) -> Author {
    Author::cut(kind, name, said, Some([192, 0, 2, 7].into()))
}

fn by<T>(author: &Author, message: T) -> Request<T> {
    let mut request = Request::new(message);
    proto::author::attach(&mut request, author);
    request
}
