//! Who changes something.

use std::net::IpAddr;

/// Longest name, in characters.
const MAX_NAME: usize = 100;

/// Who changes something, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// How they are known.
    pub kind: AuthorKind,
    /// The name that goes with it; empty for nobody in particular.
    pub name: String,
    /// For whom a program says that it asks; nobody has checked that.
    pub said: String,
    /// Where they ask from; none when that is not known.
    pub address: Option<IpAddr>,
}

/// How somebody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorKind {
    /// Signed in at herald-web, by this user's name.
    User,
    /// A program with a token of this name.
    Token,
    /// Somebody whom a proxy in front of herald-web names.
    Proxy,
    /// Whoever has the link in a mail about an alert.
    Link,
    /// Somebody at herald-web who has not said who they are.
    Unsigned,
    /// A client of the store itself, by the URI of its certificate.
    Client,
}

/// A name of an author that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorError {
    /// Longer than there is room for.
    #[error("a name has more than {MAX_NAME} characters")]
    TooLong,
    /// It has a control character.
    #[error("a name has a control character")]
    Control,
    /// The address is none.
    #[error("the address is no IP address")]
    Address,
}

impl AuthorKind {
    /// Its name for programs, such as `token`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Token => "token",
            Self::Proxy => "proxy",
            Self::Link => "link",
            Self::Unsigned => "unsigned",
            Self::Client => "client",
        }
    }
}

impl Author {
    /// Checks names; `address` is empty when it is not known.
    ///
    /// # Errors
    /// A name is too long or has control characters, or the address is none.
    pub fn new(
        kind: AuthorKind,
        name: String,
        said: String,
        address: &str,
    ) -> Result<Self, AuthorError> {
        for text in [&name, &said] {
            if text.chars().count() > MAX_NAME {
                return Err(AuthorError::TooLong);
            }
            if text.contains(char::is_control) {
                return Err(AuthorError::Control);
            }
        }
        let address = match address {
            "" => None,
            address => Some(address.parse().map_err(|_| AuthorError::Address)?),
        };
        Ok(Self {
            kind,
            name,
            said,
            address,
        })
    }

    /// Somebody of whom there is more to say than there is room for: names are cut, and
    /// control characters replaced.
    #[must_use]
    pub fn cut(kind: AuthorKind, name: &str, said: &str, address: Option<IpAddr>) -> Self {
        let cut = |text: &str| -> String {
            let plain = |c: char| match c.is_control() {
                true => '\u{fffd}',
                false => c,
            };
            text.chars().take(MAX_NAME).map(plain).collect()
        };
        Self {
            kind,
            name: cut(name),
            said: cut(said),
            address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Author, AuthorError, AuthorKind};

    #[test]
    fn names_are_bounded_and_plain() {
        let check = |name: &str, address: &str, expected: Option<AuthorError>| {
            for (name, said) in [(name, ""), ("", name)] {
                let author =
                    Author::new(AuthorKind::Token, name.to_owned(), said.to_owned(), address);
                assert_eq!(author.err(), expected, "{name:?} {address:?}");
            }
        };
        check("", "", None);
        check("Jürgen", "2001:db8::1", None);
        check(&"ü".repeat(100), "192.0.2.1", None);
        check(&"x".repeat(101), "", Some(AuthorError::TooLong));
        check("a\nb", "", Some(AuthorError::Control));
        check("a", "localhost", Some(AuthorError::Address));
    }

    #[test]
    fn what_is_too_much_is_cut() {
        let author = Author::cut(AuthorKind::Token, "a\u{1b}b", &"é".repeat(200), None);
        let whole = Author::new(author.kind, author.name.clone(), author.said.clone(), "");
        assert_eq!(whole, Ok(author.clone()));
        assert_eq!(author.name, "a\u{fffd}b");
        assert_eq!(author.said.chars().count(), 100);
    }
}
