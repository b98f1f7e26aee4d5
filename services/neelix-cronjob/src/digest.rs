//! What rules have found, as people read it: a mail's texts, and JSON for a
//! webhook. Pure: the same findings always make the same notification.

mod json;
mod link;
mod storm;
mod subject;
mod template;
mod text;
mod view;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use domain::{
    Alert, AlertKind, Delivery, DeliveryChannel, DeliveryState, Micros, Notification, Record, Rule,
    Stage,
};

pub(crate) use text::short_hash;
use view::{Detail, View};

/// The most a mail's text part has, in bytes.
const MAX_TEXT_BYTES: usize = 48 << 10;
/// The most a mail's HTML part has, in bytes: with the text, and encoded, a mail
/// stays below 256 KiB.
const MAX_HTML_BYTES: usize = 120 << 10;

/// Where and when notifications are made.
#[derive(Debug, Clone)]
pub struct Site {
    /// In every subject.
    pub stage: Stage,
    /// Base of all links, such as `http://herald:9021`.
    pub url: String,
    /// With what links that change something are signed.
    pub link_key: Vec<u8>,
    /// Right side of Message-IDs.
    pub domain: String,
    /// The store's clock.
    pub now_us: Micros,
}

/// What has happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum News {
    /// It was found.
    Fired,
    /// It goes on, and that is to be told again.
    Reminder,
    /// It has ended.
    Resolved,
}

/// The records an alert is about; all empty for a silence without any.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The first that match, up to five.
    pub first: Vec<Record>,
    /// The last that match, up to five, none of them in `first`.
    pub last: Vec<Record>,
    /// Neighbours of the first, of the same system, itself included, by id.
    pub around: Vec<Record>,
}

/// News of one alert.
#[derive(Debug, Clone)]
pub struct Finding {
    /// As it is now.
    pub alert: Alert,
    /// What has happened to it.
    pub news: News,
    /// What shows it.
    pub evidence: Evidence,
    /// How many alerts of the same subject there were before.
    pub earlier: u64,
    /// A query of the log page that finds the matching records; empty for a
    /// heartbeat.
    pub search: String,
    /// When the system of a silence that is over was last heard of, as far as that is
    /// known: stands in for the record that ended it.
    pub heard_us: Option<Micros>,
}

impl Finding {
    /// When it began; of a system that was never seen, when that was found.
    fn since_us(&self) -> Micros {
        match self.alert.since_us {
            0 => self.alert.opened_us,
            since_us => since_us,
        }
    }

    /// When it ended: a silence with the record that ended it, not when that was found.
    /// None while it goes on. What was received before it began, as imports bring it, has
    /// not ended it.
    fn until_us(&self) -> Option<Micros> {
        let resolved_us = self.alert.resolved_us?;
        let back = self.evidence.first.first().map(|back| back.received_us);
        let mut known = [back, self.heard_us].into_iter().flatten();
        let is_silence = self.alert.kind == AlertKind::Heartbeat;
        let ended_us = known.find(|us| is_silence && *us > self.since_us());
        Some(ended_us.unwrap_or(resolved_us))
    }
}

/// All news of one rule in one run.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The rule; its recipients get it.
    pub rule: Rule,
    /// At least one.
    pub findings: Vec<Finding>,
}

/// The notification of one rule. Its deliveries wait, one for each recipient.
#[must_use]
pub fn compose(letter: &Letter, site: &Site, run_id: u64) -> Notification {
    let subject = subject::of_letter(letter, site.stage);
    let (text, html) = fitting(|detail| View::of_letter(letter, site, &subject, detail));
    let message_id = message_id(site, &format!("r{run_id}"), &letter.rule.name);
    let findings: Vec<&Finding> = letter.findings.iter().collect();
    let base = Notification {
        json: json::of_letter(letter, site, &subject, &message_id),
        message_id,
        subject,
        text,
        html,
        ..addressed(&[&letter.rule], site)
    };
    with_alerts(base, &findings)
}

/// One notification for many heartbeats at once, to all whom their rules name.
#[must_use]
pub fn compose_storm(letters: &[Letter], site: &Site, run_id: u64) -> Notification {
    let findings: Vec<&Finding> = letters.iter().flat_map(|it| &it.findings).collect();
    let state = subject::state(&findings).to_lowercase();
    compose_many(letters, site, run_id, &format!("\0storm {state}"))
}

