//! A record as text for a terminal: nothing a program logged can move the
//! cursor, change colours, reorder the line or hide in it.

use std::borrow::Cow;

use domain::{Level, Record, TextField};

use crate::{
    glyph::{self, Glyph},
    indent, rfc3339,
};

/// A text over several lines; control characters as their pictures, invisible
/// and reordering ones as `<U+202E>`. Line feeds and tabs stay.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    let is_plain = |c: u8| matches!(c, b'\n' | b'\t' | b' '..=b'~');
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (_, c, glyph) in glyph::of(text) {
        match glyph {
            Glyph::AsIs => out.push(c),
            Glyph::Nothing => {}
            Glyph::Picture(picture) => out.push(picture),
            Glyph::Number(number) => out.push_str(&format!("<U+{number:04X}>")),
        }
    }
    Cow::Owned(out)
}

/// As [`text`], on one line: line feeds and tabs become pictures, too.
#[must_use]
pub fn one_line(line: &str) -> Cow<'_, str> {
    let shown = text(line.trim_end());
    if !shown.contains(['\n', '\t']) {
        return shown;
    }
    let chars = shown.chars().map(|c| match c {
        '\n' | '\t' => glyph::picture(c),
        c => c,
    });
    Cow::Owned(chars.collect())
}

/// The severity's name, with its number when the name alone would mislead.
#[must_use]
pub fn level(record: &Record) -> String {
    let level = Level::of(record.level);
    let name = match record.level_name.trim() {
        "" => level.name(),
        name => name,
    };
    let name = one_line(name);
    if record.level == level.number() && name == level.name() {
        return name.into_owned();
    }
    format!("{name}({})", record.level)
}

/// The record on one line, without its tracebacks: time of receipt, severity,
/// system, call site, message.
#[must_use]
pub fn line(record: &Record) -> String {
    let received = rfc3339(record.received_us);
    let place = [&record.system_id, &record.sub_system_id];
    let place: Vec<_> = place.iter().filter(|name| !name.is_empty()).collect();
    let place = place
        .into_iter()
        .map(|name| one_line(name))
        .collect::<Vec<_>>()
        .join("/");
    format!(
        "{} {} {:<8} {place} {} {}",
        &received[..10],
        &received[11..23],
        level(record),
        call_site(record),
        one_line(&record.message)
    )
}

/// The record with all it has: a line for each field that is not empty, and
/// below them the texts that have several lines.
#[must_use]
pub fn whole(record: &Record) -> String {
    let mut out = String::new();
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            out.push_str(&format!("{name}: {}\n", one_line(value)));
        }
    };
    field("id", &record.id.to_string());
    field("received_at", &rfc3339(record.received_us));
    field("created", &rfc3339(record.created_us));
    field("level", &level(record));
    let is_short = |field: &TextField| {
        !field.is_prose() && !matches!(field, TextField::LevelName | TextField::Fingerprint)
    };
    for name in TextField::ALL.into_iter().filter(is_short) {
        field(name.name(), &name.of(record));
    }
    for (name, number) in [
        ("line", record.line),
        ("process", record.process),
        ("thread", record.thread),
    ] {
        if number != 0 {
            field(name, &number.to_string());
        }
    }
    let extra = indent(&record.extra);
    for (name, value) in [
        ("message", record.message.as_str()),
        ("exception", &record.exception),
        ("stack", &record.stack),
        ("extra", &extra),
    ] {
        if !value.is_empty() {
            let shown = text(value.trim_end()).replace('\n', "\n  ");
            out.push_str(&format!("{name}:\n  {shown}\n"));
        }
    }
    out
}

fn call_site(record: &Record) -> String {
    let mut site = one_line(&record.module).into_owned();
    if !record.function.is_empty() {
        site.push('.');
        site.push_str(&one_line(&record.function));
    }
    if record.line != 0 {
        site.push_str(&format!(":{}", record.line));
    }
    site
}

#[cfg(test)]
mod tests {
    use domain::Record;

    use super::{line, one_line, text, whole};

    #[test]
    fn nothing_steers_the_terminal() {
        let check = |given: &str, expected: &str| assert_eq!(text(given), expected, "{given:?}");
        check("plain ü 漢 😀\ttab\nline", "plain ü 漢 😀\ttab\nline");
        check("a\0b\x1b[31mc\x7f\x08", "a␀b␛[31mc␡␈");
        check("a\r\nb\rc", "a\nb␍c");
        check("\u{9b}31m", "<U+009B>31m");
        check("abc\u{202e}cba\u{2066}", "abc<U+202E>cba<U+2066>");
        check("pass\u{200b}word\u{feff}", "pass<U+200B>word<U+FEFF>");
        check("a\u{200d}b 👩\u{200d}🚀", "a<U+200D>b 👩\u{200d}🚀");
        assert_eq!(one_line("a\n\tb\n"), "a␊␉b");
    }

    #[test]
    fn a_record_is_one_line_or_whole() {
        let record = Record {
            level: 35,
            message: "two\nlines".to_owned(),
            exception: "Traceback:\nValueError: \x1b[0m".to_owned(),
            extra: r#"{"a":1}"#.to_owned(),
            ..testkit::record(3)
        };
        insta::assert_snapshot!(line(&record), @"2023-11-14 22:13:20.503 ERROR(35) system_0/host_3 module_3.function_3:13 two␊lines");
        let whole = whole(&record);
        let (fields, texts) = whole.split_once("message:").expect("a message");
        assert!(fields.contains("\nsub_system_id: host_3\n"), "{fields}");
        assert!(!fields.contains("fingerprint"), "{fields}");
        insta::assert_snapshot!(texts, @r#"

          two
          lines
        exception:
          Traceback:
          ValueError: ␛[0m
        extra:
          {
            "a": 1
          }
        "#);
    }
}
