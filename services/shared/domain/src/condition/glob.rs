//! A text with wildcards.

/// Pieces of text with anything between them: `bill*` is `["bill", ""]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glob {
    pieces: Vec<String>,
}

impl Glob {
    /// These pieces in order, with any text, also none, between two of them.
    /// The text begins with the first and ends with the last.
    #[must_use]
    pub fn new(pieces: Vec<String>) -> Self {
        Self { pieces }
    }

    /// The pieces between the wildcards.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Whether a text looks like this, case included. Linear in practice: the
    /// leftmost place of each piece is as good as any other.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = &self.pieces[..] else {
            return self.pieces.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for piece in middle {
            let Some(at) = rest.find(piece.as_str()) else {
                return false;
            };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn wildcards_stand_for_anything() {
        let check = |glob: &str, text: &str, expected| {
            let glob = Glob::new(glob.split('*').map(str::to_owned).collect());
            assert_eq!(glob.matches(text), expected, "{glob:?} {text}");
        };
        check("bill*", "billing", true);
        check("bill*", "bill", true);
        check("bill*", "Billing", false);
        check("*ing", "billing", true);
        check("b*l*g", "billing", true);
        check("b*g*g", "billing", false);
        check("*", "", true);
        check("a*a", "a", false);
        check("a*a", "aa", true);
        check("a", "a", true);
        check("a", "ab", false);
        check("ä*%_", "äöü%_", true);
    }
}
