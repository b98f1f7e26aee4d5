//! Records that set alerts off, one by one or so many within a time.

use domain::{Alert, AlertKind, AlertSubject, Micros};

use super::{Case, Docket, Sighting};
use crate::{
    duration,
    rule::{COOLDOWN_US, Quota, Records},
};

/// How long an alert without a quota goes on after its last record, at least.
const CALM_US: Micros = duration::HOUR_US;

pub(super) fn judge(
    docket: &mut Docket<'_>,
    case: Case<'_>,
    records: &Records,
    sightings: &[&Sighting],
) {
    for sighting in sightings {
        let subject = case.subject(&sighting.system_id, &sighting.sub_system_id);
        match &records.quota {
            None => one_is_enough(docket, case, subject, sighting),
            Some(quota) => so_many(docket, case, *quota, subject, sighting),
        }
    }
    let condition = (&*case.rule.row.name, &*case.watch.condition);
    let scope = &case.rule.scope;
    let subjects = docket.by_condition.get(&condition).cloned();
    for subject in subjects.unwrap_or_default() {
        if !scope.covers(&subject.system_id, &subject.sub_system_id) {
            continue;
        }
        let Some(mut alert) = docket.take(subject) else {
            continue;
        };
        alert.kind = case.watch.kind();
        match &records.quota {
            None => without_news(docket, case, alert),
            // Nobody has counted: nothing is known, so that nothing changes.
            Some(_) => docket.keep(case, alert, None),
        }
    }
}

fn one_is_enough(
    docket: &mut Docket<'_>,
    case: Case<'_>,
    subject: AlertSubject,
    sighting: &Sighting,
) {
    let alert = docket.take(&subject);
    if sighting.records == 0 {
        if let Some(alert) = alert {
            without_news(docket, case, alert);
        }
        return;
    }
    let alert = alert.or_else(|| opened(docket, subject, AlertKind::Match, sighting));
    let Some(mut alert) = alert else {
        return;
    };
    alert.kind = AlertKind::Match;
    count_up(&mut alert, sighting, sighting.records);
    alert.reason = match alert.records {
        1 => "1 record matches".to_owned(),
        records => format!("{records} records match"),
    };
    let cooldown_us = case.rule.cooldown_us.unwrap_or(COOLDOWN_US);
    docket.keep(case, alert, Some(cooldown_us));
}

/// An alert without a quota ends when nothing has come for long enough, but never so
/// early that its successor would be told of within the same cooldown.
fn without_news(docket: &mut Docket<'_>, case: Case<'_>, alert: Alert) {
    let calm_us = case.rule.cooldown_us.unwrap_or(COOLDOWN_US).max(CALM_US);
    // Times of a clock that was ahead, and is no more, mean nothing.
    let times = [alert.last_us, alert.notified_us, alert.opened_us].into_iter();
    let newest_us = times.filter(|us| *us <= docket.state.now_us).max();
    let newest_us = newest_us.unwrap_or_default();
    if newest_us.saturating_add(calm_us) <= docket.state.complete_us {
        docket.drop_quietly(alert);
    } else {
        docket.keep(case, alert, None);
    }
}

fn so_many(
    docket: &mut Docket<'_>,
    case: Case<'_>,
    quota: Quota,
    subject: AlertSubject,
    sighting: &Sighting,
) {
    let is_full = sighting.most >= quota.count;
    let alert = docket.take(&subject);
    if !is_full && alert.is_none() {
        return;
    }
    let is_new = alert.is_none();
    let alert = alert.or_else(|| opened(docket, subject, AlertKind::Count, sighting));
    let Some(mut alert) = alert else {
        return;
    };
    alert.kind = AlertKind::Count;
    if sighting.records > 0 {
        let records = match is_new {
            true => sighting.records.max(sighting.most),
            false => sighting.records,
        };
        count_up(&mut alert, sighting, records);
    }
    let within = duration::for_people(quota.within_us);
    if is_full {
        alert.reason = format!(
            "{} records match within {within}, from {} on it is too many",
            sighting.most, quota.count
        );
    }
    let window_us = docket.state.complete_us.saturating_sub(quota.within_us);
    let is_attended = docket.attendance.since_us <= window_us;
    if !is_full && sighting.recent < quota.count && is_attended {
        alert.reason = format!("{} records match within the last {within}", sighting.recent);
        docket.resolve(case.number, alert, None);
    } else {
        let cooldown_us = case.rule.cooldown_us.filter(|_| is_full);
        docket.keep(case, alert, cooldown_us);
    }
}

fn opened(
    docket: &mut Docket<'_>,
    subject: AlertSubject,
    kind: AlertKind,
    sighting: &Sighting,
) -> Option<Alert> {
    Some(Alert {
        since_us: sighting.first.received_us,
        first_record_id: sighting.first.id,
        ..docket.open(subject, kind)?
    })
}

fn count_up(alert: &mut Alert, sighting: &Sighting, records: u64) {
    alert.records = alert.records.saturating_add(records);
    alert.records_unnotified = alert.records_unnotified.saturating_add(records);
    alert.last_us = alert.last_us.max(sighting.last.received_us);
    alert.last_record_id = alert.last_record_id.max(sighting.last.id);
}
