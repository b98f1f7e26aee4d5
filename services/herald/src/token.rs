//! `herald token`: what programs show to the HTTP API.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use herald_web::{Rights, Role, Systems, Tokens};
use runtime::{config::Age, process::WrongUsage};
use time::OffsetDateTime;

use crate::output;

const ABOUT: &str = "\
Keeps the file of tokens by which programs ask the HTTP API, which herald-web reads
anew whenever it changes. A token is written to stdout once, when it is made; the
file has only its SHA-256. Programs send it as `Authorization: Bearer TOKEN`.

A viewer reads; an operator also acknowledges and silences alerts. With --systems a
token is good only for systems whose system_id is one of these; * stands for any
text. A token that is removed, or has ended, is refused from then on.";

const EXAMPLES: &str = "\
Examples:
  export WEB_TOKENS=/etc/herald/tokens       the file that herald-web has, too
  herald token add grafana --expires 365d > grafana.token
  herald token add chat --role operator
  herald token list
  herald token remove chat
  curl -H \"Authorization: Bearer $(cat grafana.token)\" localhost:9021/api/v1/status";

/// Add, list and remove tokens of programs.
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub(crate) struct Token {
    #[command(flatten)]
    file: TokensFile,
    #[command(subcommand)]
    what: What,
}

/// Where tokens are kept.
#[derive(Debug, Args)]
struct TokensFile {
    /// The file of tokens.
    #[arg(long = "file", value_name = "FILE", env = "WEB_TOKENS", global = true)]
    path: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token and write it to stdout.
    Add {
        /// What the program is called.
        name: String,
        /// viewer or operator.
        #[arg(long, default_value = "viewer")]
        role: Role,
        /// Which systems the program sees, apart by commas [default: all].
        #[arg(long, value_name = "PATTERNS")]
        systems: Option<Systems>,
        /// After which time it ends, such as 90d [default: never].
        #[arg(long, value_name = "AGE")]
        expires: Option<Age>,
    },
    /// Show which there are.
    List,
    /// Remove one.
    Remove {
        /// What the program is called.
        name: String,
    },
}

/// Carries it out.
pub(crate) fn run(command: Token) -> anyhow::Result<()> {
    let Some(path) = command.file.path else {
        let problem = "say where tokens are kept, by WEB_TOKENS or --file, as herald-web is told";
        bail!(WrongUsage(problem.to_owned()));
    };
    let tokens = Tokens::at(path);
    let now = micros_now();
    match command.what {
        What::Add {
            name,
            role,
            systems,
            expires,
        } => {
            let expires = expires.map(|Age(age)| ends(now, age)).transpose()?;
            output::write(&format!(
                "{}\n",
                tokens.add(&name, Rights { role, systems }, expires)?
            ))?;
            output::note(format_args!(
                "this is the token of {name}, with the role {role}: it is not shown again"
            ));
        }
        What::List => {
            for token in tokens.list()? {
                let ends = match token.expires_us {
                    None => "never ends".to_owned(),
                    Some(at) if token.has_expired(now) => {
                        format!("has ended, {}", render::rfc3339(at))
                    }
                    Some(at) => format!("ends {}", render::rfc3339(at)),
                };
                let systems = token.systems.map(|it| format!("  sees {it}"));
                let systems = systems.unwrap_or_default();
                output::say(format_args!(
                    "{}  {}  {ends}{systems}",
                    token.name, token.role
                ));
            }
        }
        What::Remove { name } => {
            tokens.remove(&name)?;
            output::say(format_args!("{name} is refused from now on"));
        }
    }
    Ok(())
}

fn micros_now() -> i64 {
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// Times of the API have years of four digits.
fn ends(now: i64, age: std::time::Duration) -> anyhow::Result<i64> {
    const CENTURY_S: u64 = 100 * 365 * 24 * 3_600;
    if age.as_secs() > CENTURY_S {
        bail!(WrongUsage(
            "a token ends within 100 years, or without --expires never".to_owned()
        ));
    }
    let micros = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    Ok(now.saturating_add(micros))
}
