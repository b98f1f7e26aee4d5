//! The side that calls.

use std::{io, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tracing::warn;

use super::{Files, VERSIONS, provider, reload::Reloading};
use crate::config::ConfigError;

/// For one address of several.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens connections with the newest certificates of its files. Clones share
/// everything.
#[derive(Debug, Clone)]
pub struct Client {
    configs: Reloading<ClientConfig>,
}

impl Client {
    pub(super) fn new(files: &Files) -> Result<Self, ConfigError> {
        let configs = Reloading::start(files, config)?;
        Ok(Self { configs })
    }

    /// Connects to a server that proves to be `host`, a name or an address, and
    /// that speaks one of `protocols`, such as `h2`; any when there are none.
    ///
    /// # Errors
    /// Nobody is there, or it is another one.
    pub async fn connect(
        &self,
        host: &str,
        port: u16,
        protocols: &[&[u8]],
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            let problem = format!("`{host}` is no name that a certificate can have");
            io::Error::new(io::ErrorKind::InvalidInput, problem)
        })?;
        let stream = reach(host, port).await?;
        stream.set_nodelay(true)?;
        let protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let connecting = TlsConnector::from(self.configs.current())
            .with_alpn(protocols)
            .connect(name, stream);
        connecting.await
    }
}

/// Connects to the first address of a name that answers in time: one that swallows
/// packets must not keep the others from being tried.
async fn reach(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let addresses: Vec<_> = lookup_host((host, port)).await?.collect();
    for address in &addresses {
        let connecting = TcpStream::connect(address);
        let reached = match addresses.len() {
            1 => connecting.await,
            _ => timeout(ADDRESS_TIMEOUT, connecting)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
        };
        match reached {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A configuration by the files as they are now.
fn config(files: &Files) -> Result<ClientConfig, ConfigError> {
    let roots = match files.authorities()? {
        Some(roots) => roots,
        None => of_this_machine(),
    };
    trusting(roots, files)
}

/// The same that trusts `roots`.
pub(super) fn trusting(roots: RootCertStore, files: &Files) -> Result<ClientConfig, ConfigError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&VERSIONS)
        .map_err(|error| ConfigError::new("TLS", error))?;
    let builder = builder.with_root_certificates(Arc::new(roots));
    match files.identity()? {
        Some(identity) => builder
            .with_client_auth_cert(identity.chain, identity.key)
            .map_err(|error| files.mismatch(&error)),
        None => Ok(builder.with_no_client_auth()),
    }
}

/// The authorities that everything on this machine trusts.
fn of_this_machine() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        warn!(%error, "authorities of this machine cannot be read");
    }
    roots.add_parsable_certificates(found.certs);
    roots
}
