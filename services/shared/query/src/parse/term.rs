//! Terms: words, phrases, patterns, and where a field's name begins.

use std::ops::Range;

use domain::{Condition, ExtraPath, Level, Pattern};

use super::{Answer, Parser};
use crate::{
    MAX_PATH_BYTES,
    cursor::ends_term,
    error::{QueryError, shown},
    name::{self, Field},
    number::Operator,
    quote,
};

impl Parser<'_> {
    pub(super) fn term(&mut self) -> Answer {
        match self.cursor.peek() {
            Some('"') => {
                let phrase = self.phrase()?;
                return Ok(Condition::Contains(phrase));
            }
            Some('/') => {
                if let Some(pattern) = self.pattern()? {
                    return Ok(Condition::Finds(pattern));
                }
            }
            _ => {}
        }
        if let Some(condition) = self.field()? {
            return Ok(condition);
        }
        self.expect_no_lone_operator()?;
        // Words are found inside longer ones: a wildcard at an end says nothing.
        let word = self.cursor.word().trim_matches('*');
        Ok(match word {
            "" => Condition::default(),
            word => Condition::Contains(word.to_owned()),
        })
    }

    fn phrase(&mut self) -> Result<String, QueryError> {
        let phrase = quote::read(&mut self.cursor)?;
        while self.cursor.eat('*') {}
        self.expect_end_of_quoted()?;
        Ok(phrase)
    }

    /// After a closing quote.
    pub(super) fn expect_end_of_quoted(&self) -> Result<(), QueryError> {
        let at = self.cursor.at();
        match self.cursor.peek() {
            Some(next) if !self.cursor.is_at_end_of_term() => Err(self.cursor.error(
                at..at + next.len_utf8(),
                "a blank is missing after the closing quote",
                "put one there; inside quotes, `\\\"` is a quote",
            )),
            _ => Ok(()),
        }
    }

    /// A pattern between slashes. The next slash that is not escaped has to be
    /// followed by a blank, a `)` or the end: `/var/log` is a word.
    pub(super) fn pattern(&mut self) -> Result<Option<Pattern>, QueryError> {
        let rest = self.cursor.rest();
        let Some(close) = closing_slash(rest) else {
            return Ok(None);
        };
        let start = self.cursor.at();
        let span = start..start + close + 1;
        self.count_pattern(span.clone())?;
        let mut text = String::with_capacity(close);
        let mut letters = rest[1..close].chars();
        while let Some(letter) = letters.next() {
            match (letter, letters.as_str().starts_with('/')) {
                ('\\', true) => {}
                ('\\', false) => {
                    text.push(letter);
                    text.extend(letters.next());
                }
                _ => text.push(letter),
            }
        }
        self.cursor.skip(close + 1);
        match Pattern::new(&text) {
            Ok(pattern) => Ok(Some(pattern)),
            Err(error) => Err(self.cursor.error(
                span,
                format!("the regular expression is wrong: {}", shown_reason(&error)),
                "correct it, or write it in quotes to search for it as text",
            )),
        }
    }

    /// A field's name, an operator and a value, if a name and an operator are
    /// next.
    fn field(&mut self) -> Result<Option<Condition>, QueryError> {
        let start = self.cursor.at();
        let field = match self.extra_path()? {
            Some(path) => Some(Field::Extra(path)),
            None => self.name(),
        };
        let operator = Operator::at(self.cursor.rest());
        let name = start..self.cursor.at();
        let (field, operator) = match (field, operator) {
            (Some(field), Some(operator)) => (field, operator),
            (None, Some(operator)) => {
                let expected = self.expect_no_field(name, operator);
                self.cursor.back_to(start);
                return expected.map(|()| None);
            }
            _ => {
                self.cursor.back_to(start);
                return Ok(None);
            }
        };
        self.cursor.skip(operator.text().len());
        self.comparison(&field, operator, name).map(Some)
    }

    /// Passes what could be a name.
    fn name(&mut self) -> Option<Field> {
        let is_name = |byte: &u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.')
        };
        let rest = self.cursor.rest();
        let len = rest.bytes().take_while(is_name).count();
        self.cursor.skip(len);
        match &rest[..len] {
            "extra"
                if rest[len..].starts_with(":*") && ends_term(rest[len + 2..].chars().next()) =>
            {
                Some(Field::Extra(ExtraPath(Vec::new())))
            }
            name => name::named(name),
        }
    }

    /// Passes `extra.` and the keys behind it, if they are next and an operator
    /// follows.
    fn extra_path(&mut self) -> Result<Option<ExtraPath>, QueryError> {
        let start = self.cursor.at();
        if !self.cursor.rest().starts_with("extra.") {
            return Ok(None);
        }
        self.cursor.skip("extra.".len());
        let mut path = Vec::new();
        if Operator::at(self.cursor.rest()).is_none() {
            loop {
                let at = self.cursor.at();
                let key = if self.cursor.peek() == Some('"') {
                    quote::read(&mut self.cursor)?
                } else {
                    while self.cursor.peek().is_some_and(is_of_key) {
                        self.cursor.bump();
                    }
                    self.cursor.since(at).to_owned()
                };
                if self.cursor.at() == at {
                    self.cursor.back_to(start);
                    return Ok(None);
                }
                path.push(key);
                if !self.cursor.eat('.') {
                    break;
                }
            }
        }
        if Operator::at(self.cursor.rest()).is_none() {
            self.cursor.back_to(start);
            return Ok(None);
        }
        if self.cursor.since(start).len() > MAX_PATH_BYTES {
            return Err(self.cursor.error(
                start..self.cursor.at(),
                "this path into extra is too long",
                format!("use at most {MAX_PATH_BYTES} bytes"),
            ));
        }
        Ok(Some(ExtraPath(path)))
    }

    /// The name before the operator is none that is known: an error when it
    /// seems to be meant as one.
    fn expect_no_field(&self, span: Range<usize>, operator: Operator) -> Result<(), QueryError> {
        let name = self.cursor.slice(span.clone());
        let nearest = name::nearest(name);
        let is_meant = match operator {
            Operator::Is => name::is_like_a_field(name) && !self.cursor.rest().starts_with("://"),
            _ => name::is_like_a_field(name) && nearest.is_some(),
        };
        if !is_meant {
            return Ok(());
        }
        let word = self.cursor.slice(span.start..self.cursor.end_of_word());
        let mut quoted = String::new();
        quote::write(&shown(word), &mut quoted);
        let name = shown(name);
        let suggestion = match nearest {
            _ if name.starts_with("extra.") => "an empty key is written as `\"\"`.".to_owned(),
            _ if name.parse::<Level>().is_ok() => format!("did you mean `level:{name}`?"),
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if name == "extra" => {
                "name one of its keys, as in `extra.order_id:4711`.".to_owned()
            }
            None => format!("a key of extra is `extra.{name}`."),
        };
        Err(self.cursor.error(
            span,
            format!("no field `{name}`"),
            format!("{suggestion} To search for it as text, write {quoted}"),
        ))
    }

    /// `level >= warning` is meant as a comparison.
    fn expect_no_lone_operator(&self) -> Result<(), QueryError> {
        let rest = self.cursor.rest();
        let operator = Operator::at(rest).filter(|operator| {
            *operator != Operator::Is && ends_term(rest[operator.text().len()..].chars().next())
        });
        let Some(operator) = operator.map(Operator::text) else {
            return Ok(());
        };
        let start = self.cursor.at();
        let before = self.cursor.slice(0..start).trim_end();
        let name = before.rsplit(|letter: char| ends_term(Some(letter)) || letter == '(');
        let Some(name) = name
            .into_iter()
            .next()
            .filter(|name| name::named(name).is_some())
        else {
            return Ok(());
        };
        Err(self.cursor.error(
            start..start + operator.len(),
            format!("a blank stands between `{name}` and `{operator}`"),
            format!(
                "write `{name}{operator}` and the value without blanks, or \"{operator}\" in quotes to search for it"
            ),
        ))
    }
}

fn is_of_key(letter: char) -> bool {
    !letter.is_whitespace()
        && !letter.is_control()
        && !matches!(
            letter,
            '.' | ':' | '<' | '>' | '!' | '=' | '"' | '(' | ')' | '*'
        )
}

fn closing_slash(text: &str) -> Option<usize> {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '/' => return (at > 1 && ends_term(text[at + 1..].chars().next())).then_some(at),
            _ => {}
        }
    }
    None
}

fn shown_reason(error: &domain::PatternError) -> String {
    let reason = error.to_string();
    reason.replace(crate::error::is_hidden, "�")
}
