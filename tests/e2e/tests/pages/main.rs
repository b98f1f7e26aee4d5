//! What people see: every page in a real browser, with real services behind it.
//! `UPDATE_PICTURES=1` renews the pictures of the documents.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

mod controls;
mod guide;
mod hostile;
mod look;
mod outage;
mod reading;
mod tail;

use std::time::Duration;

/// For what happens by itself, on a machine that is busy.
const SOON: Duration = Duration::from_secs(20);

/// Every page: a name, and the address in a Herald that has the record `id`.
fn places(id: &str) -> Vec<(&'static str, String)> {
    let places = [
        ("log", "/"),
        ("tail", "/?tail=1"),
        ("values", "/values/system_id"),
        ("saved", "/saved"),
        ("systems", "/systems"),
        ("exceptions", "/exceptions"),
        ("alerts", "/alerts"),
        ("rules", "/alerts/rules"),
        ("runs", "/alerts/runs"),
        ("audit", "/audit"),
        ("rejected", "/rejected"),
        ("status", "/status"),
        ("help", "/help"),
    ];
    let before = id.parse::<u64>().unwrap() + 3;
    let of_record = [
        ("record", format!("/record/{id}")),
        ("rule", format!("/record/{id}/rule")),
        ("opened", format!("/?open={id}&before={before}")),
    ];
    let places = places.map(|(name, path)| (name, path.to_owned()));
    places.into_iter().chain(of_record).collect()
}
