//! The spool against everything that can happen to it: killed at every system
//! call, failing and full disks, damaged and missing files.

#![expect(clippy::unwrap_used, reason = "a test fails where it fails")]

mod backlog;
mod damage;
mod fault;
mod full;
mod identity;
mod kill;
mod model;
mod panic;
mod program;
