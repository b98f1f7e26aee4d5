//! A record for people: one line, and what is below it indented.

use domain::{Level, Record, TextField};
use render::{Highlights, rfc3339, terminal};

use super::paint::{Role, paint};

const INDENT: &str = "    ";

/// Writes records for people.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) has_colors: bool,
    pub(crate) highlights: Highlights,
}

impl Lines {
    /// Time of receipt, severity, system and host, id, message; below it the
    /// message's further lines and the tracebacks. Inert but for the colours.
    pub(crate) fn write(&self, out: &mut String, record: &Record) {
        let level = Role::Severity(Level::of(record.level));
        self.paint(out, Role::Aside, &time(record));
        out.push(' ');
        self.paint(out, level, &format!("{:<8}", terminal::level(record)));
        out.push(' ');
        let place = place(record);
        if !place.is_empty() {
            out.push_str(&place);
            out.push(' ');
        }
        self.paint(out, Role::Aside, &format!("#{}", record.id));
        out.push(' ');
        self.text(out, TextField::Message, &record.message);
        out.push('\n');
        for field in [TextField::Exception, TextField::Stack] {
            let text = field.of(record);
            if !text.trim_end().is_empty() {
                out.push_str(INDENT);
                self.text(out, field, &text);
                out.push('\n');
            }
        }
    }

    /// A text whose further lines are indented, with what was looked for set
    /// off.
    fn text(&self, out: &mut String, field: TextField, text: &str) {
        let text = text.trim_end();
        if !self.has_colors {
            return indented(out, &terminal::text(text), |out, line| out.push_str(line));
        }
        let mut done = 0;
        for place in self.highlights.places(field, text) {
            indented(
                out,
                &terminal::text(&text[done..place.start]),
                |out, line| {
                    out.push_str(line);
                },
            );
            indented(out, &terminal::text(&text[place.clone()]), |out, line| {
                self.paint(out, Role::Match, line);
            });
            done = place.end;
        }
        indented(out, &terminal::text(&text[done..]), |out, line| {
            out.push_str(line)
        });
    }

    fn paint(&self, out: &mut String, role: Role, text: &str) {
        paint(out, self.has_colors, role, text);
    }
}

fn indented(out: &mut String, text: &str, mut write: impl FnMut(&mut String, &str)) {
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
            out.push_str(INDENT);
        }
        write(out, line);
    }
}

/// Milliseconds are enough for people, and it can be pasted into a query.
fn time(record: &Record) -> String {
    format!("{}Z", &rfc3339(record.received_us)[..23])
}

fn place(record: &Record) -> String {
    let names = [&record.system_id, &record.sub_system_id];
    let names = names.into_iter().filter(|name| !name.is_empty());
    let names: Vec<_> = names.map(|name| terminal::one_line(name)).collect();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use domain::Record;
    use render::Highlights;

    use super::Lines;

    fn written(record: &Record, query: &str, has_colors: bool) -> String {
        let lines = Lines {
            has_colors,
            highlights: Highlights::of(&query::parse(query, 0).unwrap()),
        };
        let mut out = String::new();
        lines.write(&mut out, record);
        out
    }

    #[test]
    fn a_record_is_a_line_and_what_is_below() {
        let record = Record {
            id: 4711,
            message: "two\r\nlines\n".to_owned(),
            exception: "Traceback:\n  File \"x\"\nValueError: y\n".to_owned(),
            ..testkit::record(3)
        };
        let expected = "2023-11-14T22:13:20.503Z ERROR    system_0/host_3 #4711 two\n    lines\n    \
            Traceback:\n      File \"x\"\n    ValueError: y\n";
        assert_eq!(written(&record, "", false), expected);
    }

    #[test]
    fn nothing_of_a_record_steers_the_terminal() {
        let hostile = "\x1b]0;owned\x07\x1b[2J\rERROR\u{202e}\u{9b}31m\nfake line";
        let record = Record {
            message: hostile.to_owned(),
            exception: hostile.to_owned(),
            system_id: hostile.to_owned(),
            sub_system_id: hostile.to_owned(),
            level_name: hostile.to_owned(),
            ..testkit::record(3)
        };
        let out = written(&record, "owned", false);
        let is_inert = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(out.chars().all(is_inert), "{out:?}");
        assert!(
            out.lines().skip(1).all(|line| line.starts_with("    ")),
            "{out}"
        );
        let painted = written(&record, "owned", true);
        let plain = painted
            .replace("\x1b[2m", "")
            .replace("\x1b[1;31m", "")
            .replace("\x1b[30;43m", "")
            .replace("\x1b[0m", "");
        assert_eq!(plain, out);
    }

    #[test]
    fn the_match_is_set_off() {
        let record = Record {
            message: "the DISK\nis full".to_owned(),
            ..testkit::record(3)
        };
        let out = written(&record, "disk \"k\\nis\"", true);
        assert!(
            out.ends_with("the \x1b[30;43mDISK\x1b[0m\n    \x1b[30;43mis\x1b[0m full\n"),
            "{out:?}"
        );
    }
}
