//! Findings like those of real rules.

use domain::{Alert, AlertKind, AlertSubject, Micros, Record, Rule, Stage};

use crate::digest::{Evidence, Finding, Letter, News, Site};

pub(super) const MINUTE: Micros = 60_000_000;
/// 2026-11-30 00:10:00 UTC.
const NOW: Micros = 1_795_997_400_000_000;

pub(super) fn site() -> Site {
    Site {
        stage: Stage::Production,
        url: "https://herald.example.com/".to_owned(),
        link_key: vec![7; 32],
        domain: "host-1.example.com".to_owned(),
        now_us: NOW,
    }
}

pub(super) fn rule(name: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        text: format!("[{name}]\nMAIL_TO = ops@example.com\nMSG = disk full\nAGE = 60*60*2"),
        recipients: vec!["ops@example.com".to_owned()],
        line: 12,
    }
}

pub(super) fn letter(name: &str, findings: impl IntoIterator<Item = Finding>) -> Letter {
    Letter {
        rule: rule(name),
        findings: findings.into_iter().collect(),
    }
}

pub(super) fn record(id: u64, message: &str) -> Record {
    let second = 1_000_000 * i64::try_from(id).unwrap();
    Record {
        id,
        received_us: NOW - 20 * MINUTE + second,
        message: message.to_owned(),
        system_id: "payments".to_owned(),
        ..testkit::record(3)
    }
}

/// An alert of so many records, the first of which has id 100.
pub(super) fn matched(id: u64, system: &str, records: u64) -> Finding {
    let found = |number: u64| record(100 + number, &format!("disk full on /var/{number}"));
    let mut first: Vec<Record> = (0..records.min(5)).map(found).collect();
    let last: Vec<Record> = (5.max(records.saturating_sub(5))..records)
        .map(found)
        .collect();
    first[0].exception =
        "Traceback (most recent call last):\n  File \"pay.py\", line 3, in pay\nOSError: [Errno 28] No space left"
            .to_owned();
    Finding {
        alert: Alert {
            last_us: found(records - 1).received_us,
            since_us: first[0].received_us,
            records,
            ..alert(id, system, "MSG=disk full", AlertKind::Match)
        },
        news: News::Fired,
        evidence: Evidence {
            first,
            last,
            around: Vec::new(),
        },
        earlier: 0,
        search: "\"disk full\"".to_owned(),
        heard_us: None,
    }
}

/// A silence since two hours and ten minutes.
pub(super) fn heartbeat(id: u64, system: &str) -> Finding {
    Finding {
        alert: Alert {
            since_us: NOW - 130 * MINUTE,
            reason: "no record for 2 h 10 min, expected every 2 h".to_owned(),
            ..alert(id, system, "AGE=2h", AlertKind::Heartbeat)
        },
        news: News::Fired,
        evidence: Evidence::default(),
        earlier: 0,
        search: String::new(),
        heard_us: None,
    }
}

fn alert(id: u64, system: &str, condition: &str, kind: AlertKind) -> Alert {
    Alert {
        id,
        subject: AlertSubject {
            rule: "payments".to_owned(),
            condition: condition.to_owned(),
            system_id: system.to_owned(),
            sub_system_id: String::new(),
        },
        kind,
        reason: "records contain `disk full`".to_owned(),
        opened_us: NOW,
        resolved_us: None,
        since_us: 0,
        last_us: 0,
        first_record_id: 0,
        last_record_id: 0,
        records: 0,
        records_unnotified: 0,
        notified_us: 0,
        acknowledged_us: None,
        silenced_until_us: None,
    }
}
