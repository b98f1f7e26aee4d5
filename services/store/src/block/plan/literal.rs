//! The texts that whatever a pattern finds must contain, so that a block's
//! filter can be asked for them.

use domain::{Pattern, fold};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::need::{Keys, Need};

/// Alternatives that are told apart at most.
const MAX_TEXTS: usize = 16;
/// How long a text gets before it is asked for.
const MAX_LEN: usize = 256;
/// Letters of a class that are told apart at most, before case is taken away.
const MAX_LETTERS: u32 = 32;

/// What every match of a pattern contains, without case.
pub(super) fn need(pattern: &Pattern, keys: &mut Keys) -> Need {
    match regex_syntax::parse(pattern.as_str()) {
        Ok(hir) => of(&hir, keys).ask(keys),
        Err(_) => Need::Anything,
    }
}

/// What a part of a pattern matches.
enum Matches {
    /// Exactly one of these texts, without case.
    Texts(Vec<String>),
    /// Other texts, too; each has this.
    Having(Need),
}

impl Matches {
    fn ask(self, keys: &mut Keys) -> Need {
        match self {
            Self::Having(need) => need,
            Self::Texts(texts) => {
                Need::any(texts.iter().map(|text| Need::text(text, keys)).collect())
            }
        }
    }
}

fn of(hir: &Hir, keys: &mut Keys) -> Matches {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Matches::Texts(vec![String::new()]),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => Matches::Texts(vec![fold(text).into_owned()]),
            Err(_) => Matches::Having(Need::Anything),
        },
        HirKind::Class(class) => of_class(class),
        HirKind::Capture(capture) => of(&capture.sub, keys),
        HirKind::Repetition(repetition) => {
            let matches = of(&repetition.sub, keys);
            match (matches, repetition.min, repetition.max) {
                (Matches::Texts(texts), 1, Some(1)) => Matches::Texts(texts),
                (Matches::Texts(mut texts), 0, Some(1)) if texts.len() < MAX_TEXTS => {
                    texts.push(String::new());
                    Matches::Texts(texts)
                }
                (_, 0, _) => Matches::Having(Need::Anything),
                (matches, ..) => Matches::Having(matches.ask(keys)),
            }
        }
        HirKind::Concat(parts) => of_concat(parts, keys),
        HirKind::Alternation(parts) => of_alternation(parts, keys),
    }
}

fn of_class(class: &Class) -> Matches {
    let Class::Unicode(class) = class else {
        return Matches::Having(Need::Anything);
    };
    let letters = |range: &regex_syntax::hir::ClassUnicodeRange| {
        u32::from(range.end()) - u32::from(range.start()) + 1
    };
    let count = class
        .ranges()
        .iter()
        .map(letters)
        .fold(0, u32::saturating_add);
    if count > MAX_LETTERS {
        return Matches::Having(Need::Anything);
    }
    let letters = class
        .ranges()
        .iter()
        .flat_map(|range| range.start()..=range.end());
    let mut texts: Vec<String> = letters
        .map(|letter| fold(letter.encode_utf8(&mut [0; 4])).into_owned())
        .collect();
    texts.sort_unstable();
    texts.dedup();
    match texts.len() {
        1..=MAX_TEXTS => Matches::Texts(texts),
        _ => Matches::Having(Need::Anything),
    }
}

fn of_concat(parts: &[Hir], keys: &mut Keys) -> Matches {
    let mut needs = Vec::new();
    let mut texts = vec![String::new()];
    for part in parts {
        match of(part, keys) {
            Matches::Texts(next) if fits(&texts, &next) => {
                let joined = texts
                    .iter()
                    .flat_map(|text| next.iter().map(move |next| format!("{text}{next}")));
                texts = joined.collect();
            }
            Matches::Texts(next) => {
                needs.push(Matches::Texts(std::mem::replace(&mut texts, next)).ask(keys));
            }
            Matches::Having(need) => {
                let before = std::mem::replace(&mut texts, vec![String::new()]);
                needs.push(Matches::Texts(before).ask(keys));
                needs.push(need);
            }
        }
    }
    if needs.is_empty() {
        return Matches::Texts(texts);
    }
    needs.push(Matches::Texts(texts).ask(keys));
    Matches::Having(Need::all(needs))
}

fn fits(texts: &[String], next: &[String]) -> bool {
    let longest = |texts: &[String]| texts.iter().map(String::len).max().unwrap_or(0);
    texts.len() * next.len() <= MAX_TEXTS && longest(texts) + longest(next) <= MAX_LEN
}

fn of_alternation(parts: &[Hir], keys: &mut Keys) -> Matches {
    let parts: Vec<Matches> = parts.iter().map(|part| of(part, keys)).collect();
    let count = |part: &Matches| match part {
        Matches::Texts(texts) => texts.len(),
        Matches::Having(_) => usize::MAX,
    };
    if parts.iter().map(count).fold(0, usize::saturating_add) > MAX_TEXTS {
        return Matches::Having(Need::any(
            parts.into_iter().map(|part| part.ask(keys)).collect(),
        ));
    }
    let texts = parts.into_iter().filter_map(|part| match part {
        Matches::Texts(texts) => Some(texts),
        Matches::Having(_) => None,
    });
    Matches::Texts(texts.flatten().collect())
}
