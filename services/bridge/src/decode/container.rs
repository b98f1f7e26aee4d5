//! Containers that are being written: their notation and what is left of them.

use super::document::{Cursor, Document, Id};

/// Whose notation a value is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    Json,
    Python,
}

/// What surrounds and separates the parts of a container.
pub(super) struct Punctuation {
    pub(super) open: &'static str,
    pub(super) between: &'static str,
    pub(super) close: &'static str,
}

pub(super) const JSON_ARRAY: Punctuation = punctuation("[", ",", "]");
pub(super) const JSON_OBJECT: Punctuation = punctuation("{", ",", "}");
pub(super) const LIST: Punctuation = punctuation("[", ", ", "]");
pub(super) const TUPLE: Punctuation = punctuation("(", ", ", ")");
pub(super) const ONE_TUPLE: Punctuation = punctuation("(", ", ", ",)");
pub(super) const BRACES: Punctuation = punctuation("{", ", ", "}");
/// A value by itself, in Python's notation within a JSON string.
pub(super) const ALONE: Punctuation = punctuation("", "", "");

const fn punctuation(
    open: &'static str,
    between: &'static str,
    close: &'static str,
) -> Punctuation {
    Punctuation {
        open,
        between,
        close,
    }
}

/// What is still to be written of a container.
pub(super) enum Walk {
    One(Option<Id>),
    Items(Cursor),
    /// Lists of a key and a value, walked as keys and values in turn.
    Listed {
        outer: Cursor,
        value: Option<Id>,
    },
}

impl Walk {
    /// The next part.
    pub(super) fn next(&mut self, document: &Document<'_>) -> Option<Id> {
        match self {
            Self::One(id) => id.take(),
            Self::Items(cursor) => cursor.next(document),
            Self::Listed { outer, value } => {
                if let Some(value) = value.take() {
                    return Some(value);
                }
                let pair = document.items(outer.next(document)?)?;
                let [key, found] = document.exactly(pair)?;
                *value = Some(found);
                Some(key)
            }
        }
    }
}

/// A container that is being written.
pub(super) struct Open {
    pub(super) id: Id,
    pub(super) walk: Walk,
    pub(super) punctuation: &'static Punctuation,
    pub(super) notation: Notation,
    pub(super) in_pairs: bool,
    pub(super) written: usize,
    /// Whether a JSON string ends with it.
    pub(super) ends_string: bool,
}
