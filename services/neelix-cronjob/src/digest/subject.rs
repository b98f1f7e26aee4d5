//! Subjects: `[STAGE] state system: rule`, one line that says it all.

use domain::Stage;

use super::{Finding, Letter, News, storm, text};

/// How much of a system's or a rule's name is told.
const MAX_NAME_BYTES: usize = 60;

/// For a letter.
pub(super) fn of_letter(letter: &Letter, stage: Stage) -> String {
    let states = [News::Fired, News::Reminder, News::Resolved];
    let groups = states.into_iter().filter_map(|news| {
        let mut findings = letter.findings.iter().filter(|it| it.news == news);
        let first = findings.next()?;
        let more = match findings.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!("{} {}{more}", word(news), system(first)))
    });
    let groups: Vec<String> = groups.collect();
    let rule = text::line(&letter.rule.name, MAX_NAME_BYTES);
    format!("[{stage}] {}: {rule}", groups.join(", "))
}

/// For a storm.
pub(super) fn of_storm(findings: &[&Finding], stage: Stage) -> String {
    let state = state(findings);
    let number = storm::number(findings);
    format!("[{stage}] {state} {number}: {}", storm::what(findings))
}

/// For a test of a rule's recipients.
pub(super) fn of_test(rule: &str, stage: Stage) -> String {
    format!("[{stage}] TEST {}", text::line(rule, MAX_NAME_BYTES))
}

/// The most urgent of what has happened.
pub(super) fn state(findings: &[&Finding]) -> &'static str {
    let most_urgent = findings.iter().map(|it| it.news).min();
    word(most_urgent.unwrap_or(News::Fired))
}

/// What has happened, in one word or two.
pub(super) fn word(news: News) -> &'static str {
    match news {
        News::Fired => "FIRING",
        News::Reminder => "STILL FIRING",
        News::Resolved => "RESOLVED",
    }
}

fn system(finding: &Finding) -> String {
    let subject = &finding.alert.subject;
    let place = text::place(&subject.system_id, &subject.sub_system_id);
    text::line(&place, MAX_NAME_BYTES)
}
