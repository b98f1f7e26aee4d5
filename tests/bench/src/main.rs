//! Benchmarks of whole services: real processes, real sockets, a real disk.
//! Numbers are printed with the targets they are held against; RESULTS.md keeps
//! those of a named machine and day.

mod append;
mod corpus;
mod forward;
mod idle;
mod latency;
mod lines;
mod load;
mod pages;
mod query;
mod report;
mod retention;
mod rules;
mod search;
mod tail;
mod throughput;

use anyhow::Context;
use clap::{Parser, ValueEnum};

use report::Report;

const RECORDS: u64 = 2_000_000;
const SEARCHED: u64 = 10_000_000;

/// Measures Herald on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_values_t = Part::ALL)]
    parts: Vec<Part>,
    /// Records of the throughput run, such as `2M`; the others take half as
    /// many, search and pages five times as many when nothing is said.
    #[arg(long, value_parser = number)]
    records: Option<u64>,
    /// Print JSON lines instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// From socket to committed rows, and the bare insert beside it.
    Throughput,
    /// From a send to a visible record, and memory, at 10,000 records/s.
    Latency,
    /// Memory at rest and the time of a start.
    Idle,
    /// The newest 50 under each filter.
    Query,
    /// Commits while old records are removed.
    Retention,
    /// Searching and counting a large store while records come in.
    Search,
    /// The store while 200 follow a flood.
    Tail,
    /// What people with a browser wait for, over a large store.
    Pages,
    /// A run of neelix over what is new, and over nothing.
    Rules,
    /// From one bridge to another, without rules and with masks.
    Forward,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Throughput,
        Self::Latency,
        Self::Idle,
        Self::Query,
        Self::Retention,
        Self::Search,
        Self::Tail,
        Self::Pages,
        Self::Rules,
        Self::Forward,
    ];
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value().expect("no part is hidden");
        f.write_str(value.get_name())
    }
}

/// Reads `2000000`, `2000k` or `2M`.
fn number(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => match text.strip_suffix(['m', 'M']) {
            Some(digits) => (digits, 1_000_000),
            None => (text, 1),
        },
    };
    let number = digits.parse::<u64>().ok();
    number
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| format!("`{text}` is no number of records: use one such as 500k or 10M"))
}

#[tokio::main(worker_threads = 2)]
#[expect(clippy::print_stderr, reason = "progress of a long run")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let lines = lines::load().context("log lines")?;
    let mut report = Report::new(arguments.json, &lines);
    let records = arguments.records.unwrap_or(RECORDS);
    let searched = arguments.records.unwrap_or(SEARCHED);
    for part in arguments.parts {
        eprintln!("measuring {part} ...");
        match part {
            Part::Throughput => throughput::run(&lines, records, &mut report).await?,
            Part::Latency => latency::run(&lines, &mut report).await?,
            Part::Idle => idle::run(&lines, records / 2, &mut report).await,
            Part::Query => query::run(&lines, records / 2, &mut report).await?,
            Part::Retention => retention::run(&lines, records / 2, &mut report).await,
            Part::Tail => tail::run(&lines, &mut report).await?,
            Part::Search => search::run(&lines, searched, &mut report).await?,
            Part::Pages => pages::run(&lines, searched, &mut report).await?,
            Part::Rules => rules::run(&lines, records / 2, &mut report).await?,
            Part::Forward => forward::run(&lines, records / 2, &mut report).await,
        }
    }
    report.finish();
    Ok(())
}
