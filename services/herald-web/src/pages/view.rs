//! What a page of records shows, as links keep it: the parameters of its URL, with the
//! query taken apart so that single parts can be added, turned around and removed.

use domain::{Condition, Micros, RecordFilter, TextField, TextTest};
use query::Part;
use render::Highlights;

use crate::request::{Parameters, link};

/// What says where in a list one is; a link to other records leaves it out.
const PLACE: [(&str, Option<&str>); 4] = [
    ("before", None),
    ("after", None),
    ("open", None),
    ("find", None),
];
/// Longest value that a parameter is used for, in bytes.
const MAX_VALUE_BYTES: usize = 200;

/// A page's parameters.
#[derive(Debug)]
pub(super) struct View {
    parameters: Parameters,
    parts: Vec<Part>,
    highlights: Highlights,
    now: Micros,
}

impl View {
    /// `filter` is what the parameters have been read as.
    pub(super) fn new(parameters: Parameters, filter: &RecordFilter, now: Micros) -> Self {
        let text = parameters.get("q").unwrap_or_default();
        // What is no query is searched for by its words: those are its parts then.
        let parts = query::parts(text, now).unwrap_or_else(|_| match query::words(text) {
            Condition::All(words) => words.into_iter().map(Part::new).collect(),
            word => vec![Part::new(word)],
        });
        Self {
            parameters,
            parts,
            highlights: Highlights::of(&filter.condition),
            now,
        }
    }

    /// The parameters as they were given.
    pub(super) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What all has to hold by the query.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What is set off in texts.
    pub(super) fn highlights(&self) -> &Highlights {
        &self.highlights
    }

    /// The time that relative ones count from.
    pub(super) fn now(&self) -> Micros {
        self.now
    }

    /// This very place with some parameters changed or (`None`) left out.
    pub(super) fn here(&self, changes: &[(&str, Option<&str>)]) -> String {
        link(&self.parameters, changes)
    }

    /// The first page with some parameters changed or left out.
    pub(super) fn first(&self, changes: &[(&str, Option<&str>)]) -> String {
        first(&self.parameters, changes)
    }

    /// The first page of records with this value of a context field only; `None` for
    /// a value too long for a link.
    pub(super) fn include(&self, field: TextField, value: &str) -> Option<String> {
        if value.len() > MAX_VALUE_BYTES {
            return None;
        }
        Some(match is_filterable(value) {
            true => self.first(&[(field.name(), Some(value))]),
            false => self.with(is(field, value), &[]),
        })
    }

    /// The first page of records without this value of a field; `None` as above.
    pub(super) fn exclude(&self, field: TextField, value: &str) -> Option<String> {
        if value.len() > MAX_VALUE_BYTES {
            return None;
        }
        let name = field.name();
        let is_included = self.parameters.get(name) == Some(value);
        let changes: &[_] = if is_included { &[(name, None)] } else { &[] };
        Some(self.with(Condition::Not(Box::new(is(field, value))), changes))
    }

    /// The first page with one more part in the query.
    pub(super) fn with(&self, condition: Condition, changes: &[(&str, Option<&str>)]) -> String {
        let part = Part::new(condition);
        let mut parts = self.parts.clone();
        if !parts.contains(&part) {
            parts.push(part);
        }
        self.asking(&parts, changes)
    }

    /// The first page with this part of the query turned around.
    pub(super) fn flipped(&self, at: usize) -> String {
        let mut parts = self.parts.clone();
        parts[at] = parts[at].flipped(self.now);
        self.asking(&parts, &[])
    }

    /// The first page without this part of the query.
    pub(super) fn without(&self, at: usize) -> String {
        let mut parts = self.parts.clone();
        parts.remove(at);
        self.asking(&parts, &[])
    }

    fn asking(&self, parts: &[Part], changes: &[(&str, Option<&str>)]) -> String {
        let text = query::join(parts);
        let q = (!text.is_empty()).then_some(text.as_str());
        let changes: Vec<_> = changes.iter().copied().chain([("q", q)]).collect();
        self.first(&changes)
    }
}

/// The first page with one more filter.
pub(super) fn filtered(parameters: &Parameters, name: &str, value: &str) -> String {
    first(parameters, &[(name, Some(value))])
}

/// The first page with some parameters changed or left out.
pub(super) fn first(parameters: &Parameters, changes: &[(&str, Option<&str>)]) -> String {
    let changes: Vec<_> = PLACE.iter().chain(changes).copied().collect();
    link(parameters, &changes)
}

/// Whether a parameter can hold the value: parameters are trimmed and short.
pub(super) fn is_filterable(value: &str) -> bool {
    !value.is_empty() && value.len() <= MAX_VALUE_BYTES && value.trim() == value
}

fn is(field: TextField, value: &str) -> Condition {
    Condition::Text(field, TextTest::Is(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use domain::TextField;

    use super::View;
    use crate::request::{BadQuery, LimitRule, PAGE, Parameters, read_records};

    fn view(query: &str) -> View {
        let parameters = Parameters::read(Some(query), PAGE);
        let rule = LimitRule { max: 100, hint: "" };
        let request = read_records(&parameters, 0, rule, BadQuery::SearchWords);
        assert_eq!(request.problems, [], "{query}");
        View::new(parameters, &request.query.filter, 0)
    }

    #[test]
    fn values_are_included_and_excluded() {
        let check = |query: &str, value: &str, included: &str, excluded: &str| {
            let view = view(query);
            let found = (
                view.include(TextField::System, value),
                view.exclude(TextField::System, value),
            );
            let expected = (Some(included.to_owned()), Some(excluded.to_owned()));
            assert_eq!(found, expected, "{query}");
        };
        check("", "shop", "/?system_id=shop", "/?q=-system_id%3Ashop");
        check(
            "q=disk&before=7",
            "a b",
            "/?q=disk&system_id=a+b",
            "/?q=disk+-system_id%3A%22a+b%22",
        );
        check(
            "q=a+OR+b",
            "",
            "/?q=%28a+OR+b%29+system_id%3A%22%22",
            "/?q=%28a+OR+b%29+-system_id%3A%22%22",
        );
        check(
            "system_id=shop&limit=5",
            "shop",
            "/?limit=5&system_id=shop",
            "/?limit=5&q=-system_id%3Ashop",
        );
        check(
            "q=(read",
            "x",
            "/?q=%28read&system_id=x",
            "/?q=%22%28read%22+-system_id%3Ax",
        );
    }

    #[test]
    fn a_long_value_has_no_links() {
        let view = view("");
        assert_eq!(view.include(TextField::System, &"x".repeat(201)), None);
        assert_eq!(view.exclude(TextField::System, &"x".repeat(201)), None);
    }

    #[test]
    fn parts_are_turned_around_and_removed() {
        let view = view("q=created%3E%3D-1h+-disk&order=asc&open=3");
        assert_eq!(view.flipped(1), "/?order=asc&q=created%3E%3D-1h+disk");
        assert_eq!(view.without(1), "/?order=asc&q=created%3E%3D-1h");
        assert_eq!(view.without(0), "/?order=asc&q=-disk");
    }
}
