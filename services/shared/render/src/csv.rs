//! A record as a row of CSV (RFC 4180) that a spreadsheet takes as text, never
//! as a formula.

use domain::Record;

use crate::{glyph, rfc3339};

/// The names of the columns: those of the HTTP API, in its order.
pub const COLUMNS: [&str; 27] = [
    "id",
    "received_at",
    "created",
    "level",
    "level_name",
    "logger",
    "message",
    "system_id",
    "sub_system_id",
    "sub_sub_system_id",
    "produkt_id",
    "user_spec_1",
    "user_spec_2",
    "package_version",
    "api_version",
    "module",
    "function",
    "path",
    "line",
    "process",
    "process_name",
    "thread",
    "thread_name",
    "exception",
    "stack",
    "peer",
    "extra",
];

/// The first row, with its line's end.
#[must_use]
pub fn header() -> String {
    format!("{}\r\n", COLUMNS.join(","))
}

/// Appends the record's row, with its line's end.
///
/// A text that begins like a formula (`=`, `+`, `-`, `@`, their full-width
/// forms, tab, carriage return or line feed) has an apostrophe in front. Of
/// control characters only tab and line ends stay; the others become their
/// Unicode pictures or the replacement character.
pub fn write_row(out: &mut String, record: &Record) {
    let mut row = Row {
        out,
        is_first: true,
    };
    row.number(record.id);
    row.plain(&rfc3339(record.received_us));
    row.plain(&rfc3339(record.created_us));
    row.number(record.level);
    row.text(&record.level_name);
    row.text(&record.logger);
    row.text(&record.message);
    row.text(&record.system_id);
    row.text(&record.sub_system_id);
    row.text(&record.sub_sub_system_id);
    row.text(&record.produkt_id);
    row.text(&record.user_spec_1);
    row.text(&record.user_spec_2);
    row.text(&record.package_version);
    row.text(&record.api_version);
    row.text(&record.module);
    row.text(&record.function);
    row.text(&record.path);
    row.number(record.line);
    row.number(record.process);
    row.text(&record.process_name);
    row.number(record.thread);
    row.text(&record.thread_name);
    row.text(&record.exception);
    row.text(&record.stack);
    row.text(&record.peer);
    row.text(&record.extra);
    row.out.push_str("\r\n");
}

/// Appends a row of texts, with its line's end; what is in the cells is as inert as in
/// [`write_row`].
pub fn write_texts<'t>(out: &mut String, texts: impl IntoIterator<Item = &'t str>) {
    let mut row = Row {
        out,
        is_first: true,
    };
    for text in texts {
        row.text(text);
    }
    row.out.push_str("\r\n");
}

struct Row<'a> {
    out: &'a mut String,
    is_first: bool,
}

impl Row<'_> {
    fn plain(&mut self, value: &str) {
        if !self.is_first {
            self.out.push(',');
        }
        self.is_first = false;
        self.out.push_str(value);
    }

    fn number(&mut self, value: impl Into<i128>) {
        self.plain(&value.into().to_string());
    }

    fn text(&mut self, text: &str) {
        self.plain("");
        let is_quoted = text.contains([',', '"', ';', '\n', '\r', '\t', '\'', ' ']);
        if is_quoted {
            self.out.push('"');
        }
        if text.starts_with(is_formula_start) {
            self.out.push('\'');
        }
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\"\""),
                '\t' | '\n' | '\r' => self.out.push(c),
                c if c.is_control() => self.out.push(glyph::picture(c)),
                c => self.out.push(c),
            }
        }
        if is_quoted {
            self.out.push('"');
        }
    }
}

fn is_formula_start(c: char) -> bool {
    matches!(
        c,
        '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r' | '\n'
    )
}

#[cfg(test)]
mod tests {
    use domain::Record;

    use super::{COLUMNS, header, write_row, write_texts};

    fn cell(text: &str) -> String {
        let mut out = String::new();
        let record = Record {
            message: text.to_owned(),
            ..Record::default()
        };
        write_row(&mut out, &record);
        let before = "0,1970-01-01T00:00:00.000000Z,1970-01-01T00:00:00.000000Z,0,,,";
        let rest = out.strip_prefix(before).expect("the cells before");
        let after = ",,,,,,,,,,,,0,0,,0,,,,,\r\n";
        rest.strip_suffix(after)
            .expect("the cells after")
            .to_owned()
    }

    #[test]
    fn rows_of_texts_are_as_inert() {
        let mut out = String::new();
        write_texts(&mut out, ["", "a,b", "=1", "\x1b"]);
        assert_eq!(out, ",\"a,b\",'=1,␛\r\n");
    }

    #[test]
    fn a_cell_is_quoted_and_no_formula() {
        let check = |text: &str, expected: &str| assert_eq!(cell(text), expected, "{text:?}");
        check("", "");
        check("plain", "plain");
        check("a,b", "\"a,b\"");
        check("say \"no\"", "\"say \"\"no\"\"\"");
        check("two\nlines", "\"two\nlines\"");
        check("=1+1", "'=1+1");
        check("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\"");
        check("+1", "'+1");
        check("-1", "'-1");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\t=1", "\"'\t=1\"");
        check("\r=1", "\"'\r=1\"");
        check("＝1", "'＝1");
        check("a=1", "a=1");
        check("\0=1", "␀=1");
        check("\x1b[31m\u{9b}\x7f", "␛[31m\u{fffd}␡");
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let mut out = String::new();
        let record = Record {
            level: -5,
            extra: r#"{"a":1,"b":2}"#.to_owned(),
            ..testkit::record(3)
        };
        write_row(&mut out, &record);
        insta::assert_snapshot!(out.trim_end(), @r#"0,2023-11-14T22:13:20.503000Z,2023-11-14T22:13:20.003000Z,-5,ERROR,shop.module_3,"record 3",system_0,host_3,worker,product_1,blue,north,1.2.19,7,module_3,function_3,/srv/shop/module_3.py,13,4321,MainProcess,139637976000000,MainThread,,,127.0.0.1:50000,"{""a"":1,""b"":2}""#);
        assert!(out.ends_with("\r\n"));
        assert_eq!(header().split(',').count(), COLUMNS.len());
        let plain = testkit::record(1);
        let mut out = String::new();
        write_row(&mut out, &plain);
        assert_eq!(out.split(',').count(), COLUMNS.len());
    }
}
