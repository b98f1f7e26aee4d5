//! The verdict of a run: rules, what was found, and what was known before become
//! alerts, heartbeats, and what people are told. Pure: the only time is that of
//! the state, which is the store's.
//!
//! * [`judge`] decides; `records` and `silence` know the two kinds of triggers.
//! * [`Told`] says which alerts somebody is to hear of, [`sort`] who hears of which
//!   together.

mod attendance;
mod post;
mod records;
mod room;
mod silence;

use std::collections::{BTreeSet, HashMap};

use domain::{Alert, AlertKind, AlertSubject, Heartbeat, Micros, RunState, SeenSystem};

use crate::{
    digest::News,
    rule::{Rule, Trigger, Watch},
};

use attendance::Attendance;
pub(crate) use post::sort;
use room::Room;
pub(crate) use silence::{Signs, Systems, signs};

/// What the store was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// Which rules' records there are, each subject of a watch once. Subjects without
    /// new records are here only when their alert of a quota goes on.
    pub(crate) sightings: Vec<Sighting>,
    /// Every system seen.
    pub(crate) systems: Vec<SeenSystem>,
    /// What could not be asked for, a line each.
    pub(crate) errors: Vec<String>,
}

/// Records of one system that a watch is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// Which rule, and which of its watches.
    pub(crate) rule: usize,
    pub(crate) watch: usize,
    pub(crate) system_id: String,
    /// Empty for all of the system together.
    pub(crate) sub_system_id: String,
    /// How many new records match.
    pub(crate) records: u64,
    /// The first and the last of them, or of the window that fills the quota.
    pub(crate) first: Mark,
    pub(crate) last: Mark,
    /// With a quota: the fullest state of a window that has a new record in it; without
    /// one as `records`.
    pub(crate) most: u64,
    /// With a quota: how many match within its time before all is known.
    pub(crate) recent: u64,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) id: u64,
    pub(crate) received_us: Micros,
}

/// What a run says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Alerts that have changed, and new ones.
    pub(crate) alerts: Vec<Alert>,
    /// All heartbeats.
    pub(crate) heartbeats: Vec<Heartbeat>,
    /// Of what somebody is to hear, in the order of the rules.
    pub(crate) told: Vec<Told>,
    /// What there was no room for, a line each.
    pub(crate) errors: Vec<String>,
}

/// An alert somebody is to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) rule: usize,
    pub(crate) news: News,
    /// As it is kept, but `records_unnotified` is what has come since the
    /// notification before.
    pub(crate) alert: Alert,
    /// When the system of a silence that is over was last heard of.
    pub(crate) heard_us: Option<Micros>,
}

/// Judges.
pub(crate) fn judge(rules: &[Rule], found: &Found, state: &RunState) -> Verdict {
    let mut docket = Docket::new(state);
    let systems = Systems::new(&found.systems);
    let mut sightings: HashMap<(usize, usize), Vec<&Sighting>> = HashMap::new();
    for sighting in &found.sightings {
        let watch = (sighting.rule, sighting.watch);
        sightings.entry(watch).or_default().push(sighting);
    }
    for (number, rule) in rules.iter().enumerate() {
        for (place, watch) in rule.watches.iter().enumerate() {
            match &watch.trigger {
                Trigger::Records(records) => {
                    let sightings = sightings.remove(&(number, place)).unwrap_or_default();
                    let case = Case {
                        number,
                        rule,
                        watch,
                    };
                    records::judge(&mut docket, case, records, &sightings);
                }
                Trigger::Silence(expectation) => {
                    let case = Case {
                        number,
                        rule,
                        watch,
                    };
                    silence::judge(&mut docket, case, expectation, &systems);
                }
            }
        }
    }
    docket.verdict.errors.clone_from(&found.errors);
    docket.close(rules, &systems)
}

/// A watch at hand.
#[derive(Clone, Copy)]
struct Case<'a> {
    number: usize,
    rule: &'a Rule,
    watch: &'a Watch,
}

impl Case<'_> {
    fn subject(&self, system_id: &str, sub_system_id: &str) -> AlertSubject {
        AlertSubject {
            rule: self.rule.row.name.clone(),
            condition: self.watch.condition.clone(),
            system_id: system_id.to_owned(),
            sub_system_id: sub_system_id.to_owned(),
        }
    }
}

