//! `herald log TEXT`: one record from a shell, sent to the bridge like any
//! program's.

use std::{
    io::Read,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use clap::Args;
use domain::Level;
use runtime::config::Vars;
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::connection::stage;

/// How long connecting may take, and the bridge's reading of the record.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most a bridge takes unless it is configured otherwise.
const MAX_FRAME_BYTES: usize = 1 << 20;

const ABOUT: &str = "\
Sends one record to the bridge of the stage, and returns when the bridge has
read it. Fails when it cannot be reached: a script may go on with `|| true`.

Context fields that are not given come from the environment variables that
ps.basic reads (SUB_SUB_SYSTEM_ID, PRODUKT_ID, USER_SPEC_1, USER_SPEC_2).";

const EXAMPLES: &str = "\
Examples:
  herald log 'backup done' --system backup
  herald log --level ERROR --system backup --user-spec-1 nightly 'disk is full'
  make 2>&1 | herald log --level DEBUG --system build -
  herald log --extra bytes=4711 --extra host=db1 'copied'
  DIRECT_HERALD_HOST=logs.example DEV_STAGE=PRODUCTION herald log 'hello'";

/// Send one record, as a shell script does.
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub(crate) struct Log {
    /// The message; several words are joined by spaces, `-` reads it from stdin.
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    /// DEBUG, INFO, WARNING, ERROR, CRITICAL or a number between them.
    #[arg(long, short, default_value = "INFO", value_parser = level)]
    level: i32,
    /// The service that logs (system_id).
    #[arg(long, short, value_name = "NAME", default_value = "shell_log")]
    system: String,
    /// sub_system_id [default: the host's name].
    #[arg(long, value_name = "NAME")]
    sub_system: Option<String>,
    /// sub_sub_system_id.
    #[arg(long, value_name = "NAME", env = "SUB_SUB_SYSTEM_ID")]
    sub_sub_system: Option<String>,
    /// produkt_id.
    #[arg(long, value_name = "NAME", env = "PRODUKT_ID")]
    produkt: Option<String>,
    /// user_spec_1.
    #[arg(long, value_name = "VALUE", env = "USER_SPEC_1")]
    user_spec_1: Option<String>,
    /// user_spec_2.
    #[arg(long, value_name = "VALUE", env = "USER_SPEC_2")]
    user_spec_2: Option<String>,
    /// package_version.
    #[arg(long, value_name = "VERSION")]
    package_version: Option<String>,
    /// api_version.
    #[arg(long, value_name = "VERSION")]
    api_version: Option<String>,
    /// The logger's name [default: the system].
    #[arg(long, value_name = "NAME")]
    logger: Option<String>,
    /// One more key of the record; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    extra: Vec<(String, String)>,
    /// The host of the bridge.
    #[arg(
        long,
        value_name = "HOST",
        env = "DIRECT_HERALD_HOST",
        default_value = "localhost"
    )]
    host: String,
    /// The port of the bridge [default: the stage's].
    #[arg(long)]
    port: Option<u16>,
}

/// Sends the record.
pub(crate) async fn run(command: Log, vars: &Vars) -> anyhow::Result<()> {
    let port = match command.port {
        Some(port) => port,
        None => stage(vars)?.bridge_port(),
    };
    let host = command.host.clone();
    let message = message(&command.text)?;
    let body = Value::from(attributes(command, message)).to_string();
    if body.len() > MAX_FRAME_BYTES {
        bail!(
            "the record has {} bytes, the bridge takes at most {MAX_FRAME_BYTES}",
            body.len()
        );
    }
    timeout(PATIENCE, send(&host, port, body.as_bytes()))
        .await
        .unwrap_or_else(|_| bail!("no answer within {} s", PATIENCE.as_secs()))
        .with_context(|| format!("cannot send to the bridge at {host}:{port}"))
}

/// Sends the frame and waits until the bridge has read it: it closes the
/// connection when it has come to the end.
async fn send(host: &str, port: u16, body: &[u8]) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect((host, port)).await?;
    let length = u32::try_from(body.len()).expect("checked against a smaller limit");
    let frame = [&length.to_be_bytes(), body].concat();
    stream.write_all(&frame).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    if !answer.is_empty() {
        bail!("something else than a bridge answers there");
    }
    Ok(())
}

