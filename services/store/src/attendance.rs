//! How far silence can be judged: up to when whatever bridges have received is
//! here, and since when somebody was there to receive it. Pure, but for what it
//! is asked with.

use domain::{Interruption, Micros};
use prost::Message;
use proto::v1::BridgeReport;

use crate::{
    db::bridge::Bridge,
    journal::{Contact, lag_us},
};

/// A bridge that is away for so long, while the store runs, is not waited for.
const GIVEN_UP_US: Micros = 600_000_000;
/// A bridge reports every two seconds: after so long without a report its stream
/// is open, but there is nobody at the other end.
const SILENT_US: Micros = 30_000_000;
/// How much older than its newest contact a report may be that was written.
const REPORT_AGE_US: Micros = 10_000_000;
/// That a stream has ended may be noticed so long after the next one has begun.
const CHANGE_US: Micros = 10_000_000;
/// So many interruptions are told, the newest of them.
const INTERRUPTIONS: usize = 10_000;

/// What the store knows of a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Presence {
    name: String,
    /// It resumes by marks: it reads something in, and does not stand for programs.
    is_import: bool,
    /// When the store first heard of it.
    first_us: Micros,
    /// Its newest word.
    heard_us: Micros,
    /// Its newest report, or its newest word when it has not reported: a stream
    /// whose other end is gone may end later.
    spoke_us: Micros,
    /// Whether a stream of it is open, with somebody at the other end.
    is_here: bool,
    /// What it had received before this time is in the store; none when it says
    /// nothing of that, and so whatever it sends is.
    complete_us: Option<Micros>,
}

impl Presence {
    /// From its row, and from its newest word since the start, if there was one.
    pub(crate) fn new(bridge: &Bridge, contact: Option<&Contact>, now_us: Micros) -> Self {
        let streams = contact.map_or(0, |contact| contact.streams);
        let reported = contact.and_then(|contact| contact.reported);
        // Of no account when the store's clock was ahead.
        let known = |time_us: Micros| if time_us > now_us { 0 } else { time_us };
        let contact_us = contact.map_or(0, |contact| known(contact.contact_us));
        let heard_us = contact_us.max(known(bridge.contact_us));
        let mut presence = Self {
            name: bridge.name.clone(),
            is_import: !bridge.mark.is_empty(),
            first_us: bridge.first_contact_us,
            heard_us,
            spoke_us: reported.map_or(heard_us, |(reported_us, _)| reported_us),
            is_here: streams > 0,
            complete_us: None,
        };
        if let Some((reported_us, lag_us)) = reported {
            presence.complete_us = Some(reported_us.saturating_sub(lag_us));
            if streams > 0 && now_us.saturating_sub(reported_us) > SILENT_US {
                presence.is_here = false;
                presence.heard_us = reported_us;
            }
        } else if let Some(report) = bridge.report.as_deref() {
            // It was heard before this start, and will report when it is back.
            let lag_us = BridgeReport::decode(report).map_or(0, |report| lag_us(&report));
            let written_us = bridge.contact_us.saturating_sub(REPORT_AGE_US);
            presence.complete_us = Some(written_us.saturating_sub(lag_us));
            presence.heard_us = known(bridge.contact_us);
            presence.is_here = false;
        }
        presence
    }

    /// Each run of a bridge has an identity of its own: whether this one's has
    /// ended, because the bridge was heard under a newer one. Two bridges may have
    /// the same name: what began while this one spoke is not its successor.
    fn has_ended(&self, all: &[Self]) -> bool {
        let goes_on = |other: &Self| {
            !other.is_import
                && other.name == self.name
                && other.first_us > self.first_us
                && other.first_us.saturating_add(CHANGE_US) >= self.spoke_us
                && other.heard_us >= self.heard_us
        };
        !self.is_here && all.iter().any(goes_on)
    }

    /// Whether it stands for programs since some time before now.
    fn has_begun(&self, now_us: Micros) -> bool {
        !self.is_import && self.first_us <= now_us
    }

    /// How long it has been away while the store ran.
    fn away_us(&self, uptime: Uptime, now_us: Micros) -> Micros {
        let before = uptime.alive_before_us.saturating_sub(self.heard_us).max(0);
        let since = now_us.saturating_sub(self.heard_us.max(uptime.started_us));
        before.saturating_add(since)
    }
}

/// When the store ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uptime {
    /// When this process began.
    pub(crate) started_us: Micros,
    /// When the one before it was last known to run; 0 for never.
    pub(crate) alive_before_us: Micros,
}

/// Whatever a bridge received before this time is here, as far as the store can
/// know.
pub(crate) fn complete_us(bridges: &[Presence], uptime: Uptime, now_us: Micros) -> Micros {
    let times = bridges.iter().filter_map(|bridge| {
        let is_waited_for = !bridge.is_import
            && !bridge.has_ended(bridges)
            && (bridge.is_here || bridge.away_us(uptime, now_us) <= GIVEN_UP_US);
        let complete_us = match (bridge.complete_us, bridge.is_here) {
            (Some(complete_us), _) => complete_us,
            (None, true) => now_us,
            (None, false) => bridge.heard_us,
        };
        is_waited_for.then_some(complete_us)
    });
    times.min().unwrap_or(now_us).min(now_us)
}

/// When a bridge last began anew: what was sent while it was not there is lost; 0
/// when there is no bridge. What is said to have begun after now was noted by a clock
/// that was ahead.
pub(crate) fn attended_since_us(bridges: &[Presence], now_us: Micros) -> Micros {
    let begun = bridges.iter().filter(|bridge| bridge.has_begun(now_us));
    begun.map(|bridge| bridge.first_us).max().unwrap_or(0)
}

/// When bridges were not there: each time from the newest word of a bridge under its
/// former identities to its first under the next, and what was `noted` of those that
/// went on under the identity they had. By rising time; none overlaps another.
pub(crate) fn interruptions(
    bridges: &[Presence],
    noted: Vec<Interruption>,
    now_us: Micros,
) -> Vec<Interruption> {
    let mut runs: Vec<&Presence> = bridges.iter().filter(|it| it.has_begun(now_us)).collect();
    runs.sort_by(|a, b| (&a.name, a.first_us).cmp(&(&b.name, b.first_us)));
    let mut gaps = noted;
    gaps.retain(|gap| gap.to_us <= now_us);
    for of_bridge in runs.chunk_by(|a, b| a.name == b.name) {
        let mut last_us = Micros::MAX;
        for run in of_bridge {
            if run.first_us > last_us {
                gaps.push(Interruption {
                    from_us: last_us,
                    to_us: run.first_us,
                });
            }
            let here_us = if run.is_here { now_us } else { run.spoke_us };
            let before_us = if last_us == Micros::MAX { 0 } else { last_us };
            last_us = before_us.max(here_us).max(run.first_us);
        }
    }
    gaps.sort_by_key(|gap| gap.from_us);
    let mut merged: Vec<Interruption> = Vec::new();
    for gap in gaps {
        match merged.last_mut() {
            Some(last) if gap.from_us <= last.to_us => last.to_us = last.to_us.max(gap.to_us),
            _ => merged.push(gap),
        }
    }
    merged.split_off(merged.len().saturating_sub(INTERRUPTIONS))
}

#[cfg(test)]
mod tests;
