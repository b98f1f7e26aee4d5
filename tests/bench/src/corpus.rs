//! Records as an operator searches them: a line, an id of its own in each, all
//! fields filled, a few that are looked for.

use domain::Record;

use crate::{lines::Lines, load};

/// A value of `user_spec_2` that one record in 100,000 has.
pub(crate) const NEEDLE: &str = "a-needle";
/// So many records together hold each rare thing once.
const RARE: u64 = 2_000_000;

/// The `number`-th record, received at `received_us`.
#[must_use]
pub(crate) fn record(lines: &Lines, number: u64, received_us: i64) -> Record {
    let program = number % 24;
    let mut record = Record {
        received_us,
        created_us: received_us - 1_500,
        process: 4_000 + program.cast_signed(),
        peer: format!("10.1.0.{}:{}", program % 8, 40_000 + program),
        extra: format!(
            r#"{{"relativeCreated":{}.25,"order_id":{}}}"#,
            number % 100_000_000,
            order(number)
        ),
        ..load::record(lines, number)
    };
    record
        .message
        .push_str(&format!(" request={:016x}", id(number)));
    if number.is_multiple_of(1_000) {
        let place = number / 1_000 % 37;
        record.exception = format!(
            "Traceback (most recent call last):\n  File \"/srv/shop/module_{place}.py\", line 7, \
             in function_{place}\n    call()\nshop.errors.Failure{}: no answer for {}",
            place % 5,
            order(number)
        );
    }
    if number % 100_000 == 50_000 {
        record.user_spec_2 = NEEDLE.to_owned();
    }
    if number % RARE == RARE / 2 {
        // Each value is common; together they are not.
        record.system_id = "service_3".to_owned();
        record.sub_system_id = "host_6".to_owned();
    }
    record
}

/// The id in the message of the `number`-th record.
#[must_use]
pub(crate) fn id(number: u64) -> u64 {
    mix(number)
}

/// `order_id` of the `number`-th record.
#[must_use]
pub(crate) fn order(number: u64) -> u64 {
    mix(number / 3) % 1_000_000_000_000
}

/// A number well mixed.
#[must_use]
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
