//! What the audit log tells of people who sign in, and who may read it.

use std::time::Duration;

use herald_web::{Groups, ProxyAuth, Role, SignIn};
use proto::v1::{AuditAction, AuditEntry, AuthorKind};
use testkit::{
    http::{get_with, post},
    wait_until,
};

use super::{PASSWORD, Site};
use crate::fake_store::Mood;

const DEADLINE: Duration = Duration::from_secs(20);

/// The log once it has so many entries.
async fn log(site: &Site, count: usize) -> Vec<AuditEntry> {
    wait_until("the store is told", DEADLINE, async || {
        site.web.store.audit().len() >= count
    })
    .await;
    site.web.store.audit().clone()
}

/// Action, object and author's name of each.
fn told(entries: &[AuditEntry]) -> Vec<(AuditAction, String, String)> {
    let told = |entry: &AuditEntry| {
        let name = entry.author.clone().unwrap().name;
        (entry.action(), entry.object.clone(), name)
    };
    entries.iter().map(told).collect()
}

fn expected<const N: usize>(
    told: [(AuditAction, &str, &str); N],
) -> [(AuditAction, String, String); N] {
    told.map(|(action, object, name)| (action, object.to_owned(), name.to_owned()))
}

#[tokio::test]
async fn who_signs_in_and_out_is_told_and_no_password_is() {
    let site = Site::new().await;
    let mut anna = site.signed_in("anna").await;
    anna.sign_out().await;
    site.browser().sign_in("bo", "wrong wrong", "/").await;
    site.browser()
        .sign_in("my secret", "in the wrong field", "/")
        .await;
    let entries = log(&site, 4).await;
    let all = expected([
        (AuditAction::SignedIn, "", "anna"),
        (AuditAction::SignedOut, "", "anna"),
        (AuditAction::SignInRefused, "bo", ""),
        // Not the name: somebody may have typed a password there.
        (AuditAction::SignInRefused, "", ""),
    ]);
    assert_eq!(told(&entries), all);
    assert_eq!(entries[2].detail, "wrong password");
    let author = entries[2].author.clone().unwrap();
    assert_eq!(
        (author.kind(), &*author.address),
        (AuthorKind::Unsigned, "127.0.0.1")
    );
    let text = format!("{entries:?}");
    for secret in [PASSWORD, "wrong wrong", "my secret", "wrong field"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn signing_in_waits_for_no_store_and_is_told_when_it_is_back() {
    let site = Site::new().await;
    site.web
        .store
        .set_mood(Mood::Broken(tonic::Status::unavailable("away")));
    let mut browser = site.browser();
    let answer = browser.sign_in("anna", PASSWORD, "/").await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
    assert_eq!(site.web.store.audit().len(), 0);
    site.web.store.set_mood(Mood::Well);
    let entries = log(&site, 1).await;
    let all = expected([(AuditAction::SignedIn, "", "anna")]);
    assert_eq!(told(&entries), all);
}

#[tokio::test]
async fn changes_are_told_with_who_makes_them() {
    let site = Site::new().await;
    let anna = site.signed_in("anna").await;
    let fields = [("name", "Night"), ("view", "/?q=a")];
    let answer = anna.send("/saved", "/saved", &fields).await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
    let token = site.tokens().add("chat", Role::Operator, None).unwrap();
    let authorization = format!("Bearer {token}");
    let headers = [
        ("content-type", "application/json"),
        ("authorization", authorization.as_str()),
    ];
    let url = format!("{}/api/v1/alerts/2/silence", site.web.base);
    let body = "{\"until\":null,\"by\":\"bo\"}".to_owned();
    let answer = post(&url, &headers, body).await.unwrap();
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let mut entries = log(&site, 3).await;
    entries.retain(|entry| entry.action() != AuditAction::SignedIn);
    let all = expected([
        (AuditAction::SearchSaved, "Night", "anna"),
        (AuditAction::AlertSilenced, "2", "chat"),
    ]);
    assert_eq!(told(&entries), all);
    let author = |at: usize| entries[at].author.clone().unwrap();
    assert_eq!(author(0).kind(), AuthorKind::User);
    assert_eq!(
        (author(1).kind(), &*author(1).said),
        (AuthorKind::Token, "bo")
    );
}

#[tokio::test]
async fn people_of_a_proxy_are_told_by_their_names_and_addresses() {
    let site = Site::with(SignIn {
        proxy_auth: Some(ProxyAuth {
            from: "127.0.0.1".parse().unwrap(),
            user_header: "x-remote-user".parse().unwrap(),
            groups_header: "x-remote-groups".parse().unwrap(),
            groups: Groups {
                operators: vec!["ops".to_owned()],
                ..Groups::default()
            },
        }),
        ..SignIn::default()
    })
    .await;
    let mut browser = site.browser();
    browser.headers = vec![
        ("x-remote-user", "J Doe"),
        ("x-remote-groups", "ops"),
        ("x-forwarded-for", "192.0.2.9"),
    ];
    let answer = browser
        .send("/alerts", "/alerts/2", &[("do", "acknowledge")])
        .await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
    let author = log(&site, 1).await[0].author.clone().unwrap();
    assert_eq!(
        (author.kind(), &*author.name, &*author.address),
        (AuthorKind::Proxy, "J Doe", "192.0.2.9")
    );
}

#[tokio::test]
async fn a_viewer_does_not_see_who_has_done_what() {
    let site = Site::new().await;
    let bo = site.signed_in("bo").await;
    let page = bo.page("/audit", 403).await;
    assert!(page.contains("This takes the role operator."), "{page}");
    assert!(!bo.page("/", 200).await.contains("href=\"/audit\""));
    assert_eq!(site.browser().get("/audit").await.status.as_u16(), 303);
    let token = site.tokens().add("probe", Role::Viewer, None).unwrap();
    for path in ["/api/v1/audit", "/api/v1/audit/export"] {
        let authorization = format!("Bearer {token}");
        let url = format!("{}{path}", site.web.base);
        let headers = [("authorization", authorization.as_str())];
        let answer = get_with(&url, &headers).await.unwrap();
        assert_eq!(answer.status.as_u16(), 403, "{path}");
    }
    let anna = site.signed_in("anna").await;
    let page = anna.page("/audit", 200).await;
    assert!(page.contains("aria-current=\"page\">Audit</a>"), "{page}");
}
