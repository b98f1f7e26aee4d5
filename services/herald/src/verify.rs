//! `herald verify`: reads everything that is kept and says what is damaged.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use indicatif::ProgressBar;
use proto::v1::{VerifyRequest, status_service_client::StatusServiceClient};
use runtime::config::Vars;
use serde_json::{Value, json};
use store::verify::{Problem, Progress};

use crate::{
    cli::{Format, StoreAddress},
    connection::Connection,
    output,
};

const ABOUT: &str = "\
Reads all records that are kept and checks them against their checksums. Without
FILE it is the running store that does so, while everything goes on. FILE is a
database that no store has open, such as a backup.

Exits with 1 when something is damaged. What is damaged is skipped by searches;
all the rest can be read.";

const EXAMPLES: &str = "\
Examples:
  herald verify
  herald verify /safe/herald.sqlite              a backup
  herald verify --format json | jq .problems
  herald backup new.sqlite && herald verify new.sqlite && mv new.sqlite good.sqlite";

/// Check that everything that is kept can be read.
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub(crate) struct Verify {
    /// A database that no store has open [default: ask the running store].
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// How to write what is found.
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    store: StoreAddress,
}

/// Checks the file or the running store.
pub(crate) async fn run(command: Verify, vars: &Vars) -> anyhow::Result<()> {
    let mut account = Account::new(command.format);
    let outcome = match &command.file {
        Some(file) => check_file(file, &mut account).await,
        None => {
            let connection = Connection::new(command.store, vars)?;
            check_store(&connection, &mut account).await
        }
    };
    account.bar.finish_and_clear();
    outcome?;
    account.finish()
}

async fn check_file(file: &Path, account: &mut Account) -> anyhow::Result<()> {
    store::verify::file(file, |progress| account.take(progress)).await?;
    Ok(())
}

async fn check_store(connection: &Connection, account: &mut Account) -> anyhow::Result<()> {
    let mut answers = StatusServiceClient::new(connection.client.clone())
        .verify(VerifyRequest {})
        .await
        .map_err(|status| connection.explain(&status))?
        .into_inner();
    while let Some(answer) = answers
        .message()
        .await
        .map_err(|status| connection.explain(&status))?
    {
        let problems = answer.problems.into_iter();
        account.take(Progress {
            blocks_total: answer.blocks_total,
            blocks_done: answer.blocks_done,
            records: answer.records,
            problems: problems
                .map(|problem| Problem {
                    first_id: problem.first_id,
                    records: problem.records,
                    text: problem.text,
                })
                .collect(),
            is_done: answer.done,
        });
    }
    Ok(())
}

/// What has been found so far.
struct Account {
    format: Format,
    bar: ProgressBar,
    last: Progress,
    problems: Vec<Problem>,
}

impl Account {
    fn new(format: Format) -> Self {
        Self {
            format,
            bar: output::block_bar(),
            last: Progress::default(),
            problems: Vec::new(),
        }
    }

    fn take(&mut self, mut progress: Progress) {
        self.bar.set_length(progress.blocks_total);
        self.bar.set_position(progress.blocks_done);
        if self.format == Format::Text {
            let told = &progress.problems;
            self.bar
                .suspend(|| told.iter().for_each(|problem| output::say(text(problem))));
        }
        self.problems.append(&mut progress.problems);
        self.last = progress;
    }

    fn finish(self) -> anyhow::Result<()> {
        let (blocks, total) = (self.last.blocks_done, self.last.blocks_total);
        if !self.last.is_done {
            bail!("the check was cut after {blocks} of {total} blocks: run it again");
        }
        let records = self.last.records;
        if self.format == Format::Json {
            output::say(json!({
                "blocks": blocks,
                "records": records,
                "problems": self.problems.iter().map(as_json).collect::<Vec<_>>(),
            }));
        }
        if !self.problems.is_empty() {
            let lost: u64 = self.problems.iter().map(|problem| problem.records).sum();
            bail!(
                "damage found ({}): of {blocks} blocks, {records} records can be read, {lost} cannot",
                self.problems.len()
            );
        }
        if self.format == Format::Text {
            output::say(format_args!(
                "{blocks} blocks, {records} records: all whole"
            ));
        }
        Ok(())
    }
}

fn text(problem: &Problem) -> String {
    let what = render::terminal::one_line(&problem.text);
    match problem.first_id {
        0 => what.into_owned(),
        first => format!(
            "records {first} to {}: {what}",
            first.saturating_add(problem.records).saturating_sub(1)
        ),
    }
}

fn as_json(problem: &Problem) -> Value {
    json!({
        "first_id": problem.first_id,
        "records": problem.records,
        "text": problem.text,
    })
}
