//! Which records somebody wants: the query, and the filters beside it.

use domain::{Condition, Level, Micros, RecordFilter, TextField, TextTest};

use super::{KnownName, ParameterError, Reader};

/// Parameters that say which records, with the predecessor's names as well.
pub(crate) const FILTER: &[KnownName] = &[
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
];

/// What to do about a `q` that is no query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadQuery {
    /// It is a problem like any other.
    Refuse,
    /// Its words are looked for as they stand.
    SearchWords,
}

/// The filter, relative times counted from `now`; and what is wrong with a
/// query whose words are looked for instead.
pub(crate) fn read_filter(
    reader: &mut Reader<'_>,
    now: Micros,
    bad_query: BadQuery,
) -> (RecordFilter, Option<ParameterError>) {
    let mut note = None;
    let mut condition = Condition::default();
    if let Some(text) = reader.text("q") {
        match query::parse(text, now) {
            Ok(parsed) => condition = parsed,
            Err(error) if bad_query == BadQuery::SearchWords => {
                note = Some(problem_of(&error));
                condition = query::words(text);
            }
            Err(error) => reader.note(problem_of(&error)),
        }
    }
    if let Some(pattern) = reader.text("pattern") {
        condition = condition.and(Condition::Contains(pattern.to_owned()));
    }
    for field in TextField::CONTEXT {
        if let Some(value) = reader.text(field.name()) {
            condition = condition.and(Condition::Text(field, TextTest::Is(value.to_owned())));
        }
    }
    if let Some(level) = reader.value("level", read_level).flatten() {
        condition = condition.and(Condition::at_least(level));
    }
    // What each parameter may be, they may be too much of together.
    if let Err(error) = query::parse(&query::print(&condition), now) {
        reader.note(ParameterError::new(
            "q",
            format!("with the other filters: {}", error.message),
        ));
    }
    let filter = RecordFilter {
        condition,
        from_us: reader.value("from", |text| read_time(text, now)),
        to_us: reader.value("to", |text| read_time(text, now)),
    };
    (filter, note)
}

/// A time, absolute or relative to `now`.
pub(crate) fn read_time(text: &str, now: Micros) -> Result<Micros, String> {
    query::time::parse(text, now).map_err(|error| error.to_string())
}

fn read_level(text: &str) -> Result<Option<i32>, String> {
    if text.eq_ignore_ascii_case("ALL") {
        return Ok(None);
    }
    Level::number_of(text)
        .map(Some)
        .map_err(|error| error.to_string())
}

fn problem_of(error: &query::QueryError) -> ParameterError {
    ParameterError {
        hint: Some(error.hint.clone()),
        column: Some(error.column()),
        ..ParameterError::new("q", error.message.clone())
    }
}

#[cfg(test)]
mod tests {
    use domain::{Condition, RecordFilter, TextField, TextTest};

    use super::{BadQuery, FILTER, read_filter};
    use crate::request::{ParameterError, Parameters, Reader};

    fn read(
        query: &str,
        bad_query: BadQuery,
    ) -> (RecordFilter, Option<ParameterError>, Vec<ParameterError>) {
        let parameters = Parameters::read(Some(query), &[FILTER]);
        let mut reader = Reader::new(&parameters);
        let (filter, note) = read_filter(&mut reader, 1_000_000, bad_query);
        (filter, note, reader.into_problems())
    }

    #[test]
    fn every_parameter_becomes_a_condition() {
        let check = |query: &str, expected: RecordFilter| {
            let (filter, note, problems) = read(query, BadQuery::Refuse);
            assert_eq!((note, problems), (None, Vec::new()), "{query}");
            assert_eq!(filter, expected, "{query}");
        };
        let text = |text: &str| Condition::Contains(text.to_owned());
        let is = |field, value: &str| Condition::Text(field, TextTest::Is(value.to_owned()));
        check("", RecordFilter::default());
        check("q=&level=ALL&notify_level=", RecordFilter::default());
        check(
            "pattern=disk+%22full%22",
            RecordFilter::new(text("disk \"full\"")),
        );
        check(
            "system_id=a&user_spec_2=b",
            RecordFilter::new(Condition::All(vec![
                is(TextField::System, "a"),
                is(TextField::UserSpec2, "b"),
            ])),
        );
        check(
            "notify_level=error&starting_at=-1s&to=now",
            RecordFilter {
                condition: Condition::at_least(40),
                from_us: Some(0),
                to_us: Some(1_000_000),
            },
        );
        check(
            "q=disk+full&pattern=a+b&level=30",
            RecordFilter::new(Condition::All(vec![
                text("disk"),
                text("full"),
                text("a b"),
                Condition::at_least(30),
            ])),
        );
    }

    #[test]
    fn too_much_of_everything_together_is_refused() {
        let words = vec!["a"; query::MAX_CONDITIONS].join("+");
        let problems = |query: &str| read(query, BadQuery::Refuse).2;
        assert_eq!(problems(&format!("q={words}")), []);
        let found = problems(&format!("q={words}&pattern=b"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message.starts_with("with the other filters: "));
    }

    #[test]
    fn a_bad_query_is_refused_or_searched_for_by_its_words() {
        let (_, note, problems) = read("q=a+system_id%3A(&level=loud", BadQuery::Refuse);
        assert_eq!(note, None);
        let names: Vec<_> = problems.iter().map(|p| p.parameter.as_str()).collect();
        assert_eq!(names, ["q", "level"]);
        assert!(problems[0].hint.is_some() && problems[0].column.is_some_and(|at| at > 2));
        let (filter, note, problems) = read("q=a+system_id%3A(", BadQuery::SearchWords);
        assert_eq!(problems, []);
        assert_eq!(note.expect("a note").parameter, "q");
        assert_eq!(filter.condition, query::words("a system_id:("));
    }
}
