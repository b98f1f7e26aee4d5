//! `herald user`: the people who sign in by a password.

use std::{
    io::{self, BufRead, IsTerminal},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use console::Term;
use herald_web::{Rights, Role, Systems, Users};
use runtime::process::WrongUsage;

use crate::output;

const ABOUT: &str = "\
Keeps the file of people who sign in to the pages by a name and a password, which
herald-web reads anew whenever it changes. Of a password only an argon2id hash is
kept. It is asked for on the terminal, or read as the first line of stdin; it is
never an argument, which others on this machine could see.

A viewer reads; an operator also acknowledges and silences alerts and saves
searches. With --systems somebody sees only records, alerts and counts of systems
whose system_id is one of these; * stands for any text. Whoever is removed, or gets
another password, is signed out at once.";

const EXAMPLES: &str = "\
Examples:
  export WEB_USERS=/etc/herald/users         the file that herald-web has, too
  herald user add anna --role operator       asks for the password twice
  pass herald/bo | herald user add bo        reads it from stdin
  herald user add cy --systems 'shop*,web'   cy sees these systems only
  herald user list
  herald user password anna                  give anna another one
  herald user remove bo";

/// The longest line of stdin that is read, in bytes.
const MAX_LINE_BYTES: u64 = 4_096;

/// Add, list and remove people who sign in by a password.
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub(crate) struct User {
    #[command(flatten)]
    file: UsersFile,
    #[command(subcommand)]
    what: What,
}

/// Where users are kept.
#[derive(Debug, Args)]
struct UsersFile {
    /// The file of users.
    #[arg(long = "file", value_name = "FILE", env = "WEB_USERS", global = true)]
    path: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add somebody.
    Add {
        /// What the user is called.
        name: String,
        /// viewer or operator.
        #[arg(long, default_value = "viewer")]
        role: Role,
        /// Which systems the user sees, apart by commas [default: all].
        #[arg(long, value_name = "PATTERNS")]
        systems: Option<Systems>,
    },
    /// Show who there is.
    List,
    /// Give somebody another password.
    Password {
        /// What the user is called.
        name: String,
    },
    /// Remove somebody.
    Remove {
        /// What the user is called.
        name: String,
    },
}

/// Carries it out.
pub(crate) fn run(command: User) -> anyhow::Result<()> {
    let Some(path) = command.file.path else {
        let problem = "say where users are kept, by WEB_USERS or --file, as herald-web is told";
        bail!(WrongUsage(problem.to_owned()));
    };
    let users = Users::at(path);
    match command.what {
        What::Add {
            name,
            role,
            systems,
        } => {
            users.add(&name, Rights { role, systems }, &password(&name)?)?;
            output::say(format_args!("{name} may sign in, with the role {role}"));
        }
        What::List => {
            for user in users.list()? {
                let systems = user.systems.map(|it| format!("  sees {it}"));
                let systems = systems.unwrap_or_default();
                output::say(format_args!("{}  {}{systems}", user.name, user.role));
            }
        }
        What::Password { name } => {
            users.set_password(&name, &password(&name)?)?;
            output::say(format_args!("{name} has another password"));
        }
        What::Remove { name } => {
            users.remove(&name)?;
            output::say(format_args!("{name} may no longer sign in"));
        }
    }
    Ok(())
}

/// Asks for a password, twice where it is typed blindly.
fn password(name: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return first_line(io::stdin().lock());
    }
    let terminal = Term::stderr();
    let ask = |what: &str| {
        terminal.write_str(what)?;
        terminal.read_secure_line()
    };
    let cannot_ask = "cannot ask for a password on this terminal";
    let password = ask(&format!("Password for {name}: ")).context(cannot_ask)?;
    if ask("The same again: ").context(cannot_ask)? != password {
        bail!("these were two different passwords: nothing was changed");
    }
    Ok(password)
}

fn first_line(input: impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    input
        .take(MAX_LINE_BYTES)
        .read_line(&mut line)
        .context("cannot read a password from stdin")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::first_line;

    #[test]
    fn a_password_is_one_line() {
        let check = |input: &str, expected: &str| {
            assert_eq!(first_line(input.as_bytes()).unwrap(), expected);
        };
        check("correct horse\nbattery\n", "correct horse");
        check(" spaces stay \r\n", " spaces stay ");
        check("without an end", "without an end");
        check("", "");
        assert!(first_line(&[0xff, b'\n'][..]).is_err());
    }
}
