//! `/audit`: who has changed what, and who has signed in, for operators.

use axum::{extract::RawQuery, http::StatusCode, response::Response};
use domain::{AuditAction, AuditEntry, Author, AuthorKind, Micros};
use serde::Serialize;

use super::{
    figure::{When, counted},
    layout::Layout,
    page::{Main, Page, fill},
    problem,
    row::short,
};
use crate::{
    api::audit::{FILTER, read_filter},
    app::App,
    request::{KnownName, Parameters, Reader, address, link_to, read_id},
    store_client::AuditQuery,
    utc,
};

const PATH: &str = "/audit";
const EXPORT_PATH: &str = "/api/v1/audit/export";
const KNOWN: &[&[KnownName]] = &[FILTER, &[("before", "before")]];
/// How many entries a page has.
const LISTED: u32 = 100;

/// The times that can be looked back on.
const SPANS: [(&str, Option<&str>); 4] = [
    ("24 hours", Some("-24h")),
    ("7 days", Some("-7d")),
    ("30 days", Some("-30d")),
    ("everything", None),
];

/// What can be chosen, in groups.
const GROUPS: [(&str, &[AuditAction]); 4] = [
    (
        "Alerts",
        &[
            AuditAction::AlertAcknowledged,
            AuditAction::AlertSilenced,
            AuditAction::AlertUnsilenced,
        ],
    ),
    (
        "Saved searches",
        &[
            AuditAction::SearchSaved,
            AuditAction::SearchChanged,
            AuditAction::SearchRenamed,
            AuditAction::SearchDeleted,
        ],
    ),
    (
        "The store",
        &[
            AuditAction::BackupMade,
            AuditAction::StoreVerified,
            AuditAction::RecordsImported,
        ],
    ),
    (
        "Signing in",
        &[
            AuditAction::SignedIn,
            AuditAction::SignInRefused,
            AuditAction::SignedOut,
        ],
    ),
];

