//! `herald query`: the records that pass a query.

use clap::{Args, ValueEnum};
use domain::{Micros, Record, RecordFilter, RecordQuery};
use proto::v1::{
    ExportRecordsRequest, ListRecordsRequest, Order, RecordFilter as FilterMessage,
    record_service_client::RecordServiceClient,
};
use runtime::{config::Vars, grpc::Client};

use crate::{
    cli::StoreAddress,
    connection::{Connection, MAX_MESSAGE_BYTES},
    output::{self, note},
    records::{Printer, Printing, Selection, now_us, tell_coverage, tell_partial, time_ago},
};

const ABOUT: &str = "\
Shows the records that pass a query, newest first. Words must all occur; fields
are asked by name, as in `level>=error system:shop \"disk full\" -tape`.
docs/query.md has the whole language. A query that is wrong is shown where it
is wrong, and nothing is sent.

The store answers what it can within its deadline. An answer that did not get
through all records says so on stderr, and how to go on; with --limit 0 there
is no deadline, and every record that passes is written as it is found.";

const EXAMPLES: &str = "\
Examples:
  herald query disk full                         both words, newest 50
  herald query 'system:shop level>=error' --since 1h
  herald query '\"disk full\" OR \"no space\"' --level warning --order oldest
  herald query -- -module:test                   a query that begins with a minus
  herald query 'extra.order_id:4711' --format long
  herald query --since 2026-11-23 --until 2026-11-24 --limit 0 --format csv > day.csv
  herald query --limit 0 --format ndjson --fields created,message | jq .message

Exit codes:
  0  done, also when nothing passes or nobody reads any further
  1  failed; stderr says why, and how to go on
  2  the query or an option is wrong";

/// Show the records that pass a query.
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub(crate) struct Query {
    #[command(flatten)]
    selection: Selection,
    /// Only records received at or after this time: how long ago (1h, 15m,
    /// 1h30m; units ms s m h d w), a date, or RFC 3339 (without a zone: UTC).
    #[arg(long, short, value_name = "TIME", value_parser = time_ago, allow_hyphen_values = true)]
    since: Option<Micros>,
    /// Only records received before this time.
    #[arg(long, short, value_name = "TIME", value_parser = time_ago, allow_hyphen_values = true)]
    until: Option<Micros>,
    /// How many at most; 0 for all.
    #[arg(long, short = 'n', value_name = "N", default_value_t = RecordQuery::DEFAULT_LIMIT as u64)]
    limit: u64,
    /// Which come first.
    #[arg(long, value_enum, default_value_t)]
    order: FirstRecord,
    /// Only ids below this one: goes on after the last one of an answer.
    #[arg(
        long,
        value_name = "ID",
        default_value_t = 0,
        hide_default_value = true
    )]
    before: u64,
    /// Only ids above this one: the same with --order oldest.
    #[arg(
        long,
        value_name = "ID",
        default_value_t = 0,
        hide_default_value = true
    )]
    after: u64,
    #[command(flatten)]
    printing: Printing,
    #[command(flatten)]
    store: StoreAddress,
}

/// Which record comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum FirstRecord {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

/// Asks the store and prints the records.
pub(crate) async fn run(command: Query, vars: &Vars) -> anyhow::Result<()> {
    let condition = command.selection.condition(now_us())?;
    let printer = command.printing.printer(&condition, vars);
    let filter = RecordFilter {
        condition,
        from_us: command.since,
        to_us: command.until,
    };
    let connection = Connection::new(command.store, vars)?;
    let mut search = Search {
        records: RecordServiceClient::new(connection.client.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES),
        connection,
        filter: proto::filter_to_proto(&filter),
        order: match command.order {
            FirstRecord::Newest => Order::NewestFirst,
            FirstRecord::Oldest => Order::OldestFirst,
        },
        before: command.before,
        after: command.after,
        printer,
    };
    match command.limit {
        1..=MAX_LISTED => search.list(command.limit).await,
        limit => search.export(limit).await,
    }
}

/// More than a list may have are exported.
const MAX_LISTED: u64 = RecordQuery::MAX_LIMIT as u64;

struct Search {
    connection: Connection,
    records: RecordServiceClient<Client>,
    filter: FilterMessage,
    order: Order,
    before: u64,
    after: u64,
    printer: Printer,
}

impl Search {
    /// Prints so many records, unless the store's deadline comes first.
    async fn list(&mut self, limit: u64) -> anyhow::Result<()> {
        let mut left = limit;
        loop {
            let request = ListRecordsRequest {
                filter: Some(self.filter.clone()),
                order: self.order.into(),
                limit: u32::try_from(left).unwrap_or(u32::MAX),
                before: self.before,
                after: self.after,
            };
            let page = self.records.list_records(request).await;
            let page = page
                .map_err(|status| self.connection.explain(&status))?
                .into_inner();
            left = left.saturating_sub(page.records.len() as u64);
            self.print(page.records)?;
            tell_coverage(page.coverage.as_ref());
            self.go_on(page.next);
            if page.partial {
                tell_partial(page.coverage.as_ref(), self.order, page.next);
                return Ok(());
            }
            if page.next == 0 || left == 0 {
                self.tell_more(page.next);
                return Ok(());
            }
        }
    }

    /// Prints all records, or so many, however long it takes.
    async fn export(&mut self, limit: u64) -> anyhow::Result<()> {
        let request = ExportRecordsRequest {
            filter: Some(self.filter.clone()),
            order: self.order.into(),
            before: self.before,
            after: self.after,
            limit,
        };
        let pieces = self.records.export_records(request).await;
        let mut pieces = pieces
            .map_err(|status| self.connection.explain(&status))?
            .into_inner();
        let bar = output::has_room_for_bar().then(|| output::count_bar(0));
        let mut coverage = None;
        let mut through = 0;
        self.print(Vec::new())?;
        loop {
            let piece = match pieces.message().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(status) => {
                    let error = anyhow::Error::from(self.connection.explain(&status));
                    return Err(error.context(self.cut(through)));
                }
            };
            self.print(piece.records)?;
            output::check_reader()?;
            through = piece.through;
            if let (Some(bar), Some(coverage)) = (&bar, &piece.coverage) {
                bar.set_length(coverage.records_total);
                bar.set_position(coverage.records_covered);
            }
            coverage = piece.coverage;
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        tell_coverage(coverage.as_ref());
        Ok(())
    }

    fn print(&mut self, records: Vec<proto::v1::Record>) -> Result<(), output::WriteError> {
        let records: Vec<Record> = records.into_iter().map(Record::from).collect();
        self.printer.print(&records)
    }

    fn go_on(&mut self, next: u64) {
        match self.order {
            Order::OldestFirst => self.after = next,
            Order::NewestFirst | Order::Unspecified => self.before = next,
        }
    }

    fn option(&self) -> &'static str {
        match self.order {
            Order::OldestFirst => "--after",
            Order::NewestFirst | Order::Unspecified => "--before",
        }
    }

    fn tell_more(&self, next: u64) {
        if next > 0 && self.printer.is_for_people() && output::is_for_people() {
            note(format_args!("more: {} {next}", self.option()));
        }
    }

    fn cut(&self, through: u64) -> String {
        match through {
            0 => "cut before the first record".to_owned(),
            through => format!("cut: go on with {} {through}", self.option()),
        }
    }
}
