//! Counting, one record after the other.

use std::collections::BTreeMap;

use domain::{CountBy, CountQuery, Level, Record, RecordFilter, TextField, exception};
use proto::v1;

/// All counts of the records that pass.
pub(super) fn count(found: &[Record], query: &CountQuery) -> v1::CountRecordsResponse {
    let bounds = bounds(found, &query.filter, query.buckets);
    let buckets = bounds.windows(2).map(|ends| {
        let inside = |record: &&Record| (ends[0]..ends[1]).contains(&record.received_us);
        let inside: Vec<&Record> = found.iter().filter(inside).collect();
        v1::Bucket {
            start_us: ends[0],
            end_us: ends[1],
            records: inside.len() as u64,
            counts: split(&inside, query.by),
        }
    });
    let all: Vec<&Record> = found.iter().collect();
    let levels = split(&all, CountBy::Level).into_iter();
    v1::CountRecordsResponse {
        coverage: None,
        complete: true,
        records: found.len() as u64,
        levels: levels
            .map(|count| v1::LevelCount {
                level: count.level,
                records: count.records,
            })
            .collect(),
        buckets: buckets.collect(),
        fields: query
            .fields
            .iter()
            .map(|field| field_counts(&all, *field, query.values_per_field))
            .collect(),
    }
}

/// Where records come from, newest sign of life first.
pub(super) fn systems(found: &[Record], buckets: usize, filter: &RecordFilter) -> Vec<v1::System> {
    let mut systems: BTreeMap<(&str, &str), Vec<Record>> = BTreeMap::new();
    for record in found {
        let key = (record.system_id.as_str(), record.sub_system_id.as_str());
        systems.entry(key).or_default().push(record.clone());
    }
    let bounds = bounds(found, filter, buckets);
    let mut systems: Vec<_> = systems
        .into_iter()
        .map(|((system, host), records)| v1::System {
            system_id: system.to_owned(),
            sub_system_id: host.to_owned(),
            first_received_us: records[0].received_us,
            last_received_us: records[records.len() - 1].received_us,
            last_id: records[records.len() - 1].id,
            records: records.len() as u64,
            recent: recent(&records, &bounds),
        })
        .collect();
    systems.sort_by_key(|system| std::cmp::Reverse(system.last_id));
    systems
}

/// Exceptions by their fingerprint, newest first.
pub(super) fn exceptions(
    found: &[Record],
    buckets: usize,
    filter: &RecordFilter,
) -> Vec<v1::ExceptionGroup> {
    let mut groups: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for record in found.iter().filter(|record| !record.exception.is_empty()) {
        let fingerprint = exception::fingerprint(&record.exception);
        groups.entry(fingerprint).or_default().push(record.clone());
    }
    let bounds = bounds(found, filter, buckets);
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|(fingerprint, records)| {
            let (first, last) = (&records[0], &records[records.len() - 1]);
            let all: Vec<&Record> = records.iter().collect();
            v1::ExceptionGroup {
                fingerprint,
                kind: exception::kind(&last.exception).to_owned(),
                summary: exception::summary(&last.exception).to_owned(),
                records: records.len() as u64,
                first_received_us: first.received_us,
                last_received_us: last.received_us,
                first_id: first.id,
                last_id: last.id,
                systems: field_counts(&all, TextField::System, 20).values,
                recent: recent(&records, &bounds),
            }
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.last_id));
    groups
}

/// The ends of so many equal parts of the filter's time range.
pub(super) fn bounds(found: &[Record], filter: &RecordFilter, buckets: usize) -> Vec<i64> {
    let (Some(first), Some(last)) = (found.first(), found.last()) else {
        return Vec::new();
    };
    if buckets == 0 {
        return Vec::new();
    }
    let from = filter.from_us.unwrap_or(first.received_us);
    let to = filter.to_us.unwrap_or(last.received_us + 1);
    let count = buckets as i64;
    (0..=count)
        .map(|at| from + (to - from) * at / count)
        .collect()
}

fn recent(records: &[Record], bounds: &[i64]) -> Vec<u64> {
    let count = |ends: &[i64]| {
        let inside = |record: &&Record| (ends[0]..ends[1]).contains(&record.received_us);
        records.iter().filter(inside).count() as u64
    };
    bounds.windows(2).map(count).collect()
}

fn split(records: &[&Record], by: CountBy) -> Vec<v1::Count> {
    let mut counts: BTreeMap<(i32, String), u64> = BTreeMap::new();
    for record in records {
        let key = match by {
            CountBy::Level => (Level::of(record.level).number(), String::new()),
            CountBy::Field(field) => (0, field.of(record).into_owned()),
        };
        *counts.entry(key).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|((level, value), records)| v1::Count {
            level,
            value,
            records,
        })
        .collect()
}

fn field_counts(records: &[&Record], field: TextField, most: usize) -> v1::FieldCounts {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for record in records {
        *counts.entry(field.of(record).into_owned()).or_default() += 1;
    }
    let mut values: Vec<_> = counts
        .into_iter()
        .map(|(value, records)| v1::ValueCount { value, records })
        .collect();
    values.sort_by_key(|count| std::cmp::Reverse(count.records));
    let more = values.len() > most;
    let others = values.iter().skip(most).map(|count| count.records).sum();
    values.truncate(most);
    v1::FieldCounts {
        field: field.name().to_owned(),
        values,
        others,
        more,
    }
}
