//! Who has changed what: told to the store with every change, and shown to operators.

use domain::{Author, AuthorKind};
use proto::v1::{AuditAction, AuditEntry};
use testkit::http::{get_with, post};

use crate::{fake_store::alerts::known, text::href, web::Web};

/// A log with an entry of each kind of author.
pub(crate) fn log() -> Vec<AuditEntry> {
    let entry = |id: u64, action: AuditAction, kind, name: &str, said: &str| AuditEntry {
        id,
        at_us: 1_795_393_361_000_000 + id.cast_signed(),
        action: action.into(),
        object: "7".to_owned(),
        author: Some(Author::cut(kind, name, said, Some([192, 0, 2, 7].into())).into()),
        count: 1,
        ..AuditEntry::default()
    };
    let mut entries = vec![
        entry(
            1,
            AuditAction::AlertSilenced,
            AuthorKind::Token,
            "chat",
            "bo",
        ),
        entry(2, AuditAction::SearchChanged, AuthorKind::User, "anna", ""),
        entry(3, AuditAction::SignInRefused, AuthorKind::Unsigned, "", ""),
    ];
    entries[0].after = "until 2026-11-30T02:24:15Z".to_owned();
    entries[1].object = "=Night \u{202e}<b>".to_owned();
    entries[1].before = "q=%3Cscript%3E".to_owned();
    entries[1].after = "<script>alert(1)</script>".to_owned();
    entries[2].object = String::new();
    entries[2].count = 1_234;
    entries
}

#[tokio::test]
async fn entries_are_shown_newest_first_and_inert() {
    let web = Web::with(Vec::new()).await;
    let page = web.page("/audit", 200).await;
    assert!(page.contains("Nobody has changed anything yet."), "{page}");
    *web.store.audit() = log();
    let page = web.page("/audit", 200).await;
    let place = |text: &str| {
        page.find(text)
            .unwrap_or_else(|| panic!("{text} in {page}"))
    };
    assert!(place("id=\"e3\"") < place("id=\"e2\"") && place("id=\"e2\"") < place("id=\"e1\""));
    for text in [
        "aria-current=\"page\">Audit</a>",
        "<bdi>chat</bdi></a> for <bdi>bo</bdi>",
        "by a token · 192.0.2.7",
        "<a href=\"/alerts/7\"><bdi>alert 7</bdi></a>",
        "<bdi>until 2026-11-30T02:24:15Z</bdi></ins>",
        "<b>1,234 times</b>",
        "<bdi>q=%3Cscript%3E</bdi></del>",
        "&lt;script&gt;alert(1)",
    ] {
        place(text);
    }
    assert!(!page.contains("<script>alert"), "{page}");
    let narrowed = web
        .page("/audit?who=anna&action=search_changed&from=-7d", 200)
        .await;
    assert!(
        narrowed.contains("value=\"anna\"") && narrowed.contains("\"search_changed\" selected")
    );
    assert_eq!(href(&narrowed, ">clear</a>"), "/audit");
    let nothing = web.page("/audit?action=backup_made", 200).await;
    assert!(
        nothing.contains("Nothing of this kind was done."),
        "{nothing}"
    );
    for wrong in [
        "action=x",
        "from=soon",
        "before=0",
        "nothing=1",
        "who=a&who=b",
    ] {
        web.page(&format!("/audit?{wrong}"), 400).await;
    }
}

#[tokio::test]
async fn pages_go_on_by_number_and_files_have_all() {
    let web = Web::with(Vec::new()).await;
    let entries = (1..=2_100).map(|id| AuditEntry {
        id,
        ..log()[1].clone()
    });
    *web.store.audit() = entries.collect();
    let page = web.page("/audit?who=anna", 200).await;
    assert_eq!(page.matches("<tr id=\"e").count(), 100);
    let older = href(&page, ">older</a>")
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    assert_eq!(older, "/audit?who=anna&before=2001");
    let page = web.page(&older, 200).await;
    assert!(page.contains("id=\"e2000\"") && !page.contains("id=\"e2001\""));
    let last = web.page("/audit?before=1", 200).await;
    assert!(last.contains("There are no older ones."), "{last}");

    let list = web.json("/api/v1/audit?limit=2&before=3", 200).await;
    assert_eq!(list["entries"][0]["id"], 2);
    assert!(list["next"].is_null(), "{list}");
    let answer = web.get("/api/v1/audit/export?format=csv").await;
    let name = answer.headers["content-disposition"].to_str().unwrap();
    assert!(name.contains("herald-audit-development-"), "{name}");
    let csv = answer.text();
    assert_eq!(csv.lines().count(), 2_101);
    assert!(
        csv.starts_with("id,at,action,object,detail,before,after,author_kind,"),
        "{csv}"
    );
    let line = csv.lines().nth(1).unwrap();
    assert!(
        line.starts_with("2100,2026-") && line.contains(",\"'=Night "),
        "{line}"
    );
    let lines = web
        .page("/api/v1/audit/export?format=ndjson&who=anna", 200)
        .await;
    assert_eq!(lines.lines().count(), 2_100);
}

#[tokio::test]
async fn the_store_is_told_for_whom_something_is_changed() {
    let web = Web::with(Vec::new()).await;
    *web.store.alerts() = known();
    let json = [("content-type", "application/json")];
    let url = format!("{}/api/v1/alerts/2/acknowledge", web.base);
    let answer = post(&url, &json, "{\"by\":\"bo\"}".to_owned())
        .await
        .unwrap();
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let entries = web.store.audit().clone();
    let author = entries[0].author.clone().unwrap();
    assert_eq!(
        (
            author.kind(),
            &*author.name,
            &*author.said,
            &*author.address
        ),
        (proto::v1::AuthorKind::Unsigned, "", "bo", "127.0.0.1")
    );
    let page = get_with(&format!("{}/audit", web.base), &[])
        .await
        .unwrap()
        .text();
    assert!(page.contains("this machine"), "{page}");
}
