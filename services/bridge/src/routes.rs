//! The destinations of a bridge besides its own store: a TOML file, read and
//! checked as a whole before anything starts. `docs/routes.md` describes it.

mod problem;
mod read;
mod section;
#[cfg(test)]
mod tests;

use std::{num::NonZeroU32, path::Path, sync::Arc};

use runtime::tls;

use crate::{
    policy::Policy,
    spool::{Backlog, Begin},
};

pub use problem::Problem;

/// The destination that a bridge has without a routes file.
pub const STORE: &str = "store";

/// One destination.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its name, and that of its cursor.
    pub name: String,
    /// What is there.
    pub kind: Kind,
    /// Where it begins when the spool has not heard of it.
    pub begin: Begin,
    /// How far behind it may be.
    pub backlog: Backlog,
    /// The most records a second.
    pub rate: Option<NonZeroU32>,
    /// What leaves for it.
    pub policy: Arc<Policy>,
}

/// What is at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A bridge or a store of Herald, by the URL of its gRPC.
    Herald {
        /// Such as `http://127.0.0.1:9120`.
        url: String,
        /// Its own certificates; what it has none of is the bridge's.
        tls: tls::Files,
    },
    /// A bridge of the predecessor, by host and port.
    Predecessor {
        /// Such as `localhost:9019`.
        address: String,
    },
}

impl Route {
    /// The way to the bridge's own store, to which everything goes.
    #[must_use]
    pub fn to_store(url: &str) -> Self {
        Self {
            name: STORE.to_owned(),
            kind: Kind::Herald {
                url: url.to_owned(),
                tls: tls::Files::default(),
            },
            begin: Begin::Oldest,
            backlog: Backlog::default(),
            rate: None,
            policy: Arc::default(),
        }
    }
}

/// Why a routes file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RoutesError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// It says things that mean nothing: all of them.
    #[error("{}", shown(path, problems))]
    Wrong {
        /// The file.
        path: String,
        /// What is wrong.
        problems: Vec<Problem>,
    },
}

fn shown(path: &str, problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| format!("{path}:{problem}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads a routes file.
///
/// # Errors
/// When it cannot be read, or anything in it means nothing.
pub fn load(path: &Path) -> Result<Vec<Route>, RoutesError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| RoutesError::Unreadable {
        path: shown.clone(),
        source,
    })?;
    parse(&text).map_err(|problems| RoutesError::Wrong {
        path: shown,
        problems,
    })
}

/// Reads the text of a routes file.
///
/// # Errors
/// Everything that is wrong with it, by line.
pub fn parse(text: &str) -> Result<Vec<Route>, Vec<Problem>> {
    read::routes(text)
}
