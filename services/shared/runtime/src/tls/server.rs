//! The side that is called.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use tokio::{net::TcpStream, time};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::{debug, info, warn};

use super::{Files, VERSIONS, provider, reload::Reloading};
use crate::config::ConfigError;

/// How long a client may take for a handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// What gRPC and HTTP are called in a handshake; who names nothing may speak anything.
const HTTP: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// An encrypted connection that somebody has opened.
pub type Stream = TlsStream<TcpStream>;

/// Answers handshakes with the newest certificate of its files. With authorities
/// every client must show a certificate that one of them has signed. Clones share
/// everything.
#[derive(Debug, Clone)]
pub struct Server {
    configs: Reloading<ServerConfig>,
}

impl Server {
    pub(super) fn new(files: &Files) -> Result<Self, ConfigError> {
        let configs = Reloading::start(files, config)?;
        Ok(Self { configs })
    }

    /// Shakes hands with the client at `peer`. `None` when nothing comes of it: it broke
    /// off, took too long, or shows no certificate that is taken; the log says so.
    pub async fn accept(&self, stream: TcpStream, peer: SocketAddr) -> Option<Stream> {
        let accepting = TlsAcceptor::from(self.configs.current()).accept(stream);
        match time::timeout(HANDSHAKE_TIMEOUT, accepting).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                refused(peer, &error);
                None
            }
            Err(_) => {
                debug!(%peer, "closing a connection without a handshake");
                None
            }
        }
    }
}

fn refused(peer: SocketAddr, error: &io::Error) {
    use rustls::Error::{InvalidCertificate, NoCertificatesPresented};
    match super::failure(error) {
        Some(reason @ (InvalidCertificate(_) | NoCertificatesPresented)) => {
            warn!(%peer, %reason, "client refused: its certificate is not taken here");
        }
        // A port that is only tried, as a load balancer does, is no news.
        None => debug!(%peer, %error, "no encrypted connection came about"),
        Some(_) => info!(%peer, %error, "no encrypted connection came about"),
    }
}

fn config(files: &Files) -> Result<ServerConfig, ConfigError> {
    let unusable = |error: &dyn std::fmt::Display| ConfigError::new("TLS", error);
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&VERSIONS)
        .map_err(|error| unusable(&error))?;
    let authorities = files.authorities()?;
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
    config.alpn_protocols = HTTP.map(<[u8]>::to_vec).into();
    // A resumed session would outlive the certificate that it began with. And a program
    // that never reads and leaves a ticket unread would, when it closes, reset the
    // connection and so destroy what it has sent last.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}
