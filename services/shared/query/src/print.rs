//! From condition to text.

use std::ops::Bound;

use domain::{Condition, Decimal, ExtraPath, ExtraTest, Glob, TextField, TextTest};

use crate::{number, quote, simplify};

/// What stands around a condition: how tightly it has to hold together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing, or parentheses.
    Alone,
    /// `OR`.
    InAny,
    /// Others that have to hold as well.
    InAll,
    /// `-`.
    InNot,
}

/// A text that [`parse`](crate::parse) reads, at any time of day, as this
/// condition in [simple form](crate::simplify()), as long as the limits of
/// queries hold.
#[must_use]
pub fn print(condition: &Condition) -> String {
    let mut out = String::new();
    let condition = simplify(condition.clone());
    if condition != Condition::default() {
        write(&condition, Place::Alone, &mut out);
    }
    out
}

fn write(condition: &Condition, place: Place, out: &mut String) {
    match condition {
        Condition::All(all) if all.is_empty() => out.push('*'),
        Condition::Any(any) if any.is_empty() => out.push_str("-*"),
        Condition::All(all) => {
            let is_tight = matches!(place, Place::Alone | Place::InAny);
            list(all, " ", Place::InAll, is_tight, out);
        }
        Condition::Any(any) => list(any, " OR ", Place::InAny, place == Place::Alone, out),
        Condition::Not(inner) => {
            out.push_str(match **inner {
                Condition::Not(_) => "NOT ",
                _ => "-",
            });
            write(inner, Place::InNot, out);
        }
        Condition::Contains(text) => quote::write(text, out),
        Condition::Finds(pattern) => write_pattern(pattern.as_str(), out),
        Condition::Text(field, test) => write_text(*field, test, out),
        Condition::Number(field, range) => number::write(*field, *range, out),
        Condition::Extra(path, test) => write_extra(path, test, out),
    }
}

fn list(parts: &[Condition], between: &str, place: Place, is_tight: bool, out: &mut String) {
    if !is_tight {
        out.push('(');
    }
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push_str(between);
        }
        write(part, place, out);
    }
    if !is_tight {
        out.push(')');
    }
}

fn write_text(field: TextField, test: &TextTest, out: &mut String) {
    out.push_str(field.name());
    match test {
        TextTest::Is(text) if field.is_prose() && !text.is_empty() => {
            out.push_str(":=");
            quote::write(text, out);
        }
        TextTest::Contains(text) if !field.is_prose() || text.is_empty() => {
            out.push_str(":~");
            quote::write(text, out);
        }
        TextTest::Is(text) | TextTest::Contains(text) => {
            out.push(':');
            quote::write(text, out);
        }
        TextTest::Like(glob) => write_glob(glob, out),
        TextTest::Finds(pattern) => {
            out.push(':');
            write_pattern(pattern.as_str(), out);
        }
    }
}

fn write_extra(path: &ExtraPath, test: &ExtraTest, out: &mut String) {
    out.push_str("extra.");
    for (at, key) in path.0.iter().enumerate() {
        if at > 0 {
            out.push('.');
        }
        quote::write(key, out);
    }
    match test {
        ExtraTest::Exists => out.push_str(":*"),
        ExtraTest::Number(min, max) => write_numbers(min, max, out),
        ExtraTest::Text(TextTest::Is(text)) => {
            out.push(':');
            quote::write(text, out);
        }
        ExtraTest::Text(TextTest::Contains(text)) => {
            out.push_str(":~");
            quote::write(text, out);
        }
        ExtraTest::Text(TextTest::Like(glob)) => match glob.pieces() {
            [text] => {
                out.push_str(":=");
                quote::write(text, out);
            }
            _ => write_glob(glob, out),
        },
        ExtraTest::Text(TextTest::Finds(pattern)) => {
            out.push(':');
            write_pattern(pattern.as_str(), out);
        }
    }
}

fn write_numbers(min: &Bound<Decimal>, max: &Bound<Decimal>, out: &mut String) {
    let write = number::write_decimal;
    let (min, max) = (min.as_ref().map(write), max.as_ref().map(write));
    out.push_str(&match (min, max) {
        (Bound::Unbounded, Bound::Unbounded) => ">=..".to_owned(),
        (Bound::Unbounded, Bound::Included(max)) => format!("<={max}"),
        (Bound::Unbounded, Bound::Excluded(max)) => format!("<{max}"),
        (Bound::Included(min), Bound::Unbounded) => format!(">={min}"),
        (Bound::Excluded(min), Bound::Unbounded) => format!(">{min}"),
        (Bound::Included(min), Bound::Included(max)) => format!(":{min}..{max}"),
        (Bound::Included(min), Bound::Excluded(max)) => format!(">={min}..<{max}"),
        (Bound::Excluded(min), Bound::Included(max)) => format!(">{min}..{max}"),
        (Bound::Excluded(min), Bound::Excluded(max)) => format!(">{min}..<{max}"),
    });
}

/// A single wildcard alone would mean that there is a value.
fn write_glob(glob: &Glob, out: &mut String) {
    out.push(':');
    for (at, piece) in glob.pieces().iter().enumerate() {
        if at > 0 {
            out.push('*');
        }
        if !piece.is_empty() {
            quote::write(piece, out);
        }
    }
    if glob.pieces().iter().all(String::is_empty) {
        out.push('*');
    }
}

fn write_pattern(pattern: &str, out: &mut String) {
    out.push('/');
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '/' => out.push_str("\\/"),
            '\\' => {
                out.push(letter);
                out.extend(letters.next());
            }
            letter => out.push(letter),
        }
    }
    out.push('/');
}
