//! Which records count as a record's neighbours.

use crate::{Condition, NumberField, NumberRange, Record, TextField, TextTest};

/// What a record's neighbours have in common with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ContextScope {
    /// Nothing.
    #[default]
    Everything,
    /// `system_id`.
    System,
    /// `system_id`, `sub_system_id` and `process`.
    Process,
}

impl ContextScope {
    /// What the neighbours of a record fulfil.
    #[must_use]
    pub fn condition(self, record: &Record) -> Condition {
        let same =
            |field: TextField| Condition::Text(field, TextTest::Is(field.of(record).into_owned()));
        match self {
            Self::Everything => Condition::default(),
            Self::System => same(TextField::System),
            Self::Process => Condition::All(vec![
                same(TextField::System),
                same(TextField::SubSystem),
                Condition::Number(NumberField::Process, NumberRange::only(record.process)),
            ]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ContextScope;
    use crate::Record;

    #[test]
    fn a_scope_is_what_neighbours_share() {
        let record = |system: &str, host: &str, process| Record {
            system_id: system.to_owned(),
            sub_system_id: host.to_owned(),
            process,
            ..Record::default()
        };
        let check = |other: Record, expected: [bool; 3]| {
            let scopes = [
                ContextScope::Everything,
                ContextScope::System,
                ContextScope::Process,
            ];
            let middle = record("shop", "web01", 7);
            let found = scopes.map(|scope| scope.condition(&middle).matches(&other));
            assert_eq!(found, expected, "{other:?}");
        };
        check(record("shop", "web01", 7), [true, true, true]);
        check(record("shop", "web01", 8), [true, true, false]);
        check(record("shop", "web02", 7), [true, true, false]);
        check(record("mail", "web01", 7), [true, false, false]);
    }
}
