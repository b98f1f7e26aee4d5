//! What a run may hand in: sizes and forms, before anything is changed. Pure.

use std::collections::HashSet;

use domain::{Alert, Delivery, DeliveryState, Heartbeat, Notification, Rule};

use super::{Begin, Findings, MAX_LEASE_US};
use crate::error::StoreError;

const HOLDER_BYTES: usize = 200;
const ALERTS: usize = 100_000;
const NOTIFICATIONS: usize = 1_000;
const DELIVERIES: usize = 1_000;
const HEARTBEATS: usize = 100_000;
const RULES: usize = 10_000;
const ERRORS: usize = 100;
const MESSAGE_ID_BYTES: usize = 200;
const SUBJECT_BYTES: usize = 1 << 10;
const TEXT_BYTES: usize = 1 << 20;
/// A rule's name, a system, a recipient.
const NAME_BYTES: usize = 4 << 10;
/// A condition, or a reason.
const LINE_BYTES: usize = 16 << 10;

type Checked = Result<(), StoreError>;

/// Checks who begins a run.
pub(super) fn begin(begin: &Begin) -> Checked {
    at_most("holder", begin.holder.len(), HOLDER_BYTES, "bytes")?;
    at_most("version", begin.version.len(), HOLDER_BYTES, "bytes")?;
    let lease_us = begin.lease_us;
    match (1_000_000..=MAX_LEASE_US).contains(&lease_us) {
        true => Ok(()),
        false => invalid("lease_s is 1 to 600".to_owned()),
    }
}

/// Checks what a run found, as far as that needs no database.
pub(super) fn findings(findings: &Findings) -> Checked {
    at_most("alerts", findings.alerts.len(), ALERTS, "entries")?;
    findings.alerts.iter().try_for_each(alert)?;
    distinct("alert", findings.alerts.iter().map(|alert| alert.id))?;
    let notifications = &findings.notifications;
    at_most(
        "notifications",
        notifications.len(),
        NOTIFICATIONS,
        "entries",
    )?;
    notifications.iter().try_for_each(notification)?;
    let message_ids = notifications.iter().map(|it| it.message_id.as_str());
    distinct("notification", message_ids)?;
    at_most(
        "heartbeats",
        findings.heartbeats.len(),
        HEARTBEATS,
        "entries",
    )?;
    findings.heartbeats.iter().try_for_each(heartbeat)?;
    let keys = findings.heartbeats.iter().map(|it| {
        let name = (it.system_id.as_str(), it.sub_system_id.as_str());
        Key(name, it.rule.as_str(), it.condition.as_str())
    });
    distinct("heartbeat", keys)?;
    at_most("rules", findings.rules.len(), RULES, "entries")?;
    findings.rules.iter().try_for_each(rule)
}

/// Checks what went wrong.
pub(super) fn errors(errors: &[String]) -> Checked {
    at_most("errors", errors.len(), ERRORS, "lines")
}

fn alert(alert: &Alert) -> Checked {
    let subject = &alert.subject;
    at_most("rule", subject.rule.len(), NAME_BYTES, "bytes")?;
    at_most("condition", subject.condition.len(), LINE_BYTES, "bytes")?;
    at_most("system_id", subject.system_id.len(), NAME_BYTES, "bytes")?;
    at_most(
        "sub_system_id",
        subject.sub_system_id.len(),
        NAME_BYTES,
        "bytes",
    )?;
    at_most("reason", alert.reason.len(), LINE_BYTES, "bytes")?;
    match subject.rule.is_empty() || subject.condition.is_empty() {
        true => invalid(format!("alert {} has no rule or no condition", alert.id)),
        false => Ok(()),
    }
}

fn notification(notification: &Notification) -> Checked {
    let id = &notification.message_id;
    at_most("message_id", id.len(), MESSAGE_ID_BYTES, "bytes")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_@".contains(&byte);
    if id.is_empty() || !id.bytes().all(is_plain) {
        return invalid("message_id is letters, digits and `.-_@`".to_owned());
    }
    at_most(
        "subject",
        notification.subject.len(),
        SUBJECT_BYTES,
        "bytes",
    )?;
    if notification.subject.contains(char::is_control) {
        return invalid("subject is one line, without control characters".to_owned());
    }
    at_most("text", notification.text.len(), TEXT_BYTES, "bytes")?;
    at_most("html", notification.html.len(), TEXT_BYTES, "bytes")?;
    at_most("json", notification.json.len(), TEXT_BYTES, "bytes")?;
    at_most("alert_ids", notification.alert_ids.len(), ALERTS, "entries")?;
    let deliveries = &notification.deliveries;
    at_most("deliveries", deliveries.len(), DELIVERIES, "entries")?;
    deliveries.iter().try_for_each(delivery)
}

fn delivery(delivery: &Delivery) -> Checked {
    let recipient = &delivery.recipient;
    at_most("recipient", recipient.len(), NAME_BYTES, "bytes")?;
    if recipient.is_empty() || recipient.contains(char::is_control) {
        return invalid("recipient is one line, and not empty".to_owned());
    }
    match delivery.state {
        DeliveryState::Waiting | DeliveryState::Kept => Ok(()),
        DeliveryState::Delivered | DeliveryState::Failed => {
            invalid("a new delivery waits, or is kept".to_owned())
        }
    }
}

fn heartbeat(heartbeat: &Heartbeat) -> Checked {
    at_most("rule", heartbeat.rule.len(), NAME_BYTES, "bytes")?;
    at_most("condition", heartbeat.condition.len(), LINE_BYTES, "bytes")?;
    at_most("system_id", heartbeat.system_id.len(), NAME_BYTES, "bytes")?;
    at_most(
        "sub_system_id",
        heartbeat.sub_system_id.len(),
        NAME_BYTES,
        "bytes",
    )?;
    at_most("expected", heartbeat.expected.len(), LINE_BYTES, "bytes")
}

fn rule(rule: &Rule) -> Checked {
    at_most("name", rule.name.len(), NAME_BYTES, "bytes")?;
    at_most("text", rule.text.len(), TEXT_BYTES, "bytes")?;
    at_most("recipients", rule.recipients.len(), DELIVERIES, "entries")?;
    rule.recipients
        .iter()
        .try_for_each(|recipient| at_most("recipient", recipient.len(), NAME_BYTES, "bytes"))
}

/// What tells one heartbeat from the others.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key<'a>((&'a str, &'a str), &'a str, &'a str);

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self((system_id, sub_system_id), rule, condition) = self;
        write!(
            f,
            "of `{system_id}/{sub_system_id}`, rule `{rule}`, `{condition}`"
        )
    }
}

fn distinct<T: Eq + std::hash::Hash + std::fmt::Display>(
    what: &str,
    keys: impl Iterator<Item = T>,
) -> Checked {
    let mut known = HashSet::new();
    for key in keys {
        if known.contains(&key) {
            return invalid(format!("{what} {key} comes twice"));
        }
        known.insert(key);
    }
    Ok(())
}

fn at_most(what: &str, size: usize, most: usize, unit: &str) -> Checked {
    match size <= most {
        true => Ok(()),
        false => invalid(format!("{what} has {size} {unit}: {most} are the most")),
    }
}

fn invalid(problem: String) -> Checked {
    Err(StoreError::Invalid(problem))
}

#[cfg(test)]
mod tests;
