//! The store as others see it: real gRPC on port 0, real SQLite in a temporary
//! folder.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "this is a test; clippy only knows functions marked as one"
)]

mod alerts;
mod append;
mod attendance;
mod audit;
mod backup;
mod counts;
mod crash;
mod damage;
mod equality;
mod export;
mod full_disk;
mod groups;
mod guards;
mod harness;
mod hostile;
mod load;
mod metrics;
mod paging;
mod pinned;
mod poison;
mod retention;
mod runs;
mod sampling;
mod saved_searches;
mod search;
mod seen;
mod start;
mod tail;
mod texts;
mod tls;
