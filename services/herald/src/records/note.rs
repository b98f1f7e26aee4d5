//! What is said beside records: that there is more, and how to get it.

use proto::v1::{Coverage, Order};
use render::rfc3339;

use crate::output::note;

/// Says that an answer ended before its end, how far it came and how to go on.
pub(crate) fn tell_partial(coverage: Option<&Coverage>, order: Order, next: u64) {
    note(partial(coverage, order, next));
}

fn partial(coverage: Option<&Coverage>, order: Order, next: u64) -> String {
    let (option, direction) = match order {
        Order::OldestFirst => ("--after", "up to"),
        Order::NewestFirst | Order::Unspecified => ("--before", "back to"),
    };
    let far = coverage.map_or_else(String::new, |coverage| {
        let end = match order {
            Order::OldestFirst => coverage.to_us,
            Order::NewestFirst | Order::Unspecified => coverage.from_us,
        };
        let end = match end {
            0 => String::new(),
            end => format!(", {direction} {}", rfc3339(end)),
        };
        format!(
            " after {} of {} records{end}",
            coverage.records_covered, coverage.records_total
        )
    });
    let go_on = match next {
        0 => String::new(),
        next => format!("go on with {option} {next}, "),
    };
    format!(
        "partial: the store's time was over{far}; {go_on}narrow it with --since, or take all with --limit 0"
    )
}

/// Says what the disk has destroyed.
pub(crate) fn tell_coverage(coverage: Option<&Coverage>) {
    let damaged = coverage.map_or(0, |coverage| coverage.damaged_records);
    if damaged > 0 {
        note(format_args!(
            "{damaged} records in this range could not be read, the disk has destroyed them: `herald verify` says which"
        ));
    }
}

#[cfg(test)]
mod tests {
    use proto::v1::{Coverage, Order};

    use super::partial;

    #[test]
    fn a_partial_answer_says_how_to_go_on() {
        let coverage = Coverage {
            records_total: 80,
            records_covered: 30,
            from_us: 1_000_000,
            to_us: 2_000_000,
            ..Coverage::default()
        };
        let check = |coverage, order, next, expected: &str| {
            let text = partial(coverage, order, next);
            assert!(text.contains(expected), "{text}");
        };
        check(
            Some(&coverage),
            Order::NewestFirst,
            7,
            " after 30 of 80 records, back to 1970-01-01T00:00:01.000000Z; go on with --before 7,",
        );
        check(
            Some(&coverage),
            Order::OldestFirst,
            7,
            " up to 1970-01-01T00:00:02.000000Z; go on with --after 7,",
        );
        check(None, Order::NewestFirst, 0, "was over; narrow");
    }
}
