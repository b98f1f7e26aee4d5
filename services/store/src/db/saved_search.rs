//! All SQL of table `saved_search`.

use domain::{SavedSearch, SearchName, SearchQuery};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

const COLUMNS: &str = "SELECT name, query, created_us, updated_us FROM saved_search";

/// All, by name.
pub(crate) async fn list(conn: &mut SqliteConnection) -> sqlx::Result<Vec<SavedSearch>> {
    sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY name_key")))
        .fetch_all(conn)
        .await?
        .iter()
        .map(from_row)
        .collect()
}

/// The one with a name, whatever its case.
pub(crate) async fn find(
    conn: &mut SqliteConnection,
    name: &SearchName,
) -> sqlx::Result<Option<SavedSearch>> {
    sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE name_key = ?")))
        .bind(name.key())
        .fetch_optional(conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
}

/// How many there are.
pub(crate) async fn count(conn: &mut SqliteConnection) -> sqlx::Result<usize> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM saved_search")
        .fetch_one(conn)
        .await?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Adds one, or puts it in the place of the one with its name.
pub(crate) async fn put(conn: &mut SqliteConnection, search: &SavedSearch) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO saved_search (name_key, name, query, created_us, updated_us)
         VALUES (?, ?, ?, ?, ?)",
    )
    .bind(search.name.key())
    .bind(search.name.as_str())
    .bind(search.query.as_str())
    .bind(search.created_us)
    .bind(search.updated_us)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes the one with a name; false when there is none.
pub(crate) async fn remove(conn: &mut SqliteConnection, name: &SearchName) -> sqlx::Result<bool> {
    let outcome = sqlx::query("DELETE FROM saved_search WHERE name_key = ?")
        .bind(name.key())
        .execute(conn)
        .await?;
    Ok(outcome.rows_affected() > 0)
}

fn from_row(row: &SqliteRow) -> sqlx::Result<SavedSearch> {
    let decode = |error: domain::SavedSearchError| sqlx::Error::Decode(Box::new(error));
    Ok(SavedSearch {
        name: SearchName::new(row.try_get(0)?).map_err(decode)?,
        query: SearchQuery::new(row.try_get(1)?).map_err(decode)?,
        created_us: row.try_get(2)?,
        updated_us: row.try_get(3)?,
    })
}
