//! Records to stdout, in the form asked for.

use clap::{Args, ValueEnum, builder::PossibleValuesParser};
use domain::{Condition, Record};
use render::{Highlights, csv, terminal};
use runtime::config::Vars;

use super::{fields::Fields, line::Lines, paint::Color};
use crate::output::{self, WriteError};

/// How records are written.
#[derive(Debug, Args)]
pub(crate) struct Printing {
    /// How to write the records.
    #[arg(long, short, value_enum, default_value_t)]
    format: RecordFormat,
    /// Only these fields, in this order, under the names of the API.
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        hide_possible_values = true,
        value_parser = PossibleValuesParser::new(csv::COLUMNS)
    )]
    fields: Vec<String>,
    /// Colours in tables.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    color: Color,
}

/// The form of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum RecordFormat {
    /// For people: a line each, tracebacks below it.
    #[default]
    Table,
    /// For people: each with all it has, over several lines.
    Long,
    /// For programs: a JSON object a line, as the API has it.
    Ndjson,
    /// For spreadsheets: RFC 4180, and no cell is a formula.
    Csv,
}

impl Printing {
    /// A printer that sets off what the condition looks for.
    pub(crate) fn printer(self, condition: &Condition, vars: &Vars) -> Printer {
        Printer {
            format: self.format,
            fields: (!self.fields.is_empty()).then_some(Fields(self.fields)),
            lines: Lines {
                has_colors: self.color.is_on(vars),
                highlights: Highlights::of(condition),
            },
            is_begun: false,
        }
    }
}

/// Writes records to stdout.
#[derive(Debug)]
pub(crate) struct Printer {
    format: RecordFormat,
    fields: Option<Fields>,
    lines: Lines,
    is_begun: bool,
}

impl Printer {
    /// Whether people read it, rather than programs.
    pub(crate) fn is_for_people(&self) -> bool {
        matches!(self.format, RecordFormat::Table | RecordFormat::Long)
    }

    /// Writes records, with what comes before the first ones.
    ///
    /// # Errors
    /// Nobody reads them any more, or they cannot be written.
    pub(crate) fn print(&mut self, records: &[Record]) -> Result<(), WriteError> {
        let mut out = String::new();
        self.begin(&mut out);
        for record in records {
            self.write(&mut out, record);
        }
        output::write(&out)
    }

    /// Writes one record with a gutter of two columns in front of each line,
    /// if people read it: `> ` for the one that matters.
    ///
    /// # Errors
    /// As [`Printer::print`].
    pub(crate) fn print_beside(&mut self, gutter: &str, record: &Record) -> Result<(), WriteError> {
        if !self.is_for_people() {
            return self.print(std::slice::from_ref(record));
        }
        let mut text = String::new();
        self.write(&mut text, record);
        let lines = text.lines().map(|line| match line {
            "" => "\n".to_owned(),
            line => format!("{gutter}{line}\n"),
        });
        output::write(&lines.collect::<String>())
    }

    fn begin(&mut self, out: &mut String) {
        if !self.is_begun && self.format == RecordFormat::Csv {
            let header = self.fields.as_ref().map(Fields::csv_header);
            out.push_str(&header.unwrap_or_else(csv::header));
        }
        self.is_begun = true;
    }

    fn write(&self, out: &mut String, record: &Record) {
        match (self.format, &self.fields) {
            (RecordFormat::Table, None) => self.lines.write(out, record),
            (RecordFormat::Long, None) => {
                out.push_str(&terminal::whole(record));
                out.push('\n');
            }
            (RecordFormat::Table | RecordFormat::Long, Some(fields)) => {
                fields.write_line(out, record);
            }
            (RecordFormat::Ndjson, None) => {
                out.push_str(&render::json_line(record));
                out.push('\n');
            }
            (RecordFormat::Ndjson, Some(fields)) => fields.write_json(out, record),
            (RecordFormat::Csv, None) => csv::write_row(out, record),
            (RecordFormat::Csv, Some(fields)) => fields.write_csv(out, record),
        }
    }
}
