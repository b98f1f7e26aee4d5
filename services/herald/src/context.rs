//! `herald context`: a record and what came before and after it.

use anyhow::bail;
use clap::{Args, ValueEnum};
use domain::{Condition, ContextScope, Record};
use proto::v1::{GetRecordContextRequest, record_service_client::RecordServiceClient};
use runtime::config::Vars;
use tonic::Code;

use crate::{
    cli::StoreAddress,
    connection::{Connection, MAX_MESSAGE_BYTES},
    output::note,
    records::Printing,
};

const ABOUT: &str = "\
Shows a record between its neighbours, oldest first. Its id stands behind the #
of the other commands' lines, and in the page's address. --scope says which
records count as neighbours.";

const EXAMPLES: &str = "\
Examples:
  herald context 4711
  herald context 4711 --before 50 --after 0 --scope process
  herald context 4711 --before 0 --after 0 --format long     all of one record";

/// Show a record between its neighbours.
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub(crate) struct Context {
    /// The record's id.
    #[arg(value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
    id: u64,
    /// How many records before it, at most 1000.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = neighbours())]
    before: u32,
    /// How many records after it, at most 1000.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = neighbours())]
    after: u32,
    /// Which records are its neighbours.
    #[arg(long, value_enum, default_value_t)]
    scope: Scope,
    #[command(flatten)]
    printing: Printing,
    #[command(flatten)]
    store: StoreAddress,
}

/// Which records are neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Scope {
    /// All.
    #[default]
    Everything,
    /// Those of the same system_id.
    System,
    /// Those of the same system_id, sub_system_id and process.
    Process,
}

fn neighbours() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(..=1_000)
}

/// Asks the store and prints the records.
pub(crate) async fn run(command: Context, vars: &Vars) -> anyhow::Result<()> {
    let id = command.id;
    let connection = Connection::new(command.store, vars)?;
    let scope = match command.scope {
        Scope::Everything => ContextScope::Everything,
        Scope::System => ContextScope::System,
        Scope::Process => ContextScope::Process,
    };
    let request = GetRecordContextRequest {
        id,
        before: command.before,
        after: command.after,
        scope: proto::scope_to_proto(scope).into(),
    };
    let answer = RecordServiceClient::new(connection.client.clone())
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .get_record_context(request)
        .await;
    let answer = match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) if status.code() == Code::NotFound => bail!(
            "there is no record {id}: it has never been, or is older than what the store keeps"
        ),
        Err(status) => return Err(connection.explain(&status).into()),
    };
    let mut printer = command.printing.printer(&Condition::default(), vars);
    let records = answer
        .before
        .into_iter()
        .chain(answer.record)
        .chain(answer.after);
    for record in records.map(Record::from) {
        let gutter = if record.id == id { "> " } else { "  " };
        printer.print_beside(gutter, &record)?;
    }
    if answer.partial {
        note("partial: the store's time was over, there may be more neighbours further away");
    }
    Ok(())
}
