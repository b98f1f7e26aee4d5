//! Values of fields.

use std::ops::{Bound, Range};

use domain::{Condition, Decimal, ExtraTest, Glob, Pattern, TextTest};

use super::{Answer, Parser};
use crate::{
    error::{QueryError, shown},
    name::Field,
    number::{self, Operator},
    quote,
    simplify::{self, exactly, without_double_wildcards},
};

/// What a value says of a text.
enum Value {
    /// `*`
    Present,
    /// `=text`
    Exact(String),
    /// `~text`
    Part(String),
    /// `/pattern/`
    Pattern(Pattern),
    /// Text without wildcards, and whether it was quoted.
    Text(String, bool),
    /// Text with wildcards.
    Glob(Glob),
}

impl Parser<'_> {
    /// What stands behind a field's name and operator; `name` is where the name
    /// stands.
    pub(super) fn comparison(
        &mut self,
        field: &Field,
        operator: Operator,
        name: Range<usize>,
    ) -> Answer {
        if self.cursor.is_at_end_of_term() {
            let span = name.start..self.cursor.at();
            let text = self.cursor.slice(span.clone());
            let shown = shown(text);
            return Err(self.cursor.error(
                span,
                format!("`{shown}` has no value"),
                format!("put one right behind it, or write \"{shown}\" in quotes to search for it"),
            ));
        }
        match operator {
            Operator::Is | Operator::Not => {
                let condition = if self.cursor.peek() == Some('(') {
                    self.group(Some(field))?
                } else {
                    self.value_of(field, operator)?
                };
                Ok(match operator {
                    Operator::Not => simplify::not(condition),
                    _ => condition,
                })
            }
            operator => self.value_of(field, operator),
        }
    }

    /// A value within the parentheses after a field's name.
    pub(super) fn value(&mut self, field: &Field) -> Answer {
        self.value_of(field, Operator::Is)
    }

    fn value_of(&mut self, field: &Field, operator: Operator) -> Answer {
        let is_order = !matches!(operator, Operator::Is | Operator::Not);
        match field {
            Field::Number(field) => {
                let (text, span) = self.plain()?;
                let range = number::range(*field, operator, &text, self.now_us);
                let range =
                    range.map_err(|fault| self.cursor.error(span, fault.message, fault.hint))?;
                Ok(Condition::Number(*field, range))
            }
            Field::Text(field) if is_order => {
                let start = self.cursor.at();
                let name = field.name();
                let operator = operator.text();
                Err(self.cursor.error(
                    start - operator.len()..start,
                    format!("`{name}` is a text, which `{operator}` does not compare"),
                    format!("use `{name}:`, or quotes to search for this as text"),
                ))
            }
            Field::Text(field) => Ok(match self.text_value()? {
                Value::Present => {
                    let is_empty = Condition::Text(*field, TextTest::Is(String::new()));
                    simplify::not(is_empty)
                }
                Value::Text(text, _) if field.is_prose() && !text.is_empty() => {
                    Condition::Text(*field, TextTest::Contains(text))
                }
                Value::Text(text, _) | Value::Exact(text) => {
                    Condition::Text(*field, TextTest::Is(text))
                }
                Value::Part(text) => Condition::Text(*field, TextTest::Contains(text)),
                Value::Pattern(pattern) => Condition::Text(*field, TextTest::Finds(pattern)),
                Value::Glob(glob) => Condition::Text(*field, TextTest::Like(glob)),
            }),
            Field::Extra(path) => {
                let test = if is_order {
                    self.extra_order(operator)?
                } else {
                    self.extra_value()?
                };
                Ok(Condition::Extra(path.clone(), test))
            }
        }
    }

    fn extra_value(&mut self) -> Result<ExtraTest, QueryError> {
        Ok(ExtraTest::Text(match self.text_value()? {
            Value::Present => return Ok(ExtraTest::Exists),
            Value::Text(text, false) => match numbers_between(&text) {
                Some(test) => return Ok(test),
                None => TextTest::Is(text),
            },
            Value::Text(text, true) => TextTest::Is(text),
            Value::Exact(text) => exactly(text),
            Value::Part(text) => TextTest::Contains(text),
            Value::Pattern(pattern) => TextTest::Finds(pattern),
            Value::Glob(glob) => TextTest::Like(glob),
        }))
    }

    /// `>=5`, `>5..9`, `>=5..<9`, `>=..`, `<9`.
    fn extra_order(&mut self, operator: Operator) -> Result<ExtraTest, QueryError> {
        let (text, span) = self.plain()?;
        let number = |text: &str| {
            text.parse::<Decimal>().map_err(|_| {
                self.cursor.error(
                    span.clone(),
                    format!("`{}` is no number", shown(text)),
                    "write it as in `extra.ms>=10.5` or `extra.ms>=5..<9`",
                )
            })
        };
        Ok(match operator {
            Operator::AtMost => {
                ExtraTest::Number(Bound::Unbounded, Bound::Included(number(&text)?))
            }
            Operator::Below => ExtraTest::Number(Bound::Unbounded, Bound::Excluded(number(&text)?)),
            operator => {
                let (min, max) = match text.split_once("..") {
                    Some((min, max)) => (min, Some(max)),
                    None => (&text[..], None),
                };
                let min = match (min, max) {
                    ("", Some(_)) => Bound::Unbounded,
                    (min, _) if operator == Operator::Above => Bound::Excluded(number(min)?),
                    (min, _) => Bound::Included(number(min)?),
                };
                let max = match max {
                    None | Some("") => Bound::Unbounded,
                    Some(max) => match max.strip_prefix('<') {
                        Some(max) => Bound::Excluded(number(max)?),
                        None => Bound::Included(number(max)?),
                    },
                };
                ExtraTest::Number(min, max)
            }
        })
    }

    /// Text in quotes, or to the end of the word, and where it stands.
    fn plain(&mut self) -> Result<(String, Range<usize>), QueryError> {
        let start = self.cursor.at();
        let text = if self.cursor.peek() == Some('"') {
            let text = quote::read(&mut self.cursor)?;
            self.expect_end_of_quoted()?;
            text
        } else {
            self.cursor.word().to_owned()
        };
        Ok((text, start..self.cursor.at()))
    }

    fn text_value(&mut self) -> Result<Value, QueryError> {
        let start = self.cursor.at();
        let value = match self.cursor.peek() {
            Some('=') => Value::Exact(self.after_sign(start)?),
            Some('~') => Value::Part(self.after_sign(start)?),
            Some('/') => match self.pattern()? {
                Some(pattern) => Value::Pattern(pattern),
                None => self.pieces()?,
            },
            _ => self.pieces()?,
        };
        Ok(value)
    }

    fn after_sign(&mut self, start: usize) -> Result<String, QueryError> {
        self.cursor.bump();
        if self.cursor.is_at_end_of_term() {
            let sign = self.cursor.since(start);
            return Err(self.cursor.error(
                start..self.cursor.at(),
                format!("`{sign}` has no value"),
                "put one right behind it; an empty text is `\"\"`",
            ));
        }
        let is_quoted = self.cursor.peek() == Some('"');
        let (text, span) = self.plain()?;
        match text.find('"').filter(|_| !is_quoted) {
            Some(quote) => Err(self.inner_quote(span.start + quote)),
            None => Ok(text),
        }
    }

    /// Words and quoted texts with wildcards between them.
    fn pieces(&mut self) -> Result<Value, QueryError> {
        let mut pieces = vec![String::new()];
        let mut depth = 0_usize;
        let mut is_quoted = false;
        let mut is_piece_begun = false;
        while let Some(letter) = self.cursor.peek() {
            match letter {
                '"' if is_piece_begun => return Err(self.inner_quote(self.cursor.at())),
                '"' => {
                    let text = quote::read(&mut self.cursor)?;
                    if self.cursor.peek() != Some('*') {
                        self.expect_end_of_quoted()?;
                    }
                    push(&mut pieces, &text);
                    is_quoted = true;
                    is_piece_begun = true;
                    continue;
                }
                '*' => {
                    pieces.push(String::new());
                    is_piece_begun = false;
                }
                ')' if depth == 0 => break,
                letter if letter.is_whitespace() => break,
                letter => {
                    match letter {
                        '(' => depth += 1,
                        ')' => depth -= 1,
                        _ => {}
                    }
                    push(&mut pieces, letter.encode_utf8(&mut [0; 4]));
                    is_piece_begun = true;
                }
            }
            self.cursor.bump();
        }
        let is_empty = pieces.iter().all(String::is_empty);
        Ok(match pieces.len() {
            1 => Value::Text(pieces.remove(0), is_quoted),
            2 if is_empty && !is_quoted => Value::Present,
            _ => Value::Glob(Glob::new(without_double_wildcards(&pieces))),
        })
    }

    fn inner_quote(&self, at: usize) -> QueryError {
        self.cursor.error(
            at..at + 1,
            "a quote stands inside a word",
            "put the whole value in quotes; inside, `\\\"` is a quote",
        )
    }
}

fn push(pieces: &mut [String], text: &str) {
    if let Some(last) = pieces.last_mut() {
        last.push_str(text);
    }
}

/// `5..9`, `5..` or `..9`.
fn numbers_between(text: &str) -> Option<ExtraTest> {
    let (min, max) = text.split_once("..")?;
    let bound = |text: &str| match text {
        "" => Some(Bound::Unbounded),
        text => text.parse::<Decimal>().ok().map(Bound::Included),
    };
    if min.is_empty() && max.is_empty() {
        return None;
    }
    Some(ExtraTest::Number(bound(min)?, bound(max)?))
}
