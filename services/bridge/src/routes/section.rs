//! One table of the file: takes its keys one by one, and at the end says which it
//! has not understood.

use std::{cell::RefCell, ops::Range, rc::Rc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::problem::{Problem, one_of};

/// Everything that is wrong, and where lines begin.
#[derive(Debug, Clone)]
pub(super) struct Problems<'t> {
    text: &'t str,
    list: Rc<RefCell<Vec<Problem>>>,
}

impl<'t> Problems<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self {
            text,
            list: Rc::default(),
        }
    }

    /// Something at `at` is wrong.
    pub(super) fn add(&self, at: &Range<usize>, message: impl Into<String>, hint: &str) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        self.list.borrow_mut().push(Problem {
            line: before.matches('\n').count() + 1,
            message: message.into(),
            hint: hint.to_owned(),
        });
    }

    /// All of them, in the order of their lines, each once.
    pub(super) fn sorted(&self) -> Vec<Problem> {
        let mut list = self.list.borrow().clone();
        list.sort();
        list.dedup();
        list
    }
}

/// A value and where it stands.
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) at: Range<usize>,
}

/// A table.
pub(super) struct Section<'t, 'v> {
    pub(super) at: Range<usize>,
    /// How to call it, such as ``destination `x` ``.
    pub(super) title: String,
    table: &'v DeTable<'t>,
    known: &'static [&'static str],
    problems: Problems<'t>,
}

impl<'t, 'v> Section<'t, 'v> {
    /// A table that may have the keys `known`; others are problems.
    pub(super) fn new(
        at: Range<usize>,
        title: &str,
        table: &'v DeTable<'t>,
        known: &'static [&'static str],
        problems: &Problems<'t>,
    ) -> Self {
        for key in table.keys() {
            let name = key.get_ref();
            if !known.contains(&&**name) {
                let message = format!("`{name}` is no key of a {title}");
                problems.add(&key.span(), message, &one_of(name, known));
            }
        }
        Self {
            at,
            title: title.to_owned(),
            table,
            known,
            problems: problems.clone(),
        }
    }

    fn value(&self, key: &str) -> Option<(&'v DeValue<'t>, Range<usize>)> {
        debug_assert!(self.known.contains(&key));
        let value: &Spanned<DeValue<'t>> = self.table.get(key)?;
        Some((value.get_ref(), value.span()))
    }

    /// A text; one of another type is a problem.
    pub(super) fn text(&self, key: &str) -> Option<Placed<&'v str>> {
        let (value, at) = self.value(key)?;
        let text = value.as_str();
        if text.is_none() {
            let message = format!("`{key}` is a text, not a {}", value.type_str());
            self.problems.add(&at, message, "put it in quotes");
        }
        Some(Placed { value: text?, at })
    }

    /// A text that must be there, and not empty.
    pub(super) fn required(&self, key: &str, hint: &str) -> Option<Placed<&'v str>> {
        if self.value(key).is_none() {
            let message = format!("a {} needs `{key}`", self.title);
            self.problems.add(&self.at, message, hint);
            return None;
        }
        let text = self.text(key)?;
        if text.value.is_empty() {
            self.problems
                .add(&text.at, format!("`{key}` is empty"), hint);
            return None;
        }
        Some(text)
    }

    /// A whole number of at least 1.
    pub(super) fn count(&self, key: &str) -> Option<std::num::NonZeroU32> {
        let (value, at) = self.value(key)?;
        let number = value
            .as_integer()
            .and_then(|it| u32::from_str_radix(&it.as_str().replace('_', ""), it.radix()).ok())
            .and_then(std::num::NonZeroU32::new);
        if number.is_none() {
            let message = format!("`{key}` is a whole number of at least 1");
            self.problems
                .add(&at, message, &format!("such as {key} = 5000"));
        }
        number
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str) -> Option<Vec<Placed<&'v str>>> {
        let (value, at) = self.value(key)?;
        let hint = format!("such as {key} = [\"...\"]");
        let Some(array) = value.as_array() else {
            let message = format!("`{key}` is a list of texts, not a {}", value.type_str());
            self.problems.add(&at, message, &hint);
            return None;
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(value) => texts.push(Placed {
                    value,
                    at: item.span(),
                }),
                None => self.problems.add(
                    &item.span(),
                    format!(
                        "`{key}` has texts only, not a {}",
                        item.get_ref().type_str()
                    ),
                    &hint,
                ),
            }
        }
        Some(texts)
    }

    /// Something about this table is wrong.
    pub(super) fn wrong(&self, at: &Range<usize>, message: impl Into<String>, hint: &str) {
        self.problems.add(at, message, hint);
    }
}
