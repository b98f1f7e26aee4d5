//! The commands, and the help that teaches them.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    backup::Backup, context::Context, import::Import, log::Log, query::Query, status::Status,
    tail::Tail, token::Token, user::User, verify::Verify,
};

const OVERVIEW: &str = "\
Examples:
  herald                                 run everything on this machine
  DEV_STAGE=PRODUCTION herald            the same for another stage
  herald log 'backup done' --system backup
                                         one record from a shell script
  herald query 'level>=error' --since 1h what went wrong in the last hour
  herald tail system:shop                follow the records of one service
  herald import old/herald.sqlite_d      bring the predecessor's records along
  herald backup /safe/herald.sqlite      copy the database while all goes on
  herald verify /safe/herald.sqlite      and check that it is whole
  herald neelix check                    say what is wrong with the rules
  herald user add anna                   let somebody sign in (WEB_USERS)

Environment:
  DEV_STAGE        TESTING, DEVELOPMENT (default), INTEGRATION or PRODUCTION: gives
                   ports and file names
  HERALD_DATA_DIR  folder of the data (default ./herald-data)
  All variables: docs/configuration.md

Exit codes:
  0  done
  1  failed; stderr says why
  2  wrong usage, query or variable; nothing was started or changed";

const UP: &str = "\
Starts store, bridge, herald-web and neelix in one process and says where to
send records and where the page is. Ctrl-C or SIGTERM stops it: what has been
received is written first. A second Ctrl-C ends it at once; nothing that was
synced is lost then either.

neelix judges by the rules file every minute (NEELIX_INTERVAL) and reads it anew
each time. Without NEELIX_SMTP_URL its mails are kept on the alerts page.

Everything that BRIDGE_*, STORE_*, WEB_* and NEELIX_* variables say is checked
before anything starts.";

const UP_EXAMPLES: &str = "\
Examples:
  herald up
  DEV_STAGE=TESTING HERALD_DATA_DIR=/tmp/herald herald up
  BRIDGE_LISTEN=127.0.0.1:9020 herald up     take records from this machine only
  WEB_LISTEN=0.0.0.0:9021 herald up          show the page to others
  NEELIX_SMTP_URL=smtp://localhost:25 herald up
                                             send the mails of the rules";

const NEELIX: &str = "\
Runs neelix once beside a Herald on this machine: judges what is new by the rules
and tells people, as `herald up` does by itself every minute. With the arguments
below it changes nothing.

It goes by the same variables as `herald up`.";

const NEELIX_EXAMPLES: &str = "\
Examples:
  herald neelix check                    say what is wrong with the rules
  herald neelix check ps_neelix_d.cfg    the same for another file
  herald neelix --dry-run                show the mails a run would send now
  herald neelix --dry-run --since 7d     show what the rules would have found
  herald neelix --test-fire payments     send one test mail for a section

Exit codes:
  0  done, or another run is at it
  1  something could not be delivered, or the store could not be asked
  2  a variable, an argument or the rules are wrong";

const BRIDGE: &str = "\
Looks after where the bridge sends records besides the store, beside a Herald on
this machine: says what is wrong with the routes file, shows what of a record
would leave, and lets go of what a former destination lacks.

It goes by the same variables as `herald up`; BRIDGE_ROUTES names the file. Without
a command it runs a bridge alone.";

const BRIDGE_EXAMPLES: &str = "\
Examples:
  herald bridge check-routes                say what is wrong with the routes
  herald bridge explain --to home --id 4711
                                            show what of a record would be sent
  herald bridge forget home                 let go of a former destination

Exit codes:
  0  done
  1  it could not be done
  2  a variable, an argument or the routes are wrong";

/// Collects the log records of many programs and shows them on one page.
#[derive(Debug, Parser)]
#[command(name = "herald", version, after_long_help = OVERVIEW, after_help = OVERVIEW)]
#[command(max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do; `up` if nothing is said.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do. The arguments' own documentation is the commands' help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on this machine (also without a command).
    #[command(long_about = UP, after_long_help = UP_EXAMPLES)]
    Up,
    /// Judge by the rules once, check them, or try them out.
    #[command(long_about = NEELIX, after_help = NEELIX_EXAMPLES, after_long_help = NEELIX_EXAMPLES)]
    Neelix(Box<neelix_cronjob::Cli>),
    /// Check the bridge's routes, see what they would send, or forget a destination.
    #[command(long_about = BRIDGE, after_help = BRIDGE_EXAMPLES, after_long_help = BRIDGE_EXAMPLES)]
    Bridge(Box<bridge::Cli>),
    Log(Box<Log>),
    Query(Box<Query>),
    Tail(Box<Tail>),
    Context(Context),
    Import(Import),
    Backup(Backup),
    Verify(Verify),
    Status(Status),
    User(User),
    Token(Token),
}

/// Where the store is.
#[derive(Debug, Args)]
pub(crate) struct StoreAddress {
    /// The store [default: the stage's port on this machine].
    #[arg(long = "store", value_name = "URL", env = "HERALD_STORE_URL")]
    pub(crate) url: Option<String>,
}

/// For whom the answer is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Sentences.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_by_example() {
        let mut cli = Cli::command();
        cli.build();
        for command in cli.get_subcommands_mut() {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Examples:\n"), "{help}");
            let explanation = help.split("Usage:").next().unwrap();
            assert!(explanation.lines().count() > 3, "{help}");
        }
        assert!(cli.render_long_help().to_string().contains("Exit codes:"));
    }

    #[test]
    fn no_command_means_up() {
        let cli = Cli::try_parse_from(["herald"]).unwrap();
        assert!(cli.command.is_none());
        assert!(Cli::try_parse_from(["herald", "down"]).is_err());
    }
}
