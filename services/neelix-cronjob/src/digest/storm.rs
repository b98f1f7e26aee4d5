//! What is said when many systems fall silent, or are back, at once.

use super::{Finding, News, text};

/// The mail's title.
pub(super) fn title(findings: &[&Finding]) -> String {
    let systems = text::count(findings.len() as u64, "system", "systems");
    format!("{systems} {}", what(findings))
}

/// What there is to say of the systems.
pub(super) fn what(findings: &[&Finding]) -> &'static str {
    let are_all = |news| findings.iter().all(|finding| finding.news == news);
    if is_over(findings) {
        "heard of again"
    } else if are_all(News::Reminder) {
        "still silent"
    } else {
        "silent at once"
    }
}

/// What to make of it.
pub(super) fn lead(findings: &[&Finding]) -> String {
    match is_over(findings) {
        true => {
            let longest = findings.iter().filter_map(|finding| {
                let alert = &finding.alert;
                let since = match alert.since_us {
                    0 => alert.opened_us,
                    since => since,
                };
                Some(alert.resolved_us? - since)
            });
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
