//! What the store knows that rules ask about: first how many records there are, since
//! most rules find none, and only then which.

mod crowd;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use domain::{
    Alert, AlertSubject, Condition, Micros, Order, RecordFilter, RunState, SeenSystem, TextField,
    TextTest,
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    judge::{Found, Mark, Sighting},
    name,
    rule::{Quota, Records, Rule, Trigger, Watch},
    scope,
    store_client::{StoreClient, StoreError},
};

/// How many watches are asked about at a time: the store works on so many.
const AT_A_TIME: usize = 2;

/// Asks for whatever is new since the run before.
pub(crate) async fn gather(
    store: &StoreClient,
    rules: &[Rule],
    state: &RunState,
) -> Result<Found, StoreError> {
    let systems = store.systems().await?;
    let seen = systems.as_slice();
    let mut asked = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        for (place, watch) in rule.watches.iter().enumerate() {
            if let Trigger::Records(records) = &watch.trigger {
                let inquiry = Inquiry {
                    store,
                    state,
                    seen,
                    number,
                    place,
                    rule,
                    watch,
                    records,
                };
                asked.push(async move { inquiry.sightings().await });
            }
        }
    }
    let asked = stream::iter(asked).buffered(AT_A_TIME);
    let asked: Vec<(Vec<Sighting>, Option<String>)> = asked.try_collect().await?;
    let (sightings, errors): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
    Ok(Found {
        sightings: sightings.into_iter().flatten().collect(),
        systems,
        errors: errors.into_iter().flatten().collect(),
    })
}

/// Subjects, their names as alerts have them, and how many records each has.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    pub(crate) found: Vec<(String, String, u64)>,
    /// Records of systems that nobody knows of: there are too many to be asked for.
    pub(crate) left_out: u64,
}

/// The systems whose records pass a filter, and how many of them: a rule's own kind of
/// subjects, their names as alerts have them. `systems` are all that have been seen.
pub(crate) async fn subjects(
    store: &StoreClient,
    rule: &Rule,
    filter: &RecordFilter,
    ids: std::ops::Range<u64>,
    systems: &[SeenSystem],
) -> Result<Subjects, StoreError> {
    if let Some((system_id, sub_system_id)) = rule.scope.exact() {
        let records = store.count(filter, ids, None).await?.records;
        let subject = (system_id.to_owned(), sub_system_id.to_owned(), records);
        return Ok(Subjects {
            found: if records > 0 {
                vec![subject]
            } else {
                Vec::new()
            },
            left_out: 0,
        });
    }
    let by_system = store
        .count(filter, ids.clone(), Some(TextField::System))
        .await?;
    if by_system.others > 0 {
        return one_by_one(store, rule, filter, ids, systems).await;
    }
    let mut found = Vec::new();
    for (system_id, records) in bounded(by_system.values) {
        if rule.scope.sub_system.is_none() {
            found.push((system_id, String::new(), records));
            continue;
        }
        let of_system = RecordFilter {
            condition: scope::only(&system_id, "").and(filter.condition.clone()),
            ..*filter
        };
        let by_sub_system = store
            .count(&of_system, ids.clone(), Some(TextField::SubSystem))
            .await?;
        if by_sub_system.others > 0 {
            return one_by_one(store, rule, filter, ids, systems).await;
        }
        let values = bounded(by_sub_system.values)
            .into_iter()
            .filter(|(name, _)| !name.is_empty());
        found.extend(values.map(|(name, records)| (system_id.clone(), name, records)));
    }
    Ok(Subjects { found, left_out: 0 })
}

/// Counts by names as alerts have them.
fn bounded(values: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut bounded = BTreeMap::new();
    for (name, records) in values {
        *bounded.entry(name::bounded(&name)).or_default() += records;
    }
    bounded
}

