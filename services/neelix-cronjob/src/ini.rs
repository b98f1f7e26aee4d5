//! The dialect of the rules file: that of Python's `configparser`, which the
//! predecessor reads it with, so that one file means the same to both. Keys may
//! stand several times in a section, which Python refuses.
//!
//! * A line in brackets begins a section; `KEY=value` or `KEY: value` sets a key,
//!   in any case. Lines that begin with `#` or `;` are comments.
//! * A line that is indented more than its key continues the value. Comments and
//!   empty lines in between do not end it.
//! * `%(key)s` stands for another key of the section, `%%` for a percent sign.
//! * Keys of the section `DEFAULT` hold in all sections that do not set them.

mod expand;

use crate::problem::Problem;

/// Name of the section whose keys hold in all others.
pub(crate) const DEFAULT: &str = "DEFAULT";
/// How many bytes a file may have.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// How many sections a file may have.
pub(crate) const MAX_SECTIONS: usize = 1_000;
/// How many keys a section may have.
const MAX_KEYS: usize = 200;

/// A file taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// What holds in all sections.
    pub(crate) defaults: Vec<Entry>,
    /// In the order of the file.
    pub(crate) sections: Vec<Section>,
    /// What means something, but probably not what was meant.
    pub(crate) warnings: Vec<Problem>,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: String,
    /// Line of its name, from 1.
    pub(crate) line: usize,
    /// Its lines as they are, with the comments directly above it.
    pub(crate) text: String,
    pub(crate) entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// In lower case.
    pub(crate) key: String,
    /// As it is written.
    pub(crate) written: String,
    /// Lines of a longer value are separated by newlines.
    pub(crate) value: String,
    /// Its line, from 1.
    pub(crate) line: usize,
    /// Another key's value has taken it in.
    pub(crate) is_used: bool,
}

/// Takes a file apart, with `%(key)s` replaced.
///
/// # Errors
/// All that is wrong with its form.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Vec<Problem>> {
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has more than {MAX_BYTES} bytes");
        return Err(vec![Problem::new(1, "", message, "")]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let hint = "save the file as UTF-8";
        vec![Problem::new(line, "", "the line is not UTF-8", hint)]
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader::default();
    let lines: Vec<&str> = text.split('\n').collect();
    for (at, line) in lines.iter().enumerate() {
        reader.line(at + 1, line);
    }
    let Reader {
        mut document,
        defaults_line,
        mut problems,
        ..
    } = reader;
    keep_texts(&mut document.sections, defaults_line, &lines);
    problems.extend(expand::all(&mut document));
    if problems.is_empty() {
        Ok(document)
    } else {
        Err(problems)
    }
}

/// Reads line by line.
#[derive(Debug, Default)]
struct Reader {
    document: Document,
    problems: Vec<Problem>,
    place: Place,
    /// Line of the section of defaults.
    defaults_line: Option<usize>,
    /// How far the key at hand is indented; none before the first key of a section.
    indent: Option<usize>,
}

