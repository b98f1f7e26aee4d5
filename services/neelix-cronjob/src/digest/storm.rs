//! What is said when many systems fall silent, or are back, at once.

use domain::AlertKind;

use super::{Finding, News, text};

/// The mail's title.
pub(super) fn title(findings: &[&Finding]) -> String {
    format!("{} {}", number(findings), what(findings))
}

/// How many systems, or alerts when it is not only systems that are silent.
pub(super) fn number(findings: &[&Finding]) -> String {
    let number = findings.len() as u64;
    match are_silences(findings) {
        true => text::count(number, "system", "systems"),
        false => text::count(number, "alert", "alerts"),
    }
}

/// What there is to say of them.
pub(super) fn what(findings: &[&Finding]) -> &'static str {
    let are_all = |news| findings.iter().all(|finding| finding.news == news);
    if !are_silences(findings) {
        "at once"
    } else if is_over(findings) {
        "heard of again"
    } else if are_all(News::Reminder) {
        "still silent"
    } else {
        "silent at once"
    }
}

/// What to make of it.
pub(super) fn lead(findings: &[&Finding]) -> String {
    if !are_silences(findings) {
        return "So much was found at once that there is no room for a mail for each rule. \
                This one mail stands for all of these; the page of alerts has the rest."
            .to_owned();
    }
    match is_over(findings) {
        true => {
            let longest = findings
                .iter()
                .filter_map(|finding| Some(finding.until_us()? - finding.since_us()));
            let longest = longest.max().unwrap_or_default();
            format!(
                "They send records again; the longest silence lasted {}. This one mail stands \
                 for all of them.",
                text::duration(longest)
            )
        }
        false => "When so many fall silent together, the reason is mostly what they share: \
                  a machine, a network, power, or their way to Herald. Look there first. This \
                  one mail stands for all of them."
            .to_owned(),
    }
}

fn is_over(findings: &[&Finding]) -> bool {
    findings
        .iter()
        .all(|finding| finding.news == News::Resolved)
}

fn are_silences(findings: &[&Finding]) -> bool {
    findings
        .iter()
        .all(|finding| finding.alert.kind == AlertKind::Heartbeat)
}
