//! All SQL of table `rule`.

use domain::Rule;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{from_json, to_json};

/// All, in the order of the file.
pub(crate) async fn list(conn: &mut SqliteConnection) -> sqlx::Result<Vec<Rule>> {
    sqlx::query("SELECT name, text, recipients, line FROM rule ORDER BY place")
        .fetch_all(conn)
        .await?
        .iter()
        .map(from_row)
        .collect()
}

/// Puts these in the place of all.
pub(crate) async fn replace(conn: &mut SqliteConnection, rules: &[Rule]) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM rule").execute(&mut *conn).await?;
    for (place, rule) in (1_i64..).zip(rules) {
        sqlx::query(
            "INSERT INTO rule (place, name, text, recipients, line) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(place)
        .bind(&rule.name)
        .bind(&rule.text)
        .bind(to_json(&rule.recipients))
        .bind(rule.line)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

fn from_row(row: &SqliteRow) -> sqlx::Result<Rule> {
    Ok(Rule {
        name: row.try_get(0)?,
        text: row.try_get(1)?,
        recipients: from_json(row.try_get(2)?)?,
        line: row.try_get(3)?,
    })
}
