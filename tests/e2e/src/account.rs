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

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use serde_json::json;

    use super::arrived;

    #[test]
    fn only_a_beginning_in_order_is_accepted() {
        let check = |numbers: &[u64], expected: Option<u64>| {
            let records: Vec<_> = numbers
                .iter()
                .map(|number| json!({"user_spec_1": "c", "message": format!("record {number}")}))
                .collect();
            let outcome = catch_unwind(|| arrived(&records)["c"]);
            assert_eq!(outcome.ok(), expected, "{numbers:?}");
        };
        check(&[0, 1, 2], Some(3));
        check(&[0, 1, 1], None);
        check(&[0, 2], None);
        check(&[1, 0], None);
    }
}
