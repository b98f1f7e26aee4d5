//! An alert as pages show it.

use domain::{Alert, AlertKind, Delivery, DeliveryState, Micros};
use proto::v1;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{PATH, one_href, search};
use crate::{
    pages::{
        figure::{When, counted},
        row::short,
        view::is_filterable,
    },
    request::link_to,
    utc,
};

/// Longest reason shown in a list, in bytes.
const MAX_REASON_BYTES: usize = 600;

/// An alert.
#[derive(Debug, Serialize)]
pub(super) struct AlertView {
    pub(super) id: u64,
    href: String,
    state: State,
    is_firing: bool,
    rule: String,
    /// Other alerts of this rule; none for a name that no parameter holds.
    rule_href: Option<String>,
    /// The rule as it is written.
    text_href: String,
    condition: String,
    kind: &'static str,
    system_id: String,
    sub_system_id: String,
    system_href: Option<String>,
    reason: String,
    /// None for a system that was never seen.
    since: Option<When>,
    opened: When,
    resolved: Option<When>,
    /// How long it has gone on, or went on.
    lasted: String,
    /// How many records have matched; none for a silence.
    records: Option<String>,
    /// How many of them nobody was told of.
    untold: Option<String>,
    last: Option<When>,
    first_href: Option<String>,
    last_href: Option<String>,
    search_href: String,
    told: Vec<Part>,
    acknowledged: Option<When>,
    can_acknowledge: bool,
    /// The end of a silence that goes on.
    silenced_until: Option<When>,
}

/// A state: its class in the stylesheet and its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct State {
    class: &'static str,
    label: &'static str,
}

/// So many deliveries have come so far.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    class: &'static str,
    text: String,
}

impl AlertView {
    pub(super) fn new(alert: &Alert, told: v1::Told, now: Micros) -> Self {
        let subject = &alert.subject;
        let filtered =
            |name: &str, value: &str| is_filterable(value).then(|| link_to(PATH, &[(name, value)]));
        let is_firing = alert.is_firing();
        let is_silence = alert.kind == AlertKind::Heartbeat;
        let began = if alert.since_us > 0 {
            alert.since_us
        } else {
            alert.opened_us
        };
        let ended = alert.resolved_us.unwrap_or(now);
        let seconds = ended.saturating_sub(began).max(0).unsigned_abs() / 1_000_000;
        let record = |id: u64| (id > 0).then(|| format!("/record/{id}#r{id}"));
        let when = |at: Micros| When::new(at, now);
        Self {
            id: alert.id,
            href: one_href(alert.id),
            state: state(alert, now),
            is_firing,
            rule: short(&subject.rule),
            rule_href: filtered("rule", &subject.rule),
            text_href: format!("/alerts/rules#{}", rule_anchor(&subject.rule)),
            condition: short(&subject.condition),
            kind: kind(alert.kind),
            system_id: short(&subject.system_id),
            sub_system_id: short(&subject.sub_system_id),
            system_href: filtered("system_id", &subject.system_id),
            reason: render::cut::head(&alert.reason, MAX_REASON_BYTES, 1)
                .0
                .to_owned(),
            since: (alert.since_us > 0).then(|| when(alert.since_us)),
            opened: when(alert.opened_us),
            resolved: alert.resolved_us.map(when),
            lasted: utc::distance(seconds * 1_000_000),
            records: (!is_silence).then(|| counted(alert.records, "record")),
            untold: (!is_silence && alert.records_unnotified > 0)
                .then(|| counted(alert.records_unnotified, "record")),
            last: (alert.last_us > 0).then(|| when(alert.last_us)),
            first_href: record(alert.first_record_id),
            last_href: record(alert.last_record_id),
            search_href: search::href(alert),
            told: parts(told),
            acknowledged: alert.acknowledged_us.map(when),
            can_acknowledge: is_firing && alert.acknowledged_us.is_none(),
            silenced_until: alert
                .silenced_until_us
                .filter(|_| alert.is_silenced(now))
                .map(when),
        }
    }
}

fn state(alert: &Alert, now: Micros) -> State {
    let (class, label) = match (alert.is_firing(), alert.is_silenced(now)) {
        (false, _) => ("resolved", "resolved"),
        (true, true) => ("silenced", "silenced"),
        (true, false) if alert.acknowledged_us.is_some() => ("known", "acknowledged"),
        (true, false) => ("firing", "firing"),
    };
    State { class, label }
}

