//! All SQL of table `counter`: what has been taken, ever.

use sqlx::{Row, SqliteConnection};

/// The totals. Ids are dense and begin at 1, so that each is also the newest id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Records taken, and the newest record's id.
    pub(crate) records: u64,
    /// Dead letters taken, and the newest one's id.
    pub(crate) dead_letters: u64,
    /// Numbers lost in declared gaps.
    pub(crate) lost: u64,
}

/// Reads the totals.
pub(crate) async fn read(conn: &mut SqliteConnection) -> sqlx::Result<Totals> {
    let mut totals = Totals::default();
    for row in sqlx::query("SELECT name, value FROM counter")
        .fetch_all(conn)
        .await?
    {
        let value = row.try_get::<i64, _>(1)?.max(0).unsigned_abs();
        match row.try_get::<&str, _>(0)? {
            "records" => totals.records = value,
            "dead_letters" => totals.dead_letters = value,
            "lost" => totals.lost = value,
            _ => {}
        }
    }
    Ok(totals)
}

/// Writes the totals.
pub(crate) async fn write(conn: &mut SqliteConnection, totals: &Totals) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE counter SET value = CASE name
             WHEN 'records' THEN ?1 WHEN 'dead_letters' THEN ?2 ELSE ?3 END
         WHERE name IN ('records', 'dead_letters', 'lost')",
    )
    .bind(totals.records.cast_signed())
    .bind(totals.dead_letters.cast_signed())
    .bind(totals.lost.cast_signed())
    .execute(conn)
    .await?;
    Ok(())
}
