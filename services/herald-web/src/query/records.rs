//! Parameters of everything that lists records, and links that carry them on.

use domain::{ContextField, Level, Micros, Order, RecordFilter, RecordQuery};

use super::parameters::{KnownName, ParameterError, Parameters};
use crate::utc;

/// Parameters that say which records, with the predecessor's names as well.
pub(crate) const PARAMETERS: &[KnownName] = &[
    ("q", "q"),
    ("pattern", "pattern"),
    ("system_id", "system_id"),
    ("sub_system_id", "sub_system_id"),
    ("sub_sub_system_id", "sub_sub_system_id"),
    ("produkt_id", "produkt_id"),
    ("user_spec_1", "user_spec_1"),
    ("user_spec_2", "user_spec_2"),
    ("level", "level"),
    ("notify_level", "level"),
    ("from", "from"),
    ("starting_at", "from"),
    ("to", "to"),
    ("order", "order"),
    ("limit", "limit"),
    ("before", "before"),
    ("after", "after"),
];

/// How many conditions a query may have.
const MAX_SUBSTRINGS: usize = 32;

/// How many records one answer may have, and where more can be had.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LimitRule {
    pub(crate) max: usize,
    pub(crate) hint: &'static str,
}

/// What was asked for, as far as it could be read, and what could not.
#[derive(Debug)]
pub(crate) struct RecordsRequest {
    pub(crate) query: RecordQuery,
    pub(crate) problems: Vec<ParameterError>,
}

/// Reads a list's parameters; relative times count from `now`.
pub(crate) fn read_records(
    parameters: &Parameters,
    now: Micros,
    limit: LimitRule,
) -> RecordsRequest {
    let mut problems = parameters.problems().to_vec();
    let mut read = Reader {
        parameters,
        problems: &mut problems,
    };
    let query = RecordQuery {
        filter: RecordFilter {
            substrings: read.substrings(),
            context: context(parameters),
            min_level: read.value("level", read_level).flatten(),
            from_us: read.value("from", |text| read_time(text, now)),
            to_us: read.value("to", |text| read_time(text, now)),
        },
        order: read.value("order", read_order).unwrap_or_default(),
        limit: read
            .value("limit", |text| read_count(text, limit))
            .unwrap_or(RecordQuery::DEFAULT_LIMIT),
        before: read.value("before", read_id),
        after: read.value("after", read_lower_bound),
    };
    RecordsRequest { query, problems }
}

/// The page with these parameters, some of them replaced or (`None`) left out.
pub(crate) fn link(parameters: &Parameters, changes: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let changed = |name: &str| changes.iter().find(|(changed, _)| *changed == name);
    for (name, value) in parameters.iter() {
        if changed(name).is_none() {
            query.append_pair(name, value);
        }
    }
    for (name, value) in changes {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => "/".to_owned(),
        query => format!("/?{query}"),
    }
}

/// A number of things from 1 to the most there may be.
pub(crate) fn read_count(text: &str, rule: LimitRule) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(limit) if limit > rule.max => {
            Err(format!("`{text}` is above {}{}", rule.max, rule.hint))
        }
        Ok(limit) => Ok(limit),
        Err(_) => Err(format!("`{text}` is no number from 1 to {}", rule.max)),
    }
}

/// The id of a record, as a cursor.
pub(crate) fn read_id(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(0) | Err(_) => Err(format!("`{text}` is no id of a record")),
        Ok(id) => Ok(id),
    }
}

/// As [`read_id`], or 0, below every id.
fn read_lower_bound(text: &str) -> Result<u64, String> {
    match text {
        "0" => Ok(0),
        text => read_id(text),
    }
}

struct Reader<'a> {
    parameters: &'a Parameters,
    problems: &'a mut Vec<ParameterError>,
}

impl Reader<'_> {
    fn value<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match parse(self.parameters.get(name)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.problems.push(ParameterError::new(name, message));
                None
            }
        }
    }

    fn substrings(&mut self) -> Vec<String> {
        let mut substrings = self.value("q", read_query).unwrap_or_default();
        if let Some(pattern) = self.parameters.get("pattern") {
            substrings.push(pattern.to_owned());
        }
        substrings
    }
}

fn context(parameters: &Parameters) -> Vec<(ContextField, String)> {
    ContextField::ALL
        .into_iter()
        .filter_map(|field| Some((field, parameters.get(field.name())?.to_owned())))
        .collect()
}