fn message(words: &[String]) -> anyhow::Result<String> {
    if words != ["-"] {
        return Ok(words.join(" "));
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(MAX_FRAME_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .context("cannot read stdin")?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches('\n').to_owned())
}

/// The keys of Python's record.
fn attributes(command: Log, message: String) -> Map<String, Value> {
    let created = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_micros() as f64 / 1e6);
    let host = || {
        rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned()
    };
    let mut attributes: Map<String, Value> = command
        .extra
        .into_iter()
        .map(|(key, value)| (key, Value::from(value)))
        .collect();
    let fixed: [(&str, Value); 14] = [
        (
            "name",
            command
                .logger
                .unwrap_or_else(|| command.system.clone())
                .into(),
        ),
        ("msg", message.into()),
        ("levelno", command.level.into()),
        ("levelname", Level::of(command.level).name().into()),
        ("created", created.into()),
        // The script, not this command, is what logs.
        ("process", std::os::unix::process::parent_id().into()),
        ("SYSTEM_ID", command.system.into()),
        (
            "SUB_SYSTEM_ID",
            command.sub_system.unwrap_or_else(host).into(),
        ),
        ("SUB_SUB_SYSTEM_ID", command.sub_sub_system.into()),
        ("PRODUKT_ID", command.produkt.into()),
        ("USER_SPEC_1", command.user_spec_1.into()),
        ("USER_SPEC_2", command.user_spec_2.into()),
        ("package_version", command.package_version.into()),
        ("api_version", command.api_version.into()),
    ];
    attributes.extend(fixed.map(|(key, value)| (key.to_owned(), value)));
    attributes
}

fn level(text: &str) -> Result<i32, domain::UnknownLevel> {
    Level::number_of(text)
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::{Value, json};

    use super::{attributes, message};
    use crate::cli::{Cli, Command};

    fn parse(arguments: &[&str]) -> serde_json::Map<String, Value> {
        let cli = Cli::try_parse_from([&["herald", "log"], arguments].concat()).unwrap();
        let Some(Command::Log(log)) = cli.command else {
            panic!("another command")
        };
        let text = message(&log.text).unwrap();
        attributes(*log, text)
    }

    #[test]
    fn every_option_has_its_key() {
        let check = |arguments: &[&str], key: &str, expected: Value| {
            let arguments = [&["two", "words"], arguments].concat();
            assert_eq!(parse(&arguments)[key], expected, "{arguments:?}");
        };
        check(&[], "msg", json!("two words"));
        check(&[], "levelno", json!(20));
        check(&["--level", "warn"], "levelno", json!(30));
        check(&["--level", "35"], "levelname", json!("WARNING"));
        check(&[], "SYSTEM_ID", json!("shell_log"));
        check(&["--system", "s"], "SYSTEM_ID", json!("s"));
        check(&["--system", "s"], "name", json!("s"));
        check(&["--logger", "l"], "name", json!("l"));
        check(&["--sub-system", "h"], "SUB_SYSTEM_ID", json!("h"));
        check(&["--sub-sub-system", "w"], "SUB_SUB_SYSTEM_ID", json!("w"));
        check(&["--produkt", "p"], "PRODUKT_ID", json!("p"));
        check(&["--user-spec-1", "u"], "USER_SPEC_1", json!("u"));
        check(&["--user-spec-2", "v"], "USER_SPEC_2", json!("v"));
        check(&["--package-version", "1"], "package_version", json!("1"));
        check(&["--api-version", "2"], "api_version", json!("2"));
        check(&["--extra", "k=a=b"], "k", json!("a=b"));
        check(&["--extra", "msg=other"], "msg", json!("two words"));
    }

    #[test]
    fn the_host_is_the_sub_system() {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(parse(&["text"])["SUB_SYSTEM_ID"], json!(host.trim_end()));
    }
}
