//! All SQL of table `heartbeat`.

use domain::{Heartbeat, HeartbeatState};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::unknown;

/// All, by system, sub system, rule and condition.
pub(crate) async fn list(conn: &mut SqliteConnection) -> sqlx::Result<Vec<Heartbeat>> {
    sqlx::query(
        "SELECT system_id, sub_system_id, rule, condition, expected, state, since_us,
             last_received_us, due_us, expected_since_us
         FROM heartbeat ORDER BY system_id, sub_system_id, rule, condition",
    )
    .fetch_all(conn)
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Adds one, or puts it in the place of the one of its system, rule and condition.
pub(crate) async fn put(conn: &mut SqliteConnection, heartbeat: &Heartbeat) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO heartbeat (system_id, sub_system_id, rule, condition, expected,
             state, since_us, last_received_us, due_us, expected_since_us)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&heartbeat.system_id)
    .bind(&heartbeat.sub_system_id)
    .bind(&heartbeat.rule)
    .bind(&heartbeat.condition)
    .bind(&heartbeat.expected)
    .bind(state_number(heartbeat.state))
    .bind(heartbeat.since_us)
    .bind(heartbeat.last_received_us)
    .bind(heartbeat.due_us)
    .bind(heartbeat.expected_since_us)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes the one of this one's system, rule and condition.
pub(crate) async fn remove(conn: &mut SqliteConnection, heartbeat: &Heartbeat) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM heartbeat
         WHERE system_id = ? AND sub_system_id = ? AND rule = ? AND condition = ?",
    )
    .bind(&heartbeat.system_id)
    .bind(&heartbeat.sub_system_id)
    .bind(&heartbeat.rule)
    .bind(&heartbeat.condition)
    .execute(conn)
    .await?;
    Ok(())
}

fn from_row(row: &SqliteRow) -> sqlx::Result<Heartbeat> {
    Ok(Heartbeat {
        system_id: row.try_get(0)?,
        sub_system_id: row.try_get(1)?,
        rule: row.try_get(2)?,
        condition: row.try_get(3)?,
        expected: row.try_get(4)?,
        state: state_of(row.try_get(5)?)?,
        since_us: row.try_get(6)?,
        last_received_us: row.try_get(7)?,
        due_us: row.try_get(8)?,
        expected_since_us: row.try_get(9)?,
    })
}

fn state_number(state: HeartbeatState) -> i64 {
    match state {
        HeartbeatState::Up => 1,
        HeartbeatState::Late => 2,
        HeartbeatState::Down => 3,
        HeartbeatState::NeverSeen => 4,
    }
}

fn state_of(number: i64) -> sqlx::Result<HeartbeatState> {
    match number {
        1 => Ok(HeartbeatState::Up),
        2 => Ok(HeartbeatState::Late),
        3 => Ok(HeartbeatState::Down),
        4 => Ok(HeartbeatState::NeverSeen),
        number => Err(unknown("state of a heartbeat", number)),
    }
}
