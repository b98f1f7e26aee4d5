//! From text to condition: `OR`, `AND`, `NOT` and parentheses. What they join
//! is in `term` and `value`.

mod term;
mod value;

use std::ops::Range;

use domain::{Condition, Micros};

use crate::{
    MAX_BYTES, MAX_CONDITIONS, MAX_DEPTH, MAX_PATTERNS,
    cursor::{Cursor, ends_term},
    error::QueryError,
    name::Field,
    simplify,
};

const OR: &str = "OR";
const AND: &str = "AND";
const NOT: &str = "NOT";

type Answer = Result<Condition, QueryError>;

/// A query being read.
struct Parser<'a> {
    cursor: Cursor<'a>,
    now_us: Micros,
    conditions: usize,
    patterns: usize,
    depth: usize,
}

pub(crate) fn query(text: &str, now_us: Micros) -> Answer {
    let mut parser = Parser::new(text, now_us)?;
    if parser.cursor.peek().is_none() {
        return Ok(Condition::default());
    }
    let condition = parser.alternatives(None)?;
    match parser.cursor.peek() {
        None => Ok(condition),
        Some(_) => Err(parser.unopened()),
    }
}

/// The terms that all have to hold, each with its place; one for a query of
/// alternatives.
pub(crate) fn parts(
    text: &str,
    now_us: Micros,
) -> Result<Vec<(Range<usize>, Condition)>, QueryError> {
    let whole = query(text, now_us)?;
    let mut parser = Parser::new(text, now_us)?;
    let mut parts = Vec::new();
    while parser.cursor.peek().is_some() {
        let start = parser.cursor.at();
        let condition = parser.single(None, None)?;
        parts.push((start..parser.cursor.at(), condition));
        if parser.keyword(OR).is_some() {
            return Ok(vec![(0..text.len(), whole)]);
        }
        parser.keyword(AND);
    }
    Ok(parts)
}

impl<'a> Parser<'a> {
    /// At the first term of a query that is not too long.
    fn new(text: &'a str, now_us: Micros) -> Result<Self, QueryError> {
        let mut parser = Self {
            cursor: Cursor::new(text),
            now_us,
            conditions: 0,
            patterns: 0,
            depth: 0,
        };
        if text.len() > MAX_BYTES {
            let start = text.floor_char_boundary(MAX_BYTES);
            return Err(parser.cursor.error(
                start..text.len(),
                format!("the query has {} bytes", text.len()),
                format!("use at most {MAX_BYTES}"),
            ));
        }
        parser.cursor.skip_blanks();
        Ok(parser)
    }

    /// Terms joined by `OR`, to the end or a `)`. Within the parentheses after a
    /// field's name, terms are its values.
    fn alternatives(&mut self, field: Option<&Field>) -> Answer {
        let mut any = vec![self.sequence(field, None)?];
        while let Some(or) = self.keyword(OR) {
            any.push(self.sequence(field, Some(or))?);
        }
        Ok(simplify::any(any))
    }

    /// Terms side by side or joined by `AND`.
    fn sequence(&mut self, field: Option<&Field>, before: Option<Range<usize>>) -> Answer {
        let mut all = vec![self.single(field, before)?];
        loop {
            let and = self.keyword(AND);
            if and.is_none() && self.is_at_end_of_sequence() {
                return Ok(simplify::all(all));
            }
            all.push(self.single(field, and)?);
        }
    }

    /// A term, or the opposite of one. `before` is the word before it that makes
    /// it necessary.
    fn single(&mut self, field: Option<&Field>, before: Option<Range<usize>>) -> Answer {
        self.cursor.skip_blanks();
        self.expect_term(before)?;
        if let Some(not) = self.keyword(NOT) {
            self.deeper(not.clone())?;
            let inner = self.single(field, Some(not))?;
            self.depth -= 1;
            return Ok(simplify::not(inner));
        }
        let mut after = self.cursor.rest().chars().skip(1);
        let next = after.next();
        if self.cursor.peek() == Some('-') && next != Some('-') && !ends_term(next) {
            self.cursor.bump();
            return Ok(simplify::not(self.primary(field)?));
        }
        self.primary(field)
    }

