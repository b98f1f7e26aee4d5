//! Records that are missing.
//!
//! A system is silent since the latest of: the store took its newest record; records
//! have been taken without a break; and, when it was never seen, a rule first named
//! it. How long is counted up to the time before which everything is known to be
//! here, so that nobody is blamed for a downtime of Herald's own.

use std::collections::{BTreeMap, HashMap};

use domain::{Alert, AlertKind, AlertSubject, Heartbeat, HeartbeatState, Micros, SeenSystem};

use super::{Case, Docket};
use crate::{
    duration, name,
    rule::{Expectation, Rule},
};

/// A run goes on after it was told the time: what comes meanwhile is so much later.
const AHEAD_US: Micros = 600 * duration::SECOND_US;

/// What is known of a system, or of one of its sub systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sign {
    pub(crate) last_received_us: Micros,
    pub(crate) last_stored_us: Micros,
    pub(crate) last_id: u64,
}

/// Who is expected: system, sub system, and what is known of them.
pub(crate) type Signs = BTreeMap<(String, String), Option<Sign>>;

/// Every system seen, also by name.
#[derive(Debug)]
pub(crate) struct Systems<'a> {
    all: Vec<&'a SeenSystem>,
    by_name: HashMap<&'a str, Vec<&'a SeenSystem>>,
}

impl<'a> Systems<'a> {
    pub(crate) fn new(systems: &'a [SeenSystem]) -> Self {
        let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
        for seen in systems {
            by_name.entry(&*seen.system_id).or_default().push(seen);
        }
        Self {
            all: systems.iter().collect(),
            by_name,
        }
    }

    /// Those that a rule may be about.
    fn candidates(&self, rule: &Rule) -> &[&'a SeenSystem] {
        match rule.scope.system.exact() {
            Some(name) => self.by_name.get(name).map_or(&[], Vec::as_slice),
            None => &self.all,
        }
    }
}

/// What a rule expects: what it names, whether or not that was ever seen, and whatever
/// has been seen that looks like its pattern.
pub(crate) fn signs(rule: &Rule, systems: &Systems<'_>) -> Signs {
    let mut signs = Signs::new();
    if let Some((system_id, sub_system_id)) = rule.scope.exact() {
        signs.insert((system_id.to_owned(), sub_system_id.to_owned()), None);
    }
    let has_sub_system = rule.scope.sub_system.is_some();
    for seen in systems.candidates(rule) {
        let is_covered = rule.scope.covers(&seen.system_id, &seen.sub_system_id);
        let is_named = !seen.system_id.is_empty();
        let is_named = is_named && (!has_sub_system || !seen.sub_system_id.is_empty());
        if !is_covered || !is_named {
            continue;
        }
        let sub_system_id = if has_sub_system {
            seen.sub_system_id.as_str()
        } else {
            ""
        };
        let key = (name::bounded(&seen.system_id), name::bounded(sub_system_id));
        let sign = Sign {
            last_received_us: seen.last_received_us,
            last_stored_us: seen.last_stored_us,
            last_id: seen.last_id,
        };
        let known = signs.entry(key).or_default();
        let newest = known.map_or(sign, |known| Sign {
            last_received_us: known.last_received_us.max(sign.last_received_us),
            last_stored_us: known.last_stored_us.max(sign.last_stored_us),
            last_id: known.last_id.max(sign.last_id),
        });
        *known = Some(newest);
    }
    signs
}

/// When a record is due, and the state at a time, given since when it is waited for.
pub(crate) fn expected(
    expectation: &Expectation,
    reference_us: Micros,
    complete_us: Micros,
) -> (Option<Micros>, HeartbeatState) {
    let due_us = expectation.due_us(reference_us);
    let state = match due_us {
        Some(due) if complete_us > due.saturating_add(expectation.grace_us) => HeartbeatState::Down,
        Some(due) if complete_us > due => HeartbeatState::Late,
        _ => HeartbeatState::Up,
    };
    (due_us, state)
}

