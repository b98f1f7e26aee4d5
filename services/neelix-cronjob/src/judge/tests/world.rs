//! A store as far as the judge sees it.

use domain::{Alert, Heartbeat, HeartbeatState, Interruption, Micros, RunState, SeenSystem, Stage};

use crate::{
    judge::{Found, Sighting, Told, judge},
    rule::Rule,
    rules,
};

pub(super) const MINUTE: Micros = 60_000_000;
pub(super) const HOUR: Micros = 60 * MINUTE;

/// Rules, what there is to be found, and what earlier runs have left.
pub(super) struct World {
    rules: Vec<Rule>,
    pub(super) sightings: Vec<Sighting>,
    pub(super) systems: Vec<SeenSystem>,
    pub(super) attended_since_us: Micros,
    pub(super) interruptions: Vec<Interruption>,
    pub(super) alerts: Vec<Alert>,
    pub(super) heartbeats: Vec<Heartbeat>,
    /// What the newest run has told.
    pub(super) told: Vec<Told>,
}

impl World {
    pub(super) fn new(text: &str) -> Self {
        let mut world = Self {
            rules: Vec::new(),
            sightings: Vec::new(),
            systems: Vec::new(),
            attended_since_us: 0,
            interruptions: Vec::new(),
            alerts: Vec::new(),
            heartbeats: Vec::new(),
            told: Vec::new(),
        };
        world.rules(text);
        world
    }

    /// Other rules from now on.
    pub(super) fn rules(&mut self, text: &str) {
        let rules = rules::read(text.as_bytes(), Stage::Testing, 0);
        self.rules = rules.expect("rules").rules;
    }

    /// A run at a time at which everything before is known.
    pub(super) fn run(&mut self, now_us: Micros) -> Vec<String> {
        self.run_knowing(now_us, now_us)
    }

    /// A run that knows everything before `complete_us`: what it told, a line each.
    pub(super) fn run_knowing(&mut self, now_us: Micros, complete_us: Micros) -> Vec<String> {
        let open = |alert: &&Alert| alert.is_firing() || alert.is_silenced(now_us);
        let next_alert_id = self.alerts.len() as u64 + 1;
        let state = RunState {
            now_us,
            judged_id: 0,
            newest_id: 0,
            complete_us,
            attended_since_us: self.attended_since_us,
            next_alert_id,
            alerts: self.alerts.iter().filter(open).cloned().collect(),
            heartbeats: self.heartbeats.clone(),
            link_key: Vec::new(),
            interruptions: self.interruptions.clone(),
        };
        let found = Found {
            sightings: self.sightings.clone(),
            systems: self.systems.clone(),
            errors: Vec::new(),
        };
        let verdict = judge(&self.rules, &found, &state);
        for alert in verdict.alerts {
            match self.alerts.iter_mut().find(|known| known.id == alert.id) {
                Some(known) => *known = alert,
                None => {
                    assert_eq!(alert.id, self.alerts.len() as u64 + 1, "ids have no holes");
                    self.alerts.push(alert);
                }
            }
        }
        self.heartbeats = verdict.heartbeats;
        self.told = verdict.told;
        self.told.iter().map(line).collect()
    }

    /// The alert of a system that goes on.
    pub(super) fn firing(&self, system_id: &str) -> Option<&Alert> {
        let is_it = |alert: &&Alert| alert.is_firing() && alert.subject.system_id == system_id;
        let mut firing = self.alerts.iter().filter(is_it);
        let alert = firing.next();
        assert!(firing.next().is_none(), "one at a time");
        alert
    }

    /// What a person does to the alert of a system that goes on.
    pub(super) fn change(&mut self, system_id: &str, change: impl FnOnce(&mut Alert)) {
        let is_it = |alert: &&mut Alert| alert.is_firing() && alert.subject.system_id == system_id;
        change(self.alerts.iter_mut().find(is_it).expect("an alert"));
    }

    pub(super) fn state_of(&self, system_id: &str) -> HeartbeatState {
        let is_it = |heartbeat: &&Heartbeat| heartbeat.system_id == system_id;
        self.heartbeats
            .iter()
            .find(is_it)
            .expect("a heartbeat")
            .state
    }
}

fn line(told: &Told) -> String {
    let subject = &told.alert.subject;
    let sub_system = match subject.sub_system_id.as_str() {
        "" => String::new(),
        sub_system => format!("/{sub_system}"),
    };
    let (news, system, records) = (told.news, &subject.system_id, told.alert.records_unnotified);
    format!("{news:?} {system}{sub_system} {records}")
}
