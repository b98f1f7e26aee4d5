//! All of Herald on one machine, and the command line.
//!
//! * [`Cli`]: the commands and what `--help` says.
//! * `up`: bridge, store, herald-web and neelix in one process, stopped in the order
//!   in which records flow. `neelix`: neelix by hand. `bridge`: the bridge's routes
//!   checked and tried out.
//! * `log`: one record from a shell. `import`: the records of a predecessor's
//!   database.
//! * `query`, `tail`, `context`: records on a terminal or for programs.
//! * `backup`, `verify`, `status`: asked of the running store.
//! * `user`, `token`: the files of who signs in to herald-web.
//!
//! No command has logic of its own about records: `log` speaks to the bridge
//! like any program, the others to the store over gRPC like any service;
//! `verify FILE` alone reads a database by itself, with what the store checks.
//! Whatever comes from a record is inert on a terminal.

mod backup;
mod cli;
mod connection;
mod context;
mod import;
mod log;
mod neelix;
mod output;
mod query;
mod records;
mod status;
mod tail;
mod token;
mod up;
mod user;
mod verify;

use runtime::config::Vars;

pub use cli::Cli;
use cli::Command;
use output::WriteError;

/// Carries out a command line. That nobody reads its answer to the end, as in
/// `| head`, is no failure.
///
/// # Errors
/// What went wrong, for people. A `ConfigError` among the causes means that a
/// variable was wrong, a `WrongUsage` that an argument was; nothing was started
/// then.
pub async fn run(cli: Cli, vars: Vars) -> anyhow::Result<()> {
    let outcome = match cli.command.unwrap_or(Command::Up) {
        Command::Up => up::run(&vars).await,
        Command::Neelix(cli) => neelix::run(*cli, vars).await,
        Command::Bridge(cli) => cli.run(&up::defaults::complete(&vars)?).await,
        Command::Log(record) => log::run(*record, &vars).await,
        Command::Query(query) => query::run(*query, &vars).await,
        Command::Tail(tail) => tail::run(*tail, &vars).await,
        Command::Context(context) => context::run(context, &vars).await,
        Command::Import(import) => import::run(import, &vars).await,
        Command::Backup(backup) => backup::run(backup, &vars).await,
        Command::Verify(verify) => verify::run(verify, &vars).await,
        Command::Status(status) => status::run(status, &vars).await,
        Command::User(user) => user::run(user),
        Command::Token(token) => token::run(token),
    };
    match outcome {
        Err(error) if matches!(error.downcast_ref(), Some(WriteError::ReaderGone)) => Ok(()),
        outcome => outcome,
    }
}
