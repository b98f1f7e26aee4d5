//! The names before a colon.

use domain::{ExtraPath, NumberField, TextField};

/// Names besides those of the API.
pub(crate) const ALIASES: [(&str, &str); 9] = [
    ("system", "system_id"),
    ("sub_system", "sub_system_id"),
    ("sub_sub_system", "sub_sub_system_id"),
    ("produkt", "produkt_id"),
    ("product", "produkt_id"),
    ("func", "function"),
    ("msg", "message"),
    ("received", "received_at"),
    ("version", "package_version"),
];

/// Longer names are not compared with the known ones.
const LONGEST: usize = 40;

/// What a value is compared with.
#[derive(Debug, Clone)]
pub(crate) enum Field {
    Text(TextField),
    Number(NumberField),
    Extra(ExtraPath),
}

/// The field of a name or alias.
pub(crate) fn named(name: &str) -> Option<Field> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    let name = alias.map_or(name, |(_, name)| name);
    TextField::named(name)
        .map(Field::Text)
        .or_else(|| NumberField::named(name).map(Field::Number))
}

/// Whether a word before a colon is meant as a field's name, rather than a part
/// of an address or a time of day.
pub(crate) fn is_like_a_field(name: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.');
    let has_letter = name.bytes().any(|byte| byte.is_ascii_lowercase());
    (has_letter && name.bytes().all(is_name)) || name.starts_with("user_spec")
}

/// The known name that is most like a mistyped one.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let texts = TextField::ALL.into_iter().map(TextField::name);
    let numbers = NumberField::ALL.into_iter().map(NumberField::name);
    let aliases = ALIASES.into_iter().map(|(alias, _)| alias);
    most_like(name, texts.chain(numbers).chain(aliases))
}

/// The candidate that differs in the fewest letters, if in no more than a third.
pub(crate) fn most_like(
    word: &str,
    candidates: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    if word.len() > LONGEST {
        return None;
    }
    candidates
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance * 3 <= name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