pub(super) fn judge(
    docket: &mut Docket<'_>,
    case: Case<'_>,
    expectation: &Expectation,
    systems: &Systems<'_>,
) {
    for ((system_id, sub_system_id), sign) in signs(case.rule, systems) {
        let subject = case.subject(&system_id, &sub_system_id);
        one(docket, case, expectation, subject, sign);
    }
}

fn one(
    docket: &mut Docket<'_>,
    case: Case<'_>,
    expectation: &Expectation,
    subject: AlertSubject,
    sign: Option<Sign>,
) {
    let state = docket.state;
    if !docket.heartbeat_room.take(&subject) {
        // Nothing is known, so that nothing changes.
        docket.take_silence(case.rule, &subject);
        return;
    }
    let known = known_heartbeats(docket, &subject);
    let mut same = known.iter();
    let before = same.find(|heartbeat| heartbeat.condition == subject.condition);
    let before = before.or(known.first().filter(|_| known.len() == 1));
    // Also when its condition has been rewritten.
    let expected_since_us = known.iter().map(|heartbeat| heartbeat.expected_since_us);
    let expected_since_us = expected_since_us.min().unwrap_or(state.now_us);
    let expected_since_us = expected_since_us.min(state.now_us);
    let sign = sign.or_else(|| remembered(&known));
    let alert = docket.take_silence(case.rule, &subject).map(|alert| Alert {
        kind: AlertKind::Heartbeat,
        ..alert
    });
    let alert = match alert {
        Some(alert) if is_back(&alert, sign, expectation, state.now_us) => {
            resolved(docket, case.number, alert, sign);
            None
        }
        alert => alert,
    };

    let heard_us = sign
        .and_then(|sign| heard_us(sign, state.now_us))
        .map_or(expected_since_us, |us| {
            us.saturating_add(expectation.early_us())
        });
    let attendance = &docket.attendance;
    let reference_us = heard_us.max(attendance.since_us);
    let (mut due_us, mut now) = expected(expectation, reference_us, state.complete_us);
    let is_interrupted = heard_us < attendance.since_us;
    if is_interrupted && attendance.has_missed(expectation, heard_us, state.complete_us) {
        now = HeartbeatState::Down;
        due_us = expectation.due_us(heard_us);
    }
    if alert.is_some() {
        // It has not been heard of, whatever else began anew meanwhile.
        now = HeartbeatState::Down;
        due_us = before.map(|before| before.due_us).or(due_us);
    }
    if now == HeartbeatState::Down && sign.is_none() {
        now = HeartbeatState::NeverSeen;
    }
    let is_down = matches!(now, HeartbeatState::Down | HeartbeatState::NeverSeen);
    if is_down && let Some(alert) = alert.or_else(|| opened(docket, subject.clone(), sign)) {
        let reason = reason(expectation, sign, state.complete_us, expected_since_us);
        docket.keep(case, Alert { reason, ..alert }, case.rule.cooldown_us);
    }
    let unchanged = before.filter(|before| before.state == now);
    docket.verdict.heartbeats.push(Heartbeat {
        rule: subject.rule,
        condition: subject.condition,
        system_id: subject.system_id,
        sub_system_id: subject.sub_system_id,
        expected: expectation.text.clone(),
        state: now,
        since_us: unchanged.map_or(state.now_us, |before| before.since_us),
        last_received_us: sign.map_or(0, |sign| sign.last_received_us),
        due_us: due_us.unwrap_or(0),
        expected_since_us,
    });
}

/// What the run before knew of a system that the store has forgotten since, because it
/// has seen so many others.
fn remembered(known: &[&Heartbeat]) -> Option<Sign> {
    let times = known.iter().map(|heartbeat| heartbeat.last_received_us);
    let last_us = times.max().filter(|last_us| *last_us > 0)?;
    Some(Sign {
        last_received_us: last_us,
        last_stored_us: last_us,
        last_id: 0,
    })
}