/// The same where there are too many for one answer: nobody is left out.
async fn one_by_one(
    store: &StoreClient,
    rule: &Rule,
    filter: &RecordFilter,
    ids: std::ops::Range<u64>,
    systems: &[SeenSystem],
) -> Result<Subjects, StoreError> {
    let has_sub_system = rule.scope.sub_system.is_some();
    let covered = systems.iter().filter(|seen| {
        rule.scope.covers(&seen.system_id, &seen.sub_system_id)
            && !(has_sub_system && seen.sub_system_id.is_empty())
    });
    let names: BTreeSet<(String, String)> = covered
        .map(|seen| {
            let sub_system_id = if has_sub_system {
                &*seen.sub_system_id
            } else {
                ""
            };
            (name::bounded(&seen.system_id), name::bounded(sub_system_id))
        })
        .collect();
    let mut found = Vec::new();
    for (system_id, sub_system_id) in names {
        let only = RecordFilter {
            condition: scope::only(&system_id, &sub_system_id).and(filter.condition.clone()),
            ..*filter
        };
        let records = store.count(&only, ids.clone(), None).await?.records;
        if records > 0 {
            found.push((system_id, sub_system_id, records));
        }
    }
    // A record without a sub system is none of a rule for these.
    let named = match has_sub_system {
        true => {
            let unnamed = Condition::Text(TextField::SubSystem, TextTest::Is(String::new()));
            filter
                .condition
                .clone()
                .and(Condition::Not(Box::new(unnamed)))
        }
        false => filter.condition.clone(),
    };
    let all = RecordFilter {
        condition: named,
        ..*filter
    };
    let all = store.count(&all, ids, None).await?.records;
    let left_out = left_out(all, &found);
    Ok(Subjects { found, left_out })
}

/// How many of all records are of none of the systems.
fn left_out(all: u64, found: &[(String, String, u64)]) -> u64 {
    all.saturating_sub(found.iter().map(|(_, _, records)| records).sum())
}

/// One watch of one rule.
#[derive(Clone, Copy)]
struct Inquiry<'a> {
    store: &'a StoreClient,
    state: &'a RunState,
    seen: &'a [SeenSystem],
    number: usize,
    place: usize,
    rule: &'a Rule,
    watch: &'a Watch,
    records: &'a Records,
}

