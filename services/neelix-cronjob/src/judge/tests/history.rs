//! Random histories: systems that log or do not, Herald's own downtimes, and people
//! who silence and acknowledge.

use std::collections::HashMap;

use domain::{Micros, SeenSystem};
use proptest::prelude::*;

use super::{
    matching,
    world::{HOUR, MINUTE, World},
};
use crate::{
    digest::News,
    judge::{Sighting, Told},
};

const SYSTEMS: usize = 3;

/// What happens in one step of ten minutes.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// This system logs.
    Log(usize),
    /// Nothing.
    Rest,
    /// The bridge is away: what is logged is lost.
    BridgeAway(usize),
    /// The store is away: what is logged arrives later.
    StoreAway(usize),
    /// neelix does not run.
    NeelixAway,
    /// Somebody silences the alert of a system for so many steps.
    Silence(usize, i64),
    /// Somebody knows of it.
    Acknowledge(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..SYSTEMS).prop_map(Step::Log),
        4 => Just(Step::Rest),
        1 => (0..=SYSTEMS).prop_map(Step::BridgeAway),
        1 => (0..=SYSTEMS).prop_map(Step::StoreAway),
        2 => Just(Step::NeelixAway),
        1 => (0..SYSTEMS, 1_i64..20).prop_map(|(system, steps)| Step::Silence(system, steps)),
        1 => (0..SYSTEMS).prop_map(Step::Acknowledge),
    ]
}

fn name(system: usize) -> String {
    format!("s{system}")
}

/// What is so in truth, whoever knows of it.
#[derive(Debug, Default, Clone, Copy)]
struct Truth {
    /// When the store took its newest record.
    stored_us: Option<Micros>,
    received_us: Micros,
    last_id: u64,
    /// It has been found silent, and no record has come since.
    is_missed: bool,
    silenced_until_us: Micros,
    is_known: bool,
}

struct History {
    world: World,
    truths: [Truth; SYSTEMS],
    now_us: Micros,
    next_id: u64,
    /// Records that wait for the store.
    waiting: Vec<(usize, Micros)>,
    /// Whatever was logged, lost or not.
    logged: Vec<(usize, Micros)>,
    /// Since when the bridge is away.
    away_since_us: Option<Micros>,
    told: Vec<Told>,
}

impl History {
    fn new() -> Self {
        let rules: String = (0..SYSTEMS)
            .map(|n| format!("[{}]\nAGE=1h\n", name(n)))
            .collect();
        Self {
            world: World::new(&rules),
            truths: [Truth::default(); SYSTEMS],
            now_us: HOUR,
            next_id: 1,
            waiting: Vec::new(),
            logged: Vec::new(),
            away_since_us: None,
            told: Vec::new(),
        }
    }

    fn step(&mut self, step: Step) {
        self.now_us += 10 * MINUTE;
        let mut has_run = true;
        if let Some(from_us) = self.away_since_us
            && !matches!(step, Step::BridgeAway(_))
        {
            self.away_since_us = None;
            let to_us = self.now_us - 5 * MINUTE;
            self.world.attended_since_us = to_us;
            let interruption = domain::Interruption { from_us, to_us };
            self.world.interruptions.push(interruption);
        }
        match step {
            Step::Log(system) => self.log(system, false),
            Step::BridgeAway(system) => {
                self.away_since_us.get_or_insert(self.now_us - 10 * MINUTE);
                self.log(system, true);
            }
            Step::StoreAway(system) => {
                has_run = false;
                if system < SYSTEMS {
                    self.logged.push((system, self.now_us));
                    self.waiting.push((system, self.now_us));
                }
            }
            Step::NeelixAway => has_run = false,
            Step::Rest => {}
            Step::Silence(system, steps) => {
                if self.world.firing(&name(system)).is_some() {
                    let until = self.now_us + steps * 10 * MINUTE;
                    self.truths[system].silenced_until_us = until;
                    let change = |alert: &mut domain::Alert| alert.silenced_until_us = Some(until);
                    self.world.change(&name(system), change);
                }
            }
            Step::Acknowledge(system) => {
                if self.world.firing(&name(system)).is_some() {
                    self.truths[system].is_known = true;
                    let now_us = self.now_us;
                    let change = |alert: &mut domain::Alert| alert.acknowledged_us = Some(now_us);
                    self.world.change(&name(system), change);
                }
            }
        }
        if !matches!(step, Step::StoreAway(_)) {
            for (system, received_us) in std::mem::take(&mut self.waiting) {
                self.store(system, received_us);
            }
        }
        if has_run {
            self.run();
        }
    }

    fn log(&mut self, system: usize, is_lost: bool) {
        if system == SYSTEMS {
            return;
        }
        self.logged.push((system, self.now_us));
        if !is_lost {
            self.store(system, self.now_us);
        }
    }

    fn store(&mut self, system: usize, received_us: Micros) {
        let truth = &mut self.truths[system];
        truth.stored_us = Some(self.now_us);
        truth.received_us = received_us;
        truth.last_id = self.next_id;
        truth.is_missed = false;
        truth.is_known = false;
        self.next_id += 1;
    }