/// When a system was last heard of; none when both clocks were ahead then, and are no
/// more: nobody is thought to be well until that date comes.
fn heard_us(sign: Sign, now_us: Micros) -> Option<Micros> {
    let times = [sign.last_stored_us, sign.last_received_us].into_iter();
    let latest_us = now_us.saturating_add(AHEAD_US);
    let mut times = times.filter(|us| *us <= latest_us);
    times.next().map(|us| us.min(now_us))
}

/// Whether a record has come since the silence was found, or so shortly before that the
/// finding had missed it. One that is new here but older, as imports bring them, is no
/// sign of life, although its id is higher. That it was taken after the last one before
/// the silence was received says nothing: receiving comes before taking.
fn is_back(alert: &Alert, sign: Option<Sign>, expectation: &Expectation, now_us: Micros) -> bool {
    let Some(sign) = sign.filter(|sign| sign.last_id > alert.first_record_id) else {
        return false;
    };
    let Some(heard_us) = heard_us(sign, now_us) else {
        return false;
    };
    let found_us = alert.opened_us.min(now_us);
    let early_us = expectation.early_us();
    let (_, state_then) = expected(expectation, heard_us.saturating_add(early_us), found_us);
    heard_us > found_us || state_then != HeartbeatState::Down
}

/// Ends a silence that the rule would not find any more.
pub(super) fn abandon(docket: &mut Docket<'_>, rule: usize, alert: Alert, signs: &Signs) {
    let subject = &alert.subject;
    let key = (subject.system_id.clone(), subject.sub_system_id.clone());
    let sign = signs.get(&key).copied().flatten();
    let is_back = sign.is_some_and(|sign| {
        let found_us = alert.opened_us.min(docket.state.now_us);
        sign.last_id > alert.first_record_id && sign.last_stored_us > found_us
    });
    match is_back {
        true => resolved(docket, rule, alert, sign),
        false => docket.drop_quietly(alert),
    }
}

fn opened(docket: &mut Docket<'_>, subject: AlertSubject, sign: Option<Sign>) -> Option<Alert> {
    Some(Alert {
        since_us: sign.map_or(0, |sign| sign.last_received_us),
        first_record_id: sign.map_or(0, |sign| sign.last_id),
        ..docket.open(subject, AlertKind::Heartbeat)?
    })
}

fn resolved(docket: &mut Docket<'_>, rule: usize, mut alert: Alert, sign: Option<Sign>) {
    let last_us = sign.map_or(0, |sign| sign.last_received_us);
    alert.reason = match alert.since_us {
        0 => "it has been seen for the first time".to_owned(),
        // The record that ended the silence is looked up by whoever tells of it; this
        // one may be later.
        _ => format!("it is heard of again, last at {}", moment(last_us)),
    };
    let heard_us = sign.map(|sign| sign.last_received_us.min(docket.state.now_us));
    docket.resolve(rule, alert, heard_us);
}

fn reason(
    expectation: &Expectation,
    sign: Option<Sign>,
    complete_us: Micros,
    expected_since_us: Micros,
) -> String {
    let expected = &expectation.text;
    match sign {
        Some(sign) => {
            let silent = complete_us.saturating_sub(sign.last_received_us);
            let silent = duration::for_people(silent);
            format!("no record for {silent}, expected {expected}")
        }
        None => {
            let since = moment(expected_since_us);
            format!("never seen, expected {expected} since {since}")
        }
    }
}

fn moment(us: Micros) -> String {
    let second = jiff::Timestamp::from_second(us.div_euclid(duration::SECOND_US));
    second.map_or_else(|_| us.to_string(), |second| second.to_string())
}

/// What the run before has left of a rule and a system.
fn known_heartbeats<'a>(docket: &Docket<'a>, subject: &AlertSubject) -> Vec<&'a Heartbeat> {
    let AlertSubject {
        rule,
        system_id,
        sub_system_id,
        ..
    } = subject;
    let key = (rule.as_str(), system_id.as_str(), sub_system_id.as_str());
    docket.heartbeats.get(&key).cloned().unwrap_or_default()
}
