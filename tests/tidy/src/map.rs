//! A text about the tree must not name what is not there.

/// Endings of names that are files of the tree when a text names them.
const ENDINGS: [&str; 8] = [
    ".rs", ".proto", ".sql", ".md", ".toml", ".py", ".html", ".yaml",
];

/// Names between backticks in `text` that look like a file or a folder of the
/// tree, but are none of `files`. A name with a slash is relative to the root; a
/// bare file name may be anywhere.
#[must_use]
pub fn missing(text: &str, files: &[String]) -> Vec<String> {
    let names = text.split('`').skip(1).step_by(2);
    let named_in_vain = |name: &&str| is_path(name, files) && !exists(name, files);
    names.filter(named_in_vain).map(str::to_owned).collect()
}

fn is_path(name: &str, files: &[String]) -> bool {
    let is_plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let is_pattern = name.contains("NNNN");
    if !is_plain || is_pattern || name.starts_with('/') {
        return false;
    }
    let top = name.split('/').next().unwrap_or_default();
    let is_below = files.iter().any(|file| file.split('/').next() == Some(top));
    ENDINGS.iter().any(|ending| name.ends_with(ending)) || (name.contains('/') && is_below)
}

fn exists(name: &str, files: &[String]) -> bool {
    let name = name.trim_end_matches('/');
    files.iter().any(|file| {
        let rest = file.strip_prefix(name);
        let is_it = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_it || (!name.contains('/') && file.rsplit('/').next() == Some(name))
    })
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn only_names_of_the_tree_must_exist() {
        let files = [
            "services/bridge/src/frame.rs",
            "docs/storage.md",
            "Cargo.toml",
        ];
        let files: Vec<String> = files.map(str::to_owned).into();
        let check = |name: &str, is_missing: bool| {
            let expected: Vec<String> = is_missing.then(|| name.to_owned()).into_iter().collect();
            assert_eq!(
                missing(&format!("See `{name}`, not file.rs."), &files),
                expected
            );
        };
        check("services/bridge/src/frame.rs", false);
        check("services/bridge", false);
        check("services/bridge/", false);
        check("frame.rs", false);
        check("Cargo.toml", false);
        check("DEV_STAGE", false);
        check("/metrics", false);
        check("text/plain", false);
        check("NNNN_name.sql", false);
        check("SELECT a/b", false);
        check("services/bridge/src/spool.rs", true);
        check("services/brid", true);
        check("spool.rs", true);
        check("docs/spool.md", true);
    }
}
