//! Exact accounting of numbered records: what was sent, in which order, over
//! which connection, and what of it arrived.

use std::collections::BTreeMap;

use domain::Record;
use serde_json::Value;

use crate::api::text;

/// The `number`-th record (from 0) of a connection.
#[must_use]
pub fn numbered(connection: &str, number: u64) -> Record {
    Record {
        system_id: "account".to_owned(),
        user_spec_1: connection.to_owned(),
        message: format!("record {number}"),
        ..testkit::record(number)
    }
}

/// How many numbered records of each connection have arrived.
///
/// # Panics
/// When one of them came twice, out of order, or while an earlier one of its
/// connection did not.
#[must_use]
pub fn arrived(records: &[Value]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for record in records {
        let connection = text(record, "user_spec_1");
        let count: &mut u64 = counts.entry(connection.to_owned()).or_default();
        assert_eq!(
            text(record, "message"),
            format!("record {count}"),
            "the next record of connection {connection}"
        );
        *count += 1;
    }
    counts
}
