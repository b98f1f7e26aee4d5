//! `/api/v1/audit`: who has changed what.

use axum::{
    body::{Body, Bytes},
    extract::RawQuery,
    response::{IntoResponse, Response},
};
use domain::{AuditAction, AuditEntry};
use futures::{StreamExt, stream};
use render::rfc3339;
use serde::Serialize;
use tracing::warn;

use super::{ApiError, export::Format, json};
use crate::{
    app::App,
    request::{KnownName, LimitRule, Parameters, Reader, read_count, read_id, read_time},
    store_client::{AuditQuery, StoreError},
    utc,
};

pub(super) const PATH: &str = "/api/v1/audit";
pub(super) const EXPORT_PATH: &str = "/api/v1/audit/export";
/// What the list can be asked.
pub(super) const PARAMETERS: &[&[KnownName]] =
    &[FILTER, &[("limit", "limit"), ("before", "before")]];
/// What the file can be asked.
pub(super) const EXPORT_PARAMETERS: &[&[KnownName]] = &[FILTER, &[("format", "format")]];
/// What narrows both, and the page.
pub(crate) const FILTER: &[KnownName] = &[
    ("who", "who"),
    ("action", "action"),
    ("from", "from"),
    ("to", "to"),
];
const LIMIT: LimitRule = LimitRule {
    max: 1_000,
    hint: "; go on with `next` of the answer, or use the export",
};
const DEFAULT_LIMIT: u32 = 50;
/// How many entries a file is made of at a time.
const PIECE: u32 = 1_000;
/// Longest part of a name that is looked for, in characters.
const MAX_WHO: usize = 100;
/// The columns of a CSV file.
const COLUMNS: [&str; 12] = [
    "id",
    "at",
    "action",
    "object",
    "detail",
    "before",
    "after",
    "author_kind",
    "author_name",
    "author_said",
    "author_address",
    "count",
];

#[derive(Serialize)]
struct ListView<'a> {
    entries: Vec<AuditEntryView<'a>>,
    next: Option<u64>,
}

#[derive(Serialize)]
struct AuditEntryView<'a> {
    id: u64,
    at: String,
    action: &'static str,
    object: &'a str,
    detail: &'a str,
    before: &'a str,
    after: &'a str,
    author: AuthorView<'a>,
    count: u64,
}

#[derive(Serialize)]
struct AuthorView<'a> {
    kind: &'static str,
    name: &'a str,
    said: &'a str,
    address: Option<String>,
}

/// `GET /api/v1/audit`
pub(crate) async fn list(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let mut asked = read_filter(&mut reader);
    let limit = reader.value("limit", |text| read_count(text, LIMIT));
    asked.limit = limit.map_or(DEFAULT_LIMIT, |limit| {
        u32::try_from(limit).expect("at most 1,000")
    });
    asked.before = reader.value("before", read_id).unwrap_or(0);
    reader.finish()?;
    let (entries, next) = app.store.audit_entries(&asked).await?;
    Ok(json(&ListView {
        entries: entries.iter().map(view).collect(),
        next,
    }))
}

/// `GET /api/v1/audit/export`
pub(crate) async fn download(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), EXPORT_PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let asked = AuditQuery {
        limit: PIECE,
        ..read_filter(&mut reader)
    };
    let format = reader.value("format", Format::read).unwrap_or(Format::Csv);
    reader.finish()?;
    let (entries, next) = app.store.audit_entries(&asked).await?;
    let headers = format.headers(&format!("herald-audit-{}", app.stage.name().to_lowercase()));
    Ok((headers, body(app, asked, format, (&entries, next))).into_response())
}

/// All that pass, newest first, in pieces. A failure of the store is the body's: nobody
/// takes what came before it for the whole file.
fn body(
    app: App,
    asked: AuditQuery,
    format: Format,
    (entries, next): (&[AuditEntry], Option<u64>),
) -> Body {
    let mut head = String::new();
    if format == Format::Csv {
        render::csv::write_texts(&mut head, COLUMNS);
    }
    head.push_str(&rows(format, entries));
    let state = next.map(|next| (app, asked, next));
    let rest = stream::try_unfold(state, move |state| async move {
        let Some((app, mut asked, next)) = state else {
            return Ok::<_, StoreError>(None);
        };
        asked.before = next;
        let piece = app.store.audit_entries(&asked).await;
        let (entries, next) = piece.inspect_err(|error| {
            warn!(%error, "an export of the audit log ended before its last entry");
        })?;
        let state = next.map(|next| (app, asked, next));
        Ok(Some((Bytes::from(rows(format, &entries)), state)))
    });
    Body::from_stream(stream::iter([Ok(Bytes::from(head))]).chain(rest))
}

fn rows(format: Format, entries: &[AuditEntry]) -> String {
    let mut out = String::new();
    for entry in entries {
        let entry = view(entry);
        match format {
            Format::Csv => write_row(&mut out, &entry),
            Format::Ndjson => {
                out.push_str(&serde_json::to_string(&entry).expect("views have text keys only"));
                out.push('\n');
            }
        }
    }
    out
}

fn write_row(out: &mut String, entry: &AuditEntryView<'_>) {
    let (id, count) = (entry.id.to_string(), entry.count.to_string());
    let author = &entry.author;
    let texts = [
        &*id,
        &entry.at,
        entry.action,
        entry.object,
        entry.detail,
        entry.before,
        entry.after,
        author.kind,
        author.name,
        author.said,
        author.address.as_deref().unwrap_or_default(),
        &count,
    ];
    render::csv::write_texts(out, texts);
}

fn view(entry: &AuditEntry) -> AuditEntryView<'_> {
    let author = &entry.author;
    AuditEntryView {
        id: entry.id,
        at: rfc3339(entry.at_us),
        action: entry.action.name(),
        object: &entry.object,
        detail: &entry.detail,
        before: &entry.before,
        after: &entry.after,
        author: AuthorView {
            kind: author.kind.name(),
            name: &author.name,
            said: &author.said,
            address: author.address.map(|address| address.to_string()),
        },
        count: entry.count,
    }
}

/// What narrows a list.
pub(crate) fn read_filter(reader: &mut Reader<'_>) -> AuditQuery {
    let now = utc::now();
    AuditQuery {
        who: reader.value("who", read_who).unwrap_or_default(),
        action: reader.value("action", read_action),
        from_us: reader.value("from", |text| read_time(text, now)),
        to_us: reader.value("to", |text| read_time(text, now)),
        ..AuditQuery::default()
    }
}

fn read_who(text: &str) -> Result<String, String> {
    match text.chars().count() > MAX_WHO {
        true => Err(format!("more than {MAX_WHO} characters")),
        false => Ok(text.to_owned()),
    }
}

fn read_action(text: &str) -> Result<AuditAction, String> {
    AuditAction::named(text).ok_or_else(|| {
        let names = AuditAction::ALL.map(AuditAction::name).join(", ");
        format!("`{text}` is no action: use one of {names}")
    })
}
