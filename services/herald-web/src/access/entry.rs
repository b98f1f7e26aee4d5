//! The lines of the files of users and of tokens: a name, then `key=value`, all apart
//! by spaces. What is not known is refused, because it may be a limit that a newer
//! Herald has written. No error repeats a value: some are secrets.

use super::Systems;

/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// One line.
pub(super) struct Entry<'t> {
    pub(super) name: &'t str,
    values: Vec<(&'t str, &'t str)>,
}

impl<'t> Entry<'t> {
    fn read(line: &'t str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        check_name(name)?;
        let values = words
            .map(|word| word.split_once('=').ok_or("a word is no key=value"))
            .collect::<Result<_, _>>()?;
        Ok(Self { name, values })
    }

    /// Takes a value out.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub(super) fn take(&mut self, key: &str) -> Result<&'t str, String> {
        self.take_optional(key)?
            .ok_or_else(|| format!("`{key}=` is missing"))
    }

    /// The same of a value that may be missing.
    ///
    /// # Errors
    /// There are several.
    pub(super) fn take_optional(&mut self, key: &str) -> Result<Option<&'t str>, String> {
        let Some(at) = self.values.iter().position(|(known, _)| *known == key) else {
            return Ok(None);
        };
        let (_, value) = self.values.remove(at);
        match self.values.iter().any(|(known, _)| *known == key) {
            true => Err(format!("`{key}=` is given more than once")),
            false => Ok(Some(value)),
        }
    }

    /// Takes out what somebody sees; none for all systems.
    ///
    /// # Errors
    /// It is no limit: whoever has written it did not mean all.
    pub(super) fn take_systems(&mut self) -> Result<Option<Systems>, String> {
        let systems = self.take_optional("systems")?;
        let systems = systems.map(|text| text.parse::<Systems>()).transpose();
        systems.map_err(|error| format!("`systems=`: {error}"))
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// A key is not known here.
    pub(super) fn finish(self) -> Result<(), String> {
        match self.values.first() {
            None => Ok(()),
            Some((key, _)) => Err(format!("`{key}=` is not known to this version")),
        }
    }
}

/// Reads every line that is neither empty nor a comment (`#`).
///
/// # Errors
/// The first line that is wrong, by its number.
pub(super) fn read_all<T>(
    text: &str,
    read: impl Fn(Entry<'_>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut names = Vec::new();
    let mut all = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at_line = |problem: String| format!("line {number}: {problem}");
        let entry = Entry::read(line).map_err(at_line)?;
        if names.contains(&entry.name) {
            return Err(at_line(format!("`{}` is there already", entry.name)));
        }
        names.push(entry.name);
        all.push(read(entry).map_err(at_line)?);
    }
    Ok(all)
}

/// Whether people and programs can be called so: by letters, digits and `._@-`.
///
/// # Errors
/// Why not.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '@' | '-');
    match name {
        "" => Err("a name is missing".to_owned()),
        name if name.len() > MAX_NAME_BYTES => {
            Err(format!("a name has at most {MAX_NAME_BYTES} bytes"))
        }
        name if name.chars().all(is_plain) && !name.starts_with('-') => Ok(()),
        _ => Err("a name has letters, digits and . _ @ - only, and no - first".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_name, read_all};

    #[test]
    fn lines_are_read_strictly() {
        let check = |text: &str, expected: Result<&[(&str, &str)], &str>| {
            let found = read_all(text, |mut entry| {
                let pair = (entry.name.to_owned(), entry.take("role")?.to_owned());
                entry.take_optional("more")?;
                entry.finish()?;
                Ok(pair)
            });
            let found = found.as_ref().map(|all| {
                all.iter()
                    .map(|(name, role)| (name.as_str(), role.as_str()))
                    .collect::<Vec<_>>()
            });
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
                (found, expected) => {
                    assert_eq!(found.err().map(String::as_str), expected.err(), "{text}")
                }
            }
        };
        check("", Ok(&[]));
        check(
            "# a\n\n  anna role=x more=y=z \r\nbo role=",
            Ok(&[("anna", "x"), ("bo", "")]),
        );
        check("anna", Err("line 1: `role=` is missing"));
        check(
            "\nanna role=a role=b",
            Err("line 2: `role=` is given more than once"),
        );
        check(
            "anna role=a teams=b",
            Err("line 1: `teams=` is not known to this version"),
        );
        check("anna role=a secret", Err("line 1: a word is no key=value"));
        check(
            "anna role=a\nanna role=b",
            Err("line 2: `anna` is there already"),
        );
        check(
            "an=na role=a",
            Err("line 1: a name has letters, digits and . _ @ - only, and no - first"),
        );
    }

    #[test]
    fn names_are_plain() {
        for name in ["anna", "anna@example.com", "build-7", "Jürgen.X", "_"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "a b",
            "a=b",
            "#a",
            "a:b",
            "-a",
            "a/b",
            "a\u{202e}b",
            &"x".repeat(65),
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
