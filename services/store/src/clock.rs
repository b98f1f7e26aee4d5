//! The time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Micros;

/// Now.
pub(crate) fn now_us() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
    })
}