/// One notification for all that has no room for one of its own.
#[must_use]
pub(crate) fn compose_rest(letters: &[Letter], site: &Site, run_id: u64) -> Notification {
    compose_many(letters, site, run_id, "\0rest")
}

fn compose_many(letters: &[Letter], site: &Site, run_id: u64, name: &str) -> Notification {
    let findings: Vec<&Finding> = letters.iter().flat_map(|it| &it.findings).collect();
    let subject = subject::of_storm(&findings, site.stage);
    let (text, html) = fitting(|detail| View::of_storm(letters, site, &subject, detail));
    let message_id = message_id(site, &format!("r{run_id}"), name);
    let rules: Vec<&Rule> = letters.iter().map(|letter| &letter.rule).collect();
    let base = Notification {
        json: json::of_storm(letters, site, &subject, &message_id),
        message_id,
        subject,
        text,
        html,
        ..addressed(&rules, site)
    };
    with_alerts(base, &findings)
}

/// A mail that is marked as a test of the rule's recipients.
#[must_use]
pub fn compose_test(rule: &Rule, site: &Site) -> Notification {
    let subject = subject::of_test(&rule.name, site.stage);
    let (text, html) = fitting(|detail| View::of_test(rule, site, &subject, detail));
    let message_id = message_id(site, &format!("test.{}", site.now_us), &rule.name);
    Notification {
        json: json::of_test(rule, site, &subject, &message_id),
        message_id,
        subject,
        text,
        html,
        ..addressed(&[rule], site)
    }
}

/// Text and HTML with as much detail as there is room for.
fn fitting<'a>(view: impl Fn(&'static Detail) -> View<'a>) -> (String, String) {
    let mut parts = (String::new(), String::new());
    for detail in &Detail::LEVELS {
        let view = view(detail);
        parts = (template::text(&view), template::html(&view));
        if parts.0.len() <= MAX_TEXT_BYTES && parts.1.len() <= MAX_HTML_BYTES {
            break;
        }
    }
    parts
}

fn addressed(rules: &[&Rule], site: &Site) -> Notification {
    let mut known = HashSet::new();
    let mut recipients: Vec<&String> = rules.iter().flat_map(|rule| &rule.recipients).collect();
    recipients.retain(|recipient| known.insert(*recipient));
    let deliveries: Vec<Delivery> = recipients
        .into_iter()
        .map(|recipient| waiting(recipient, site.now_us))
        .collect();
    Notification {
        created_us: site.now_us,
        mail_to: deliveries
            .iter()
            .filter(|delivery| delivery.channel == DeliveryChannel::Mail)
            .map(|delivery| delivery.recipient.clone())
            .collect(),
        deliveries,
        ..Notification::default()
    }
}

pub(crate) fn waiting(recipient: &str, now_us: Micros) -> Delivery {
    let is_url = recipient.starts_with("http://") || recipient.starts_with("https://");
    Delivery {
        id: 0,
        channel: match is_url {
            true => DeliveryChannel::Webhook,
            false => DeliveryChannel::Mail,
        },
        recipient: recipient.to_owned(),
        state: DeliveryState::Waiting,
        attempts: 0,
        next_attempt_us: now_us,
        error: String::new(),
        delivered_us: None,
    }
}

fn with_alerts(mut notification: Notification, findings: &[&Finding]) -> Notification {
    notification.alert_ids = findings.iter().map(|finding| finding.alert.id).collect();
    notification.alert_ids.sort_unstable();
    notification.alert_ids.dedup();
    notification
}

/// The same for the same stage, run and rule; at most 200 bytes of letters,
/// digits and `.-_@`.
fn message_id(site: &Site, run: &str, rule: &str) -> String {
    let stage = site.stage.name().to_lowercase();
    let rule = short_hash(rule);
    let domain: String = site
        .domain
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') => c,
            _ => '-',
        })
        .take(100)
        .collect();
    let domain = domain.trim_matches(['.', '-']);
    let domain = if domain.is_empty() {
        "localhost"
    } else {
        domain
    };
    format!("herald.{stage}.{run}.{rule}@{domain}")
}
