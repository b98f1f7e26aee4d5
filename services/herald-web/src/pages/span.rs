//! The time that a page looks back on: the last 24 hours if nothing else is asked.

use domain::Micros;
use serde::Serialize;

use crate::{
    request::{Parameters, Reader, address, read_time},
    utc,
};

/// What can be chosen: how it is written and what it is called.
const CHOICES: [(&str, &str); 6] = [
    ("-1h", "1 hour"),
    ("-6h", "6 hours"),
    ("-24h", "24 hours"),
    ("-7d", "7 days"),
    ("-30d", "30 days"),
    (EVERYTHING, "everything"),
];
/// Since 1970.
const EVERYTHING: &str = "@0";
const DEFAULT: &str = "-24h";

/// A part of time, as it was asked for.
#[derive(Debug)]
pub(super) struct Span {
    from: Option<String>,
    to: Option<String>,
    from_us: Micros,
    to_us: Option<Micros>,
}

/// A link to the page with another span.
#[derive(Debug, Serialize)]
pub(super) struct Choice {
    label: &'static str,
    href: String,
    is_here: bool,
}

impl Span {
    /// Reads `from` and `to`.
    pub(super) fn read(reader: &mut Reader<'_>, now: Micros) -> Self {
        let [from, to] = ["from", "to"].map(|name| reader.text(name).map(str::to_owned));
        let time = |text: &str| read_time(text, now);
        let to_us = reader.value("to", time);
        let default_us = if to.is_some() {
            0
        } else {
            read_time(DEFAULT, now).unwrap_or(0)
        };
        let from_us = reader.value("from", time).unwrap_or(default_us);
        Self {
            from,
            to,
            from_us,
            to_us,
        }
    }

    /// Where it begins; `None` for the oldest record.
    pub(super) fn start_us(&self) -> Option<Micros> {
        (self.from_us > 0).then_some(self.from_us)
    }

    /// Where it ends; `None` for now.
    pub(super) fn end_us(&self) -> Option<Micros> {
        self.to_us
    }

    /// What it is called, in the middle of a sentence.
    pub(super) fn label(&self) -> String {
        if let Some((_, label)) = self.choice() {
            return match *label {
                "everything" => "all time".to_owned(),
                label => format!("the last {label}"),
            };
        }
        let from = self.start_us().map(shown);
        match (from, self.to_us.map(shown)) {
            (Some(from), Some(to)) => format!("{from} to {to}"),
            (Some(from), None) => format!("since {from}"),
            (None, Some(to)) => format!("until {to}"),
            (None, None) => "all time".to_owned(),
        }
    }

    /// The same as parameters of the log.
    pub(super) fn for_log(&self) -> [(&'static str, Option<&str>); 2] {
        let from = self.from.as_deref();
        let from = match (from, self.to.is_some()) {
            (None, false) => Some(DEFAULT),
            (Some(EVERYTHING), _) => None,
            (from, _) => from,
        };
        [("from", from), ("to", self.to.as_deref())]
    }

    /// Links to `path` with each span.
    pub(super) fn choices(&self, path: &str, parameters: &Parameters) -> Vec<Choice> {
        let here = self.choice();
        let choice = |choice: &'static (&str, &str)| Choice {
            label: choice.1,
            href: {
                let from = (choice.0 != DEFAULT).then_some(choice.0);
                address(path, parameters, &[("from", from), ("to", None)])
            },
            is_here: here == Some(choice),
        };
        CHOICES.iter().map(choice).collect()
    }

    fn choice(&self) -> Option<&'static (&'static str, &'static str)> {
        let from = self.from.as_deref().unwrap_or(DEFAULT);
        let is_it = |choice: &&(&str, &str)| choice.0 == from && self.to.is_none();
        CHOICES.iter().find(is_it)
    }
}

/// How long one of `buckets` equal parts is, for people.
pub(super) fn part(from_us: Micros, to_us: Micros, buckets: u32) -> String {
    let part = to_us.saturating_sub(from_us).unsigned_abs() / u64::from(buckets.max(1));
    utc::distance(part)
}

fn shown(at: Micros) -> String {
    render::rfc3339(at)[..16].replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::Span;
    use crate::request::{KnownName, Parameters, Reader};

    const NAMES: &[KnownName] = &[("from", "from"), ("to", "to"), ("find", "find")];
    const DAY: i64 = 86_400_000_000;

    fn span(query: &str) -> Span {
        let parameters = Parameters::read(Some(query), &[NAMES]);
        Span::read(&mut Reader::new(&parameters), 100 * DAY)
    }

    #[test]
    fn a_span_is_read_named_and_given_to_the_log() {
        let check =
            |query: &str, ends: (Option<i64>, Option<i64>), label: &str, log: [Option<&str>; 2]| {
                let span = span(query);
                assert_eq!((span.start_us(), span.end_us()), ends, "{query}");
                assert_eq!(span.label(), label, "{query}");
                assert_eq!(span.for_log().map(|(_, value)| value), log, "{query}");
            };
        check(
            "",
            (Some(99 * DAY), None),
            "the last 24 hours",
            [Some("-24h"), None],
        );
        check(
            "from=-7d",
            (Some(93 * DAY), None),
            "the last 7 days",
            [Some("-7d"), None],
        );
        check("from=@0", (None, None), "all time", [None, None]);
        check(
            "to=@86400",
            (None, Some(DAY)),
            "until 1970-01-02 00:00",
            [None, Some("@86400")],
        );
        check(
            "from=1970-01-02&to=-98d",
            (Some(DAY), Some(2 * DAY)),
            "1970-01-02 00:00 to 1970-01-03 00:00",
            [Some("1970-01-02"), Some("-98d")],
        );
    }

    #[test]
    fn choices_keep_the_rest() {
        let parameters = Parameters::read(Some("find=a+b&from=-7d"), &[NAMES]);
        let span = Span::read(&mut Reader::new(&parameters), 0);
        let choices = span.choices("/systems", &parameters);
        let here: Vec<_> = choices
            .iter()
            .filter(|c| c.is_here)
            .map(|c| c.label)
            .collect();
        assert_eq!(here, ["7 days"]);
        assert_eq!(choices[0].href, "/systems?find=a+b&from=-1h");
        assert_eq!(choices[2].href, "/systems?find=a+b");
        assert_eq!(choices[5].href, "/systems?find=a+b&from=%400");
    }
}
