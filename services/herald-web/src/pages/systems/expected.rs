//! What rules expect of systems, the worst first: also of those that were never seen.

use std::cmp::Reverse;

use domain::{Heartbeat, HeartbeatState, Micros};
use serde::Serialize;

use crate::{
    pages::{alerts::rule_anchor, figure::When, row::short, view::is_filterable},
    request::link_to,
    utc,
};

/// How many are shown.
const MAX_SHOWN: usize = 500;

/// What is expected of a system.
#[derive(Debug, Serialize)]
pub(super) struct Expected {
    class: &'static str,
    state: &'static str,
    /// How long that has been so.
    since: When,
    system_id: String,
    sub_system_id: String,
    expected: String,
    /// None for one that was never seen.
    last: Option<When>,
    /// When the next record is due, or was.
    due: String,
    due_iso: String,
    rule: String,
    rule_href: String,
    log_href: Option<String>,
    alerts_href: Option<String>,
}

/// Those whose names have each of these words, and how many that are.
pub(super) fn expected(
    heartbeats: &[Heartbeat],
    words: &str,
    now: Micros,
) -> (Vec<Expected>, usize) {
    let words = words.to_lowercase();
    let is_named_like = |heartbeat: &&Heartbeat| {
        let names = [&heartbeat.system_id, &heartbeat.sub_system_id];
        let names = names.map(|name| name.to_lowercase());
        let mut words = words.split_whitespace();
        words.all(|word| names.iter().any(|name| name.contains(word)))
    };
    let mut found: Vec<_> = heartbeats.iter().filter(is_named_like).collect();
    found.sort_by_key(|it| Reverse(weight(it.state)));
    let count = found.len();
    let shown = found.into_iter().take(MAX_SHOWN);
    (shown.map(|it| Expected::new(it, now)).collect(), count)
}

impl Expected {
    fn new(heartbeat: &Heartbeat, now: Micros) -> Self {
        let (class, state) = match heartbeat.state {
            HeartbeatState::Up => ("active", "up"),
            HeartbeatState::Late => ("due", "late"),
            HeartbeatState::Down => ("late", "down"),
            HeartbeatState::NeverSeen => ("never", "never seen"),
        };
        let links = [
            ("system_id", &heartbeat.system_id),
            ("sub_system_id", &heartbeat.sub_system_id),
        ];
        let is_linked = is_filterable(&heartbeat.system_id)
            && (heartbeat.sub_system_id.is_empty() || is_filterable(&heartbeat.sub_system_id));
        let pairs = links.map(|(name, value)| (name, value.as_str()));
        let pairs: Vec<_> = pairs
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        Self {
            class,
            state,
            since: When::new(heartbeat.since_us, now),
            system_id: short(&heartbeat.system_id),
            sub_system_id: short(&heartbeat.sub_system_id),
            expected: short(&heartbeat.expected),
            last: (heartbeat.last_received_us > 0)
                .then(|| When::new(heartbeat.last_received_us, now)),
            due: due(heartbeat.due_us, now),
            due_iso: render::rfc3339(heartbeat.due_us),
            rule: short(&heartbeat.rule),
            rule_href: format!("/alerts/rules#{}", rule_anchor(&heartbeat.rule)),
            log_href: is_linked.then(|| link_to("/", &pairs)),
            alerts_href: is_linked.then(|| link_to("/alerts", &pairs[..1])),
        }
    }
}

fn weight(state: HeartbeatState) -> u8 {
    match state {
        HeartbeatState::Up => 0,
        HeartbeatState::Late => 1,
        HeartbeatState::NeverSeen => 2,
        HeartbeatState::Down => 3,
    }
}

/// `in 5 min`, `2 h ago`.
fn due(at: Micros, now: Micros) -> String {
    let seconds = at.abs_diff(now) / 1_000_000 * 1_000_000;
    match (seconds, at > now) {
        (0, _) => "now".to_owned(),
        (_, true) => format!("in {}", utc::distance(seconds)),
        (_, false) => format!("{} ago", utc::distance(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use domain::{Heartbeat, HeartbeatState};

    use super::{due, expected};

    #[test]
    fn the_worst_comes_first_and_only_what_is_looked_for() {
        let heartbeat = |system_id: &str, state| Heartbeat {
            rule: "r".to_owned(),
            condition: "AGE=1h".to_owned(),
            system_id: system_id.to_owned(),
            sub_system_id: String::new(),
            expected: "every 1 h".to_owned(),
            state,
            since_us: 1,
            last_received_us: 0,
            due_us: 1,
            expected_since_us: 1,
        };
        let all = [
            heartbeat("up", HeartbeatState::Up),
            heartbeat("late", HeartbeatState::Late),
            heartbeat("never", HeartbeatState::NeverSeen),
            heartbeat("down", HeartbeatState::Down),
        ];
        let names = |words: &str| -> Vec<String> {
            let (shown, count) = expected(&all, words, 10);
            assert_eq!(shown.len(), count);
            shown.into_iter().map(|it| it.system_id).collect()
        };
        assert_eq!(names(""), ["down", "never", "late", "up"]);
        assert_eq!(names("E"), ["never", "late"]);
        assert_eq!(names("e x"), Vec::<String>::new());
    }

    #[test]
    fn what_is_due_lies_ahead_or_behind() {
        assert_eq!(due(60_000_000, 0), "in 1 min");
        assert_eq!(due(0, 7_200_000_000), "2 h ago");
        assert_eq!(due(5, 5), "now");
    }
}
