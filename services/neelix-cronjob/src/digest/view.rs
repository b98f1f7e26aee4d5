//! What the templates of a mail show.

use domain::{AlertKind, Record, Rule};
use render::terminal;
use serde::Serialize;

use super::{Evidence, Finding, Letter, News, Site, link, storm, subject, text};

/// How much is told.
#[derive(Debug)]
pub(super) struct Detail {
    /// Findings with all they have.
    pub(super) whole: usize,
    /// Findings in one line.
    pub(super) lines: usize,
    /// Of a message.
    message_bytes: usize,
    message_lines: usize,
    /// Of a traceback's end; 0 for none.
    exception_bytes: usize,
    /// Whether the lines around the first match are shown.
    has_neighbours: bool,
    /// Of the rule's text.
    rule_bytes: usize,
}

impl Detail {
    /// From much to little; the last always finds room.
    pub(super) const LEVELS: [Self; 4] = [
        Self {
            whole: 8,
            lines: 100,
            message_bytes: 2_000,
            message_lines: 20,
            exception_bytes: 3_000,
            has_neighbours: true,
            rule_bytes: 2_000,
        },
        Self {
            whole: 5,
            lines: 100,
            message_bytes: 500,
            message_lines: 8,
            exception_bytes: 600,
            has_neighbours: true,
            rule_bytes: 1_000,
        },
        Self {
            whole: 3,
            lines: 60,
            message_bytes: 200,
            message_lines: 3,
            exception_bytes: 0,
            has_neighbours: false,
            rule_bytes: 600,
        },
        Self {
            whole: 0,
            lines: 30,
            message_bytes: 0,
            message_lines: 0,
            exception_bytes: 0,
            has_neighbours: false,
            rule_bytes: 300,
        },
    ];
}

/// One mail.
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    pub(super) subject: &'a str,
    pub(super) stage: &'static str,
    pub(super) stage_colour: &'static str,
    /// Such as `FIRING`.
    pub(super) state: &'static str,
    pub(super) state_colour: &'static str,
    /// What it is about, large.
    pub(super) title: String,
    /// What it means, in a sentence or two; may be empty.
    pub(super) lead: String,
    pub(super) findings: Vec<FindingView>,
    pub(super) lines: Vec<LineView>,
    /// Such as `and 480 more`; empty for none.
    pub(super) more: String,
    /// The rule; none for many.
    pub(super) rule: Option<RuleView>,
    pub(super) alerts_url: String,
    pub(super) made: String,
}

