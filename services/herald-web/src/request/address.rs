//! Addresses of pages, with the parameters they keep.

use super::Parameters;

/// The page at `path` with these parameters, some of them replaced or (`None`) left
/// out. Of two changes of one parameter the later one counts.
pub(crate) fn address(
    path: &str,
    parameters: &Parameters,
    changes: &[(&str, Option<&str>)],
) -> String {
    let is_changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    let mut pairs: Vec<(&str, &str)> = parameters.iter().collect();
    pairs.retain(|(name, _)| !is_changed(name));
    let changed = changes
        .iter()
        .enumerate()
        .filter_map(|(at, (name, value))| {
            let is_last = changes[at + 1..].iter().all(|(later, _)| later != name);
            Some((*name, (*value).filter(|_| is_last)?))
        });
    pairs.extend(changed);
    link_to(path, &pairs)
}

/// An address with these parameters.
pub(crate) fn link_to(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    match query.extend_pairs(pairs).finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}
