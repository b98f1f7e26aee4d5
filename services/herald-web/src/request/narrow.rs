//! The log narrowed further: links that add a condition to what is asked already.

use domain::{Condition, Micros, TextField, TextTest};

use super::{Parameters, link};

/// Longest value that a link asks for, in bytes.
const MAX_VALUE_BYTES: usize = 200;

/// The log's first page with one more condition; `None` when that would be no
/// query any more. What `q` says stays as it is written, relative times too.
pub(crate) fn narrowed(parameters: &Parameters, condition: &Condition) -> Option<String> {
    let added = query::print(condition);
    let q = match parameters.get("q") {
        None => added,
        Some(q) => match query::parse(q, Micros::MAX) {
            Ok(Condition::Any(_)) => format!("({q}) {added}"),
            Ok(_) => format!("{q} {added}"),
            Err(_) => format!("{} {added}", query::print(&query::words(q))),
        },
    };
    query::parse(&q, Micros::MAX).ok()?;
    Some(link(
        parameters,
        &[
            ("before", None),
            ("after", None),
            ("open", None),
            ("q", Some(&q)),
        ],
    ))
}

/// The log without what fulfils a condition.
pub(crate) fn narrowed_without(parameters: &Parameters, condition: Condition) -> Option<String> {
    narrowed(parameters, &Condition::Not(Box::new(condition)))
}

/// That a field is exactly this value; `None` when the value is none that a link
/// can ask for.
pub(crate) fn field_is(field: TextField, value: &str) -> Option<Condition> {
    let is_short = !value.is_empty() && value.len() <= MAX_VALUE_BYTES;
    is_short.then(|| Condition::Text(field, TextTest::Is(value.to_owned())))
}

#[cfg(test)]
mod tests {
    use domain::{Condition, NumberField, NumberRange, TextField};

    use super::{field_is, narrowed, narrowed_without};
    use crate::request::{PARAMETERS, Parameters};

    #[test]
    fn what_is_asked_stays_and_more_is_asked() {
        let is = |value| field_is(TextField::Logger, value).expect("short");
        let check = |query: &str, condition: &Condition, expected: &str| {
            let parameters = Parameters::read(Some(query), PARAMETERS);
            let href = narrowed(&parameters, condition).expect("a link");
            let (_, asked) = href.split_once('?').expect("parameters");
            let asked: Vec<_> = form_urlencoded::parse(asked.as_bytes())
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(asked.join("&"), expected, "{query}");
        };
        check("", &is("shop.cart"), "q=logger:\"shop.cart\"");
        check(
            "before=9&level=ERROR",
            &is("a b"),
            "level=ERROR&q=logger:\"a b\"",
        );
        check(
            "q=disk+created>-1h",
            &is("a"),
            "q=disk created>-1h logger:a",
        );
        check("q=disk+OR+tape", &is("a"), "q=(disk OR tape) logger:a");
        check("q=disk+(", &is("a"), "q=disk \"(\" logger:a");
        let line = Condition::Number(NumberField::Line, NumberRange::only(5));
        check("q=disk", &line, "q=disk line:5");
        let parameters = Parameters::default();
        let href = narrowed_without(&parameters, is("a")).expect("a link");
        assert_eq!(href, "/?q=-logger%3Aa");
    }

    #[test]
    fn values_that_no_link_can_hold_have_none() {
        assert_eq!(field_is(TextField::Logger, ""), None);
        assert_eq!(field_is(TextField::Logger, &"x".repeat(201)), None);
        let many = vec!["a"; query::MAX_CONDITIONS].join("+");
        let parameters = Parameters::read(Some(&format!("q={many}")), PARAMETERS);
        let one_more = field_is(TextField::Logger, "a").expect("short");
        assert_eq!(narrowed(&parameters, &one_more), None);
    }
}
