//! Configuration of herald-web: `DEV_STAGE` and the variables `WEB_*`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use domain::Stage;
use runtime::{
    config::{self, ConfigError, Vars},
    tls,
};
use serde::Deserialize;

use crate::access::SignIn;

/// Where herald-web listens and which store it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Shown on every page.
    pub stage: Stage,
    /// Where pages and API are.
    pub listen: SocketAddr,
    /// The store's gRPC address, such as `http://127.0.0.1:9120`.
    pub store_url: String,
    /// What it shows to the store, and who signs the store's certificate.
    pub tls: tls::Files,
    /// What pages and API are encrypted with, for browsers.
    pub https: tls::Files,
    /// How many may follow the log at a time, 1 to [`Config::MOST_STREAMS`].
    pub max_streams: usize,
    /// Who may change something.
    pub changes: Changes,
    /// How people and programs say who they are.
    pub sign_in: SignIn,
}

/// Who may change something, among those whose role allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// Who reaches herald-web by a name of this machine.
    Local,
    /// Everybody who reaches herald-web.
    Allowed,
    /// Nobody.
    Refused,
}

#[derive(Deserialize)]
struct WebVars {
    listen: Option<String>,
    store_url: Option<String>,
    max_streams: Option<String>,
    changes: Option<String>,
}

impl Config {
    /// One connection to the store carries no more.
    pub const MOST_STREAMS: usize = 250;

    /// Reads `DEV_STAGE` (required), `WEB_LISTEN` (default: the stage's port on
    /// 127.0.0.1), `WEB_STORE_URL` (default: the stage's store on this
    /// machine), `WEB_MAX_STREAMS` (default: as many as there may be),
    /// `WEB_CHANGES` (`allow` or `refuse`; default: allowed to those who sign in, and
    /// without any sign-in on this machine when `WEB_LISTEN` is of this machine only),
    /// `WEB_TLS_CERT`, `_KEY` and `_CA` towards the store and `WEB_HTTPS_CERT`, `_KEY` and
    /// `_CA` towards browsers (default: none), and what [`SignIn::from_vars`] does.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let stage: Stage = config::required("DEV_STAGE", vars)?;
        let web: WebVars = config::read("WEB_", vars)?;
        let listen = match web.listen {
            Some(text) => text.parse().map_err(|_| {
                let problem = format!("`{text}` is no address and port such as 127.0.0.1:9021");
                ConfigError::new("WEB_LISTEN", problem)
            })?,
            None => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), stage.web_port()),
        };
        let store_url = web
            .store_url
            .unwrap_or_else(|| format!("http://127.0.0.1:{}", stage.store_port()));
        let max_streams = match web.max_streams {
            Some(text) => match text.parse() {
                Ok(streams @ 1..=Self::MOST_STREAMS) => streams,
                _ => {
                    let most = Self::MOST_STREAMS;
                    let problem = format!("`{text}` is no number from 1 to {most}");
                    return Err(ConfigError::new("WEB_MAX_STREAMS", problem));
                }
            },
            None => Self::MOST_STREAMS,
        };
        let sign_in = SignIn::from_vars(vars)?;
        let changes = match web.changes.as_deref() {
            Some("allow") => Changes::Allowed,
            Some("refuse") => Changes::Refused,
            None if sign_in.is_on() => Changes::Allowed,
            None if listen.ip().is_loopback() => Changes::Local,
            None => Changes::Refused,
            Some(text) => {
                let problem = format!("`{text}` is neither allow nor refuse");
                return Err(ConfigError::new("WEB_CHANGES", problem));
            }
        };
        Ok(Self {
            stage,
            listen,
            store_url,
            tls: tls::Files::from_vars("WEB_TLS_", vars)?,
            https: tls::Files::from_vars("WEB_HTTPS_", vars)?,
            max_streams,
            changes,
            sign_in,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Changes, Config};

    fn read(vars: &[(&str, &str)]) -> Result<Config, String> {
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Config::from_vars(&vars).map_err(|error| error.to_string())
    }

    #[test]
    fn the_stage_gives_the_defaults() {
        let check = |vars: &[(&str, &str)], listen: &str, store_url: &str| {
            let config = read(vars).expect("a configuration");
            assert_eq!(
                (
                    config.listen.to_string().as_str(),
                    config.store_url.as_str()
                ),
                (listen, store_url)
            );
        };
        check(
            &[("DEV_STAGE", "PRODUCTION")],
            "127.0.0.1:9025",
            "http://127.0.0.1:9124",
        );
        check(
            &[
                ("DEV_STAGE", "TESTING"),
                ("WEB_LISTEN", "[::]:80"),
                ("WEB_STORE_URL", "http://store:1"),
            ],
            "[::]:80",
            "http://store:1",
        );
    }

    #[test]
    fn changes_are_for_this_machine_unless_somebody_says_otherwise() {
        let check = |listen: &str, changes: Option<&str>, expected: Changes| {
            let mut vars = vec![("DEV_STAGE", "TESTING"), ("WEB_LISTEN", listen)];
            vars.extend(changes.map(|changes| ("WEB_CHANGES", changes)));
            let config = read(&vars).expect("a configuration");
            assert_eq!(config.changes, expected, "{vars:?}");
        };
        check("127.0.0.1:9011", None, Changes::Local);
        check("[::1]:9011", None, Changes::Local);
        check("0.0.0.0:9011", None, Changes::Refused);
        check("0.0.0.0:9011", Some("allow"), Changes::Allowed);
        check("127.0.0.1:9011", Some("refuse"), Changes::Refused);
    }

    #[test]
    fn a_wrong_variable_names_itself() {
        let check = |vars: &[(&str, &str)], expected: &str| {
            assert_eq!(read(vars).unwrap_err(), expected);
        };
        check(&[], "DEV_STAGE: is required, but not set");
        check(
            &[("DEV_STAGE", "TESTING"), ("WEB_LISTEN", "9021")],
            "WEB_LISTEN: `9021` is no address and port such as 127.0.0.1:9021",
        );
        check(
            &[("DEV_STAGE", "TESTING"), ("WEB_CHANGES", "yes")],
            "WEB_CHANGES: `yes` is neither allow nor refuse",
        );
        for streams in ["0", "251", "many"] {
            check(
                &[("DEV_STAGE", "TESTING"), ("WEB_MAX_STREAMS", streams)],
                &format!("WEB_MAX_STREAMS: `{streams}` is no number from 1 to 250"),
            );
        }
    }
}
