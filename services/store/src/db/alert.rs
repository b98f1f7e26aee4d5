//! All SQL of table `alert`.

use domain::{Alert, AlertKind, AlertSubject, Micros};
use sqlx::{AssertSqlSafe, Row, SqliteConnection, sqlite::SqliteRow};

use super::{id, unknown};

const COLUMNS: &str = "SELECT id, rule, condition, system_id, sub_system_id, kind, reason, \
     opened_us, resolved_us, since_us, last_us, first_record_id, last_record_id, records, \
     records_unnotified, notified_us, acknowledged_us, silenced_until_us FROM alert";
const OF_SUBJECT: &str = "rule = ? AND condition = ? AND system_id = ? AND sub_system_id = ?";

/// Which alerts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AlertQuery {
    /// Only those that go on, or only those that do not.
    pub(crate) is_firing: Option<bool>,
    /// Only those of this rule; empty for all.
    pub(crate) rule: String,
    /// Only those about this system; empty for all.
    pub(crate) system_id: String,
    pub(crate) limit: usize,
    /// Only ids below this one.
    pub(crate) before: Option<u64>,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AlertCounts {
    /// Those that go on.
    pub(crate) firing: u64,
    /// Those of them that nobody knows of and that are not silenced.
    pub(crate) unattended: u64,
}

/// One alert.
pub(crate) async fn find(conn: &mut SqliteConnection, id: u64) -> sqlx::Result<Option<Alert>> {
    sqlx::query(AssertSqlSafe(format!("{COLUMNS} WHERE id = ?")))
        .bind(id.cast_signed())
        .fetch_optional(conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
}

/// The id of the one that goes on about a subject.
pub(crate) async fn firing_id(
    conn: &mut SqliteConnection,
    subject: &AlertSubject,
) -> sqlx::Result<Option<u64>> {
    let id: Option<i64> = of_subject(
        sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT id FROM alert WHERE {OF_SUBJECT} AND resolved_us IS NULL"
        ))),
        subject,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(i64::cast_unsigned))
}

/// Newest first.
pub(crate) async fn list(
    conn: &mut SqliteConnection,
    query: &AlertQuery,
) -> sqlx::Result<Vec<Alert>> {
    let statement = list_statement(query);
    let before = query.before.and_then(|before| i64::try_from(before).ok());
    let mut select = sqlx::query(AssertSqlSafe(statement)).bind(before.unwrap_or(i64::MAX));
    for text in [&query.rule, &query.system_id] {
        if !text.is_empty() {
            select = select.bind(text);
        }
    }
    rows(
        &select
            .bind(i64::try_from(query.limit).unwrap_or(i64::MAX))
            .fetch_all(conn)
            .await?,
    )
}

fn list_statement(query: &AlertQuery) -> String {
    let mut statement = format!("{COLUMNS} WHERE id < ?");
    match query.is_firing {
        Some(true) => statement.push_str(" AND resolved_us IS NULL"),
        Some(false) => statement.push_str(" AND resolved_us IS NOT NULL"),
        None => {}
    }
    if !query.rule.is_empty() {
        statement.push_str(" AND rule = ?");
    }
    if !query.system_id.is_empty() {
        statement.push_str(" AND system_id = ?");
    }
    statement.push_str(" ORDER BY id DESC LIMIT ?");
    statement
}

/// Those that go on, and those that ended but whose silence goes on, by id.
pub(crate) async fn open(conn: &mut SqliteConnection, now_us: Micros) -> sqlx::Result<Vec<Alert>> {
    let firing = format!("{COLUMNS} WHERE resolved_us IS NULL");
    let mut alerts = rows(
        &sqlx::query(AssertSqlSafe(firing))
            .fetch_all(&mut *conn)
            .await?,
    )?;
    let silenced = format!("{COLUMNS} WHERE silenced_until_us > ? AND resolved_us IS NOT NULL");
    let silenced = sqlx::query(AssertSqlSafe(silenced)).bind(now_us);
    alerts.extend(rows(&silenced.fetch_all(conn).await?)?);
    alerts.sort_by_key(|alert| alert.id);
    Ok(alerts)
}

/// How many go on.
pub(crate) async fn counts(
    conn: &mut SqliteConnection,
    now_us: Micros,
) -> sqlx::Result<AlertCounts> {
    let row = sqlx::query(
        "SELECT count(*), count(*) FILTER (
             WHERE acknowledged_us IS NULL AND coalesce(silenced_until_us, 0) <= ?)
         FROM alert WHERE resolved_us IS NULL",
    )
    .bind(now_us)
    .fetch_one(conn)
    .await?;
    Ok(AlertCounts {
        firing: row.try_get::<i64, _>(0)?.max(0).unsigned_abs(),
        unattended: row.try_get::<i64, _>(1)?.max(0).unsigned_abs(),
    })
}

