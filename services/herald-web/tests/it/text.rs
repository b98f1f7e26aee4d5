//! Parts of a page's text.

/// What stands between two marks, from the first on.
pub(crate) fn inner<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after)
        .unwrap_or_else(|| panic!("no {after} in {rest}"))
        .0
}

/// Where the first link with this attribute leads.
pub(crate) fn href(page: &str, attribute: &str) -> String {
    let (before, _) = page
        .split_once(attribute)
        .unwrap_or_else(|| panic!("no {attribute} in {page}"));
    let at = before.rfind("<a ").expect("a link");
    let href = inner(&before[at..], "href=\"", "\"");
    href.replace("&#x2f;", "/").replace("&amp;", "&")
}
