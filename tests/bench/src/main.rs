//! Benchmarks of whole services: real processes, real sockets, a real disk.
//! Numbers are printed with the targets they are held against; RESULTS.md keeps
//! those of a named machine and day.

mod append;
mod idle;
mod latency;
mod lines;
mod load;
mod query;
mod report;
mod retention;
mod throughput;

use anyhow::Context;
use clap::{Parser, ValueEnum};

use report::Report;

/// Measures Herald on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_values_t = Part::ALL)]
    parts: Vec<Part>,
    /// Records of the throughput run; the others take half as many.
    #[arg(long, default_value_t = 2_000_000)]
    records: u64,
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
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Throughput,
        Self::Latency,
        Self::Idle,
        Self::Query,
        Self::Retention,
    ];
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value().expect("no part is hidden");
        f.write_str(value.get_name())
    }
}

#[tokio::main(worker_threads = 2)]
#[expect(clippy::print_stderr, reason = "progress of a long run")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let lines = lines::load().context("log lines")?;
    let mut report = Report::new(arguments.json, &lines);
    for part in arguments.parts {
        eprintln!("measuring {part} ...");
        match part {
            Part::Throughput => throughput::run(&lines, arguments.records, &mut report).await?,
            Part::Latency => latency::run(&lines, &mut report).await?,
            Part::Idle => idle::run(&lines, arguments.records / 2, &mut report).await?,
            Part::Query => query::run(&lines, arguments.records / 2, &mut report).await?,
            Part::Retention => retention::run(&lines, arguments.records / 2, &mut report).await?,
        }
    }
    report.finish();
    Ok(())
}
