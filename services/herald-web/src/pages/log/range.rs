//! The time range of a view: presets, and how it is pinned.

use domain::{Micros, RecordFilter};
use serde::Serialize;

use crate::pages::view::View;

/// Ranges to choose from: how they are written and what they are called.
const PRESETS: [(&str, &str); 6] = [
    ("-15m", "15 minutes"),
    ("-1h", "1 hour"),
    ("-6h", "6 hours"),
    ("-24h", "24 hours"),
    ("-7d", "7 days"),
    ("-30d", "30 days"),
];

/// The range menu.
#[derive(Debug, Serialize)]
pub(super) struct Range {
    /// What is chosen, in short.
    label: String,
    presets: Vec<Preset>,
    everything_href: Option<String>,
    /// The same range with absolute ends; `None` when it has them.
    pin_href: Option<String>,
}

#[derive(Debug, Serialize)]
struct Preset {
    label: &'static str,
    href: String,
    is_chosen: bool,
}

impl Range {
    /// `filter` is what the view's parameters have been read as.
    pub(super) fn new(view: &View, filter: &RecordFilter) -> Self {
        let [from, to] = ["from", "to"].map(|name| view.parameters().get(name));
        let chosen = PRESETS
            .iter()
            .find(|(text, _)| from == Some(*text) && to.is_none());
        Self {
            label: match (chosen, from, to) {
                (Some((_, label)), ..) => format!("last {label}"),
                (_, None, None) => "all time".to_owned(),
                (_, Some(from), None) => format!("since {}", shown(from)),
                (_, None, Some(to)) => format!("before {}", shown(to)),
                (_, Some(from), Some(to)) => between(&shown(from), &shown(to)),
            },
            presets: PRESETS
                .iter()
                .map(|(text, label)| Preset {
                    label,
                    href: view.first(&[("from", Some(text)), ("to", None)]),
                    is_chosen: chosen.is_some_and(|(chosen, _)| chosen == text),
                })
                .collect(),
            everything_href: (from.is_some() || to.is_some())
                .then(|| view.first(&[("from", None), ("to", None)])),
            pin_href: pin(view, filter, from, to),
        }
    }
}

/// A range that is open or relative moves on; the same with both ends fixed.
fn pin(view: &View, filter: &RecordFilter, from: Option<&str>, to: Option<&str>) -> Option<String> {
    let is_moving = |text: Option<&str>| text.is_some_and(is_relative);
    if !is_moving(from) && !is_moving(to) && to.is_some() {
        return None;
    }
    let from = filter.from_us.map(written);
    let to = written(filter.to_us.unwrap_or(view.now()));
    Some(view.here(&[("from", from.as_deref()), ("to", Some(&to))]))
}

fn is_relative(text: &str) -> bool {
    text.starts_with('-') || text.eq_ignore_ascii_case("now")
}

/// A time as short as it can be written without losing anything.
pub(super) fn written(time: Micros) -> String {
    let text = render::rfc3339(time);
    match text.strip_suffix(".000000Z") {
        Some(seconds) => format!("{seconds}Z"),
        None => text,
    }
}

/// A day is named once.
fn between(from: &str, to: &str) -> String {
    let days = (from.split_once(' '), to.split_once(' '));
    match days {
        (Some((day, _)), Some((same, time))) if day == same => format!("{from} – {time}"),
        _ => format!("{from} – {to}"),
    }
}

/// A time as somebody wrote it, without what goes without saying.
pub(super) fn shown(text: &str) -> String {
    let (text, _) = render::cut::head(text, 32, 1);
    match text.split_once('T') {
        Some((date, time)) if date.len() == 10 => {
            let time = time.trim_end_matches('Z');
            let time = time.split_once('.').map_or(time, |(seconds, _)| seconds);
            format!("{date} {time}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Range;
    use crate::{
        pages::view::View,
        request::{BadQuery, LimitRule, PAGE, Parameters, read_records},
    };

    /// 2026-11-23T00:22:41.123456Z
    const NOW: i64 = 1_795_393_361_123_456;

    #[test]
    fn ranges_have_names_and_can_be_pinned() {
        let check = |query: &str, label: &str, pinned: Option<&str>| {
            let parameters = Parameters::read(Some(query), PAGE);
            let rule = LimitRule { max: 100, hint: "" };
            let request = read_records(&parameters, NOW, rule, BadQuery::Refuse);
            assert_eq!(request.problems, [], "{query}");
            let filter = request.query.filter;
            let range = Range::new(&View::new(parameters, &filter, NOW), &filter);
            assert_eq!(range.label, label, "{query}");
            assert_eq!(range.pin_href.as_deref(), pinned, "{query}");
        };
        check("", "all time", Some("/?to=2026-11-23T00%3A22%3A41.123456Z"));
        check(
            "from=-15m&q=a",
            "last 15 minutes",
            Some("/?q=a&from=2026-11-23T00%3A07%3A41.123456Z&to=2026-11-23T00%3A22%3A41.123456Z"),
        );
        check(
            "from=2026-11-22&to=2026-11-23T01:00:00.5Z",
            "2026-11-22 – 2026-11-23 01:00:00",
            None,
        );
        check(
            "from=2026-11-23T00:30:00Z&to=2026-11-23T01:00:00.5Z",
            "2026-11-23 00:30:00 – 01:00:00",
            None,
        );
        check(
            "from=2026-11-22&to=now",
            "2026-11-22 – now",
            Some("/?from=2026-11-22T00%3A00%3A00Z&to=2026-11-23T00%3A22%3A41.123456Z"),
        );
        check(
            "from=-3h",
            "since -3h",
            Some("/?from=2026-11-22T21%3A22%3A41.123456Z&to=2026-11-23T00%3A22%3A41.123456Z"),
        );
    }
}