/// Where the next key goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Before the first section.
    #[default]
    Nowhere,
    Defaults,
    Section,
    /// A section that cannot be kept: it has been told.
    Refused,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) {
        let content = line.trim();
        if content.starts_with(['#', ';']) {
            return;
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if content.is_empty() {
            if self.indent.is_some() {
                self.continued("");
            }
            return;
        }
        if self.indent.is_some_and(|of_key| indent > of_key) {
            self.warn_of_swallowed(number, content);
            self.continued(content);
        } else if content.starts_with('[') && content[1..].rfind(']').is_some_and(|at| at > 0) {
            self.section(number, content);
        } else {
            self.key(number, indent, content);
        }
    }

    fn section(&mut self, number: usize, content: &str) {
        let end = content.rfind(']').expect("it has been looked for");
        let name = content[1..end].trim();
        let rest = content[end + 1..].trim();
        if !rest.is_empty() {
            let message = "what stands behind the bracket has no meaning";
            let warning = Problem::new(number, format!("[{name}]"), message, "");
            self.document.warnings.push(warning);
        }
        self.indent = None;
        self.place = Place::Refused;
        let sections = &mut self.document.sections;
        let earlier = match name {
            DEFAULT => self.defaults_line,
            name => sections.iter().find(|s| s.name == name).map(|s| s.line),
        };
        let refused = match earlier {
            Some(line) => Some((
                format!("the section is there already, in line {line}"),
                "put the keys of both into one",
            )),
            None if name.is_empty() => Some(("a section without a name".to_owned(), "")),
            None if sections.len() == MAX_SECTIONS => {
                Some((format!("more than {MAX_SECTIONS} sections"), ""))
            }
            None => None,
        };
        if let Some((message, hint)) = refused {
            let problem = Problem::new(number, format!("[{name}]"), message, hint);
            self.problems.push(problem);
        } else if name == DEFAULT {
            self.defaults_line = Some(number);
            self.place = Place::Defaults;
        } else {
            sections.push(Section {
                name: name.to_owned(),
                line: number,
                text: String::new(),
                entries: Vec::new(),
            });
            self.place = Place::Section;
        }
    }

    fn key(&mut self, number: usize, indent: usize, content: &str) {
        let Some((key, value)) = content.split_once(['=', ':']) else {
            let hint = match content.starts_with('[') {
                true => "a section ends with a `]`",
                false => "write KEY=value, or put a # before a comment",
            };
            let message = format!("`{}` is neither a key nor a section", short(content));
            self.problems.push(Problem::new(number, "", message, hint));
            self.indent = None;
            return;
        };
        let key = key.trim_end();
        self.indent = None;
        if key.is_empty() {
            let message = "there is no key before the `=`";
            self.problems.push(Problem::new(number, "", message, ""));
        } else if self.place == Place::Nowhere {
            let message = "the key stands before the first section";
            let hint = "write the name of a system in brackets above it, such as [payments]";
            self.problems.push(Problem::new(number, key, message, hint));
        } else if let Some(entries) = self.entries() {
            entries.push(Entry {
                key: key.to_lowercase(),
                written: key.to_owned(),
                value: value.trim().to_owned(),
                line: number,
                is_used: false,
            });
            let is_too_many = entries.len() == MAX_KEYS + 1;
            self.indent = Some(indent);
            if is_too_many {
                let message = format!("more than {MAX_KEYS} keys in a section");
                self.problems.push(Problem::new(number, key, message, ""));
                self.place = Place::Refused;
                self.indent = None;
            }
        }
    }

    /// A further line of the value at hand.
    fn continued(&mut self, content: &str) {
        if let Some(entry) = self.entries().and_then(|entries| entries.last_mut()) {
            entry.value.push('\n');
            entry.value.push_str(content);
        }
    }

    /// A line that looks like a key, but belongs to the value above.
    fn warn_of_swallowed(&mut self, number: usize, content: &str) {
        let looks_like_key = content.starts_with('[')
            || content
                .split_once(['=', ':'])
                .is_some_and(|(key, _)| crate::rules::is_key(key.trim()));
        let above = self.entries().and_then(|entries| entries.last());
        if let Some(above) = above.map(|above| above.written.clone())
            && looks_like_key
        {
            let message = format!("the line is indented and so belongs to {above} above it");
            let hint = "begin it where the line above begins, if that is not meant";
            let warning = Problem::new(number, short(content), message, hint);
            self.document.warnings.push(warning);
        }
    }

    fn entries(&mut self) -> Option<&mut Vec<Entry>> {
        match self.place {
            Place::Defaults => Some(&mut self.document.defaults),
            Place::Section => Some(&mut self.document.sections.last_mut()?.entries),
            Place::Nowhere | Place::Refused => None,
        }
    }
}

/// Gives every section its lines.
fn keep_texts(sections: &mut [Section], defaults_line: Option<usize>, lines: &[&str]) {
    let is_comment = |line: &&&str| line.trim_start().starts_with(['#', ';']);
    let start = |line: usize| {
        let above = lines[..line - 1].iter().rev().take_while(is_comment);
        line - 1 - above.count()
    };
    let mut starts: Vec<usize> = sections.iter().map(|section| start(section.line)).collect();
    starts.extend(defaults_line.map(start));
    for section in sections {
        let from = start(section.line);
        let later = starts.iter().copied().filter(|other| *other > from);
        let to = later.min().unwrap_or(lines.len());
        section.text = lines[from..to].join("\n").trim_end().to_owned();
    }
}

/// A piece of the file as a message quotes it.
pub(crate) fn short(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut letters = text.chars();
    let is_plain = |letter: char| !letter.is_control();
    let shown = letters.by_ref().take(SHOWN);
    let mut shown: String = shown
        .map(|c| if is_plain(c) { c } else { '\u{fffd}' })
        .collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
