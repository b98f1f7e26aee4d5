//! The SQLite file: one writer, a few readers, write-ahead logging. All SQL is
//! in the modules below, one per table, as free functions on a connection.

pub(crate) mod block;
pub(crate) mod bridge;
pub(crate) mod counter;
pub(crate) mod dead_letter;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod gap;
mod open;
mod readers;
pub(crate) mod saved_search;

pub(crate) use open::Database;
pub(crate) use readers::{Readers, Snapshot};
