//! The time of receipt.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Micros;

/// Now, in microseconds since the epoch.
#[must_use]
pub fn now_us() -> Micros {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
