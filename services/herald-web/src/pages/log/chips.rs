//! The filters in force as chips: each can be turned around and taken away.

use domain::{Condition, Level, TextField, TextTest};
use query::Part;
use serde::Serialize;

use super::range::shown;
use crate::pages::view::View;

/// What no chip is made of: where and how the list is shown.
const NO_FILTER: [&str; 8] = [
    "q", "order", "limit", "before", "after", "open", "columns", "tail",
];

/// A filter.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::pages) struct Chip {
    /// The field it looks at; empty for all that are searched.
    key: String,
    operator: &'static str,
    value: String,
    is_negative: bool,
    /// The list with its opposite.
    flip_href: Option<String>,
    /// The list without it.
    remove_href: String,
}

/// The parts of the query, then every other parameter that filters.
pub(in crate::pages) fn chips(view: &View) -> Vec<Chip> {
    let parts = view.parts().iter().enumerate();
    let parts = parts.map(|(at, part)| Chip::of_part(view, at, part));
    let parameters = view.parameters().iter();
    let parameters = parameters
        .filter(|(name, _)| !NO_FILTER.contains(name))
        .map(|(name, value)| Chip::of_parameter(view, name, value));
    parts.chain(parameters).collect()
}

impl Chip {
    fn of_part(view: &View, at: usize, part: &Part) -> Self {
        let (inner, is_negative) = match &part.condition {
            Condition::Not(inner) => (&**inner, true),
            condition => (condition, false),
        };
        let (key, operator, value) = match (inner, is_negative) {
            (Condition::Contains(text), false) => ("", "has", text.clone()),
            (Condition::Contains(text), true) => ("", "has not", text.clone()),
            (Condition::Text(field, TextTest::Is(text)), _) if text.is_empty() => {
                let operator = if is_negative {
                    "has a value"
                } else {
                    "is empty"
                };
                (field.name(), operator, String::new())
            }
            (Condition::Text(field, TextTest::Is(text)), false) => {
                (field.name(), "is", text.clone())
            }
            (Condition::Text(field, TextTest::Is(text)), true) => {
                (field.name(), "is not", text.clone())
            }
            (Condition::Text(field, TextTest::Contains(text)), false) => {
                (field.name(), "has", text.clone())
            }
            (Condition::Text(field, TextTest::Contains(text)), true) => {
                (field.name(), "has not", text.clone())
            }
            (_, false) => ("", "holds", part.text.clone()),
            (_, true) => ("", "does not hold", part.flipped(view.now()).text),
        };
        Self {
            key: key.to_owned(),
            operator,
            value,
            is_negative,
            flip_href: Some(view.flipped(at)),
            remove_href: view.without(at),
        }
    }

    fn of_parameter(view: &View, name: &'static str, value: &str) -> Self {
        let not = |condition| {
            let opposite = Condition::Not(Box::new(condition));
            Some(view.with(opposite, &[(name, None)]))
        };
        let (operator, flip_href) = match (name, TextField::named(name)) {
            ("pattern", _) => ("has", not(Condition::Contains(value.to_owned()))),
            ("level", _) => {
                let number = Level::number_of(value).ok();
                ("at least", number.map(Condition::at_least).and_then(not))
            }
            (_, Some(field)) => {
                let is = Condition::Text(field, TextTest::Is(value.to_owned()));
                ("is", not(is))
            }
            _ => ("", None),
        };
        Self {
            key: if name == "pattern" { "" } else { name }.to_owned(),
            operator,
            value: match name {
                "from" | "to" => shown(value),
                _ => value.to_owned(),
            },
            is_negative: false,
            flip_href,
            remove_href: view.first(&[(name, None)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::chips;
    use crate::{
        pages::view::View,
        request::{BadQuery, LimitRule, PAGE, Parameters, read_records},
    };

    /// Each chip as a line: what it says, then where it leads.
    fn check(query: &str, expected: &[&str]) {
        let parameters = Parameters::read(Some(query), PAGE);
        let rule = LimitRule { max: 100, hint: "" };
        let request = read_records(&parameters, 0, rule, BadQuery::SearchWords);
        assert_eq!(request.problems, [], "{query}");
        let view = View::new(parameters, &request.query.filter, 0);
        let lines: Vec<_> = chips(&view)
            .iter()
            .map(|chip| {
                let flip = chip.flip_href.as_deref().unwrap_or("-");
                let said = format!("{} {} {}", chip.key, chip.operator, chip.value);
                format!("{} | {flip} | {}", said.trim(), chip.remove_href)
            })
            .collect();
        assert_eq!(lines, expected, "{query}");
    }

    #[test]
    fn each_filter_has_its_chip() {
        check("", &[]);
        check("limit=5&order=asc&before=3", &[]);
        check("q=disk", &["has disk | /?q=-disk | /"]);
        check(
            "q=-system:shop+disk",
            &[
                "system_id is not shop | /?q=system%3Ashop+disk | /?q=disk",
                "has disk | /?q=-system%3Ashop+-disk | /?q=-system%3Ashop",
            ],
        );
        check(
            "q=message:disk&system_id=shop",
            &[
                "message has disk | /?system_id=shop&q=-message%3Adisk | /?system_id=shop",
                "system_id is shop | /?q=message%3Adisk+-system_id%3Ashop | /?q=message%3Adisk",
            ],
        );
        check(
            "q=level:error+OR+created>-1h",
            &["holds level:error OR created>-1h | /?q=-%28level%3Aerror+OR+created%3E-1h%29 | /"],
        );
        check(
            "q=-(a+OR+b)",
            &["does not hold (a OR b) | /?q=%28a+OR+b%29 | /"],
        );
        check(
            "q=exception:*",
            &["exception has a value | /?q=exception%3A%22%22 | /"],
        );
        check("from=-15m", &["from  -15m | - | /"]);
        check(
            "level=WARNING&pattern=a+b",
            &[
                "level at least WARNING | /?pattern=a+b&q=-level%3E%3Dwarning | /?pattern=a+b",
                "has a b | /?level=WARNING&q=-%22a+b%22 | /?level=WARNING",
            ],
        );
    }
}
