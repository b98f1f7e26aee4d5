//! Sections of neelix's rules file: written, and read back as it reads them. What the
//! file cannot hold is refused, not bent.

/// A section with its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) pairs: Vec<(String, String)>,
}

impl Section {
    /// As a text that [`read`] reads as the same.
    ///
    /// # Errors
    /// What cannot stand in the file, each in a sentence.
    pub(super) fn write(&self) -> Result<String, Vec<String>> {
        let mut problems: Vec<String> = name_problem(&self.name).into_iter().collect();
        for (key, value) in &self.pairs {
            problems.extend(value_problem(key, value));
        }
        if !self.pairs.iter().any(|(key, _)| key == "MSG") {
            problems.push(
                "say which message it is about: without MSG the rule finds nothing".to_owned(),
            );
        }
        let lines = self
            .pairs
            .iter()
            .map(|(key, value)| format!("{key}={value}\n"));
        let text = format!("[{}]\n{}", self.name, lines.collect::<String>());
        if problems.is_empty() && read(&text) != *self {
            problems.push("the rules file cannot hold these texts".to_owned());
        }
        match problems.is_empty() {
            true => Ok(text),
            false => Err(problems),
        }
    }
}

/// The first section of a text: `[name]`, then `KEY=value` or `KEY: value`; lines that
/// begin with `#` or `;` say nothing, and one that begins with a blank goes on.
pub(super) fn read(text: &str) -> Section {
    let mut section = Section::default();
    for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
        let trimmed = line.trim();
        if line.starts_with('[') {
            let name = trimmed
                .strip_prefix('[')
                .and_then(|rest| rest.split(']').next());
            section.name = name.unwrap_or_default().to_owned();
        } else if line.starts_with(char::is_whitespace) {
            if let Some((_, value)) = section.pairs.last_mut().filter(|_| !trimmed.is_empty()) {
                value.push('\n');
                value.push_str(trimmed);
            }
        } else if let Some((key, value)) = trimmed.split_once(['=', ':']) {
            let (key, value) = (key.trim().to_uppercase(), value.trim().to_owned());
            section.pairs.push((key, value));
        }
    }
    section
}

fn name_problem(name: &str) -> Option<String> {
    let why = if name.is_empty() {
        "is empty"
    } else if name.trim() != name {
        "begins or ends with a blank"
    } else if name.contains(['[', ']']) {
        "has a bracket"
    } else if name.contains(['*', '?']) {
        "has a `*` or `?`, which stand for any text"
    } else if name.contains('/') {
        "has a `/`, which divides system and sub system"
    } else if name.eq_ignore_ascii_case("default") {
        "is that of the section that holds for all others"
    } else if has_hidden(name) {
        "has characters that cannot be seen"
    } else {
        return None;
    };
    Some(format!(
        "the name of the system {why}, so that no section can be called like it: use a section \
         such as [*] with a QUERY that names the system"
    ))
}

fn value_problem(key: &str, value: &str) -> Option<String> {
    let why = if has_hidden(value) {
        "has line ends or characters that cannot be seen"
    } else if value.trim() != value {
        "begins or ends with a blank, which the file does not keep"
    } else if value.contains('%') {
        "has a `%`, which some readers of the file replace: leave it out"
    } else if value.contains(" ;") || value.contains(" #") {
        "has a `;` or `#` behind a blank, which some readers of the file take for a comment: stop before it"
    } else if key == "MAIL_TO" && value.split(',').any(|it| !is_address(it.trim())) {
        "is no list of addresses with commas between them"
    } else {
        return None;
    };
    Some(format!("{key} {why}"))
}

fn is_address(text: &str) -> bool {
    let is_plain = !text.contains(char::is_whitespace) && !text.contains(['<', '>', '"', '\'']);
    let parts = text.split_once('@');
    is_plain
        && parts.is_some_and(|(who, at)| !who.is_empty() && !at.is_empty() && !at.contains('@'))
}

fn has_hidden(text: &str) -> bool {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().any(is_hidden)
}

#[cfg(test)]
mod tests {
    use super::{Section, read};

    fn section(name: &str, pairs: &[(&str, &str)]) -> Section {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Section {
            name: name.to_owned(),
            pairs: pairs.iter().map(pair).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let check = |name: &str, pairs: &[(&str, &str)], expected: &str| {
            let section = section(name, pairs);
            let text = section.write().expect(name);
            assert_eq!(text, expected);
            assert_eq!(read(&text), section);
        };
        check(
            "shop",
            &[
                ("MAIL_TO", "a@b.ch, c@d.ch"),
                ("MSG", "x=y: [z]"),
                ("LEVEL", "ERROR"),
            ],
            "[shop]\nMAIL_TO=a@b.ch, c@d.ch\nMSG=x=y: [z]\nLEVEL=ERROR\n",
        );
        check(
            "a b;c",
            &[("MSG", "#1 ;-)"[..2].trim())],
            "[a b;c]\nMSG=#1\n",
        );
    }

    #[test]
    fn what_the_file_cannot_hold_is_refused() {
        let check = |name: &str, key: &str, value: &str, part: &str| {
            let pairs = [("MSG", "x"), (key, value)];
            let problems = section(name, &pairs).write().unwrap_err();
            assert!(
                problems.len() == 1 && problems[0].contains(part),
                "{problems:?}"
            );
        };
        for (name, part) in [
            ("", "is empty"),
            (" a", "a blank"),
            ("a]b", "a bracket"),
            ("a*", "any text"),
            ("a/b", "divides"),
            ("DEFAULT", "all others"),
            ("a\nb", "cannot be seen"),
            ("a\u{202e}b", "cannot be seen"),
        ] {
            check(name, "LEVEL", "ERROR", part);
        }
        for (value, part) in [
            ("a\nMAIL_TO=evil@example.com", "line ends"),
            ("a\r", "line ends"),
            (" a", "a blank"),
            ("50 % full", "`%`"),
            ("a ; b", "comment"),
            ("a #b", "comment"),
        ] {
            check("shop", "MSG", value, part);
        }
        for value in ["a", "a@", "@b", "a b@c", "a@b,,c@d", "a@b@c", "<a@b>"] {
            check("shop", "MAIL_TO", value, "no list of addresses");
        }
        let empty = section("shop", &[("LEVEL", "ERROR")]).write().unwrap_err();
        assert!(empty[0].contains("without MSG"), "{empty:?}");
    }

    #[test]
    fn a_file_of_people_is_read() {
        let text = "# ours\n[shop] ; not this\nmsg : disk full\n  and more\n; no\nAGE = 2h\n\n";
        let expected = section("shop", &[("MSG", "disk full\nand more"), ("AGE", "2h")]);
        assert_eq!(read(text), expected);
    }
}
