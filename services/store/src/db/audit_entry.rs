//! All SQL of table `audit_entry`.

use domain::{AuditAction, AuditEntry, Author, AuthorKind, Micros};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{id, unknown};

const SELECT: &str = "SELECT id, at_us, action, object, detail, before, after,
    author_kind, author_name, author_said, author_address, count FROM audit_entry WHERE id < ";

/// Which entries somebody wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AuditQuery {
    /// Only ids below.
    pub(crate) before: Option<u64>,
    /// A part of the author's name, address or of whom they ask for; empty for all.
    pub(crate) who: String,
    /// Empty for all.
    pub(crate) actions: Vec<AuditAction>,
    pub(crate) from_us: Option<Micros>,
    pub(crate) to_us: Option<Micros>,
    pub(crate) limit: usize,
}

/// Adds one, under the next id.
pub(crate) async fn insert(conn: &mut SqliteConnection, entry: &AuditEntry) -> sqlx::Result<()> {
    let author = &entry.author;
    let address = author.address.map(|address| address.to_string());
    sqlx::query(
        "INSERT INTO audit_entry (at_us, action, object, detail, before, after,
             author_kind, author_name, author_said, author_address, count)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(entry.at_us)
    .bind(action_number(entry.action))
    .bind(&entry.object)
    .bind(&entry.detail)
    .bind(&entry.before)
    .bind(&entry.after)
    .bind(kind_number(author.kind))
    .bind(&author.name)
    .bind(&author.said)
    .bind(address.unwrap_or_default())
    .bind(entry.count.cast_signed())
    .execute(conn)
    .await?;
    Ok(())
}

/// Newest first.
pub(crate) async fn list(
    conn: &mut SqliteConnection,
    query: &AuditQuery,
) -> sqlx::Result<Vec<AuditEntry>> {
    statement(query)
        .build()
        .fetch_all(conn)
        .await?
        .iter()
        .map(from_row)
        .collect()
}

fn statement(query: &AuditQuery) -> QueryBuilder<Sqlite> {
    let before = query.before.map_or(i64::MAX, u64::cast_signed);
    let mut sql = QueryBuilder::new(SELECT);
    sql.push_bind(before);
    if let Some(from_us) = query.from_us {
        sql.push(" AND at_us >= ").push_bind(from_us);
    }
    if let Some(to_us) = query.to_us {
        sql.push(" AND at_us < ").push_bind(to_us);
    }
    if !query.actions.is_empty() {
        sql.push(" AND action IN (");
        let mut actions = sql.separated(", ");
        for action in &query.actions {
            actions.push_bind(action_number(*action));
        }
        sql.push(")");
    }
    if !query.who.is_empty() {
        // A name has no line ends: what is looked for is within one of the three.
        sql.push(" AND instr(lower(author_name || char(10) || author_said || char(10) || author_address), lower(")
            .push_bind(query.who.clone())
            .push(")) > 0");
    }
    sql.push(" ORDER BY id DESC LIMIT ")
        .push_bind(i64::try_from(query.limit).unwrap_or(i64::MAX));
    sql
}

/// Removes the oldest, at most `limit`, from before a time; returns how many.
pub(crate) async fn remove_before(
    conn: &mut SqliteConnection,
    before_us: Micros,
    limit: u32,
) -> sqlx::Result<u64> {
    let outcome = sqlx::query(
        "DELETE FROM audit_entry
         WHERE id IN (SELECT id FROM audit_entry ORDER BY id LIMIT ?) AND at_us < ?",
    )
    .bind(limit)
    .bind(before_us)
    .execute(conn)
    .await?;
    Ok(outcome.rows_affected())
}

/// Removes the oldest of those who were not let in, or of the others, at most `limit`,
/// as far as there are more than `most`; returns how many.
pub(crate) async fn remove_over(
    conn: &mut SqliteConnection,
    are_refused: bool,
    most: u32,
    limit: u32,
) -> sqlx::Result<u64> {
    let outcome = sqlx::query(match are_refused {
        true => {
            "DELETE FROM audit_entry WHERE id IN
                 (SELECT id FROM audit_entry WHERE action = 12 ORDER BY id LIMIT ?)
             AND id <= (SELECT id FROM audit_entry WHERE action = 12
                        ORDER BY id DESC LIMIT 1 OFFSET ?)"
        }
        false => {
            "DELETE FROM audit_entry WHERE id IN
                 (SELECT id FROM audit_entry WHERE action <> 12 ORDER BY id LIMIT ?)
             AND id <= (SELECT id FROM audit_entry WHERE action <> 12
                        ORDER BY id DESC LIMIT 1 OFFSET ?)"
        }
    })
    .bind(limit)
    .bind(most)
    .execute(conn)
    .await?;
    Ok(outcome.rows_affected())
}

fn from_row(row: &SqliteRow) -> sqlx::Result<AuditEntry> {
    let author = Author::new(
        kind_of(row.try_get(7)?)?,
        row.try_get(8)?,
        row.try_get(9)?,
        row.try_get(10)?,
    );
    Ok(AuditEntry {
        id: id(row, 0)?,
        at_us: row.try_get(1)?,
        action: action_of(row.try_get(2)?)?,
        object: row.try_get(3)?,
        detail: row.try_get(4)?,
        before: row.try_get(5)?,
        after: row.try_get(6)?,
        author: author.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        count: id(row, 11)?,
    })
}

fn action_number(action: AuditAction) -> i64 {
    match action {
        AuditAction::AlertAcknowledged => 1,
        AuditAction::AlertSilenced => 2,
        AuditAction::AlertUnsilenced => 3,
        AuditAction::SearchSaved => 4,
        AuditAction::SearchChanged => 5,
        AuditAction::SearchRenamed => 6,
        AuditAction::SearchDeleted => 7,
        AuditAction::BackupMade => 8,
        AuditAction::StoreVerified => 9,
        AuditAction::RecordsImported => 10,
        AuditAction::SignedIn => 11,
        AuditAction::SignInRefused => 12,
        AuditAction::SignedOut => 13,
    }
}

fn action_of(number: i64) -> sqlx::Result<AuditAction> {
    let is_it = |action: &AuditAction| action_number(*action) == number;
    let found = AuditAction::ALL.into_iter().find(is_it);
    found.ok_or_else(|| unknown("action", number))
}

fn kind_number(kind: AuthorKind) -> i64 {
    match kind {
        AuthorKind::User => 1,
        AuthorKind::Token => 2,
        AuthorKind::Proxy => 3,
        AuthorKind::Link => 4,
        AuthorKind::Unsigned => 5,
        AuthorKind::Client => 6,
    }
}

fn kind_of(number: i64) -> sqlx::Result<AuthorKind> {
    match number {
        1 => Ok(AuthorKind::User),
        2 => Ok(AuthorKind::Token),
        3 => Ok(AuthorKind::Proxy),
        4 => Ok(AuthorKind::Link),
        5 => Ok(AuthorKind::Unsigned),
        6 => Ok(AuthorKind::Client),
        number => Err(unknown("kind of author", number)),
    }
}

#[cfg(test)]
mod tests {
    use domain::AuditAction;

    use super::{AuditQuery, statement};

    #[tokio::test]
    async fn lists_are_read_by_their_ids() {
        let query = AuditQuery {
            before: Some(7),
            who: "anna".to_owned(),
            actions: vec![AuditAction::SignedIn],
            from_us: Some(1),
            to_us: Some(2),
            limit: 3,
        };
        let plan = crate::db::plan(statement(&query).sql().as_ref()).await;
        assert!(
            plan.contains("USING INTEGER PRIMARY KEY") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}
