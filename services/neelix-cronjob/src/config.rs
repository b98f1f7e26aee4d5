//! Configuration of neelix: `DEV_STAGE`, `HERALD_URL` and the variables `NEELIX_*`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use domain::Stage;
use runtime::{
    config::{self, Age, ConfigError, Vars},
    tls,
};
use serde::Deserialize;

use crate::mailer::{MailServer, Sender};

/// Which rules to judge by, and how to tell people.
#[derive(Debug, Clone)]
pub struct Config {
    /// In every mail.
    pub stage: Stage,
    /// The store's gRPC address, such as `http://127.0.0.1:9120`.
    pub store_url: String,
    /// What it shows to the store, and who signs the store's certificate.
    pub tls: tls::Files,
    /// The rules file.
    pub rules: PathBuf,
    /// Nobody has named the rules file: there may be none.
    pub is_default_rules: bool,
    /// Where mails go.
    pub mail_server: MailServer,
    /// Who they come from.
    pub mail_from: Sender,
    /// How long after a run the next is expected.
    pub interval: Duration,
    /// Base of the links in mails, without a slash at its end.
    pub url: String,
    /// Right side of Message-IDs: this machine's name.
    pub domain: String,
}

#[derive(Deserialize)]
struct NeelixVars {
    store_url: Option<String>,
    rules: Option<PathBuf>,
    smtp_url: Option<String>,
    mail_from: Option<String>,
    interval: Option<Age>,
}

impl Config {
    /// The shortest and the longest time between two runs.
    const INTERVALS: std::ops::RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_hours(24 * 31);

    /// Reads `DEV_STAGE` (required), `NEELIX_STORE_URL` (default: the stage's store on
    /// this machine), `NEELIX_TLS_CERT`, `_KEY` and `_CA` (default: none),
    /// `NEELIX_RULES` (default: the predecessor's name, in
    /// `BASIC_CONFIGFILE_DIR` or the working directory), `NEELIX_SMTP_URL` (default: a
    /// server on this machine), `NEELIX_MAIL_FROM` (default: `neelix` at this machine),
    /// `NEELIX_INTERVAL` (default: 2 h) and `HERALD_URL` (default: the stage's pages on
    /// this machine).
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let stage: Stage = config::required("DEV_STAGE", vars)?;
        let neelix: NeelixVars = config::read("NEELIX_", vars)?;
        let host = host_name();
        let domain = match is_domain(&host) {
            true => host,
            false => "localhost".to_owned(),
        };
        let server = neelix.smtp_url.as_deref().unwrap_or("smtp://localhost:25");
        let mail_server = server
            .parse()
            .map_err(|error| ConfigError::new("NEELIX_SMTP_URL", error))?;
        let from = neelix
            .mail_from
            .unwrap_or_else(|| format!("neelix@{domain}"));
        let mail_from = from
            .parse()
            .map_err(|error| ConfigError::new("NEELIX_MAIL_FROM", error))?;
        let interval = neelix.interval.map_or(Duration::from_hours(2), |age| age.0);
        if !Self::INTERVALS.contains(&interval) {
            let problem = "it is not from 1s to 31d";
            return Err(ConfigError::new("NEELIX_INTERVAL", problem));
        }
        Ok(Self {
            stage,
            store_url: neelix
                .store_url
                .unwrap_or_else(|| format!("http://127.0.0.1:{}", stage.store_port())),
            tls: tls::Files::from_vars("NEELIX_TLS_", vars)?,
            is_default_rules: neelix.rules.is_none(),
            rules: match neelix.rules {
                Some(path) => path,
                None => default_rules(stage, vars)?,
            },
            mail_server,
            mail_from,
            interval,
            url: url(stage, vars)?,
            domain,
        })
    }

    /// Says in PRODUCTION when the way to the store is not encrypted.
    pub(crate) fn warn_of_plain(&self) {
        if self.stage == Stage::Production {
            tls::warn_of_plain_url("NEELIX_STORE_URL", &self.store_url);
        }
    }
}

/// The rules file of the predecessor's name.
pub(crate) fn default_rules(stage: Stage, vars: &Vars) -> Result<PathBuf, ConfigError> {
    let folder: Option<PathBuf> = config::optional("BASIC_CONFIGFILE_DIR", vars)?;
    let name = format!("ps_neelix{}.cfg", stage.suffix());
    Ok(folder.as_deref().unwrap_or(Path::new("")).join(name))
}

fn url(stage: Stage, vars: &Vars) -> Result<String, ConfigError> {
    let url: Option<String> = config::optional("HERALD_URL", vars)?;
    let url = url.unwrap_or_else(|| format!("http://localhost:{}", stage.web_port()));
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"));
    let is_plain = |c: char| c.is_ascii_graphic() && !r#"?#"<>"#.contains(c);
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(is_plain) => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        _ => {
            let problem = format!("`{url}` is no URL such as https://herald.example.com");
            Err(ConfigError::new("HERALD_URL", problem))
        }
    }
}

/// This machine's name.
pub(crate) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

fn is_domain(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(is_plain)
    };
    name.len() <= 100 && name.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::{Config, is_domain};

    fn read(vars: &[(&str, &str)]) -> Result<Config, String> {
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_vars(&vars.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_stage_gives_the_defaults() {
        let config = read(&[("DEV_STAGE", "DEVELOPMENT")]).unwrap();
        assert_eq!(config.store_url, "http://127.0.0.1:9120");
        assert_eq!(config.rules.to_str(), Some("ps_neelix_d.cfg"));
        assert_eq!(config.url, "http://localhost:9021");
        assert_eq!(config.interval.as_secs(), 7_200);
        let config = read(&[
            ("DEV_STAGE", "PRODUCTION"),
            ("BASIC_CONFIGFILE_DIR", "/etc/herald"),
            ("HERALD_URL", "https://logs.example/herald/"),
        ])
        .unwrap();
        assert_eq!(config.rules.to_str(), Some("/etc/herald/ps_neelix.cfg"));
        assert_eq!(config.url, "https://logs.example/herald");
    }

    #[test]
    fn a_wrong_variable_names_itself() {
        let check = |name: &str, value: &str| {
            let error = read(&[("DEV_STAGE", "TESTING"), (name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{name}: ")), "{error}");
        };
        check("NEELIX_INTERVAL", "0s");
        check("NEELIX_INTERVAL", "often");
        check("NEELIX_SMTP_URL", "mail");
        check("NEELIX_MAIL_FROM", "a b");
        check("HERALD_URL", "herald");
        assert_eq!(
            read(&[]).unwrap_err(),
            "DEV_STAGE: is required, but not set"
        );
    }

    #[test]
    fn only_names_of_machines_are_domains() {
        for (name, expected) in [
            ("host1", true),
            ("a.b-c", true),
            ("", false),
            ("a_b", false),
        ] {
            assert_eq!(is_domain(name), expected, "{name}");
        }
    }
}
