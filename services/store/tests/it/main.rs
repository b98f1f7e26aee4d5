//! The store as others see it: real gRPC on port 0, real SQLite in a temporary
//! folder.

mod append;
mod harness;
