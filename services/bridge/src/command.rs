//! The command line of the bridge.

mod explain;
mod forget;
mod output;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use runtime::{
    config::{self, ConfigError, Vars},
    shutdown, telemetry,
};

use crate::{
    config::{Config, ROUTES, load_routes},
    routes::Route,
};

const EXAMPLES: &str = "\
Examples:
  bridge                                     take records and pass them on
  bridge check-routes                        say what is wrong with the routes file
  bridge explain --to hq --file record.json  show what would be sent there
  bridge explain --to hq --id 4711           the same for a record of the store
  bridge forget hq                           let go of what a former destination lacks

Environment: docs/configuration.md. Exit codes: 0 done, 1 it failed, 2 a variable,
an argument or the routes file is wrong.";

/// Takes log records, never loses one it has taken, and passes them on.
#[derive(Debug, Parser)]
#[command(name = "bridge", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is wrong with the routes file; do nothing else.
    CheckRoutes {
        /// The file [default: the one that BRIDGE_ROUTES names].
        file: Option<PathBuf>,
    },
    /// Show what of a record would be sent to a destination, and send nothing.
    Explain(explain::Explain),
    /// Let go of what a destination lacks that no route leads to any more. Works
    /// also while the bridge is running.
    Forget(forget::Forget),
}

impl Cli {
    /// Does what the command line says; without a command, runs a bridge until it is
    /// told to stop.
    ///
    /// # Errors
    /// What went wrong, for people.
    pub async fn run(self, vars: &Vars) -> anyhow::Result<()> {
        match self.command {
            None => serve(vars).await,
            Some(Command::CheckRoutes { file }) => check(file, vars),
            Some(Command::Explain(explain)) => explain.run(vars).await,
            Some(Command::Forget(forget)) => forget.run(vars).await,
        }
    }
}

async fn serve(vars: &Vars) -> anyhow::Result<()> {
    let config = Config::from_vars(vars)?;
    let stop = shutdown::of_service(vars)?;
    let telemetry = telemetry::start("bridge", env!("CARGO_PKG_VERSION"), vars)?;
    let outcome = crate::run(config, stop).await;
    telemetry.shutdown();
    outcome
}

fn check(file: Option<PathBuf>, vars: &Vars) -> anyhow::Result<()> {
    let routes = routes(file, vars)?;
    let names: Vec<String> = routes.into_iter().map(|route| route.name).collect();
    output::line(&format!(
        "{} destinations: {}",
        names.len(),
        names.join(", ")
    ))
}

/// The routes of a file, or of the one that the environment names.
fn routes(file: Option<PathBuf>, vars: &Vars) -> Result<Vec<Route>, ConfigError> {
    let file = match file {
        Some(file) => file,
        None => config::required(ROUTES, vars)?,
    };
    load_routes(&file)
}
