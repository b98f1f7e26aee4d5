//! A place in a query's text, always between two characters.

use std::ops::Range;

use crate::error::QueryError;

pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// What lies ahead.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn slice(&self, span: Range<usize>) -> &'a str {
        &self.text[span]
    }

    /// What has been passed since `start`.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn bump(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    pub(crate) fn eat(&mut self, letter: char) -> bool {
        let is_next = self.peek() == Some(letter);
        if is_next {
            self.at += letter.len_utf8();
        }
        is_next
    }

    /// Passes so many bytes of [`Cursor::rest`].
    pub(crate) const fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(crate) const fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(crate) fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Whether a term ends here.
    pub(crate) fn is_at_end_of_term(&self) -> bool {
        ends_term(self.peek())
    }

    /// The end of the word that lies ahead: a blank, or a `)` that closes
    /// nothing opened in the word.
    pub(crate) fn end_of_word(&self) -> usize {
        let mut depth = 0_usize;
        for (at, letter) in self.rest().char_indices() {
            match letter {
                '(' => depth += 1,
                ')' if depth == 0 => return self.at + at,
                ')' => depth -= 1,
                letter if letter.is_whitespace() => return self.at + at,
                _ => {}
            }
        }
        self.text.len()
    }

    /// Passes the word that lies ahead.
    pub(crate) fn word(&mut self) -> &'a str {
        let start = self.at;
        self.at = self.end_of_word();
        self.since(start)
    }

    pub(crate) fn error(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> QueryError {
        QueryError::new(self.text, span, message, hint)
    }
}

/// Whether a term ends before this character, or the end of the text.
pub(crate) fn ends_term(next: Option<char>) -> bool {
    next.is_none_or(|letter| letter == ')' || letter.is_whitespace())
}
