//! What an error of SQLite means for those who wait for the write.

/// The kinds of failure that are answered differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The disk, or the file's size limit, leaves no room: later it may.
    Full,
    /// Busy, stopped, or an I/O error: later it may go.
    Passing,
    /// The database refuses these very bytes: it would refuse them again.
    Refused,
}

/// Primary result codes of SQLite (<https://www.sqlite.org/rescode.html>).
const FULL: i32 = 13;
const TOO_BIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const MISMATCH: i32 = 20;
const INTERRUPT: i32 = 9;
const CORRUPT: i32 = 11;

/// Classifies an error.
pub(crate) fn fault(error: &sqlx::Error) -> Fault {
    match primary_code(error) {
        Some(FULL) => Fault::Full,
        Some(TOO_BIG | CONSTRAINT | MISMATCH) => Fault::Refused,
        _ => Fault::Passing,
    }
}

/// Whether the deadline of a read, or its cancellation, has stopped it.
pub(crate) fn is_interrupt(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::PoolTimedOut) || primary_code(error) == Some(INTERRUPT)
}

/// Whether the disk has destroyed what was to be read.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::ColumnDecode { .. }) || primary_code(error) == Some(CORRUPT)
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