    fn run(&mut self) {
        self.world.systems = (0..SYSTEMS)
            .filter_map(|system| self.seen(system))
            .collect();
        let since = self.world.attended_since_us;
        let complete_us = self.away_since_us.unwrap_or(self.now_us);
        let before: Vec<Option<u64>> = (0..SYSTEMS).map(|n| self.firing(n)).collect();
        self.world.run_knowing(self.now_us, complete_us);
        for (system, before) in before.iter().enumerate() {
            let truth = &mut self.truths[system];
            let reference_us = truth.stored_us.unwrap_or(HOUR + 10 * MINUTE).max(since);
            let heard_us = truth.stored_us.unwrap_or(HOUR + 10 * MINUTE);
            let away = self
                .world
                .interruptions
                .iter()
                .map(|away| away.to_us.min(complete_us) - away.from_us.max(heard_us));
            let away_us: Micros = away.map(|us| us.max(0)).sum();
            let is_missed_twice = complete_us - heard_us - away_us > 2 * HOUR;
            if truth.stored_us.is_some() || self.world.heartbeats.len() == SYSTEMS {
                truth.is_missed |= complete_us - reference_us > HOUR || is_missed_twice;
            }
            let truth = *truth;
            let now = self.firing(system);
            if now.is_some() && now != *before {
                let hour = complete_us - HOUR + 1..=complete_us;
                let mut logged = self.logged.iter();
                let has_logged = logged.any(|(who, at)| *who == system && hour.contains(at));
                assert!(
                    !has_logged || is_missed_twice,
                    "a false alarm: {truth:?} at {}",
                    self.now_us
                );
            }
            assert_eq!(
                now.is_some(),
                truth.is_missed,
                "{truth:?} at {}",
                self.now_us
            );
            let told = self.world.told.iter();
            for told in told.filter(|told| told.alert.subject.system_id == name(system)) {
                assert!(self.now_us >= truth.silenced_until_us, "silenced: {told:?}");
                // Who knows of an alert knows of that one only, not of its successor.
                let is_known = truth.is_known && Some(told.alert.id) == *before;
                assert!(!is_known || told.news == News::Resolved, "known: {told:?}");
            }
            if now != *before {
                self.truths[system].is_known = false;
            }
        }
        self.told.extend(self.world.told.iter().cloned());
    }

    fn firing(&self, system: usize) -> Option<u64> {
        self.world.firing(&name(system)).map(|alert| alert.id)
    }

    fn seen(&self, system: usize) -> Option<SeenSystem> {
        let truth = self.truths[system];
        Some(SeenSystem {
            system_id: name(system),
            sub_system_id: String::new(),
            first_received_us: 0,
            last_received_us: truth.received_us,
            last_stored_us: truth.stored_us?,
            last_id: truth.last_id,
        })
    }
}

proptest! {
    #[test]
    fn silences_are_told_once_truly_and_with_their_end(
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let mut history = History::new();
        // The first run names the systems.
        history.step(Step::Rest);
        for step in steps {
            history.step(step);
        }
        let mut by_alert: HashMap<u64, Vec<News>> = HashMap::new();
        for told in &history.told {
            by_alert.entry(told.alert.id).or_default().push(told.news);
        }
        for alert in &history.world.alerts {
            let told = by_alert.remove(&alert.id).unwrap_or_default();
            let count = |news| told.iter().filter(|told| **told == news).count();
            prop_assert!(count(News::Fired) <= 1, "{:?}", told);
            prop_assert!(count(News::Resolved) <= 1, "{:?}", told);
            let is_touched = alert.silenced_until_us.is_some() || alert.acknowledged_us.is_some();
            if !is_touched {
                let is_over = usize::from(!alert.is_firing());
                prop_assert_eq!(
                    (count(News::Fired), count(News::Reminder), count(News::Resolved)),
                    (1, 0, is_over)
                );
            }
        }
    }

    #[test]
    fn matches_are_all_counted_and_told_no_more_often_than_the_cooldown(
        arrivals in prop::collection::vec((0_u64..4, 1_i64..90), 1..150),
        cooldown_minutes in 0_i64..180,
    ) {
        let mut world = World::new(&format!("[a]\nMSG=x\nCOOLDOWN={cooldown_minutes}m\n"));
        let mut now = HOUR;
        let (mut matches, mut told, mut last_told) = (0, 0, None::<i64>);
        for (records, minutes) in arrivals {
            now += minutes * MINUTE;
            world.sightings = match records {
                0 => Vec::new(),
                records => vec![Sighting { ..matching(records, now - MINUTE, now - 1) }],
            };
            matches += records;
            let lines = world.run(now);
            prop_assert!(lines.len() <= 1);
            if let Some(news) = world.told.first() {
                let gap = last_told.map(|last| now - last);
                prop_assert!(gap.is_none_or(|gap| gap >= cooldown_minutes * MINUTE), "{:?}", gap);
                told += news.alert.records_unnotified;
                last_told = Some(now);
            } else if records > 0 {
                let cooldown = cooldown_minutes * MINUTE;
                prop_assert!(last_told.is_some_and(|last| now - last < cooldown), "untold");
            }
        }
        let kept: u64 = world.alerts.iter().map(|alert| alert.records).sum();
        let untold: u64 = world.alerts.iter().map(|alert| alert.records_unnotified).sum();
        prop_assert_eq!((kept, told + untold), (matches, matches));
    }
}
