//! All SQL of table `bridge`: how far each spool's numbers have come.

use domain::{BridgeId, Micros};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

/// A spool as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bridge {
    pub(crate) bridge_id: BridgeId,
    pub(crate) name: String,
    pub(crate) first_sequence: u64,
    pub(crate) next_sequence: u64,
    /// When it was entered.
    pub(crate) first_contact_us: Micros,
    pub(crate) contact_us: Micros,
    pub(crate) mark: String,
    /// An encoded `herald.v1.BridgeReport`.
    pub(crate) report: Option<Vec<u8>>,
}

const COLUMNS: &str =
    "SELECT bridge_id, name, first_sequence, next_sequence, first_contact_us, contact_us, mark, report
     FROM bridge";

/// One spool.
pub(crate) async fn find(
    conn: &mut SqliteConnection,
    bridge_id: BridgeId,
) -> sqlx::Result<Option<Bridge>> {
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE bridge_id = ?"
    )))
    .bind(bridge_id.as_bytes().as_slice())
    .fetch_optional(conn)
    .await?
    .map(|row| Bridge::try_from(&row))
    .transpose()
}

/// All spools, newest contact first.
pub(crate) async fn list(conn: &mut SqliteConnection) -> sqlx::Result<Vec<Bridge>> {
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} ORDER BY contact_us DESC"
    )))
    .fetch_all(conn)
    .await?
    .iter()
    .map(Bridge::try_from)
    .collect()
}

/// Enters a new spool.
pub(crate) async fn insert(conn: &mut SqliteConnection, bridge: &Bridge) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO bridge
             (bridge_id, name, first_sequence, next_sequence, first_contact_us, contact_us, mark)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(bridge.bridge_id.as_bytes().as_slice())
    .bind(&bridge.name)
    .bind(bridge.first_sequence.cast_signed())
    .bind(bridge.next_sequence.cast_signed())
    .bind(bridge.first_contact_us)
    .bind(bridge.contact_us)
    .bind(&bridge.mark)
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves a spool's number on; the mark stays when none is given.
pub(crate) async fn advance(
    conn: &mut SqliteConnection,
    bridge_id: BridgeId,
    next_sequence: u64,
    mark: Option<&str>,
    contact_us: Micros,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE bridge
         SET next_sequence = ?, mark = coalesce(?, mark), contact_us = max(contact_us, ?)
         WHERE bridge_id = ?",
    )
    .bind(next_sequence.cast_signed())
    .bind(mark)
    .bind(contact_us)
    .bind(bridge_id.as_bytes().as_slice())
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps what is known of a spool's bridge.
pub(crate) async fn contact(
    conn: &mut SqliteConnection,
    bridge_id: BridgeId,
    name: &str,
    contact_us: Micros,
    report: Option<Vec<u8>>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE bridge
         SET name = ?, contact_us = max(contact_us, ?), report = coalesce(?, report)
         WHERE bridge_id = ?",
    )
    .bind(name)
    .bind(contact_us)
    .bind(report)
    .bind(bridge_id.as_bytes().as_slice())
    .execute(conn)
    .await?;
    Ok(())
}

impl TryFrom<&SqliteRow> for Bridge {
    type Error = sqlx::Error;

    fn try_from(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            bridge_id: Uuid::from_slice(row.try_get(0)?)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
            name: row.try_get(1)?,
            first_sequence: row.try_get::<i64, _>(2)?.cast_unsigned(),
            next_sequence: row.try_get::<i64, _>(3)?.cast_unsigned(),
            first_contact_us: row.try_get(4)?,
            contact_us: row.try_get(5)?,
            mark: row.try_get(6)?,
            report: row.try_get(7)?,
        })
    }
}
