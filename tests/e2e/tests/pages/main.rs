//! What people see: every page in a real browser, with real services behind it.
//! `UPDATE_PICTURES=1` renews the pictures of the documents.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

mod look;
