//! Why a request was not done; [`crate::grpc`] maps it to a gRPC status.

use domain::{BridgeId, Micros};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::db::fault::{Fault, fault, is_interrupt};

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The request can never be done.
    #[error("{0}")]
    Invalid(String),
    /// Numbers are missing that were not declared lost.
    #[error("bridge {bridge_id} sent number {got}, but {expected} is next and no gap was declared")]
    Hole {
        bridge_id: BridgeId,
        expected: u64,
        got: u64,
    },
    /// A batch of a spool that has not been opened.
    #[error("bridge {0} is not known: open its spool first")]
    UnknownBridge(BridgeId),
    /// There is no such record, or no more.
    #[error("there is no record {0}")]
    NotFound(u64),
    /// A saved search has this name already.
    #[error("a saved search named `{0}` exists already")]
    NameTaken(String),
    /// No saved search has this name.
    #[error("there is no saved search named `{0}`")]
    NoSearch(String),
    /// As many as there may be.
    #[error("there are {max} saved searches, and no more may be: delete one first", max = domain::MAX_SAVED_SEARCHES)]
    TooManySearches,
    /// There is no such alert, or no more.
    #[error("there is no alert {0}")]
    NoAlert(u64),
    /// The alert does not go on.
    #[error("alert {0} has ended")]
    AlertEnded(u64),
    /// There is no such delivery, or no more.
    #[error("there is no delivery {0}")]
    NoDelivery(u64),
    /// One run at a time.
    #[error("run {run_id} of {holder} goes on, until {until} unless it renews its lease", until = time_text(*until_us))]
    RunGoesOn {
        run_id: u64,
        holder: String,
        until_us: Micros,
    },
    /// The run is not the one at hand.
    #[error("run {0} does not go on: it has ended, or lost its lease to another")]
    RunLost(u64),
    /// The deadline came before an answer.
    #[error("the store is too busy to answer in time")]
    Late,
    /// No room on the disk.
    #[error("the store has no room")]
    Full,
    /// Cannot be done now.
    #[error("the store cannot do this now: {0}")]
    Unavailable(&'static str),
    /// A failure of ours or of the machine.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// A failure of ours or of the machine.
    #[error("a file of the data folder failed")]
    Io(#[from] std::io::Error),
}

/// A time for people, such as `2026-11-30T02:24:15Z`.
pub(crate) fn time_text(us: Micros) -> String {
    OffsetDateTime::from_unix_timestamp(us.div_euclid(1_000_000))
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{us} us"))
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_interrupt(&error) {
            return Self::Late;
        }
        match fault(&error) {
            Fault::Full => Self::Full,
            Fault::Passing | Fault::Refused => Self::Database(error),
        }
    }
}
