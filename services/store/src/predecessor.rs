//! Reads databases of the predecessor (`herald.sqlite*`), so that their
//! records can be imported: read-only, in the order of insertion, whatever is
//! in their columns.
//!
//! One table `log`, one column per field, filled by SQLAlchemy and `str()`:
//! missing values are the text `None`, numbers may be texts. Its `created` is
//! the local time of insertion without a zone, so that the reader of a
//! [`Row`] has to say what time that was.

mod row;

use std::path::{Path, PathBuf};

use sqlx::{
    Connection, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

pub use row::Row;

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum PredecessorError {
    /// No such file, or not readable.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not a database at all.
    #[error("`{}` is no SQLite database", path.display())]
    NoDatabase {
        /// The file.
        path: PathBuf,
    },
    /// A database of something else.
    #[error(
        "`{}` is no database of the predecessor: it has no table `log` with the columns `created` and `message`",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged, or was changed while it was read.
    #[error("cannot read the rows of `{}`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
}

/// An open database of the predecessor.
#[derive(Debug)]
pub struct Predecessor {
    path: PathBuf,
    connection: SqliteConnection,
    columns: Vec<String>,
}

impl Predecessor {
    /// Opens a database without ever writing to it.
    ///
    /// # Errors
    /// When it cannot be read or is not one of the predecessor's.
    pub async fn open(path: &Path) -> Result<Self, PredecessorError> {
        check_header(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .create_if_missing(false);
        let damaged = |source| PredecessorError::Damaged {
            path: path.to_owned(),
            source,
        };
        let mut connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(damaged)?;
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT name FROM pragma_table_info('log') ORDER BY cid")
                .fetch_all(&mut connection)
                .await
                .map_err(damaged)?;
        let has = |name: &str| columns.iter().any(|column| column == name);
        if !has("created") || !has("message") {
            return Err(PredecessorError::Foreign {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            connection,
            columns,
        })
    }

    /// How many rows come after a row; 0 stands for the beginning.
    ///
    /// # Errors
    /// When the file is damaged.
    pub async fn count_after(&mut self, rowid: i64) -> Result<u64, PredecessorError> {
        sqlx::query_scalar("SELECT count(*) FROM log WHERE rowid > ?")
            .bind(rowid)
            .fetch_one(&mut self.connection)
            .await
            .map_err(|source| self.damaged(source))
    }

    /// The next rows after a row in the order of insertion, at most `limit`.
    ///
    /// # Errors
    /// When the file is damaged.
    pub async fn rows_after(
        &mut self,
        rowid: i64,
        limit: u32,
    ) -> Result<Vec<Row>, PredecessorError> {
        let condition = "rowid > ? ORDER BY rowid LIMIT ?";
        self.select(condition, rowid, limit).await
    }

    /// The row of this number, if it is (still) there.
    ///
    /// # Errors
    /// When the file is damaged.
    pub async fn row(&mut self, rowid: i64) -> Result<Option<Row>, PredecessorError> {
        let mut rows = self.select("rowid = ? LIMIT ?", rowid, 1).await?;
        Ok(rows.pop())
    }

    async fn select(
        &mut self,
        condition: &str,
        rowid: i64,
        limit: u32,
    ) -> Result<Vec<Row>, PredecessorError> {
        // As blobs, because SQLite lets a column hold anything: numbers come as
        // their digits, texts as their bytes, valid or not.
        let columns: String = self
            .columns
            .iter()
            .map(|name| format!(", CAST(\"{}\" AS BLOB)", name.replace('"', "\"\"")))
            .collect();
        let statement = format!("SELECT rowid{columns} FROM log WHERE {condition}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(rowid)
            .bind(limit)
            .fetch_all(&mut self.connection)
            .await
            .and_then(|rows| {
                let read = |row: &SqliteRow| read(&self.columns, row);
                rows.iter().map(read).collect()
            });
        rows.map_err(|source| self.damaged(source))
    }

    fn damaged(&self, source: sqlx::Error) -> PredecessorError {
        PredecessorError::Damaged {
            path: self.path.clone(),
            source,
        }
    }
}

fn read(columns: &[String], row: &SqliteRow) -> Result<Row, sqlx::Error> {
    let values = columns
        .iter()
        .enumerate()
        .map(|(index, name)| Ok((name.as_str(), row.try_get(index + 1)?)))
        .collect::<Result<Vec<(&str, Option<&[u8]>)>, sqlx::Error>>()?;
    Ok(Row::new(row.try_get(0)?, &values))
}

/// What SQLite itself would only say at the first query, and less clearly.
fn check_header(path: &Path) -> Result<(), PredecessorError> {
    use std::io::Read;
    let mut header = [0; 16];
    let unreadable = |source| PredecessorError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    match file.read_exact(&mut header) {
        Ok(()) if header == *b"SQLite format 3\0" => Ok(()),
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Err(unreadable(error)),
        _ => Err(PredecessorError::NoDatabase {
            path: path.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;
