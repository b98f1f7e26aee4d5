//! Views of the log with a name, the same for all who look.

use std::fmt;

use crate::{Micros, fold};

/// How many there may be.
pub const MAX_SAVED_SEARCHES: usize = 1_000;

/// A view of the log with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSearch {
    /// What people call it.
    pub name: SearchName,
    /// What it shows.
    pub query: SearchQuery,
    /// When it was saved first.
    pub created_us: Micros,
    /// When it was changed last.
    pub updated_us: Micros,
}

/// The name of a saved search: 1 to [`SearchName::MAX_CHARS`] characters
/// without control characters, and without blanks around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchName(String);

/// The query part of the log page's URL, as it stands there: at most
/// [`SearchQuery::MAX_BYTES`] bytes, may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery(String);

/// Why something cannot be saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedSearchError {
    /// Nothing but blanks.
    #[error("the name is empty: give it one")]
    EmptyName,
    /// Too many characters.
    #[error("the name has {0} characters: {max} are the most", max = SearchName::MAX_CHARS)]
    LongName(usize),
    /// A character that cannot be seen.
    #[error("the name has the control character U+{0:04X}: leave it out")]
    ControlInName(u32),
    /// Too many bytes.
    #[error("the view's address has {0} bytes: {max} are the most", max = SearchQuery::MAX_BYTES)]
    LongQuery(usize),
    /// A character that the query part of a URL cannot have.
    #[error("the view's address has the character {0:?}: percent-encode it")]
    StrangeQuery(char),
}

impl SearchName {
    /// Most characters of a name.
    pub const MAX_CHARS: usize = 100;

    /// A name without the blanks around it.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(text: &str) -> Result<Self, SavedSearchError> {
        let name = text.trim();
        if let Some(control) = name.chars().find(|c| c.is_control()) {
            return Err(SavedSearchError::ControlInName(control.into()));
        }
        match name.chars().count() {
            0 => Err(SavedSearchError::EmptyName),
            1..=Self::MAX_CHARS => Ok(Self(name.to_owned())),
            count => Err(SavedSearchError::LongName(count)),
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What tells it from others: case does not.
    #[must_use]
    pub fn key(&self) -> String {
        fold(&self.0).into_owned()
    }
}

impl fmt::Display for SearchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SearchName> for String {
    fn from(name: SearchName) -> Self {
        name.0
    }
}

impl From<SearchQuery> for String {
    fn from(query: SearchQuery) -> Self {
        query.0
    }
}

impl SearchQuery {
    /// Most bytes of a query.
    pub const MAX_BYTES: usize = 8_192;

    /// A query as it stands in a URL.
    ///
    /// # Errors
    /// When it cannot stand there.
    pub fn new(text: &str) -> Result<Self, SavedSearchError> {
        if text.len() > Self::MAX_BYTES {
            return Err(SavedSearchError::LongQuery(text.len()));
        }
        match text.chars().find(|c| !is_of_query(*c)) {
            Some(strange) => Err(SavedSearchError::StrangeQuery(strange)),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// As it stands in the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 3986, section 3.4.
fn is_of_query(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%".contains(c)
}

#[cfg(test)]
mod tests {
    use super::{SavedSearchError, SearchName, SearchQuery};

    #[test]
    fn names_are_checked() {
        let check = |text: &str, expected: Result<&str, SavedSearchError>| {
            let name = SearchName::new(text);
            let found = name.as_ref().map(SearchName::as_str).map_err(Clone::clone);
            assert_eq!(found, expected, "{text:?}");
        };
        check("last night", Ok("last night"));
        check("  Größe 漢 \n", Ok("Größe 漢"));
        check("", Err(SavedSearchError::EmptyName));
        check(" \t ", Err(SavedSearchError::EmptyName));
        check("a\tb", Err(SavedSearchError::ControlInName(9)));
        check("a\0", Err(SavedSearchError::ControlInName(0)));
        let longest = "ü".repeat(100);
        check(&longest, Ok(&longest));
        check(&format!("{longest}x"), Err(SavedSearchError::LongName(101)));
    }

    #[test]
    fn case_tells_no_names_apart() {
        let key = |text: &str| SearchName::new(text).unwrap().key();
        assert_eq!(key("Last NIGHT"), key(" last night"));
        assert_eq!(key("GRÖ"), key("grö"));
        assert_ne!(key("a b"), key("ab"));
    }

    #[test]
    fn queries_are_checked() {
        let check = |text: &str, expected: Result<(), SavedSearchError>| {
            assert_eq!(SearchQuery::new(text).map(drop), expected, "{text:?}");
        };
        check("", Ok(()));
        check("q=disk+%22full%22&level=ERROR&from=-1h&tail=1", Ok(()));
        check("q=a b", Err(SavedSearchError::StrangeQuery(' ')));
        check("q=\"a\"", Err(SavedSearchError::StrangeQuery('"')));
        check("q=a#b", Err(SavedSearchError::StrangeQuery('#')));
        check("q=ü", Err(SavedSearchError::StrangeQuery('ü')));
        check("q=a\r\nb", Err(SavedSearchError::StrangeQuery('\r')));
        check(&"a".repeat(8_192), Ok(()));
        check(&"a".repeat(8_193), Err(SavedSearchError::LongQuery(8_193)));
    }
}
