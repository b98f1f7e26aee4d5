//! Saved searches: read by whoever asks, changed by the one writer between two
//! commits.

use domain::{
    AuditAction, AuditEntry, Author, MAX_SAVED_SEARCHES, Micros, SavedSearch, SearchName,
    SearchQuery,
};
use sqlx::SqliteConnection;
use tokio::time::Instant;

use crate::{
    App,
    clock::now_us,
    db,
    error::StoreError,
    journal::{Refusal, Step},
};

/// A change of the saved searches.
#[derive(Debug)]
pub(crate) struct Change {
    what: What,
    author: Author,
    now_us: Micros,
}

#[derive(Debug)]
enum What {
    /// Saves a view; in the place of the one with this name only if told so.
    Save {
        name: SearchName,
        query: SearchQuery,
        overwrite: bool,
    },
    /// Gives another name.
    Rename {
        name: SearchName,
        new_name: SearchName,
    },
    /// Forgets one.
    Delete { name: SearchName },
}

/// All, by name.
pub(crate) async fn list(app: &App, deadline: Instant) -> Result<Vec<SavedSearch>, StoreError> {
    let mut snapshot = app.readers.snapshot(deadline).await?;
    Ok(db::saved_search::list(snapshot.conn()).await?)
}

/// Saves a view under a name.
pub(crate) async fn save(
    app: &App,
    name: SearchName,
    query: SearchQuery,
    overwrite: bool,
    author: Author,
    deadline: Instant,
) -> Result<SavedSearch, StoreError> {
    let what = What::Save {
        name: name.clone(),
        query,
        overwrite,
    };
    make(app, what, author, &name).await?;
    find(app, &name, deadline).await
}

/// Gives a saved search another name.
pub(crate) async fn rename(
    app: &App,
    name: SearchName,
    new_name: SearchName,
    author: Author,
    deadline: Instant,
) -> Result<SavedSearch, StoreError> {
    let what = What::Rename {
        name: name.clone(),
        new_name: new_name.clone(),
    };
    match make(app, what, author, &name).await {
        Err(StoreError::NameTaken(_)) => Err(StoreError::NameTaken(new_name.to_string())),
        made => made,
    }?;
    find(app, &new_name, deadline).await
}

/// Forgets a saved search.
pub(crate) async fn delete(app: &App, name: SearchName, author: Author) -> Result<(), StoreError> {
    let what = What::Delete { name: name.clone() };
    make(app, what, author, &name).await
}

async fn find(app: &App, name: &SearchName, deadline: Instant) -> Result<SavedSearch, StoreError> {
    let mut snapshot = app.readers.snapshot(deadline).await?;
    let found = db::saved_search::find(snapshot.conn(), name).await?;
    // Somebody may have been quicker.
    found.ok_or_else(|| StoreError::NoSearch(name.to_string()))
}

async fn make(app: &App, what: What, author: Author, name: &SearchName) -> Result<(), StoreError> {
    let change = Change {
        what,
        author,
        now_us: now_us(),
    };
    let done = app.journal.step(Step::ChangeSearches(change)).await?;
    match done.refusal {
        None => Ok(()),
        Some(Refusal::Taken) => Err(StoreError::NameTaken(name.to_string())),
        Some(Refusal::Missing) => Err(StoreError::NoSearch(name.to_string())),
        Some(Refusal::TooMany) => Err(StoreError::TooManySearches),
        Some(Refusal::Because(error)) => Err(error),
    }
}

/// Makes a change and notes it, in a transaction of the writer.
pub(crate) async fn apply(
    conn: &mut SqliteConnection,
    change: Change,
) -> sqlx::Result<Result<(), Refusal>> {
    let Change {
        what,
        author,
        now_us,
    } = change;
    let made = match what {
        What::Save {
            name,
            query,
            overwrite,
        } => apply_save(conn, name, query, overwrite, now_us).await?,
        What::Rename { name, new_name } => apply_rename(conn, name, new_name, now_us).await?,
        What::Delete { name } => apply_delete(conn, name).await?,
    };
    let made = match made {
        Ok(made) => made,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let entry = AuditEntry::new(made.action, &made.name, author, now_us);
    let entry = entry.changing(&made.before, &made.after);
    db::audit_entry::insert(conn, &entry).await?;
    Ok(Ok(()))
}

/// What there is to note of a change.
struct Made {
    action: AuditAction,
    name: String,
    before: String,
    after: String,
}

async fn apply_save(
    conn: &mut SqliteConnection,
    name: SearchName,
    query: SearchQuery,
    overwrite: bool,
    now_us: Micros,
) -> sqlx::Result<Result<Made, Refusal>> {
    let former = db::saved_search::find(conn, &name).await?;
    match &former {
        Some(_) if !overwrite => return Ok(Err(Refusal::Taken)),
        Some(_) => {}
        None if db::saved_search::count(conn).await? >= MAX_SAVED_SEARCHES => {
            return Ok(Err(Refusal::TooMany));
        }
        None => {}
    }
    let created_us = former.as_ref().map_or(now_us, |former| former.created_us);
    let search = SavedSearch {
        name,
        query,
        created_us,
        updated_us: now_us,
    };
    db::saved_search::put(conn, &search).await?;
    Ok(Ok(Made {
        action: match former {
            Some(_) => AuditAction::SearchChanged,
            None => AuditAction::SearchSaved,
        },
        before: former.map_or_else(String::new, |former| former.query.into()),
        after: search.query.into(),
        name: search.name.into(),
    }))
}

async fn apply_rename(
    conn: &mut SqliteConnection,
    name: SearchName,
    new_name: SearchName,
    now_us: Micros,
) -> sqlx::Result<Result<Made, Refusal>> {
    let Some(former) = db::saved_search::find(conn, &name).await? else {
        return Ok(Err(Refusal::Missing));
    };
    let is_another = new_name.key() != name.key();
    if is_another && db::saved_search::find(conn, &new_name).await?.is_some() {
        return Ok(Err(Refusal::Taken));
    }
    db::saved_search::remove(conn, &name).await?;
    let made = Made {
        action: AuditAction::SearchRenamed,
        name: new_name.to_string(),
        before: former.name.to_string(),
        after: new_name.to_string(),
    };
    let search = SavedSearch {
        name: new_name,
        updated_us: now_us,
        ..former
    };
    db::saved_search::put(conn, &search).await?;
    Ok(Ok(made))
}

async fn apply_delete(
    conn: &mut SqliteConnection,
    name: SearchName,
) -> sqlx::Result<Result<Made, Refusal>> {
    let Some(former) = db::saved_search::find(conn, &name).await? else {
        return Ok(Err(Refusal::Missing));
    };
    db::saved_search::remove(conn, &name).await?;
    Ok(Ok(Made {
        action: AuditAction::SearchDeleted,
        name: former.name.into(),
        before: former.query.into(),
        after: String::new(),
    }))
}
