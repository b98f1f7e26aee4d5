//! Ranges of ids.

use std::ops::Range;

use domain::Order;

/// Makes a range the smallest one that holds another one, too.
pub(super) fn join(ids: &mut Range<u64>, other: &Range<u64>) {
    if ids.is_empty() {
        *ids = other.clone();
    } else if !other.is_empty() {
        *ids = ids.start.min(other.start)..ids.end.max(other.end);
    }
}

/// Takes a range out of ranges that are in an order; false when none of them
/// holds any of it.
pub(super) fn take_out(from: &mut Vec<Range<u64>>, ids: &Range<u64>, order: Order) -> bool {
    let overlaps = |rest: &Range<u64>| rest.start < ids.end && ids.start < rest.end;
    let Some(at) = from.iter().position(overlaps) else {
        return false;
    };
    let rest = from.remove(at);
    let (low, high) = (rest.start..ids.start, ids.end..rest.end);
    let parts = match order {
        Order::NewestFirst => [high, low],
        Order::OldestFirst => [low, high],
    };
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    from.splice(at..at, parts);
    true
}

#[cfg(test)]
mod tests {
    use domain::Order;

    use super::{join, take_out};

    #[test]
    fn what_is_taken_out_leaves_the_rest_in_order() {
        let mut newest = Vec::from_iter(Some(10..100));
        for ids in [90..100, 40..50, 50..60, 20..30] {
            assert!(take_out(&mut newest, &ids, Order::NewestFirst));
        }
        assert_eq!(newest, [60..90, 30..40, 10..20]);
        assert!(!take_out(&mut newest, &(40..60), Order::NewestFirst));
        let mut oldest = Vec::from_iter(Some(10..100));
        for ids in [10..20, 40..50] {
            assert!(take_out(&mut oldest, &ids, Order::OldestFirst));
        }
        assert_eq!(oldest, [20..40, 50..100]);
        assert!(take_out(&mut oldest, &(5..40), Order::OldestFirst));
        assert_eq!(oldest, Vec::from_iter(Some(50..100)));
    }

    #[test]
    fn ranges_join() {
        let check = |one: std::ops::Range<u64>, other, expected| {
            let mut joined = one;
            join(&mut joined, &other);
            assert_eq!(joined, expected);
        };
        check(0..0, 5..7, 5..7);
        check(1..3, 5..7, 1..7);
        check(1..3, 0..0, 1..3);
    }
}