/// Alerts on the way to the verdict. What is asked for each of many systems is found at
/// once, not searched for.
struct Docket<'a> {
    state: &'a RunState,
    attendance: Attendance,
    /// Those that go on and have not been judged yet.
    firing: HashMap<AlertSubject, Alert>,
    /// The subjects of those that go on, by rule and condition.
    by_condition: HashMap<(&'a str, &'a str), BTreeSet<&'a AlertSubject>>,
    /// The subjects of silences that go on, by rule, system and sub system.
    silent: HashMap<(&'a str, &'a str, &'a str), Vec<&'a AlertSubject>>,
    /// As the store has them.
    known: HashMap<u64, &'a Alert>,
    /// Until when subjects are silenced.
    silences: HashMap<&'a AlertSubject, Micros>,
    /// As the run before left them, by rule, system and sub system.
    heartbeats: HashMap<(&'a str, &'a str, &'a str), Vec<&'a Heartbeat>>,
    next_id: u64,
    alert_room: Room,
    heartbeat_room: Room,
    verdict: Verdict,
}

impl<'a> Docket<'a> {
    fn new(state: &'a RunState) -> Self {
        let mut firing = HashMap::new();
        let mut by_condition: HashMap<_, BTreeSet<_>> = HashMap::new();
        let mut silences = HashMap::new();
        let mut alert_room = Room::default();
        let mut silent: HashMap<_, Vec<_>> = HashMap::new();
        for alert in &state.alerts {
            let subject = &alert.subject;
            if let Some(until_us) = alert.silenced_until_us {
                let silenced = silences.entry(subject).or_insert(until_us);
                *silenced = until_us.max(*silenced);
            }
            if alert.is_firing() {
                let condition = (subject.rule.as_str(), subject.condition.as_str());
                by_condition.entry(condition).or_default().insert(subject);
                firing.insert(subject.clone(), alert.clone());
                alert_room.fill(subject);
                if alert.kind == AlertKind::Heartbeat {
                    silent.entry(place(subject)).or_default().push(subject);
                }
            }
        }
        let mut heartbeats: HashMap<_, Vec<_>> = HashMap::new();
        for heartbeat in &state.heartbeats {
            let Heartbeat {
                rule,
                system_id,
                sub_system_id,
                ..
            } = heartbeat;
            let key = (rule.as_str(), system_id.as_str(), sub_system_id.as_str());
            heartbeats.entry(key).or_default().push(heartbeat);
        }
        Self {
            state,
            attendance: Attendance::new(state),
            firing,
            by_condition,
            silent,
            known: state.alerts.iter().map(|alert| (alert.id, alert)).collect(),
            silences,
            heartbeats,
            next_id: state.next_alert_id,
            alert_room,
            heartbeat_room: Room::default(),
            verdict: Verdict::default(),
        }
    }

    /// The alert of a subject that goes on, to be judged now.
    fn take(&mut self, subject: &AlertSubject) -> Option<Alert> {
        self.firing.remove(subject)
    }

    /// The silence of a subject that goes on, to be judged now; also one by a condition
    /// that the rule has had and has no more: when a time is written in another way nothing
    /// has happened. It keeps its name, and what people have said of it.
    fn take_silence(&mut self, rule: &Rule, subject: &AlertSubject) -> Option<Alert> {
        if let Some(alert) = self.take(subject) {
            return Some(alert);
        }
        let is_gone = |condition: &str| rule.watches.iter().all(|it| it.condition != condition);
        let former = self.silent.get(&place(subject)).cloned();
        let mut former = former.unwrap_or_default().into_iter();
        former.find_map(|former| match is_gone(&former.condition) {
            true => self.take(former),
            false => None,
        })
    }

    /// A new alert, silenced as one before it; none when there are too many.
    fn open(&mut self, subject: AlertSubject, kind: AlertKind) -> Option<Alert> {
        if !self.alert_room.take(&subject) {
            return None;
        }
        let id = self.next_id;
        self.next_id += 1;
        let silenced_until_us = self.silences.get(&subject).copied();
        Some(Alert {
            id,
            subject,
            kind,
            reason: String::new(),
            opened_us: self.state.now_us,
            resolved_us: None,
            since_us: 0,
            last_us: 0,
            first_record_id: 0,
            last_record_id: 0,
            records: 0,
            records_unnotified: 0,
            notified_us: 0,
            acknowledged_us: None,
            silenced_until_us: silenced_until_us.filter(|until| *until > self.state.now_us),
        })
    }

    /// Keeps an alert that goes on, and tells of it if it is time to: when nobody has
    /// been told yet, when a silence has passed, or for another reason after
    /// `cooldown_us`.
    fn keep(&mut self, case: Case<'_>, mut alert: Alert, cooldown_us: Option<Micros>) {
        let now_us = self.state.now_us;
        let is_quiet = alert.acknowledged_us.is_some() || alert.is_silenced(now_us);
        let silence_over = alert
            .silenced_until_us
            .is_some_and(|until| alert.notified_us < until);
        // A clock that was ahead, and is no more, keeps nobody from being told.
        let is_ahead = alert.notified_us > now_us;
        let is_cool = cooldown_us
            .is_some_and(|us| is_ahead || now_us.saturating_sub(alert.notified_us) >= us);
        let news = match alert.notified_us {
            _ if is_quiet => None,
            0 => Some(News::Fired),
            _ if silence_over || is_cool => Some(News::Reminder),
            _ => None,
        };
        if let Some(news) = news {
            self.tell(case.number, news, &mut alert, None);
        }
        self.put(alert);
    }

    /// Ends an alert, and tells those who had heard of it.
    fn resolve(&mut self, rule: usize, mut alert: Alert, heard_us: Option<Micros>) {
        let now_us = self.state.now_us;
        alert.resolved_us = Some(now_us);
        if alert.notified_us != 0 && !alert.is_silenced(now_us) {
            self.tell(rule, News::Resolved, &mut alert, heard_us);
        }
        self.put(alert);
    }

    /// Ends an alert without a word.
    fn drop_quietly(&mut self, mut alert: Alert) {
        alert.resolved_us = Some(self.state.now_us);
        self.put(alert);
    }

    fn tell(&mut self, rule: usize, news: News, alert: &mut Alert, heard_us: Option<Micros>) {
        alert.notified_us = self.state.now_us;
        let told = alert.clone();
        alert.records_unnotified = 0;
        self.verdict.told.push(Told {
            rule,
            news,
            alert: told,
            heard_us,
        });
    }

    fn put(&mut self, alert: Alert) {
        if self.known.get(&alert.id) != Some(&&alert) {
            self.verdict.alerts.push(alert);
        }
    }

    /// The verdict. Alerts that no rule is for any more end without a word: nobody is
    /// there to be told. A silence whose rule expects nothing any more is told to be over
    /// only when it is.
    fn close(mut self, rules: &[Rule], systems: &Systems<'_>) -> Verdict {
        let mut left: Vec<Alert> = self.firing.drain().map(|(_, alert)| alert).collect();
        left.sort_by_key(|alert| alert.id);
        let numbers = rules.iter().map(|rule| rule.row.name.as_str()).zip(0..);
        let numbers: HashMap<&str, usize> = numbers.collect();
        let mut known: HashMap<usize, Signs> = HashMap::new();
        for alert in left {
            let number = numbers.get(alert.subject.rule.as_str()).copied();
            let number = number.filter(|_| alert.kind == AlertKind::Heartbeat);
            let Some(number) = number else {
                self.drop_quietly(alert);
                continue;
            };
            let signs = known
                .entry(number)
                .or_insert_with(|| signs(&rules[number], systems));
            silence::abandon(&mut self, number, alert, signs);
        }
        self.verdict.alerts.sort_by_key(|alert| alert.id);
        for (room, what) in [
            (self.alert_room, "new alerts"),
            (self.heartbeat_room, "expected systems"),
        ] {
            if room.left_out > 0 {
                let line = format!("there are too many {what}: {} are left out", room.left_out);
                self.verdict.errors.push(line);
            }
        }
        self.verdict
    }
}

fn place(subject: &AlertSubject) -> (&str, &str, &str) {
    (&subject.rule, &subject.system_id, &subject.sub_system_id)
}

#[cfg(test)]
mod tests;
