//! How many records come within a time that moves along: first counted in pieces of
//! time, since that nearly always shows that they are too few, and read only where they
//! may be enough.

use std::ops::{ControlFlow, Range};

use domain::{CountQuery, Micros, RecordFilter};
use proto::v1;

use crate::{
    judge::Mark,
    rule::Quota,
    store_client::{StoreClient, StoreError},
    window::{Fullest, Window},
};

/// How often records that are read are looked at, whether they are enough by now.
const LOOK_EVERY: u64 = 1_000;

/// The fullest time of those that have a record behind `judged_id` in them: of the
/// records that pass a filter, which begins the length of that time before the first of
/// them. When the quota is reached, it may get fuller yet; otherwise the number is none
/// that was counted, only one below the quota.
pub(super) async fn fullest(
    store: &StoreClient,
    filter: &RecordFilter,
    ids: Range<u64>,
    quota: Quota,
    judged_id: u64,
) -> Result<Fullest, StoreError> {
    let buckets = store
        .timeline(filter, ids.clone(), CountQuery::MAX_BUCKETS)
        .await?;
    let stretches = match buckets {
        Some(buckets) => stretches(&buckets, quota),
        // It takes too long: whatever there is may be enough.
        None => vec![(filter.from_us, filter.to_us)],
    };
    let mut window = Window::new(quota);
    for (from_us, to_us) in stretches {
        let stretch = RecordFilter {
            from_us,
            to_us,
            ..filter.clone()
        };
        let mut until_look = quota.count;
        let each = |record: &v1::Record| {
            let mark = Mark {
                id: record.id,
                received_us: record.received_us,
            };
            window.push(mark, record.id > judged_id);
            until_look = until_look.saturating_sub(1);
            if until_look > 0 {
                return ControlFlow::Continue(());
            }
            until_look = quota.count.max(LOOK_EVERY);
            match window.is_full() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        store.each(&stretch, ids.clone(), each).await?;
        if window.is_full() {
            break;
        }
    }
    Ok(window.fullest())
}

/// The times outside of which the quota is reached nowhere: from where to before where,
/// by rising time. None overlaps another. `buckets` adjoin each other.
fn stretches(buckets: &[v1::Bucket], quota: Quota) -> Vec<(Option<Micros>, Option<Micros>)> {
    let mut stretches: Vec<(Micros, Micros)> = Vec::new();
    let (mut end, mut records) = (0, 0);
    for (at, first) in buckets.iter().enumerate() {
        // What begins in the first bucket is over before these.
        let over_us = first.end_us.saturating_add(quota.within_us);
        while end < buckets.len() && buckets[end].start_us < over_us {
            records += buckets[end].records;
            end += 1;
        }
        if records >= quota.count && first.records > 0 {
            let (from_us, to_us) = (first.start_us, buckets[end - 1].end_us);
            match stretches.last_mut() {
                Some(last) if from_us <= last.1 => last.1 = to_us,
                _ => stretches.push((from_us, to_us)),
            }
        }
        debug_assert!(end > at, "a bucket is within its own time");
        records -= first.records;
    }
    let both = |(from_us, to_us)| (Some(from_us), Some(to_us));
    stretches.into_iter().map(both).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proto::v1;

    use super::stretches;
    use crate::{judge::Mark, rule::Quota, window::Window};

    fn buckets(times: &[i64], width_us: i64) -> Vec<v1::Bucket> {
        let newest_us = times.iter().max().copied().unwrap_or(0);
        let starts = (0..=newest_us).step_by(usize::try_from(width_us).unwrap());
        let bucket = |start_us| v1::Bucket {
            start_us,
            end_us: start_us + width_us,
            records: times
                .iter()
                .filter(|time| (start_us..start_us + width_us).contains(time))
                .count() as u64,
            ..v1::Bucket::default()
        };
        starts.map(bucket).collect()
    }

    fn fullest(times: impl Iterator<Item = i64>, quota: Quota) -> u64 {
        let mut window = Window::new(quota);
        for (id, received_us) in (1..).zip(times) {
            window.push(Mark { id, received_us }, true);
        }
        window.fullest().records
    }

    #[test]
    fn where_few_come_nothing_is_read() {
        let quota = Quota {
            count: 3,
            within_us: 10,
        };
        assert_eq!(stretches(&buckets(&[1, 2, 50, 51, 90], 5), quota), []);
        let crowded = [1, 2, 50, 51, 58, 90];
        let expected = [(Some(50), Some(65))];
        assert_eq!(stretches(&buckets(&crowded, 5), quota), expected);
        assert_eq!(stretches(&[], quota), []);
    }

    proptest! {
        #[test]
        fn every_crowd_is_in_one_stretch(
            times in prop::collection::vec(0_i64..300, 0..60),
            width_us in 1_i64..70,
            count in 1_u64..12,
            within_us in 1_i64..60,
        ) {
            let quota = Quota { count, within_us };
            let all = fullest(times.iter().copied(), quota);
            let stretches = stretches(&buckets(&times, width_us), quota);
            let in_one = stretches.iter().map(|(from_us, to_us)| {
                let range = from_us.unwrap()..to_us.unwrap();
                fullest(times.iter().copied().filter(|time| range.contains(time)), quota)
            });
            let found = in_one.max().unwrap_or(0);
            prop_assert!(all < count || found == all, "{all} in all, {found} found");
        }
    }
}