#[derive(Serialize)]
struct AuditPage {
    who: String,
    groups: Vec<Group>,
    /// Times that the form keeps.
    kept: Vec<(&'static str, String)>,
    spans: Vec<Span>,
    clear_href: Option<String>,
    entries: Vec<EntryView>,
    is_first: bool,
    newest_href: String,
    older_href: Option<String>,
    exports: [(&'static str, String); 2],
}

#[derive(Serialize)]
struct Group {
    label: &'static str,
    choices: Vec<Choice>,
}

#[derive(Serialize)]
struct Choice {
    name: &'static str,
    label: &'static str,
    is_here: bool,
}

#[derive(Serialize)]
struct Span {
    label: &'static str,
    href: String,
    is_here: bool,
}

#[derive(Serialize)]
struct EntryView {
    id: u64,
    at: When,
    /// What kind of deed it is: a class of the stylesheet.
    class: &'static str,
    action: &'static str,
    object: String,
    /// Where what was changed can be seen.
    object_href: Option<String>,
    detail: String,
    /// How many, where it stands for several.
    count: Option<String>,
    before: String,
    after: String,
    who: Person,
}

/// Who did it.
#[derive(Serialize)]
struct Person {
    /// Empty for nobody by name.
    name: String,
    href: Option<String>,
    /// How they are known.
    way: &'static str,
    /// For whom they said that they ask.
    said: String,
    address: String,
}

/// `GET /audit`
pub(crate) async fn show(app: App, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::read(query.as_deref(), KNOWN);
    let mut reader = Reader::new(&parameters);
    let mut asked = read_filter(&mut reader);
    asked.before = reader.value("before", read_id).unwrap_or(0);
    asked.limit = LISTED;
    if let Err(problem) = reader.finish() {
        let message = format!("{}: {problem}", problem.parameter);
        return problem::respond(&app, StatusCode::BAD_REQUEST, &message);
    }
    let layout = Layout::new(&app, "Audit").at(PATH).styled("auditing");
    let page = Page::new(&app, layout);
    page.when_ready(async move {
        let (entries, next) = app.store.audit_entries(&asked).await?;
        let view = view(&parameters, &asked, &entries, next, utc::now());
        Ok(Main::new(fill(&app, "audit.html", &view)?))
    })
    .await
}

fn view(
    parameters: &Parameters,
    asked: &AuditQuery,
    entries: &[AuditEntry],
    next: Option<u64>,
    now: Micros,
) -> AuditPage {
    let given = |name: &str| parameters.get(name);
    let with = |changes: &[(&str, Option<&str>)]| address(PATH, parameters, changes);
    let choice = |action: &AuditAction| Choice {
        name: action.name(),
        label: label(*action),
        is_here: asked.action == Some(*action),
    };
    let narrowing = ["who", "action", "from", "to"];
    let is_narrowed = narrowing.iter().any(|name| given(name).is_some());
    let next = next.map(|next| next.to_string());
    let export = |format: &'static str| {
        let changes = [("before", None), ("format", Some(format))];
        address(EXPORT_PATH, parameters, &changes)
    };
    AuditPage {
        who: asked.who.clone(),
        groups: GROUPS
            .into_iter()
            .map(|(label, actions)| Group {
                label,
                choices: actions.iter().map(choice).collect(),
            })
            .collect(),
        kept: ["from", "to"]
            .into_iter()
            .filter_map(|name| Some((name, given(name)?.to_owned())))
            .collect(),
        spans: SPANS
            .into_iter()
            .map(|(label, from)| Span {
                label,
                href: with(&[("from", from), ("to", None), ("before", None)]),
                is_here: given("from") == from && given("to").is_none(),
            })
            .collect(),
        clear_href: is_narrowed.then(|| PATH.to_owned()),
        entries: entries
            .iter()
            .map(|entry| EntryView::new(entry, now))
            .collect(),
        is_first: asked.before == 0,
        newest_href: with(&[("before", None)]),
        older_href: next.map(|next| with(&[("before", Some(&next))])),
        exports: [("CSV", export("csv")), ("NDJSON", export("ndjson"))],
    }
}

impl EntryView {
    fn new(entry: &AuditEntry, now: Micros) -> Self {
        Self {
            id: entry.id,
            at: When::new(entry.at_us, now),
            class: class(entry.action),
            action: label(entry.action),
            object: match is_of_alert(entry.action) {
                true => format!("alert {}", short(&entry.object)),
                false => short(&entry.object),
            },
            object_href: object_href(entry),
            detail: short(&entry.detail),
            count: (entry.count > 1).then(|| counted(entry.count, "time")),
            before: short(&entry.before),
            after: short(&entry.after),
            who: Person::new(&entry.author),
        }
    }
}

impl Person {
    fn new(author: &Author) -> Self {
        let address = author.address.map(|address| match address.is_loopback() {
            true => "this machine".to_owned(),
            false => address.to_string(),
        });
        let href = match author.name.as_str() {
            "" => None,
            name => Some(link_to(PATH, &[("who", name)])),
        };
        Self {
            name: short(&author.name),
            href,
            way: match author.kind {
                AuthorKind::User => "signed in",
                AuthorKind::Token => "by a token",
                AuthorKind::Proxy => "through a proxy",
                AuthorKind::Link => "by the link in a mail",
                AuthorKind::Unsigned => "not signed in",
                AuthorKind::Client => "at the store itself",
            },
            said: short(&author.said),
            address: address.unwrap_or_default(),
        }
    }
}

fn is_of_alert(action: AuditAction) -> bool {
    matches!(
        action,
        AuditAction::AlertAcknowledged | AuditAction::AlertSilenced | AuditAction::AlertUnsilenced
    )
}

fn object_href(entry: &AuditEntry) -> Option<String> {
    match entry.action {
        action if is_of_alert(action) => Some(format!("/alerts/{}", entry.object)),
        AuditAction::SearchSaved | AuditAction::SearchChanged | AuditAction::SearchRenamed => {
            Some("/saved".to_owned())
        }
        _ => None,
    }
}

/// What was done, for people.
fn label(action: AuditAction) -> &'static str {
    match action {
        AuditAction::AlertAcknowledged => "alert acknowledged",
        AuditAction::AlertSilenced => "alert silenced",
        AuditAction::AlertUnsilenced => "alert unsilenced",
        AuditAction::SearchSaved => "search saved",
        AuditAction::SearchChanged => "search changed",
        AuditAction::SearchRenamed => "search renamed",
        AuditAction::SearchDeleted => "search deleted",
        AuditAction::BackupMade => "backup made",
        AuditAction::StoreVerified => "store verified",
        AuditAction::RecordsImported => "records imported",
        AuditAction::SignedIn => "signed in",
        AuditAction::SignInRefused => "sign-in refused",
        AuditAction::SignedOut => "signed out",
    }
}

/// Kinds of deeds that the eye tells apart.
fn class(action: AuditAction) -> &'static str {
    match action {
        AuditAction::SignInRefused => "refused",
        AuditAction::SearchDeleted => "removed",
        AuditAction::SignedIn | AuditAction::SignedOut => "door",
        AuditAction::BackupMade | AuditAction::StoreVerified | AuditAction::RecordsImported => {
            "kept"
        }
        _ => "changed",
    }
}

#[cfg(test)]
mod tests {
    use domain::AuditAction;

    use super::GROUPS;

    #[test]
    fn every_action_can_be_chosen_once() {
        let offered = GROUPS.iter().flat_map(|(_, actions)| actions.iter());
        let offered: Vec<_> = offered.copied().collect();
        assert_eq!(offered, AuditAction::ALL);
    }
}
