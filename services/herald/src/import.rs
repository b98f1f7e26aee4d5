//! `herald import FILE`: brings the records of a predecessor's database along,
//! exactly once however often it is repeated.
//!
//! An import appends to the store as a bridge of its own. Each batch carries a
//! [`Mark`]: the last row in it, by number and hash. It is kept in the
//! transaction that takes the batch, so that the next run finds it and goes on
//! after exactly that row, be it after a crash of either side or because the
//! file has grown.

mod batch;
mod clock;
mod mark;
mod transfer;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, bail};
use clap::Args;
use runtime::config::Vars;
use serde_json::json;
use store::predecessor::Predecessor;

use crate::{
    cli::{Format, StoreAddress},
    connection::Connection,
    output,
};
use clock::LocalClock;
use transfer::{Counts, Transfer};

const ABOUT: &str = "\
Reads a database of the predecessor (herald.sqlite, herald.sqlite_d, ...), also
one that is still being written, and appends its records to the running store.
The file is never changed. Safe to repeat: what has been imported is not
imported again, and new rows of the same file are. Interrupted, it goes on
where it stopped.

The predecessor kept only the local time of insertion. It becomes both times of
the record; --time-zone says where that clock was. The store's retention
applies: records older than STORE_RETENTION go as they come.";

const EXAMPLES: &str = "\
Examples:
  herald import old/herald.sqlite_d
  herald import --time-zone Europe/Berlin /srv/logs/herald.sqlite
  herald import --format json herald.sqlite_d | jq .imported
  herald import --store http://logs.example:9124 herald.sqlite";

/// Bring the records of the predecessor's database along.
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub(crate) struct Import {
    /// The predecessor's database.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The zone of the clock that wrote it, such as Europe/Berlin [default: this machine's].
    #[arg(long, value_name = "ZONE", value_parser = clock::zone)]
    time_zone: Option<jiff::tz::TimeZone>,
    /// How to write the summary.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    store: StoreAddress,
}

/// Imports what is new in the file.
pub(crate) async fn run(command: Import, vars: &Vars) -> anyhow::Result<()> {
    let start = Instant::now();
    let connection = Connection::new(command.store, vars)?;
    let zone = command.time_zone.unwrap_or_else(jiff::tz::TimeZone::system);
    let mut predecessor = Predecessor::open(&command.file).await?;
    let _lock = lock(&command.file)?;
    let spool = mark::find(&connection, &mut predecessor, &command.file).await?;
    let total = predecessor.count_after(0).await?;
    let new = predecessor.count_after(spool.rowid()).await?;

    let bar = output::count_bar(new);
    let mut transfer = Transfer {
        connection,
        predecessor,
        clock: LocalClock::new(zone),
        start: spool.rowid(),
        spool,
        bar: bar.clone(),
        counts: Counts::default(),
    };
    let outcome = transfer.run().await;
    bar.finish_and_clear();
    outcome.with_context(|| {
        format!(
            "imported {} of {new} new records; run it again to go on",
            transfer.counts.imported
        )
    })?;
    report(
        command.format,
        &command.file,
        &transfer,
        total - new,
        start.elapsed().as_secs_f64(),
    );
    Ok(())
}

/// Two imports of one file at a time would both think they are the first.
fn lock(path: &Path) -> anyhow::Result<File> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another import of {} is running", path.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

fn report(format: Format, file: &Path, transfer: &Transfer, already: u64, seconds: f64) {
    let counts = &transfer.counts;
    match format {
        Format::Json => output::say(json!({
            "file": file.display().to_string(),
            "bridge_id": transfer.spool.bridge_id.to_string(),
            "imported": counts.imported,
            "already_imported": already,
            "too_large": counts.too_large,
            "without_time": counts.without_time,
            "seconds": seconds,
        })),
        Format::Text => {
            output::say(format_args!(
                "{}: {} records imported in {seconds:.1} s, {already} were already there",
                file.display(),
                counts.imported
            ));
            if counts.too_large > 0 {
                output::say(format_args!(
                    "{} are too large and became dead letters",
                    counts.too_large
                ));
            }
            if counts.without_time > 0 {
                output::say(format_args!(
                    "{} have no readable time and got that of the record before",
                    counts.without_time
                ));
            }
        }
    }
}