/// Words that must all occur; `"some words"` count as one.
fn read_query(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        if index % 2 == 1 {
            found.push(part);
        } else {
            found.extend(part.split_whitespace());
        }
    }
    found.retain(|text| !text.trim().is_empty());
    if found.len() > MAX_SUBSTRINGS {
        return Err(format!("more than {MAX_SUBSTRINGS} words"));
    }
    Ok(found.into_iter().map(str::to_owned).collect())
}

fn read_level(text: &str) -> Result<Option<i32>, String> {
    if text.eq_ignore_ascii_case("ALL") {
        return Ok(None);
    }
    Level::number_of(text)
        .map(Some)
        .map_err(|error| error.to_string())
}

fn read_time(text: &str, now: Micros) -> Result<Micros, String> {
    utc::parse(text, now).map_err(|error| error.to_string())
}

fn read_order(text: &str) -> Result<Order, String> {
    match text {
        "desc" => Ok(Order::NewestFirst),
        "asc" => Ok(Order::OldestFirst),
        _ => Err(format!(
            "`{text}` is no order: use desc (newest first) or asc (oldest first)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use domain::{ContextField, Order, RecordFilter, RecordQuery};

    use super::{LimitRule, PARAMETERS, Parameters, link, read_records};

    const LIMIT: LimitRule = LimitRule {
        max: 10_000,
        hint: "",
    };

    #[test]
    fn every_parameter_reaches_the_query() {
        let check = |query: &str, expected: RecordQuery| {
            let request =
                read_records(&Parameters::read(Some(query), PARAMETERS), 1_000_000, LIMIT);
            assert_eq!(request.problems, [], "{query}");
            assert_eq!(request.query, expected, "{query}");
        };
        let filter = |filter| RecordQuery {
            filter,
            ..RecordQuery::default()
        };
        check("", RecordQuery::default());
        check("q=&level=ALL&notify_level=", RecordQuery::default());
        check(
            "order=asc&limit=7&before=9&after=3",
            RecordQuery {
                order: Order::OldestFirst,
                limit: 7,
                before: Some(9),
                after: Some(3),
                ..RecordQuery::default()
            },
        );
        check(
            "system_id=a&user_spec_2=b",
            filter(RecordFilter {
                context: vec![
                    (ContextField::System, "a".to_owned()),
                    (ContextField::UserSpec2, "b".to_owned()),
                ],
                ..RecordFilter::default()
            }),
        );
        check(
            "notify_level=error&starting_at=-1s&to=now",
            filter(RecordFilter {
                min_level: Some(40),
                from_us: Some(0),
                to_us: Some(1_000_000),
                ..RecordFilter::default()
            }),
        );
    }

    #[test]
    fn a_query_is_words_and_phrases() {
        let check = |query: &str, expected: &[&str]| {
            let request = read_records(&Parameters::read(Some(query), PARAMETERS), 0, LIMIT);
            assert_eq!(request.query.filter.substrings, expected, "{query}");
        };
        check("q=disk+full", &["disk", "full"]);
        check("q=%22disk+full%22+sda", &["disk full", "sda"]);
        check("q=%22disk+full", &["disk full"]);
        check("q=%22%22", &[]);
        check("pattern=disk+%22full%22", &["disk \"full\""]);
        check("q=a&pattern=b+c", &["a", "b c"]);
    }

    #[test]
    fn every_problem_is_named() {
        let check = |query: &str, names: &[&str]| {
            let request = read_records(&Parameters::read(Some(query), PARAMETERS), 0, LIMIT);
            let found: Vec<_> = request.problems.iter().map(|p| &p.parameter).collect();
            assert_eq!(found, names, "{query}");
        };
        check("limit=abc", &["limit"]);
        check("limit=0", &["limit"]);
        check("limit=10001", &["limit"]);
        check("limit=-1", &["limit"]);
        check("level=loud&from=soon&to=later", &["level", "from", "to"]);
        check("order=up", &["order"]);
        check("before=0&after=x", &["before", "after"]);
        check("colour=red", &["colour"]);
        let many = format!("q={}", "a+".repeat(33));
        check(&many, &["q"]);
    }

    #[test]
    fn links_keep_what_they_do_not_change() {
        let parameters = Parameters::read(Some("system_id=a+b&level=&limit=5"), PARAMETERS);
        let check = |changes: &[(&str, Option<&str>)], expected: &str| {
            assert_eq!(link(&parameters, changes), expected);
        };
        check(&[], "/?system_id=a+b&limit=5");
        check(
            &[("system_id", Some("\"&<"))],
            "/?limit=5&system_id=%22%26%3C",
        );
        check(&[("system_id", None), ("limit", None)], "/");
    }
}
