//! Parameters of everything that lists records, and links that carry them on.

use domain::{Micros, Order, RecordQuery};

use super::{
    BadQuery, FILTER, KnownName, LimitRule, ParameterError, Parameters, Reader, address,
    read_count, read_filter, read_id, read_lower_bound,
};

/// Parameters that say which part of a list, and in which order.
const PAGING: &[KnownName] = &[
    ("order", "order"),
    ("limit", "limit"),
    ("before", "before"),
    ("after", "after"),
];

/// Parameters that say how a page shows a list.
const SHOWING: &[KnownName] = &[("open", "open"), ("columns", "columns"), ("tail", "tail")];

/// Parameters of the log's page.
pub(crate) const PAGE: &[&[KnownName]] = &[FILTER, PAGING, SHOWING];
/// Parameters of a list of records.
pub(crate) const PARAMETERS: &[&[KnownName]] = &[FILTER, PAGING];

/// What was asked for, as far as it could be read, and what could not.
#[derive(Debug)]
pub(crate) struct RecordsRequest {
    pub(crate) query: RecordQuery,
    pub(crate) problems: Vec<ParameterError>,
    /// What is wrong with `q`, whose words are looked for instead.
    pub(crate) note: Option<ParameterError>,
}

/// Reads a list's parameters; relative times count from `now`.
pub(crate) fn read_records(
    parameters: &Parameters,
    now: Micros,
    limit: LimitRule,
    bad_query: BadQuery,
) -> RecordsRequest {
    let mut reader = Reader::new(parameters);
    let (filter, note) = read_filter(&mut reader, now, bad_query);
    let query = RecordQuery {
        filter,
        order: reader.value("order", read_order).unwrap_or_default(),
        limit: reader
            .value("limit", |text| read_count(text, limit))
            .unwrap_or(RecordQuery::DEFAULT_LIMIT),
        before: reader.value("before", read_id),
        after: reader.value("after", read_lower_bound),
    };
    RecordsRequest {
        query,
        problems: reader.into_problems(),
        note,
    }
}

/// An order by name.
pub(crate) fn read_order(text: &str) -> Result<Order, String> {
    match text {
        "desc" => Ok(Order::NewestFirst),
        "asc" => Ok(Order::OldestFirst),
        _ => Err(format!(
            "`{text}` is no order: use desc (newest first) or asc (oldest first)"
        )),
    }
}

/// The log with these parameters, some of them replaced or (`None`) left out.
pub(crate) fn link(parameters: &Parameters, changes: &[(&str, Option<&str>)]) -> String {
    address("/", parameters, changes)
}

#[cfg(test)]
mod tests {
    use domain::{Order, RecordQuery};

    use super::{PARAMETERS, link, read_records};
    use crate::request::{BadQuery, LimitRule, Parameters};

    const LIMIT: LimitRule = LimitRule {
        max: 10_000,
        hint: "",
    };

    #[test]
    fn order_limit_and_bounds_reach_the_query() {
        let query = "order=asc&limit=7&before=9&after=3";
        let parameters = Parameters::read(Some(query), PARAMETERS);
        let request = read_records(&parameters, 0, LIMIT, BadQuery::Refuse);
        assert_eq!(request.problems, []);
        let expected = RecordQuery {
            order: Order::OldestFirst,
            limit: 7,
            before: Some(9),
            after: Some(3),
            ..RecordQuery::default()
        };
        assert_eq!(request.query, expected);
    }

    #[test]
    fn every_problem_is_named() {
        let check = |query: &str, names: &[&str]| {
            let request = read_records(
                &Parameters::read(Some(query), PARAMETERS),
                0,
                LIMIT,
                BadQuery::Refuse,
            );
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
