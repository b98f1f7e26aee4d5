//! The gRPC service that owns SQLite: records, dead letters, gaps, retention, backup.

pub mod block;
pub mod predecessor;
