//! Rules tried on the past: when they would have told somebody, and how often. Goes
//! from alarm to alarm by asking for the next record that matters, so that it costs
//! little however many records there are.

use domain::{Condition, Micros, Order, RecordFilter, RunState, SeenSystem};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    duration,
    evidence::own_note,
    gather::subjects,
    judge::{Signs, Systems, signs},
    rule::{COOLDOWN_US, Expectation, Quota, Records, Rule, Trigger},
    scope,
    store_client::{StoreClient, StoreError},
    window::episodes,
};

/// How many questions are asked about one system and condition.
const MAX_STEPS: usize = 20_000;
/// How many times of records are looked at for one quota.
const MAX_TIMES: usize = 2_000_000;

/// What one condition would have found of one system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rehearsed {
    pub(crate) rule: String,
    pub(crate) condition: String,
    pub(crate) system_id: String,
    pub(crate) sub_system_id: String,
    /// How many records match; 0 for a heartbeat.
    pub(crate) records: u64,
    /// When somebody would have been told.
    pub(crate) alarms: Vec<Alarm>,
}

/// An alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub(crate) from_us: Micros,
    /// When it would have been over, where that is told.
    pub(crate) until_us: Option<Micros>,
}

/// Tries rules on the time since so long ago, as if there had been a run every
/// `interval_us`.
pub(crate) async fn rehearse(
    store: &StoreClient,
    rules: &[Rule],
    state: &RunState,
    since_us: Micros,
    interval_us: Micros,
) -> Result<Vec<Rehearsed>, StoreError> {
    let systems = store.systems().await?;
    let from_us = state.now_us.saturating_sub(since_us);
    let past = Past {
        store,
        state,
        seen: &systems,
        from_us,
        interval_us,
    };
    let by_name = Systems::new(&systems);
    let work = rules.iter().flat_map(|rule| {
        let signs = signs(rule, &by_name);
        rule.watches
            .iter()
            .map(move |watch| (rule, watch, signs.clone()))
    });
    let work = stream::iter(work).map(|(rule, watch, signs)| async move {
        let mut found = match &watch.trigger {
            Trigger::Records(records) => past.records(rule, records).await?,
            Trigger::Silence(expectation) => past.silences(expectation, signs).await?,
        };
        for found in &mut found {
            found.rule.clone_from(&rule.row.name);
            found.condition.clone_from(&watch.condition);
        }
        found.retain(|found| !found.alarms.is_empty());
        Ok(found)
    });
    let found: Vec<Vec<Rehearsed>> = work.buffered(2).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// A time for people.
pub(crate) fn moment(us: Micros) -> String {
    let second = jiff::Timestamp::from_second(us.div_euclid(duration::SECOND_US));
    second.map_or_else(|_| us.to_string(), |second| second.to_string())
}

#[derive(Clone, Copy)]
struct Past<'a> {
    store: &'a StoreClient,
    state: &'a RunState,
    seen: &'a [SeenSystem],
    from_us: Micros,
    interval_us: Micros,
}

