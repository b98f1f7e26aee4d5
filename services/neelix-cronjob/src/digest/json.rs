//! What a webhook gets: one JSON object, described in `docs/notifications.md`.

use domain::{AlertKind, Record, Rule};
use render::{cut, rfc3339, terminal};
use serde::Serialize;

use super::{Finding, Letter, News, Site, link, storm, subject, text};

/// Alerts that are told; the number of the others is.
const MAX_ALERTS: usize = 50;
/// Alerts that are told with their records.
const MAX_WITH_RECORDS: usize = 5;
/// Lines of `text`.
const MAX_LINES: usize = 20;
/// Of a name.
const MAX_NAME_BYTES: usize = 200;
/// Of a message, and of a traceback's end.
const MAX_TEXT_BYTES: usize = 600;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    kind: &'static str,
    stage: &'static str,
    message_id: &'a str,
    created_at: String,
    subject: &'a str,
    text: String,
    rule: Option<RuleDocument>,
    alerts: Vec<AlertDocument>,
    more_alerts: usize,
    url: String,
}

#[derive(Serialize)]
struct RuleDocument {
    name: String,
    line: u32,
    url: String,
}

#[derive(Serialize)]
struct AlertDocument {
    id: u64,
    news: &'static str,
    rule: String,
    condition: String,
    kind: &'static str,
    system_id: String,
    sub_system_id: String,
    reason: String,
    since: Option<String>,
    opened_at: String,
    resolved_at: Option<String>,
    records: u64,
    earlier: u64,
    first: Vec<RecordDocument>,
    last: Vec<RecordDocument>,
    url: String,
    search_url: String,
    silence_url: Option<SilenceUrls>,
}

#[derive(Serialize)]
struct SilenceUrls {
    #[serde(rename = "1h")]
    hour: String,
    #[serde(rename = "1d")]
    day: String,
}

#[derive(Serialize)]
struct RecordDocument {
    id: u64,
    received_at: String,
    level: i32,
    system_id: String,
    sub_system_id: String,
    message: String,
    exception: String,
    is_cut: bool,
    url: String,
}

/// For a letter.
pub(super) fn of_letter(letter: &Letter, site: &Site, subject: &str, id: &str) -> String {
    let findings: Vec<&Finding> = letter.findings.iter().collect();
    let document = document("alerts", &findings, site, subject, id);
    written(&Document {
        rule: Some(of_rule(&letter.rule, site)),
        ..document
    })
}

/// For a storm.
pub(super) fn of_storm(letters: &[Letter], site: &Site, subject: &str, id: &str) -> String {
    let findings: Vec<&Finding> = letters.iter().flat_map(|it| &it.findings).collect();
    let document = document("storm", &findings, site, subject, id);
    let text = format!("{subject}\n{}", storm::lead(&findings));
    written(&Document { text, ..document })
}

/// For a test.
pub(super) fn of_test(rule: &Rule, site: &Site, subject: &str, id: &str) -> String {
    let document = document("test", &[], site, subject, id);
    written(&Document {
        rule: Some(of_rule(rule, site)),
        ..document
    })
}

fn document<'a>(
    kind: &'static str,
    findings: &[&Finding],
    site: &Site,
    subject: &'a str,
    message_id: &'a str,
) -> Document<'a> {
    let alerts = findings.iter().take(MAX_ALERTS).enumerate();
    let of_alert =
        |(at, finding): (usize, &&Finding)| of_finding(finding, site, at < MAX_WITH_RECORDS);
    Document {
        version: 1,
        kind,
        stage: site.stage.name(),
        message_id,
        created_at: rfc3339(site.now_us),
        subject,
        text: summary(findings, subject),
        rule: None,
        alerts: alerts.map(of_alert).collect(),
        more_alerts: findings.len().saturating_sub(MAX_ALERTS),
        url: link::alerts(site),
    }
}

/// A few lines for a chat.
fn summary(findings: &[&Finding], subject: &str) -> String {
    let mut out = subject.to_owned();
    for finding in findings.iter().take(MAX_LINES) {
        let of = &finding.alert.subject;
        let place = text::place(&of.system_id, &of.sub_system_id);
        let reason = text::line(&finding.alert.reason, 200);
        out.push_str(&format!(
            "\n{}: {place}: {reason}",
            subject::word(finding.news)
        ));
    }
    if findings.len() > MAX_LINES {
        out.push_str(&format!("\nand {} more", findings.len() - MAX_LINES));
    }
    out
}

fn of_rule(rule: &Rule, site: &Site) -> RuleDocument {
    RuleDocument {
        name: name(&rule.name),
        line: rule.line,
        url: link::rule(site, &rule.name),
    }
}

fn of_finding(finding: &Finding, site: &Site, has_records: bool) -> AlertDocument {
    let alert = &finding.alert;
    let is_over = finding.news == News::Resolved;
    let records = |records: &[Record]| -> Vec<RecordDocument> {
        let shown = records.iter().filter(|_| has_records);
        shown.map(|record| of_record(record, site)).collect()
    };
    AlertDocument {
        id: alert.id,
        news: match finding.news {
            News::Fired => "fired",
            News::Reminder => "reminder",
            News::Resolved => "resolved",
        },
        rule: name(&alert.subject.rule),
        condition: name(&alert.subject.condition),
        kind: match alert.kind {
            AlertKind::Match => "match",
            AlertKind::Count => "count",
            AlertKind::Heartbeat => "heartbeat",
        },
        system_id: name(&alert.subject.system_id),
        sub_system_id: name(&alert.subject.sub_system_id),
        reason: name(&alert.reason),
        since: (alert.since_us != 0).then(|| rfc3339(alert.since_us)),
        opened_at: rfc3339(alert.opened_us),
        resolved_at: alert.resolved_us.map(rfc3339),
        records: alert.records,
        earlier: finding.earlier,
        first: records(&finding.evidence.first),
        last: records(&finding.evidence.last),
        url: link::alert(site, alert.id),
        search_url: link::search(site, finding),
        silence_url: (!is_over).then(|| SilenceUrls {
            hour: link::silence(site, alert.id, "1h"),
            day: link::silence(site, alert.id, "1d"),
        }),
    }
}

fn of_record(record: &Record, site: &Site) -> RecordDocument {
    let (message, has_message) = cut::head(&record.message, MAX_TEXT_BYTES, usize::MAX);
    let (exception, has_exception) = cut::tail(&record.exception, MAX_TEXT_BYTES);
    RecordDocument {
        id: record.id,
        received_at: rfc3339(record.received_us),
        level: record.level,
        system_id: name(&record.system_id),
        sub_system_id: name(&record.sub_system_id),
        message: terminal::text(message).into_owned(),
        exception: terminal::text(exception).into_owned(),
        is_cut: !(has_message && has_exception),
        url: link::record(site, record.id),
    }
}

fn name(of: &str) -> String {
    text::line(of, MAX_NAME_BYTES)
}

fn written(document: &Document<'_>) -> String {
    serde_json::to_string(document).expect("texts and numbers are JSON")
}