impl Inquiry<'_> {
    async fn sightings(self) -> Result<(Vec<Sighting>, Option<String>), StoreError> {
        let (mut sightings, mut error) = (Vec::new(), None);
        if self.state.newest_id > self.state.judged_id {
            let filter = RecordFilter::new(self.rule.condition_of(self.records));
            let subjects =
                subjects(self.store, self.rule, &filter, self.new_ids(), self.seen).await?;
            error = self.told(subjects.left_out);
            for (system_id, sub_system_id, records) in subjects.found {
                sightings.extend(self.sighting(system_id, sub_system_id, records).await?);
            }
        }
        if let Some(quota) = self.records.quota {
            self.add_recent(&mut sightings, quota).await?;
        }
        Ok((sightings, error))
    }

    fn told(self, left_out: u64) -> Option<String> {
        let (rule, condition) = (&self.rule.row.name, &self.watch.condition);
        (left_out > 0).then(|| {
            crate::ini::short(&format!(
                "{left_out} records are left out, there are too many systems: [{rule}] {condition}"
            ))
        })
    }

    async fn sighting(
        self,
        system_id: String,
        sub_system_id: String,
        records: u64,
    ) -> Result<Option<Sighting>, StoreError> {
        let filter = self.filter(&system_id, &sub_system_id);
        let first = self.mark(&filter, Order::OldestFirst).await?;
        let last = self.mark(&filter, Order::NewestFirst).await?;
        let (Some(first), Some(last)) = (first, last) else {
            // Retention has taken them meanwhile.
            return Ok(None);
        };
        let mut sighting = Sighting {
            rule: self.number,
            watch: self.place,
            system_id,
            sub_system_id,
            records,
            first,
            last,
            most: records,
            recent: 0,
        };
        if let Some(quota) = self.records.quota {
            let first_us = first.received_us.min(last.received_us);
            let first_us = self.earliest_us(&filter, first_us).await?;
            let recent = RecordFilter {
                from_us: Some(first_us.saturating_sub(quota.within_us)),
                ..filter
            };
            let ids = 1..self.state.newest_id + 1;
            let judged_id = self.state.judged_id;
            let fullest = crowd::fullest(self.store, &recent, ids, quota, judged_id).await?;
            sighting.most = fullest.records;
            if fullest.records >= quota.count {
                sighting.first = fullest.first;
            }
        }
        Ok(Some(sighting))
    }

    /// When the earliest of the new records was received, given when one of them was: with
    /// bridges that lag behind that is not the one with the lowest id.
    async fn earliest_us(
        self,
        filter: &RecordFilter,
        known_us: Micros,
    ) -> Result<Micros, StoreError> {
        let earlier = RecordFilter {
            to_us: Some(known_us),
            ..filter.clone()
        };
        let mut earliest_us = known_us;
        let each = |record: &proto::v1::Record| {
            earliest_us = earliest_us.min(record.received_us);
            ControlFlow::Continue(())
        };
        self.store.each(&earlier, self.new_ids(), each).await?;
        Ok(earliest_us)
    }

    /// How many there were lately, for each alert that goes on.
    async fn add_recent(
        self,
        sightings: &mut Vec<Sighting>,
        quota: Quota,
    ) -> Result<(), StoreError> {
        for alert in self.state.alerts.iter().filter(|alert| self.is_of(alert)) {
            let AlertSubject {
                system_id,
                sub_system_id,
                ..
            } = &alert.subject;
            let until_us = self.state.complete_us;
            let recent = RecordFilter {
                from_us: Some(until_us.saturating_sub(quota.within_us).saturating_add(1)),
                ..self.filter(system_id, sub_system_id)
            };
            let ids = 1..self.state.newest_id + 1;
            let recent = self.store.count(&recent, ids, None).await?.records;
            let is_it = |sighting: &&mut Sighting| {
                (&sighting.system_id, &sighting.sub_system_id) == (system_id, sub_system_id)
            };
            match sightings.iter_mut().find(is_it) {
                Some(sighting) => sighting.recent = recent,
                None => sightings.push(Sighting {
                    rule: self.number,
                    watch: self.place,
                    system_id: system_id.clone(),
                    sub_system_id: sub_system_id.clone(),
                    records: 0,
                    first: Mark::default(),
                    last: Mark::default(),
                    most: 0,
                    recent,
                }),
            }
        }
        Ok(())
    }

    fn is_of(&self, alert: &Alert) -> bool {
        let subject = &alert.subject;
        alert.is_firing()
            && subject.rule == self.rule.row.name
            && subject.condition == self.watch.condition
            && self
                .rule
                .scope
                .covers(&subject.system_id, &subject.sub_system_id)
    }

    async fn mark(self, filter: &RecordFilter, order: Order) -> Result<Option<Mark>, StoreError> {
        let records = self.store.list(filter, self.new_ids(), order, 1).await?;
        Ok(records.first().map(|record| Mark {
            id: record.id,
            received_us: record.received_us,
        }))
    }

    fn filter(&self, system_id: &str, sub_system_id: &str) -> RecordFilter {
        let condition = self.records.condition.clone();
        RecordFilter::new(scope::only(system_id, sub_system_id).and(condition))
    }

    fn new_ids(&self) -> std::ops::Range<u64> {
        self.state.judged_id + 1..self.state.newest_id + 1
    }
}

#[cfg(test)]
mod tests {
    use super::left_out;

    /// Guards: of more than a thousand systems some were left out, and nobody was told.
    #[test]
    fn records_of_systems_unknown_are_counted() {
        let found = |name: &str, records| (name.to_owned(), String::new(), records);
        assert_eq!(left_out(9, &[found("a", 4), found("b", 3)]), 2);
        assert_eq!(left_out(7, &[found("a", 4), found("b", 3)]), 0);
        // One was taken by retention, or came, between two questions.
        assert_eq!(left_out(6, &[found("a", 4), found("b", 3)]), 0);
    }
}