impl Past<'_> {
    async fn records(&self, rule: &Rule, records: &Records) -> Result<Vec<Rehearsed>, StoreError> {
        let filter = self.since(self.from_us, rule.condition_of(records));
        let mut rehearsed = Vec::new();
        let subjects = subjects(self.store, rule, &filter, self.ids(), self.seen).await?;
        for (system_id, sub_system_id, count) in subjects.found {
            let only = scope::only(&system_id, &sub_system_id);
            let condition = only.and(records.condition.clone());
            let alarms = match records.quota {
                Some(quota) => self.episodes(&condition, quota).await?,
                None => {
                    self.matches(&condition, rule.cooldown_us.unwrap_or(COOLDOWN_US))
                        .await?
                }
            };
            rehearsed.push(Rehearsed {
                system_id,
                sub_system_id,
                records: count,
                alarms,
                ..Rehearsed::default()
            });
        }
        Ok(rehearsed)
    }

    /// A mail with the first, then none until the cooldown is over.
    async fn matches(
        &self,
        condition: &Condition,
        cooldown_us: Micros,
    ) -> Result<Vec<Alarm>, StoreError> {
        let pause_us = cooldown_us.max(self.interval_us);
        let mut alarms = Vec::new();
        let mut from_us = self.from_us;
        while alarms.len() < MAX_STEPS {
            let filter = self.since(from_us, condition.clone());
            let Some(at_us) = self.received(&filter, Order::OldestFirst).await? else {
                break;
            };
            alarms.push(Alarm {
                from_us: at_us,
                until_us: None,
            });
            from_us = at_us.max(from_us).saturating_add(pause_us.max(1));
        }
        Ok(alarms)
    }

    async fn episodes(
        &self,
        condition: &Condition,
        quota: Quota,
    ) -> Result<Vec<Alarm>, StoreError> {
        let filter = self.since(self.from_us, condition.clone());
        let mut times: Vec<Micros> = Vec::new();
        let each = |record: &proto::v1::Record| {
            times.push(record.received_us);
            match times.len() < MAX_TIMES {
                true => std::ops::ControlFlow::Continue(()),
                false => std::ops::ControlFlow::Break(()),
            }
        };
        self.store.each(&filter, self.ids(), each).await?;
        times.sort_unstable();
        let episodes = episodes(&times, quota).into_iter();
        Ok(episodes
            .map(|(from_us, until_us)| Alarm { from_us, until_us })
            .collect())
    }

    async fn silences(
        &self,
        expectation: &Expectation,
        signs: Signs,
    ) -> Result<Vec<Rehearsed>, StoreError> {
        let mut rehearsed = Vec::new();
        for ((system_id, sub_system_id), _) in signs {
            let only = scope::only(&system_id, &sub_system_id);
            let condition = only.and(Condition::Not(Box::new(own_note())));
            let alarms = self.silence(expectation, &condition).await?;
            rehearsed.push(Rehearsed {
                system_id,
                sub_system_id,
                alarms,
                ..Rehearsed::default()
            });
        }
        Ok(rehearsed)
    }

    /// From the last record that is still in time to the next one after it.
    async fn silence(
        &self,
        expectation: &Expectation,
        condition: &Condition,
    ) -> Result<Vec<Alarm>, StoreError> {
        let mut alarms = Vec::new();
        let mut last_us = self.from_us;
        for _ in 0..MAX_STEPS {
            let Some(due_us) = expectation.due_us(last_us) else {
                break;
            };
            let late_us = due_us.saturating_add(expectation.grace_us);
            if late_us >= self.state.complete_us {
                break;
            }
            let in_time = RecordFilter {
                to_us: Some(late_us.saturating_add(1)),
                ..self.since(last_us.saturating_add(1), condition.clone())
            };
            if let Some(at_us) = self.received(&in_time, Order::NewestFirst).await? {
                last_us = at_us.saturating_add(expectation.early_us());
                continue;
            }
            let after = self.since(late_us.saturating_add(1), condition.clone());
            let back_us = self.received(&after, Order::OldestFirst).await?;
            alarms.push(Alarm {
                from_us: late_us,
                until_us: back_us,
            });
            match back_us {
                Some(back_us) => last_us = back_us.saturating_add(expectation.early_us()),
                None => break,
            }
        }
        Ok(alarms)
    }

    /// When the first or the last record that passes was received, by id.
    async fn received(
        &self,
        filter: &RecordFilter,
        order: Order,
    ) -> Result<Option<Micros>, StoreError> {
        let records = self.store.list(filter, self.ids(), order, 1).await?;
        Ok(records.first().map(|record| record.received_us))
    }

    fn since(&self, from_us: Micros, condition: Condition) -> RecordFilter {
        RecordFilter {
            from_us: Some(from_us),
            ..RecordFilter::new(condition)
        }
    }

    fn ids(&self) -> std::ops::Range<u64> {
        1..self.state.newest_id + 1
    }
}
