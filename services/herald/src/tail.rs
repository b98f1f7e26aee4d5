//! `herald tail`: the records that pass a query as they come.

mod follow;

use clap::Args;
use domain::{Micros, RecordFilter, RecordQuery};
use runtime::config::Vars;

use crate::{
    cli::StoreAddress,
    connection::Connection,
    output,
    records::{Printing, Selection, now_us, time_ago},
};
use follow::{Follower, History};

/// Lines shown first when nobody says.
const LINES: u32 = 10;

const ABOUT: &str = "\
Shows the newest records that pass a query, then those that come, until Ctrl-C.
When the store goes away it says so on stderr and waits; it goes on behind the
last id that was looked at, so that no record is missed or shown twice.";

const EXAMPLES: &str = "\
Examples:
  herald tail                                    everything
  herald tail 'level>=warning -system:test*'
  herald tail system:shop --lines 100
  herald tail 'extra.order_id:4711' --since 1d   all of the last day, then what comes
  herald tail --lines 0 --format ndjson | jq -r .message";

/// Follow the records that pass a query.
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub(crate) struct Tail {
    #[command(flatten)]
    selection: Selection,
    /// Show those received since this time first: how long ago (1h, 15m), a
    /// date, or RFC 3339.
    #[arg(long, short, value_name = "TIME", value_parser = time_ago, allow_hyphen_values = true)]
    since: Option<Micros>,
    /// Show so many of the newest first [default: 10, with --since all].
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(..=RecordQuery::MAX_LIMIT as i64)
    )]
    lines: Option<u32>,
    #[command(flatten)]
    printing: Printing,
    #[command(flatten)]
    store: StoreAddress,
}

/// Follows until a signal, or until nobody reads.
pub(crate) async fn run(command: Tail, vars: &Vars) -> anyhow::Result<()> {
    let condition = command.selection.condition(now_us())?;
    let printer = command.printing.printer(&condition, vars);
    let filter = proto::filter_to_proto(&RecordFilter::new(condition));
    let history = match (command.since, command.lines) {
        (since, Some(lines)) => History::Newest { lines, since },
        (Some(since), None) => History::Since(since),
        (None, None) => History::Newest {
            lines: LINES,
            since: None,
        },
    };
    let connection = Connection::new(command.store, vars)?;
    let stop = runtime::shutdown::on_signal();
    let follower = Follower::new(connection, filter, printer);
    tokio::select! {
        biased;
        () = stop.cancelled() => Ok(()),
        gone = output::reader_gone() => Err(gone.into()),
        outcome = follower.run(history) => outcome,
    }
}
