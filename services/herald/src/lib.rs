//! All of Herald on one machine, and the command line.
//!
//! * [`Cli`]: the commands and what `--help` says.
//! * `up`: bridge, store and herald-web in one process, stopped in the order
//!   in which records flow.
//! * `log`: one record from a shell. `import`: the records of a predecessor's
//!   database. `backup`, `status`: asked of the running store.
//!
//! No command has logic of its own about records: `log` speaks to the bridge
//! like any program, the others to the store over gRPC like any service.

mod backup;
mod cli;
mod connection;
mod import;
mod log;
mod output;
mod status;
mod up;

use runtime::config::Vars;

pub use cli::Cli;
use cli::Command;

/// Carries out a command line.
///
/// # Errors
/// What went wrong, for people. A `ConfigError` among the causes means that a
/// variable was wrong and nothing was started.
pub async fn run(cli: Cli, vars: Vars) -> anyhow::Result<()> {
    match cli.command.unwrap_or(Command::Up) {
        Command::Up => up::run(&vars).await,
        Command::Log(record) => log::run(*record, &vars).await,
        Command::Import(import) => import::run(import, &vars).await,
        Command::Backup(backup) => backup::run(backup, &vars).await,
        Command::Status(status) => status::run(status, &vars).await,
    }
}