    fn primary(&mut self, field: Option<&Field>) -> Answer {
        if self.cursor.peek() == Some('(') {
            return self.group(field);
        }
        self.count()?;
        match field {
            Some(field) => self.value(field),
            None => self.term(),
        }
    }

    /// From a `(` to behind its `)`.
    fn group(&mut self, field: Option<&Field>) -> Answer {
        let open = self.cursor.at()..self.cursor.at() + 1;
        self.deeper(open.clone())?;
        self.cursor.bump();
        self.cursor.skip_blanks();
        if self.cursor.eat(')') {
            return Err(self.cursor.error(
                open.start..self.cursor.at(),
                "there is nothing between these parentheses",
                "put a word between them, or write \"()\" in quotes to search for them",
            ));
        }
        if self.cursor.peek().is_none() {
            return Err(self.unclosed(open));
        }
        let inner = self.alternatives(field)?;
        if !self.cursor.eat(')') {
            return Err(self.unclosed(open));
        }
        self.depth -= 1;
        Ok(inner)
    }

    /// Passes blanks and this word, if it is next.
    fn keyword(&mut self, word: &str) -> Option<Range<usize>> {
        self.cursor.skip_blanks();
        let start = self.cursor.at();
        let next = self.cursor.rest().strip_prefix(word)?.chars().next();
        if !ends_term(next) && next != Some('(') {
            return None;
        }
        self.cursor.skip(word.len());
        Some(start..self.cursor.at())
    }

    fn is_at_end_of_sequence(&mut self) -> bool {
        let start = self.cursor.at();
        let is_or = self.keyword(OR).is_some();
        self.cursor.back_to(start);
        self.cursor.skip_blanks();
        is_or || matches!(self.cursor.peek(), None | Some(')'))
    }

    fn expect_term(&mut self, before: Option<Range<usize>>) -> Result<(), QueryError> {
        let start = self.cursor.at();
        let next = self.keyword(OR).or_else(|| self.keyword(AND));
        self.cursor.back_to(start);
        let is_end = matches!(self.cursor.peek(), None | Some(')'));
        let (span, side) = match (before, next) {
            (Some(before), _) if is_end => (before, "after"),
            (_, Some(next)) => (next, "before"),
            (None, None) if is_end => return Err(self.unopened()),
            _ => return Ok(()),
        };
        let word = self.cursor.slice(span.clone());
        Err(self.cursor.error(
            span,
            format!("`{word}` has nothing {side} it"),
            format!("put a word there, or write \"{word}\" in quotes to search for it"),
        ))
    }

    /// The error at a `)`.
    fn unopened(&self) -> QueryError {
        self.cursor.error(
            self.cursor.at()..self.cursor.at() + 1,
            "this `)` closes nothing",
            "remove it, or write \")\" in quotes to search for it",
        )
    }

    fn unclosed(&self, open: Range<usize>) -> QueryError {
        self.cursor.error(
            open,
            "this parenthesis is not closed",
            "put a `)` at its end, or write \"(\" in quotes to search for it",
        )
    }

    fn deeper(&mut self, span: Range<usize>) -> Result<(), QueryError> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self.cursor.error(
            span,
            "the query is nested too deeply",
            format!("use at most {MAX_DEPTH} parentheses and NOTs around a word"),
        ))
    }

    fn count(&mut self) -> Result<(), QueryError> {
        self.conditions += 1;
        if self.conditions <= MAX_CONDITIONS {
            return Ok(());
        }
        let at = self.cursor.at();
        Err(self.cursor.error(
            at..self.cursor.end_of_word().max(at),
            "the query has too many words",
            format!("use at most {MAX_CONDITIONS}; a phrase in quotes counts as one"),
        ))
    }

    fn count_pattern(&mut self, span: Range<usize>) -> Result<(), QueryError> {
        self.patterns += 1;
        if self.patterns <= MAX_PATTERNS {
            return Ok(());
        }
        Err(self.cursor.error(
            span,
            "the query has too many regular expressions",
            format!("use at most {MAX_PATTERNS}; `(?:a|b)` joins two"),
        ))
    }
}
