//! `/help`: the query language, the keys and the addresses.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{NumberField, TextField};
use serde::Serialize;

use super::{
    layout::Layout,
    page::{Page, fill},
};
use crate::{
    app::App,
    request::{Parameters, address},
};

const PATH: &str = "/help";

/// Queries to try, and what they find.
const EXAMPLES: [(&str, &str); 20] = [
    (
        "disk full",
        "both words, anywhere in message, function, module or exception, in any case",
    ),
    ("\"disk full\"", "exactly this, blanks included"),
    ("disk -tape", "with the first, without the second"),
    (
        "disk OR tape",
        "one of them; what stands side by side binds tighter",
    ),
    ("error (disk OR tape)", "parentheses group"),
    (
        "level>=warning",
        "of this severity or above; level:error is this one only",
    ),
    (
        "system:shop",
        "whose system is exactly this; every field can be asked by its name",
    ),
    (
        "system:shop*",
        "whose system begins so; the star is any text",
    ),
    ("-system:shop", "of any other system"),
    ("system:(shop OR billing)", "of one of them"),
    ("logger:~cart", "whose logger contains this, in any case"),
    (
        "user_spec_1:*",
        "where the field is not empty; user_spec_1:\"\" where it is",
    ),
    (
        "message:/order \\d+ failed/",
        "where the regular expression finds something; (?i) before it for any case",
    ),
    (
        "line:10..20",
        "whose number lies between, both included; also > >= < <=",
    ),
    (
        "created>=-15m",
        "made by the program in the last 15 minutes; also 2026-11-23 or 2026-11-23T08:30",
    ),
    (
        "extra.order_id:4711",
        "with this value in extra, as a text or as a number that is equal",
    ),
    (
        "extra.customer.name:Anna",
        "deeper in extra; a list stands for each of its items",
    ),
    ("extra.ms>=10.5", "with such a number in extra"),
    ("exception:*", "with an exception"),
    (
        "fingerprint:b7f8877656c80e0b",
        "with the same exception; the exceptions page links to it",
    ),
];

/// Keys, while nobody types in a field.
const KEYS: [(&str, &str); 10] = [
    ("/", "to the search field"),
    ("j k", "next and previous record"),
    ("Enter", "open the record, or close it"),
    ("e E", "next and previous error"),
    ("w W", "next and previous warning"),
    ("t", "follow what comes in, and back"),
    ("a", "to the alerts"),
    ("?", "this page"),
    ("Escape", "close what is open"),
    (
        "Tab",
        "through everything that can be used; the first stop skips to the content",
    ),
];

/// What stands in the address of a page.
const PARAMETERS: [(&str, &str); 12] = [
    ("q", "the query; what is none is searched for by its words"),
    (
        "pattern",
        "one text that must occur in message, function, module or exception, as it stands",
    ),
    (
        "level",
        "at least this severity: DEBUG, INFO, WARNING, ERROR, CRITICAL or a number",
    ),
    (
        "system_id … user_spec_2",
        "one of the six context fields, exactly",
    ),
    (
        "from, to",
        "when it was received: -15m, -7d, now, 2026-11-23, 2026-11-23T08:30:00Z",
    ),
    (
        "order",
        "desc for the newest first, asc for the oldest first",
    ),
    ("limit", "how many records a page has, up to 1000"),
    ("before, after", "the record from which the page goes on"),
    ("open", "the record that is opened in its place"),
    ("columns", "which further columns are shown"),
    ("tail", "1 to follow what comes in"),
    ("scope", "of a record's page: everything, system or process"),
];

/// Shorter names of fields.
const SHORT: [(&str, &str); 9] = [
    ("system", "system_id"),
    ("sub_system", "sub_system_id"),
    ("sub_sub_system", "sub_sub_system_id"),
    ("produkt", "produkt_id"),
    ("product", "produkt_id"),
    ("func", "function"),
    ("msg", "message"),
    ("received", "received_at"),
    ("version", "package_version"),
];

#[derive(Serialize)]
struct HelpPage {
    examples: Vec<Example>,
    keys: [(&'static str, &'static str); 10],
    parameters: [(&'static str, &'static str); 12],
    texts: Vec<&'static str>,
    numbers: Vec<&'static str>,
    times: Vec<&'static str>,
    short: [(&'static str, &'static str); 9],
}

#[derive(Serialize)]
struct Example {
    query: &'static str,
    meaning: &'static str,
    href: String,
}

/// `GET /help`
pub(crate) async fn show(app: App) -> Response {
    let view = HelpPage {
        examples: EXAMPLES
            .map(|(query, meaning)| Example {
                query,
                meaning,
                href: address("/", &Parameters::default(), &[("q", Some(query))]),
            })
            .into(),
        keys: KEYS,
        parameters: PARAMETERS,
        texts: TextField::ALL.map(TextField::name).into(),
        numbers: numbers(|field| !field.is_time()),
        times: numbers(NumberField::is_time),
        short: SHORT,
    };
    match fill(&app, "help.html", &view) {
        Ok(main) => {
            Page::new(&app, Layout::new(&app, "Help").at(PATH)).whole(StatusCode::OK, &main)
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn numbers(is_wanted: impl Fn(NumberField) -> bool) -> Vec<&'static str> {
    let fields = NumberField::ALL.into_iter();
    fields
        .filter(|field| is_wanted(*field))
        .map(NumberField::name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{EXAMPLES, SHORT};

    #[test]
    fn every_example_is_a_query() {
        for (text, _) in EXAMPLES {
            let condition = query::parse(text, 1_000_000_000_000_000);
            assert!(condition.is_ok(), "{text}: {condition:?}");
        }
    }

    #[test]
    fn a_short_name_is_the_same_field() {
        for (short, name) in SHORT {
            let of = |name: &str| query::parse(&format!("{name}:2026-11-23"), 0).expect("a query");
            assert_eq!(of(short), of(name), "{short}");
        }
    }
}
