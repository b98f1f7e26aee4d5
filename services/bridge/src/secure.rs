//! Which of the bridge's ports and ways are encrypted.

use domain::Stage;
use runtime::{
    config::ConfigError,
    tls::{self, warn_of_open_listener, warn_of_plain_listener, warn_of_plain_url},
};

use crate::{
    config::{Config, ROUTES},
    routes::Kind,
};

/// What answers handshakes on the bridge's ports.
#[derive(Debug)]
pub(crate) struct Secure {
    /// Where other bridges send their records.
    pub(crate) bridges: Option<tls::Server>,
    /// Where programs send theirs encrypted.
    pub(crate) programs: Option<tls::Server>,
}

impl Secure {
    /// Reads every certificate, also those that destinations have of their own.
    ///
    /// # Errors
    /// Names the variable or the routes file, and the file that cannot be used.
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        for route in &config.routes {
            if let Kind::Herald { tls, .. } = &route.kind {
                tls.check()?;
            }
        }
        let bridges = match config.ingest_listen {
            Some(_) => bridges(config).server()?,
            None => None,
        };
        let programs = match config.tls_listen {
            Some(_) => Some(programs(config)?),
            None => None,
        };
        Ok(Self { bridges, programs })
    }

    /// Says in PRODUCTION what is not encrypted, each once.
    pub(crate) fn warn_of_plain(&self, config: &Config) {
        if config.stage != Stage::Production {
            return;
        }
        warn_of_plain_listener("BRIDGE_LISTEN", config.listen, "BRIDGE_TLS_LISTEN");
        match (config.ingest_listen, &self.bridges) {
            (Some(address), None) => {
                warn_of_plain_listener("BRIDGE_INGEST_LISTEN", address, "BRIDGE_TLS_CERT");
            }
            (Some(address), Some(_)) if !bridges(config).asks_clients() => {
                warn_of_open_listener("BRIDGE_INGEST_LISTEN", address, "BRIDGE_INGEST_CA");
            }
            _ => {}
        }
        if let Some(url) = &config.store_url {
            warn_of_plain_url("BRIDGE_STORE_URL", url);
        }
        for route in &config.routes {
            if let Kind::Herald { url, .. } = &route.kind {
                warn_of_plain_url(ROUTES, url);
            }
        }
    }
}

/// What the port for other bridges is served with, and who is let in there. Another
/// zone's authority is for this port alone: it must not vouch for our own store.
pub(crate) fn bridges(config: &Config) -> tls::Files {
    match &config.ingest_clients {
        Some(authorities) => config
            .tls
            .clone()
            .with_authorities(Some(authorities.clone())),
        None => config.tls.clone(),
    }
}

/// Programs belong to others than services do: they are let in by authorities of
/// their own, or without a certificate.
fn programs(config: &Config) -> Result<tls::Server, ConfigError> {
    let files = config.tls.clone();
    let server = files
        .with_authorities(config.tls_clients.clone())
        .server()?;
    server.ok_or_else(|| {
        let problem = "is required with BRIDGE_TLS_LISTEN, but not set";
        ConfigError::new("BRIDGE_TLS_CERT", problem)
    })
}
