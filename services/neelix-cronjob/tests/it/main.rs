//! Mails and webhooks on their way, and whole runs: a real mail server, a real store.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

mod delivery;
mod fake_store;
mod kill;
mod mail;
mod predecessor;
mod runs;
mod town;
mod webhook;
