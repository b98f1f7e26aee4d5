//! What was measured beside what was asked for.

use std::{fs, time::Duration};

use serde_json::json;

use crate::lines::Lines;

/// A number and its bound.
#[derive(Debug)]
struct Row {
    what: String,
    value: f64,
    unit: &'static str,
    target: Option<Target>,
}

/// What a number must not cross.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

/// The numbers of a run.
#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    machine: String,
    rows: Vec<Row>,
}

impl Report {
    /// An empty report that names the machine.
    #[must_use]
    pub(crate) fn new(json: bool, lines: &Lines) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown processor", |(_, model)| model);
        let machine = format!("{cores} cores of {model}, {}", lines.origin);
        Self {
            json,
            machine,
            rows: Vec::new(),
        }
    }

    /// Adds a number.
    pub(crate) fn add(&mut self, what: impl Into<String>, value: f64, unit: &'static str) {
        self.push(what.into(), value, unit, None);
    }

    /// Adds a number that has a bound.
    pub(crate) fn hold(
        &mut self,
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
        target: Target,
    ) {
        self.push(what.into(), value, unit, Some(target));
    }

    /// Prints the table.
    #[expect(clippy::print_stdout, reason = "the report is the program's output")]
    pub(crate) fn finish(&self) {
        if self.json {
            for row in &self.rows {
                let line = json!({ "what": row.what, "value": row.value, "unit": row.unit,
                    "target": row.target.map(|it| it.to_string()), "holds": row.holds() });
                println!("{line}");
            }
            return;
        }
        println!("Machine: {}\n", self.machine);
        println!("| what | measured | target | |\n|---|---|---|---|");
        for row in &self.rows {
            let target = row.target.map(|it| it.to_string()).unwrap_or_default();
            let verdict = match (row.target, row.holds()) {
                (None, _) => "",
                (Some(_), true) => "holds",
                (Some(_), false) => "MISSED",
            };
            println!(
                "| {} | {} {} | {target} | {verdict} |",
                row.what,
                row.number(),
                row.unit
            );
        }
    }

    #[expect(clippy::print_stderr, reason = "progress of a long run")]
    fn push(&mut self, what: String, value: f64, unit: &'static str, target: Option<Target>) {
        eprintln!("  {what}: {value:.2} {unit}");
        self.rows.push(Row {
            what,
            value,
            unit,
            target,
        });
    }
}

impl Row {
    fn holds(&self) -> bool {
        match self.target {
            None => true,
            Some(Target::AtLeast(least)) => self.value >= least,
            Some(Target::AtMost(most)) => self.value <= most,
        }
    }

    fn number(&self) -> String {
        match self.value.abs() {
            1_000.0.. => format!("{:.0}", self.value),
            10.0..1_000.0 => format!("{:.1}", self.value),
            _ => format!("{:.2}", self.value),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::AtMost(most) => write!(f, "at most {most}"),
        }
    }
}

/// The value below which `share` (0 to 1) of `times` lie, in milliseconds.
///
/// # Panics
/// When `times` is empty.
#[must_use]
pub(crate) fn quantile_ms(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let index = (times.len() as f64 * share) as usize;
    times[index.min(times.len() - 1)].as_secs_f64() * 1e3
}
