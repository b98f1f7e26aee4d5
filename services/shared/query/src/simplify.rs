//! The one form that conditions of the same build share.

use domain::{Condition, Decimal, ExtraTest, Glob, Pattern, TextTest};

/// The form in which [`parse`](crate::parse) gives conditions. It holds of the
/// same records:
///
/// * `All` within `All` and `Any` within `Any` are one, and of a single
///   condition they are that condition;
/// * the opposite of everything is `Any` of nothing, and the other way round;
/// * a glob has no two wildcards side by side, and one without a wildcard is a
///   text that is compared;
/// * a pattern has no `\` before a `/`.
#[must_use]
pub fn simplify(condition: Condition) -> Condition {
    match condition {
        Condition::All(inner) => all(inner.into_iter().map(simplify)),
        Condition::Any(inner) => any(inner.into_iter().map(simplify)),
        Condition::Not(inner) => not(simplify(*inner)),
        Condition::Finds(pattern) => Condition::Finds(simple_pattern(pattern)),
        Condition::Text(field, test) => match test {
            TextTest::Like(glob) => match simple_glob(&glob) {
                Some(Simple::Glob(glob)) => Condition::Text(field, TextTest::Like(glob)),
                Some(Simple::Text(text)) => Condition::Text(field, TextTest::Is(text)),
                None => nothing(),
            },
            test => Condition::Text(field, simple_test(test)),
        },
        Condition::Extra(path, ExtraTest::Text(test)) => {
            let test = match test {
                TextTest::Like(glob) => match simple_glob(&glob) {
                    Some(Simple::Glob(glob)) => TextTest::Like(glob),
                    Some(Simple::Text(text)) => exactly(text),
                    None => return nothing(),
                },
                test => simple_test(test),
            };
            Condition::Extra(path, ExtraTest::Text(test))
        }
        condition => condition,
    }
}

/// Each of them, in simple form if they are.
pub(crate) fn all(conditions: impl IntoIterator<Item = Condition>) -> Condition {
    let mut flat = Vec::new();
    for condition in conditions {
        match condition {
            Condition::All(inner) => flat.extend(inner),
            condition => flat.push(condition),
        }
    }
    only(&mut flat).unwrap_or(Condition::All(flat))
}

/// At least one of them, in simple form if they are.
pub(crate) fn any(conditions: impl IntoIterator<Item = Condition>) -> Condition {
    let mut flat = Vec::new();
    for condition in conditions {
        match condition {
            Condition::Any(inner) => flat.extend(inner),
            condition => flat.push(condition),
        }
    }
    only(&mut flat).unwrap_or(Condition::Any(flat))
}

/// The opposite, in simple form if it is.
pub(crate) fn not(condition: Condition) -> Condition {
    match condition {
        Condition::All(inner) if inner.is_empty() => nothing(),
        Condition::Any(inner) if inner.is_empty() => Condition::default(),
        condition => Condition::Not(Box::new(condition)),
    }
}

/// A value of `extra` that is written exactly like this. For texts that are no
/// numbers `Is` says the same.
pub(crate) fn exactly(text: String) -> TextTest {
    match text.parse::<Decimal>() {
        Ok(_) => TextTest::Like(Glob::new(vec![text])),
        Err(_) => TextTest::Is(text),
    }
}

/// The pieces without empty ones between two wildcards.
pub(crate) fn without_double_wildcards(pieces: &[String]) -> Vec<String> {
    let last = pieces.len().saturating_sub(1);
    let is_kept = |(at, piece): &(usize, &String)| *at == 0 || *at == last || !piece.is_empty();
    let kept = pieces.iter().enumerate().filter(is_kept);
    kept.map(|(_, piece)| piece.clone()).collect()
}

fn nothing() -> Condition {
    Condition::Any(Vec::new())
}

fn only(conditions: &mut Vec<Condition>) -> Option<Condition> {
    match conditions.len() {
        1 => conditions.pop(),
        _ => None,
    }
}

fn simple_test(test: TextTest) -> TextTest {
    match test {
        TextTest::Finds(pattern) => TextTest::Finds(simple_pattern(pattern)),
        test => test,
    }
}

enum Simple {
    Glob(Glob),
    Text(String),
}

fn simple_glob(glob: &Glob) -> Option<Simple> {
    match glob.pieces() {
        [] => None,
        [text] => Some(Simple::Text(text.clone())),
        pieces => Some(Simple::Glob(Glob::new(without_double_wildcards(pieces)))),
    }
}

/// The pattern such that it can stand between two slashes. `\/` means `/`;
/// nothing is `(?:)`; and a `\` at the end, which only a comment of `(?x)` can
/// have, is kept from the slash that follows by the end of its line.
fn simple_pattern(pattern: Pattern) -> Pattern {
    let text = pattern.as_str();
    let mut simple = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            simple.push(letter);
            continue;
        }
        match letters.next() {
            Some('/') => simple.push('/'),
            escaped => simple.extend(['\\', escaped.unwrap_or('\n')]),
        }
    }
    if simple.is_empty() {
        simple.push_str("(?:)");
    }
    if simple == text {
        return pattern;
    }
    Pattern::new(&simple).unwrap_or(pattern)
}
