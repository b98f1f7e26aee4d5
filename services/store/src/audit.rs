//! Who has changed what: noted by the one writer, in the transaction of the change.

use domain::{AuditAction, AuditEntry, Author, Micros};
use sqlx::SqliteConnection;
use tokio::time::Instant;

use crate::{
    App,
    clock::now_us,
    db::{self, audit_entry::AuditQuery},
    error::StoreError,
    journal::{Journal, Step},
};

/// The most entries there are, of those who were not let in and of all others: the
/// oldest give way.
const MOST_REFUSED: u32 = 20_000;
const MOST: u32 = 200_000;
/// What one step removes: some milliseconds.
const STEP_ENTRIES: u32 = 512;

const OBJECT_CHARS: usize = 100;
const DETAIL_CHARS: usize = 200;
/// How long ago something may have been that is told late.
const MAX_AGO_MS: u64 = 86_400_000;

/// Something that has happened in herald-web.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) action: AuditAction,
    pub(crate) object: String,
    pub(crate) detail: String,
    pub(crate) count: u64,
    pub(crate) ago_ms: u64,
}

/// Entries, newest first, and whether there are more.
pub(crate) async fn list(
    app: &App,
    mut query: AuditQuery,
    deadline: Instant,
) -> Result<(Vec<AuditEntry>, bool), StoreError> {
    let limit = query.limit;
    query.limit += 1;
    let mut snapshot = app.readers.snapshot(deadline).await?;
    let mut entries = db::audit_entry::list(snapshot.conn(), &query).await?;
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    Ok((entries, has_more))
}

/// Notes what has happened in herald-web.
pub(crate) async fn add(app: &App, told: Told, author: Author) -> Result<(), StoreError> {
    check(&told)?;
    let ago_us = Micros::try_from(told.ago_ms * 1_000).unwrap_or(Micros::MAX);
    let entry = AuditEntry {
        detail: told.detail,
        count: told.count.clamp(1, u64::from(u32::MAX)),
        ..AuditEntry::new(told.action, &told.object, author, now_us() - ago_us)
    };
    keep(&app.journal, entry).await
}

/// Notes what somebody does that changes nothing in the database.
pub(crate) async fn note(
    journal: &Journal,
    action: AuditAction,
    object: &str,
    author: Author,
) -> Result<(), StoreError> {
    keep(journal, AuditEntry::new(action, object, author, now_us())).await
}

async fn keep(journal: &Journal, entry: AuditEntry) -> Result<(), StoreError> {
    journal.step(Step::AddAuditEntry(Box::new(entry))).await?;
    Ok(())
}

fn check(told: &Told) -> Result<(), StoreError> {
    let invalid = |problem: &str| Err(StoreError::Invalid(problem.to_owned()));
    if !told.action.is_of_signing_in() {
        return invalid("the store notes this by itself: it takes only who signs in and out");
    }
    let is_text =
        |text: &str, most: usize| text.chars().count() <= most && !text.contains(char::is_control);
    if !is_text(&told.object, OBJECT_CHARS) {
        return invalid("object has at most 100 characters, none of them a control character");
    }
    if !is_text(&told.detail, DETAIL_CHARS) {
        return invalid("detail has at most 200 characters, none of them a control character");
    }
    match told.ago_ms > MAX_AGO_MS {
        true => invalid("ago_ms is more than a day"),
        false => Ok(()),
    }
}

/// Removes a few entries: those from before a time, and the oldest where there are too
/// many. Returns how many.
pub(crate) async fn remove(conn: &mut SqliteConnection, before_us: Micros) -> sqlx::Result<u64> {
    let old = db::audit_entry::remove_before(conn, before_us, STEP_ENTRIES).await?;
    let refused = db::audit_entry::remove_over(conn, true, MOST_REFUSED, STEP_ENTRIES).await?;
    let others = db::audit_entry::remove_over(conn, false, MOST, STEP_ENTRIES).await?;
    Ok(old + refused + others)
}
