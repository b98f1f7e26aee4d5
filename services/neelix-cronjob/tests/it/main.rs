//! Mails and webhooks on their way: a real mail server, a store over gRPC.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

mod delivery;
mod fake_store;
mod kill;
mod mail;
mod mail_server;
mod webhook;
