//! How many records there are.

use std::{collections::BTreeMap, ops::Range};

use domain::{Condition, CountBy, CountQuery, NumberField, NumberRange, RecordFilter, TextField};
use proto::v1;

use super::{DEADLINE, StoreClient, StoreError, told_deadline};

/// How many ids one question is about at most, and at least.
const STEP: u64 = 2_000_000;
const SMALLEST_STEP: u64 = 1_000;

/// A count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) records: u64,
    /// How many have which value of the field asked for.
    pub(crate) values: BTreeMap<String, u64>,
    /// Records whose value is not among `values`, because there are too many.
    pub(crate) others: u64,
}

impl StoreClient {
    /// Counts the records that pass a filter among those of a range of ids.
    pub(crate) async fn count(
        &self,
        filter: &RecordFilter,
        ids: Range<u64>,
        field: Option<TextField>,
    ) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        let mut step = STEP;
        let mut start = ids.start;
        while start < ids.end {
            let end = ids.end.min(start.saturating_add(step));
            match self.count_step(filter, start..end, field).await {
                Ok(Some(answer)) => {
                    counts.add(answer);
                    start = end;
                }
                Ok(None) | Err(StoreError::TooSlow(_)) if step > SMALLEST_STEP => {
                    step = (step / 4).max(SMALLEST_STEP);
                }
                Ok(None) => return Err(StoreError::TooSlow(COUNT)),
                Err(error) => return Err(error),
            }
        }
        Ok(counts)
    }

    /// How many records of a range of ids pass a filter in each of so many parts of its
    /// time, which adjoin; none when that takes too long.
    pub(crate) async fn timeline(
        &self,
        filter: &RecordFilter,
        ids: Range<u64>,
        buckets: usize,
    ) -> Result<Option<Vec<v1::Bucket>>, StoreError> {
        match self.count_once(&query(filter, ids, None, buckets)).await {
            Ok(answer) => Ok(answer.map(|answer| answer.buckets)),
            Err(StoreError::TooSlow(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// None when the deadline came first.
    async fn count_step(
        &self,
        filter: &RecordFilter,
        ids: Range<u64>,
        field: Option<TextField>,
    ) -> Result<Option<v1::CountRecordsResponse>, StoreError> {
        self.count_once(&query(filter, ids, field, 0)).await
    }

    async fn count_once(
        &self,
        query: &CountQuery,
    ) -> Result<Option<v1::CountRecordsResponse>, StoreError> {
        let mut client = self.records.clone();
        let request = told_deadline(proto::count_to_request(query));
        let counted = tokio::time::timeout(DEADLINE, async {
            let mut answers = client.count_records(request).await?.into_inner();
            let mut newest = None;
            while let Some(answer) = answers.message().await? {
                newest = Some(answer);
            }
            Ok(newest)
        });
        match counted.await {
            Ok(Ok(newest)) => Ok(newest.filter(|counts| counts.complete)),
            Ok(Err(status)) => Err(self.explain(COUNT, &status)),
            Err(_) => Err(StoreError::TooSlow(COUNT)),
        }
    }
}

const COUNT: &str = "count records";

fn query(
    filter: &RecordFilter,
    ids: Range<u64>,
    field: Option<TextField>,
    buckets: usize,
) -> CountQuery {
    CountQuery {
        filter: RecordFilter {
            condition: filter.condition.clone().and(among(ids)),
            ..*filter
        },
        fields: field.into_iter().collect(),
        values_per_field: CountQuery::MAX_VALUES,
        buckets,
        by: CountBy::Level,
    }
}

impl Counts {
    fn add(&mut self, answer: v1::CountRecordsResponse) {
        self.records += answer.records;
        for field in answer.fields {
            self.others += field.others;
            for value in field.values {
                *self.values.entry(value.value).or_default() += value.records;
            }
        }
    }
}

/// The condition that a record's id is in a range.
pub(super) fn among(ids: Range<u64>) -> Condition {
    let number = |id: u64| i64::try_from(id).unwrap_or(i64::MAX);
    let range = NumberRange {
        min: number(ids.start),
        max: number(ids.end).saturating_sub(1),
    };
    Condition::Number(NumberField::Id, range)
}
