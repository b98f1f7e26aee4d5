//! The command line.

mod check;
mod dry_run;
mod test_fire;

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::{Parser, Subcommand, ValueEnum};
use domain::Micros;
use runtime::{config::Vars, process::WrongUsage};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    duration,
    job::{self, Outcome},
    output,
};

const EXAMPLES: &str = "\
Examples:
  neelix-cronjob                          judge what is new, and tell people
  neelix-cronjob check ps_neelix_d.cfg    say what is wrong with a rules file
  neelix-cronjob --dry-run                show the mails a run would send
  neelix-cronjob --dry-run --since 7d     show what the rules would have found
  neelix-cronjob --test-fire payments     send one test mail for a section

In a crontab:
  */5 * * * *  DEV_STAGE=PRODUCTION NEELIX_INTERVAL=5m neelix-cronjob

Environment: DEV_STAGE, NEELIX_RULES, NEELIX_STORE_URL, NEELIX_SMTP_URL,
NEELIX_MAIL_FROM, NEELIX_INTERVAL, HERALD_URL; see docs/configuration.md.

Exit codes:
  0  done, or another run is at it
  1  something could not be delivered, or the store could not be asked
  2  a variable, an argument or the rules are wrong";

/// Judges new records and silences by rules, and tells people.
#[derive(Debug, Parser)]
#[command(name = "neelix-cronjob", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Show the mails that a run would send; send and mark nothing.
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: try the rules on so much of the past.
    #[arg(long, value_name = "TIME", requires = "dry_run", value_parser = since)]
    since: Option<Micros>,
    /// Send one test mail to those whom a section names.
    #[arg(long, value_name = "SECTION", conflicts_with = "dry_run")]
    test_fire: Option<String>,
    /// For whom the answer is.
    #[arg(long, value_enum, default_value_t, global = true)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is wrong with a rules file; do nothing else.
    Check {
        /// The rules file [default: the one that a run would use].
        file: Option<PathBuf>,
    },
}

/// For whom an answer is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object, for programs.
    Json,
}

fn since(text: &str) -> Result<Micros, String> {
    match duration::read(text) {
        Ok(us) if (1..=duration::NEVER_US).contains(&us) => Ok(us),
        Ok(_) => Err("it is not above nothing".to_owned()),
        Err(message) => Err(format!("{message}; write 7d or 12h")),
    }
}

impl Cli {
    /// Carries out the command line.
    ///
    /// # Errors
    /// What went wrong, for people. A `ConfigError` or a `WrongUsage` among the causes
    /// means that nothing was judged.
    pub async fn run(self, vars: &Vars, shutdown: CancellationToken) -> anyhow::Result<()> {
        if let Some(Command::Check { file }) = self.command {
            return check::run(file, vars, self.format);
        }
        let mut config = Config::from_vars(vars)?;
        config.warn_of_plain();
        // A cron job without rules is a mistake.
        config.is_default_rules = false;
        if !config.rules.is_file() {
            let file = config.rules.display();
            let message = format!("there are no rules at {file}: NEELIX_RULES says where they are");
            return Err(WrongUsage(message).into());
        }
        if let Some(section) = self.test_fire {
            return test_fire::run(&config, &section, self.format).await;
        }
        match (self.dry_run, self.since) {
            (true, Some(since_us)) => dry_run::rehearse(&config, since_us, self.format).await,
            (true, None) => dry_run::run(&config, self.format).await,
            (false, _) => run(&config, &shutdown, self.format).await,
        }
    }
}

async fn run(config: &Config, shutdown: &CancellationToken, format: Format) -> anyhow::Result<()> {
    let summary = match job::run(config, shutdown).await? {
        Outcome::Done(summary) => summary,
        Outcome::BrokenRules(problems) => return Err(wrong_rules(&problems).into()),
        Outcome::Held(by_whom) => {
            match format {
                Format::Text => output::note(format_args!("another run goes on: {by_whom}")),
                Format::Json => output::say(json!({"held": by_whom}))?,
            }
            return Ok(());
        }
        Outcome::Stopped => bail!("it was asked to end before it had judged"),
    };
    match format {
        Format::Json => output::say(json!({
            "opened": summary.opened,
            "resolved": summary.resolved,
            "delivered": summary.delivered,
            "undelivered": summary.undelivered,
            "errors": summary.errors,
        }))?,
        Format::Text => {
            output::say(format_args!(
                "{} alerts opened, {} resolved, {} deliveries accepted",
                summary.opened, summary.resolved, summary.delivered
            ))?;
            for error in &summary.errors {
                output::note(error);
            }
        }
    }
    match summary.undelivered {
        0 if summary.errors.is_empty() => Ok(()),
        0 => Err(anyhow!("not everything went well")),
        failed => Err(anyhow!(
            "{failed} deliveries failed; what can be is tried again"
        )),
    }
}

/// What stands on stderr when the rules are wrong.
pub(crate) fn wrong_rules(problems: &[String]) -> WrongUsage {
    let count = match problems.len() {
        1 => "1 fault".to_owned(),
        count => format!("{count} faults"),
    };
    WrongUsage(format!("the rules have {count}\n{}", problems.join("\n")))
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
    fn what_makes_no_sense_together_is_refused() {
        let check = |arguments: &[&str], is_valid: bool| {
            let outcome = Cli::try_parse_from([&["neelix-cronjob"], arguments].concat());
            assert_eq!(outcome.is_ok(), is_valid, "{arguments:?}");
        };
        check(&[], true);
        check(&["check"], true);
        check(&["check", "a.cfg", "--format", "json"], true);
        check(&["--dry-run", "--since", "7d"], true);
        check(&["--test-fire", "a", "--format", "json"], true);
        check(&["--since", "7d"], false);
        check(&["--dry-run", "--since", "soon"], false);
        check(&["--dry-run", "--test-fire", "a"], false);
    }
}
