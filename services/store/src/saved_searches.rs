//! Saved searches: read by whoever asks, changed by the one writer between two
//! commits.

use domain::{MAX_SAVED_SEARCHES, Micros, SavedSearch, SearchName, SearchQuery};
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
pub(crate) enum Change {
    /// Saves a view; in the place of the one with this name only if told so.
    Save {
        name: SearchName,
        query: SearchQuery,
        overwrite: bool,
        now_us: Micros,
    },
    /// Gives another name.
    Rename {
        name: SearchName,
        new_name: SearchName,
        now_us: Micros,
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
    deadline: Instant,
) -> Result<SavedSearch, StoreError> {
    let change = Change::Save {
        name: name.clone(),
        query,
        overwrite,
        now_us: now_us(),
    };
    make(app, change, &name).await?;
    find(app, &name, deadline).await
}

/// Gives a saved search another name.
pub(crate) async fn rename(
    app: &App,
    name: SearchName,
    new_name: SearchName,
    deadline: Instant,
) -> Result<SavedSearch, StoreError> {
    let change = Change::Rename {
        name: name.clone(),
        new_name: new_name.clone(),
        now_us: now_us(),
    };
    match make(app, change, &name).await {
        Err(StoreError::NameTaken(_)) => Err(StoreError::NameTaken(new_name.to_string())),
        made => made,
    }?;
    find(app, &new_name, deadline).await
}

/// Forgets a saved search.
pub(crate) async fn delete(app: &App, name: SearchName) -> Result<(), StoreError> {
    make(app, Change::Delete { name: name.clone() }, &name).await
}

async fn find(app: &App, name: &SearchName, deadline: Instant) -> Result<SavedSearch, StoreError> {
    let mut snapshot = app.readers.snapshot(deadline).await?;
    let found = db::saved_search::find(snapshot.conn(), name).await?;
    // Somebody may have been quicker.
    found.ok_or_else(|| StoreError::NoSearch(name.to_string()))
}

async fn make(app: &App, change: Change, name: &SearchName) -> Result<(), StoreError> {
    let done = app.journal.step(Step::ChangeSearches(change)).await?;
    match done.refusal {
        None => Ok(()),
        Some(Refusal::Taken) => Err(StoreError::NameTaken(name.to_string())),
        Some(Refusal::Missing) => Err(StoreError::NoSearch(name.to_string())),
        Some(Refusal::TooMany) => Err(StoreError::TooManySearches),
        Some(Refusal::Because(error)) => Err(error),
    }
}

/// Makes a change, in a transaction of the writer.
pub(crate) async fn apply(
    conn: &mut SqliteConnection,
    change: Change,
) -> sqlx::Result<Result<(), Refusal>> {
    match change {
        Change::Save {
            name,
            query,
            overwrite,
            now_us,
        } => {
            let former = db::saved_search::find(conn, &name).await?;
            match &former {
                Some(_) if !overwrite => return Ok(Err(Refusal::Taken)),
                Some(_) => {}
                None if db::saved_search::count(conn).await? >= MAX_SAVED_SEARCHES => {
                    return Ok(Err(Refusal::TooMany));
                }
                None => {}
            }
            let search = SavedSearch {
                name,
                query,
                created_us: former.map_or(now_us, |former| former.created_us),
                updated_us: now_us,
            };
            db::saved_search::put(conn, &search).await?;
        }
        Change::Rename {
            name,
            new_name,
            now_us,
        } => {
            let Some(former) = db::saved_search::find(conn, &name).await? else {
                return Ok(Err(Refusal::Missing));
            };
            let is_another = new_name.key() != name.key();
            if is_another && db::saved_search::find(conn, &new_name).await?.is_some() {
                return Ok(Err(Refusal::Taken));
            }
            db::saved_search::remove(conn, &name).await?;
            let search = SavedSearch {
                name: new_name,
                updated_us: now_us,
                ..former
            };
            db::saved_search::put(conn, &search).await?;
        }
        Change::Delete { name } => {
            if !db::saved_search::remove(conn, &name).await? {
                return Ok(Err(Refusal::Missing));
            }
        }
    }
    Ok(Ok(()))
}
