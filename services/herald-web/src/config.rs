//! Configuration of herald-web: `DEV_STAGE` and the variables `WEB_*`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use domain::Stage;
use runtime::config::{self, ConfigError, Vars};
use serde::Deserialize;

/// Where herald-web listens and which store it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Shown on every page.
    pub stage: Stage,
    /// Where pages and API are.
    pub listen: SocketAddr,
    /// The store's gRPC address, such as `http://127.0.0.1:9120`.
    pub store_url: String,
    /// How many may follow the log at a time, 1 to [`Config::MOST_STREAMS`].
    pub max_streams: usize,
}

#[derive(Deserialize)]
struct WebVars {
    listen: Option<String>,
    store_url: Option<String>,
    max_streams: Option<String>,
}

impl Config {
    /// One connection to the store carries no more.
    pub const MOST_STREAMS: usize = 250;

    /// Reads `DEV_STAGE` (required), `WEB_LISTEN` (default: the stage's port on
    /// 127.0.0.1), `WEB_STORE_URL` (default: the stage's store on this
    /// machine) and `WEB_MAX_STREAMS` (default: as many as there may be).
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
        Ok(Self {
            stage,
            listen,
            store_url,
            max_streams,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

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
    fn a_wrong_variable_names_itself() {
        let check = |vars: &[(&str, &str)], expected: &str| {
            assert_eq!(read(vars).unwrap_err(), expected);
        };
        check(&[], "DEV_STAGE: is required, but not set");
        check(
            &[("DEV_STAGE", "TESTING"), ("WEB_LISTEN", "9021")],
            "WEB_LISTEN: `9021` is no address and port such as 127.0.0.1:9021",
        );
        for streams in ["0", "251", "many"] {
            check(
                &[("DEV_STAGE", "TESTING"), ("WEB_MAX_STREAMS", streams)],
                &format!("WEB_MAX_STREAMS: `{streams}` is no number from 1 to 250"),
            );
        }
    }
}
