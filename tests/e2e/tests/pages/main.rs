//! What people see: every page in a real browser, with real services behind it.
//! `UPDATE_PICTURES=1` renews the pictures of the documents.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

mod controls;
mod hostile;
mod look;
mod outage;
mod reading;

use std::time::Duration;

/// For what happens by itself, on a machine that is busy.
const SOON: Duration = Duration::from_secs(20);

/// Every page: a name, and the address in a Herald that has the record `id`.
fn places(id: &str) -> Vec<(&'static str, String)> {
    vec![
        ("log", "/".to_owned()),
        ("opened", format!("/?open={id}&before={id}1")),
        ("record", format!("/record/{id}")),
    ]
}
