//! One run of neelix over a million records that are new to it.

use std::{fmt::Write, fs, time::Duration};

use anyhow::{Context, ensure};
use testkit::Installation;
use tokio::time::Instant;

use crate::{
    lines::Lines,
    load::PROGRAMS,
    report::{Report, Target, quantile_ms},
    search::{fill, settle},
    throughput::mib,
};

/// How many rules, half of them for what is never there.
const RULES: usize = 1_000;
/// One rule of so many is about each system there is, the others about one.
const EACH_SYSTEM: usize = 21;
/// Runs that have nothing to do.
const IDLE_RUNS: usize = 20;
const LONGEST: Duration = Duration::from_mins(5);

/// Fills a store, then runs neelix over all of it, and over nothing.
///
/// # Errors
/// When a run fails.
pub(crate) async fn run(lines: &Lines, records: u64, report: &mut Report) -> anyhow::Result<()> {
    let installation = Installation::new();
    let file = installation.folder().join("rules.cfg");
    fs::write(&file, rules(lines)).context("the rules file")?;
    let installation = installation
        .with("NEELIX_RULES", file.display().to_string())
        .with("NEELIX_SMTP_URL", "keep:");
    let _store = installation.store().await;
    fill(lines, records, &installation.store_url()).await;
    settle(&installation).await;
    let (took, peak) = once(&installation).await?;
    let seconds = took.as_secs_f64();
    report.hold(
        "1,000 rules over all records",
        seconds,
        "s",
        Target::AtMost(10.0),
    );
    report.hold(
        "its memory at its peak",
        mib(peak),
        "MiB",
        Target::AtMost(100.0),
    );
    let mut times = Vec::new();
    for _ in 0..IDLE_RUNS {
        times.push(once(&installation).await?.0);
    }
    let idle = quantile_ms(&mut times, 0.5);
    report.hold(
        "1,000 rules over nothing new, the whole process, p50",
        idle,
        "ms",
        Target::AtMost(200.0),
    );
    Ok(())
}

/// How long a run took, and the most memory it had.
async fn once(installation: &Installation) -> anyhow::Result<(Duration, u64)> {
    let start = Instant::now();
    let mut neelix = installation.start("neelix-cronjob", &[]);
    let mut peak = 0;
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while neelix.is_running() {
        looks.tick().await;
        // It may have ended since.
        let status = fs::read_to_string(format!("/proc/{}/status", neelix.id()));
        peak = peak.max(status.map_or(0, |status| peak_of(&status)));
    }
    let took = start.elapsed();
    let status = neelix.end(LONGEST).await;
    ensure!(status.success(), "neelix-cronjob: {}", neelix.stderr());
    Ok((took, peak))
}

/// The most memory a process had, by its status in `/proc`; 0 when it has ended.
fn peak_of(status: &str) -> u64 {
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.trim().parse().ok());
    kib.map_or(0, |kib: u64| kib * 1_024)
}

/// Rules of each kind. One in ten looks for a word that is there, in thousands of
/// records; the others for what never is, as rules mostly do.
fn rules(lines: &Lines) -> String {
    let mut rules = String::new();
    for number in 0..RULES {
        let line = &lines.texts[number * lines.texts.len() / RULES];
        let word = line.split_whitespace().max_by_key(|word| word.len());
        let word = word.unwrap_or("nothing").replace('%', "%%");
        let condition = match number % 20 {
            0 => format!("MSG = {word}"),
            10 => format!("MSG = {word}\nCOUNT = 1000\nWITHIN = 1m"),
            1 | 6 | 11 | 16 => format!("MSG = none {number}\nCOUNT = 10\nWITHIN = 1m"),
            3 | 8 | 13 | 18 => format!("QUERY = level>=error unheard{number}"),
            4 | 9 | 14 | 19 => format!("AGE = {number}h"),
            _ => format!("MSG = there is no line {number} with this"),
        };
        // No section stands twice: more asterisks change nothing but its name.
        let section = match number % EACH_SYSTEM {
            0 => "*".repeat(number / EACH_SYSTEM + 1),
            _ => format!(
                "{}service_{}",
                "*".repeat(number / PROGRAMS as usize),
                number % PROGRAMS as usize
            ),
        };
        let _ = writeln!(rules, "[{section}]\n{condition}\n");
    }
    rules
}