/// Adds one, or puts it in the place of the one with its id.
pub(crate) async fn put(conn: &mut SqliteConnection, alert: &Alert) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO alert (id, rule, condition, system_id, sub_system_id, kind, reason,
             opened_us, resolved_us, since_us, last_us, first_record_id, last_record_id,
             records, records_unnotified, notified_us, acknowledged_us, silenced_until_us)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET condition = excluded.condition,
             kind = excluded.kind, reason = excluded.reason,
             opened_us = excluded.opened_us, resolved_us = excluded.resolved_us,
             since_us = excluded.since_us, last_us = excluded.last_us,
             first_record_id = excluded.first_record_id,
             last_record_id = excluded.last_record_id, records = excluded.records,
             records_unnotified = excluded.records_unnotified,
             notified_us = excluded.notified_us, acknowledged_us = excluded.acknowledged_us,
             silenced_until_us = excluded.silenced_until_us",
    )
    .bind(alert.id.cast_signed())
    .bind(&alert.subject.rule)
    .bind(&alert.subject.condition)
    .bind(&alert.subject.system_id)
    .bind(&alert.subject.sub_system_id)
    .bind(kind_number(alert.kind))
    .bind(&alert.reason)
    .bind(alert.opened_us)
    .bind(alert.resolved_us)
    .bind(alert.since_us)
    .bind(alert.last_us)
    .bind(alert.first_record_id.cast_signed())
    .bind(alert.last_record_id.cast_signed())
    .bind(alert.records.cast_signed())
    .bind(alert.records_unnotified.cast_signed())
    .bind(alert.notified_us)
    .bind(alert.acknowledged_us)
    .bind(alert.silenced_until_us)
    .execute(conn)
    .await?;
    Ok(())
}

/// Until when the silence of a subject's former alerts goes on; they give it up.
pub(crate) async fn take_silence(
    conn: &mut SqliteConnection,
    subject: &AlertSubject,
) -> sqlx::Result<Option<Micros>> {
    let until_us: Option<Micros> = of_subject(
        sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT max(silenced_until_us) FROM alert
         WHERE {OF_SUBJECT} AND silenced_until_us IS NOT NULL"
        ))),
        subject,
    )
    .fetch_one(&mut *conn)
    .await?;
    if until_us.is_some() {
        let statement = AssertSqlSafe(format!(
            "UPDATE alert SET silenced_until_us = NULL
             WHERE {OF_SUBJECT} AND silenced_until_us IS NOT NULL"
        ));
        sqlx::query(statement)
            .bind(&subject.rule)
            .bind(&subject.condition)
            .bind(&subject.system_id)
            .bind(&subject.sub_system_id)
            .execute(conn)
            .await?;
    }
    Ok(until_us)
}

/// Ids of those that ended before a time and whose silence does not go on.
pub(crate) async fn resolved_before(
    conn: &mut SqliteConnection,
    before_us: Micros,
    now_us: Micros,
    limit: u32,
) -> sqlx::Result<Vec<u64>> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM alert
         WHERE resolved_us < ? AND resolved_us IS NOT NULL AND coalesce(silenced_until_us, 0) <= ?
         ORDER BY resolved_us LIMIT ?",
    )
    .bind(before_us)
    .bind(now_us)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(i64::cast_unsigned).collect())
}

/// Removes one.
pub(crate) async fn remove(conn: &mut SqliteConnection, id: u64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM alert WHERE id = ?")
        .bind(id.cast_signed())
        .execute(conn)
        .await?;
    Ok(())
}

type Scalar<'q, T> = sqlx::query::QueryScalar<'q, sqlx::Sqlite, T, sqlx::sqlite::SqliteArguments>;

fn of_subject<'q, T>(query: Scalar<'q, T>, subject: &'q AlertSubject) -> Scalar<'q, T> {
    query
        .bind(&subject.rule)
        .bind(&subject.condition)
        .bind(&subject.system_id)
        .bind(&subject.sub_system_id)
}

fn rows(rows: &[SqliteRow]) -> sqlx::Result<Vec<Alert>> {
    rows.iter().map(from_row).collect()
}

fn from_row(row: &SqliteRow) -> sqlx::Result<Alert> {
    Ok(Alert {
        id: id(row, 0)?,
        subject: AlertSubject {
            rule: row.try_get(1)?,
            condition: row.try_get(2)?,
            system_id: row.try_get(3)?,
            sub_system_id: row.try_get(4)?,
        },
        kind: kind_of(row.try_get(5)?)?,
        reason: row.try_get(6)?,
        opened_us: row.try_get(7)?,
        resolved_us: row.try_get(8)?,
        since_us: row.try_get(9)?,
        last_us: row.try_get(10)?,
        first_record_id: id(row, 11)?,
        last_record_id: id(row, 12)?,
        records: id(row, 13)?,
        records_unnotified: id(row, 14)?,
        notified_us: row.try_get(15)?,
        acknowledged_us: row.try_get(16)?,
        silenced_until_us: row.try_get(17)?,
    })
}

fn kind_number(kind: AlertKind) -> i64 {
    match kind {
        AlertKind::Match => 1,
        AlertKind::Count => 2,
        AlertKind::Heartbeat => 3,
    }
}

fn kind_of(number: i64) -> sqlx::Result<AlertKind> {
    match number {
        1 => Ok(AlertKind::Match),
        2 => Ok(AlertKind::Count),
        3 => Ok(AlertKind::Heartbeat),
        number => Err(unknown("kind of alert", number)),
    }
}

#[cfg(test)]
mod tests {
    use super::{AlertQuery, list_statement};
    use crate::db::plan;

    #[tokio::test]
    async fn lists_read_no_more_than_they_tell() {
        let check = async |query: AlertQuery, expected: &str| {
            let plan = plan(&list_statement(&query)).await;
            assert!(plan.contains(expected), "{query:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
        };
        let all = AlertQuery::default();
        check(all.clone(), "INTEGER PRIMARY KEY (rowid<?)").await;
        let firing = AlertQuery {
            is_firing: Some(true),
            ..all.clone()
        };
        check(firing, "alert_open").await;
        let of_rule = AlertQuery {
            rule: "shop".to_owned(),
            ..all.clone()
        };
        check(of_rule, "alert_by_rule (rule=?").await;
        let of_system = AlertQuery {
            system_id: "shop".to_owned(),
            ..all
        };
        check(of_system, "alert_by_system (system_id=?").await;
    }
}