/// One alert with all it has.
#[derive(Debug, Serialize)]
pub(super) struct FindingView {
    state: &'static str,
    colour: &'static str,
    system: String,
    reason: String,
    facts: Vec<(&'static str, String)>,
    /// What the records are.
    title: &'static str,
    first: Vec<RecordView>,
    /// How many are left out between first and last; empty for none.
    skipped: String,
    last: Vec<RecordView>,
    around: Vec<RecordView>,
    links: Vec<(&'static str, String)>,
}

/// One alert in a line.
#[derive(Debug, Serialize)]
pub(super) struct LineView {
    pub(super) state: &'static str,
    pub(super) colour: &'static str,
    pub(super) system: String,
    pub(super) note: String,
    pub(super) url: String,
}

#[derive(Debug, Serialize)]
struct RecordView {
    time: String,
    level: String,
    colour: &'static str,
    place: String,
    call_site: String,
    message: String,
    exception: String,
    url: String,
    /// It is the first match among its neighbours.
    is_it: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct RuleView {
    name: String,
    text: String,
    line: u32,
    url: String,
}

impl<'a> View<'a> {
    /// All news of one rule.
    pub(super) fn of_letter(
        letter: &Letter,
        site: &Site,
        subject: &'a str,
        detail: &Detail,
    ) -> Self {
        let findings: Vec<&Finding> = letter.findings.iter().collect();
        let (whole, rest) = findings.split_at(detail.whole.min(findings.len()));
        let title = match &findings[..] {
            [one] => place(one),
            many => text::count(many.len() as u64, "system", "systems"),
        };
        Self {
            findings: whole
                .iter()
                .map(|finding| of_finding(finding, site, detail))
                .collect(),
            lines: lines(rest, site, detail),
            more: more(rest.len(), detail),
            rule: Some(of_rule(&letter.rule, site, detail)),
            ..Self::new(subject, site, subject::state(&findings), title)
        }
    }

    /// Many heartbeats at once.
    pub(super) fn of_storm(
        letters: &[Letter],
        site: &Site,
        subject: &'a str,
        detail: &Detail,
    ) -> Self {
        let findings: Vec<&Finding> = letters.iter().flat_map(|it| &it.findings).collect();
        Self {
            lead: storm::lead(&findings),
            lines: lines(&findings, site, detail),
            more: more(findings.len(), detail),
            ..Self::new(
                subject,
                site,
                subject::state(&findings),
                storm::title(&findings),
            )
        }
    }

    /// A test of the rule's recipients.
    pub(super) fn of_test(rule: &Rule, site: &Site, subject: &'a str, detail: &Detail) -> Self {
        Self {
            lead: "This is a test: nothing has happened. Whoever reads it will be told when \
                   this rule finds something."
                .to_owned(),
            rule: Some(of_rule(rule, site, detail)),
            ..Self::new(subject, site, "TEST", text::line(&rule.name, 100))
        }
    }

    fn new(subject: &'a str, site: &Site, state: &'static str, title: String) -> Self {
        Self {
            subject,
            stage: site.stage.name(),
            stage_colour: stage_colour(site.stage),
            state,
            state_colour: colour(state),
            title,
            lead: String::new(),
            findings: Vec::new(),
            lines: Vec::new(),
            more: String::new(),
            rule: None,
            alerts_url: link::alerts(site),
            made: text::time(site.now_us),
        }
    }
}

fn of_finding(finding: &Finding, site: &Site, detail: &Detail) -> FindingView {
    let state = subject::word(finding.news);
    let Evidence {
        first,
        last,
        around,
    } = &finding.evidence;
    let first_id = first.first().map_or(0, |record| record.id);
    let records = |records: &[Record]| -> Vec<RecordView> {
        let of_record = |record| of_record(record, site, detail);
        records.iter().map(of_record).collect()
    };
    let neighbour = |record: &Record| RecordView {
        message: text::line(&record.message, 300),
        is_it: record.id == first_id,
        ..of_record(record, site, detail)
    };
    let neighbours = match detail.has_neighbours && around.len() > 1 {
        true => around.iter().map(neighbour).collect(),
        false => Vec::new(),
    };
    let shown = (first.len() + last.len()) as u64;
    let is_of_records = finding.alert.kind != AlertKind::Heartbeat;
    let skipped = match finding.alert.records.saturating_sub(shown) {
        left_out @ 1.. if is_of_records && !last.is_empty() => {
            format!(
                "… {} in between …",
                text::count(left_out, "record", "records")
            )
        }
        _ => String::new(),
    };
    FindingView {
        state,
        colour: colour(state),
        system: place(finding),
        reason: text::line(&finding.alert.reason, 400),
        facts: facts(finding, site),
        title: match (is_of_records, finding.news) {
            (true, _) => "Matching records",
            (false, News::Resolved) => "The first record after it",
            (false, _) => "The last records before it",
        },
        first: records(first),
        skipped,
        last: records(last),
        around: neighbours,
        links: links(finding, site),
    }
}

fn of_record(record: &Record, site: &Site, detail: &Detail) -> RecordView {
    let exception = match detail.exception_bytes {
        0 => String::new(),
        bytes => text::back(&record.exception, bytes),
    };
    RecordView {
        time: text::precise_time(record.received_us),
        level: text::line(&terminal::level(record), 30),
        colour: text::level_colour(record.level),
        place: text::place(&record.system_id, &record.sub_system_id),
        call_site: text::call_site(record),
        message: text::front(&record.message, detail.message_bytes, detail.message_lines),
        exception,
        url: link::record(site, record.id),
        is_it: false,
    }
}

fn of_rule(rule: &Rule, site: &Site, detail: &Detail) -> RuleView {
    RuleView {
        name: text::line(&rule.name, 100),
        text: text::front(&without_addresses(&rule.text), detail.rule_bytes, 40),
        line: rule.line,
        url: link::rule(site, &rule.name),
    }
}

/// Without who is told: a webhook's URL is a secret, and a mail may be passed on.
fn without_addresses(rule: &str) -> String {
    let mut is_left_out = false;
    let is_kept = |line: &&str| {
        let is_continued = line.starts_with([' ', '\t']);
        if !is_continued {
            let key = line.split(['=', ':']).next().unwrap_or_default();
            let key = key.trim().to_ascii_uppercase();
            is_left_out = matches!(key.as_str(), "WEBHOOK" | "MAIL_TO");
        }
        !is_left_out
    };
    rule.lines().filter(is_kept).collect::<Vec<_>>().join("\n")
}

fn facts(finding: &Finding, site: &Site) -> Vec<(&'static str, String)> {
    let alert = &finding.alert;
    let mut facts = vec![("Why", text::line(&alert.subject.condition, 200))];
    let is_heartbeat = alert.kind == AlertKind::Heartbeat;
    match (is_heartbeat, alert.since_us) {
        (true, 0) => facts.push(("Last heard of", "never".to_owned())),
        (true, since) => facts.push(("Last heard of", text::time(since))),
        (false, since) => facts.push(("Since", text::time(since))),
    }
    let since = finding.since_us();
    match (finding.news, finding.until_us()) {
        (News::Resolved, Some(until)) => {
            facts.push(("Until", text::time(until)));
            facts.push(("It lasted", text::duration(until - since)));
        }
        _ => facts.push((
            if is_heartbeat { "Silent for" } else { "For" },
            text::duration(site.now_us - since),
        )),
    }
    if !is_heartbeat {
        let records = text::count(alert.records, "record matches", "records match");
        facts.push(("How many", records));
        if finding.news == News::Reminder && alert.records_unnotified > 0 {
            let new = text::count(alert.records_unnotified, "record", "records");
            facts.push(("Since the last mail", new));
        }
    }
    let before = match finding.earlier {
        0 => "never".to_owned(),
        earlier => text::count(earlier, "time", "times"),
    };
    facts.push(("Fired before", before));
    facts
}

fn links(finding: &Finding, site: &Site) -> Vec<(&'static str, String)> {
    let id = finding.alert.id;
    let log = match finding.alert.kind {
        AlertKind::Heartbeat => "Its log",
        AlertKind::Match | AlertKind::Count => "Matching records",
    };
    let mut links = vec![
        ("Alert", link::alert(site, id)),
        (log, link::search(site, finding)),
    ];
    if finding.news != News::Resolved {
        links.push(("Silence 1 h", link::silence(site, id, "1h")));
        links.push(("Silence 1 d", link::silence(site, id, "1d")));
    }
    links
}

/// The findings of which only a line is told.
fn lines(findings: &[&Finding], site: &Site, detail: &Detail) -> Vec<LineView> {
    let line = |finding: &&Finding| {
        let state = subject::word(finding.news);
        LineView {
            state,
            colour: colour(state),
            system: place(finding),
            note: text::line(&finding.alert.reason, 120),
            url: link::alert(site, finding.alert.id),
        }
    };
    findings.iter().take(detail.lines).map(line).collect()
}

fn more(listed: usize, detail: &Detail) -> String {
    match listed.saturating_sub(detail.lines) {
        0 => String::new(),
        more => format!("and {} more", text::grouped(more as u64)),
    }
}

fn place(finding: &Finding) -> String {
    let subject = &finding.alert.subject;
    text::place(&subject.system_id, &subject.sub_system_id)
}

/// Dark enough for white text on it.
fn colour(state: &str) -> &'static str {
    match state {
        "RESOLVED" => "#2b6a3a",
        "STILL FIRING" => "#7a5200",
        "TEST" => "#2f5d80",
        _ => "#b3261e",
    }
}

/// As on the pages.
fn stage_colour(stage: domain::Stage) -> &'static str {
    match stage {
        domain::Stage::Testing => "#6b4fbb",
        domain::Stage::Development => "#1f6fb2",
        domain::Stage::Integration => "#0f766e",
        domain::Stage::Production => "#b3141d",
    }
}
