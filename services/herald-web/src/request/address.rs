//! Addresses of pages, with the parameters they keep.

use super::Parameters;

/// The page at `path` with these parameters, some of them replaced or (`None`) left
/// out.
pub(crate) fn address(
    path: &str,
    parameters: &Parameters,
    changes: &[(&str, Option<&str>)],
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let changed = |name: &str| changes.iter().find(|(changed, _)| *changed == name);
    for (name, value) in parameters.iter() {
        if changed(name).is_none() {
            query.append_pair(name, value);
        }
    }
    for (name, value) in changes {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}
