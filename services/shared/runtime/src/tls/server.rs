//! The side that is called.

use std::{io, sync::Arc};

use rustls::{
    ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{Files, VERSIONS, provider, reload::Reloading};
use crate::config::ConfigError;

/// What gRPC and HTTP are called in a handshake.
const HTTP: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Answers handshakes with the newest certificate of its files. With authorities
/// every client must show a certificate that one of them has signed. Clones share
/// everything.
#[derive(Debug, Clone)]
pub struct Server {
    configs: Reloading<ServerConfig>,
}

impl Server {
    pub(super) fn http(files: &Files) -> Result<Self, ConfigError> {
        let configs = Reloading::start(files, http)?;
        Ok(Self { configs })
    }

    /// Shakes hands. Takes as long as the client does.
    ///
    /// # Errors
    /// The client broke off, is none, or shows no certificate that is taken.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.configs.current())
            .accept(stream)
            .await
    }
}

fn http(files: &Files) -> Result<ServerConfig, ConfigError> {
    let mut config = config(files)?;
    config.alpn_protocols = HTTP.map(<[u8]>::to_vec).into();
    Ok(config)
}

fn config(files: &Files) -> Result<ServerConfig, ConfigError> {
    let unusable = |error: &dyn std::fmt::Display| ConfigError::new("TLS", error);
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&VERSIONS)
        .map_err(|error| unusable(&error))?;
    let authorities = files.authorities()?;
    let asks_clients = authorities.is_some();
    let builder = match authorities {
        Some(roots) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unusable(&error))?)
        }
        None => builder.with_no_client_auth(),
    };
    let identity = files.identity()?;
    let identity = identity.ok_or_else(|| unusable(&"there is no certificate to serve with"))?;
    let mut config = builder
        .with_single_cert(identity.chain, identity.key)
        .map_err(|error| files.mismatch(&error))?;
    if asks_clients {
        // A resumed session would outlive the certificate that it began with.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}