/// What it looks at, for people.
pub(super) fn kind(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Match => "match",
        AlertKind::Count => "count",
        AlertKind::Heartbeat => "heartbeat",
    }
}

/// Only what there is, what went wrong last.
fn parts(told: v1::Told) -> Vec<Part> {
    let all = [
        ("delivered", told.delivered),
        ("kept", told.kept),
        ("waiting", told.waiting),
        ("failed", told.failed),
    ];
    let present = all.into_iter().filter(|(_, count)| *count > 0);
    present
        .map(|(class, count)| Part {
            class,
            text: format!("{count} {class}"),
        })
        .collect()
}

/// How far these deliveries have come.
pub(super) fn told<'d>(deliveries: impl Iterator<Item = &'d Delivery>) -> v1::Told {
    deliveries.fold(v1::Told::default(), |mut told, delivery| {
        let count = match delivery.state {
            DeliveryState::Waiting => &mut told.waiting,
            DeliveryState::Delivered => &mut told.delivered,
            DeliveryState::Failed => &mut told.failed,
            DeliveryState::Kept => &mut told.kept,
        };
        *count += 1;
        told
    })
}

/// Where a rule stands on the page of rules: the same for the same name, which may
/// be any text.
pub(in crate::pages) fn rule_anchor(name: &str) -> String {
    let hash = Sha256::digest(name);
    let digits = hash[..6].iter().map(|byte| format!("{byte:02x}"));
    format!("rule-{}", digits.collect::<String>())
}

#[cfg(test)]
mod tests {
    use domain::{Alert, AlertKind, AlertSubject};
    use proto::v1;

    use super::{AlertView, parts, rule_anchor, state};

    fn alert() -> Alert {
        Alert {
            id: 7,
            subject: AlertSubject {
                rule: "shop".to_owned(),
                condition: "AGE=2h".to_owned(),
                system_id: "shop".to_owned(),
                sub_system_id: String::new(),
            },
            kind: AlertKind::Heartbeat,
            reason: "quiet".to_owned(),
            opened_us: 2_000_000,
            resolved_us: None,
            since_us: 1_000_000,
            last_us: 0,
            first_record_id: 3,
            last_record_id: 0,
            records: 0,
            records_unnotified: 0,
            notified_us: 0,
            acknowledged_us: None,
            silenced_until_us: None,
        }
    }

    #[test]
    fn a_state_says_who_is_told() {
        let check = |resolved_us, acknowledged_us, silenced_until_us, expected: &str| {
            let alert = Alert {
                resolved_us,
                acknowledged_us,
                silenced_until_us,
                ..alert()
            };
            assert_eq!(state(&alert, 10).class, expected);
        };
        check(None, None, None, "firing");
        check(None, Some(1), None, "known");
        check(None, Some(1), Some(11), "silenced");
        check(None, None, Some(10), "firing");
        check(Some(9), Some(1), Some(11), "resolved");
    }

    #[test]
    fn how_long_is_counted_from_what_it_is_about() {
        let check = |since_us, resolved_us, expected: &str| {
            let alert = Alert {
                since_us,
                resolved_us,
                ..alert()
            };
            let view = AlertView::new(&alert, v1::Told::default(), 62_000_000);
            assert_eq!(view.lasted, expected);
            assert_eq!(view.since.is_some(), since_us > 0);
        };
        check(1_000_000, None, "1 min 1 s");
        check(0, None, "1 min");
        check(1_000_000, Some(4_000_000), "3 s");
        check(90_000_000, None, "0 ms");
    }

    #[test]
    fn only_what_there_is_is_told() {
        let told = v1::Told {
            delivered: 2,
            failed: 1,
            ..v1::Told::default()
        };
        let texts: Vec<_> = parts(told).into_iter().map(|part| part.text).collect();
        assert_eq!(texts, ["2 delivered", "1 failed"]);
        assert!(parts(v1::Told::default()).is_empty());
    }

    #[test]
    fn an_anchor_is_an_anchor_whatever_the_name() {
        let anchor = rule_anchor("a b\"<\u{202e}*");
        assert_eq!(anchor.len(), 17);
        assert!(
            anchor
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        );
        assert_ne!(anchor, rule_anchor("a b"));
    }
}
