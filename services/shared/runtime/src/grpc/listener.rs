//! Where a server takes connections, and how it begins with each.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time,
};
use tracing::{debug, info, warn};

use crate::tls;

/// How long a client may take for a handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A port, in plain or encrypted.
#[derive(Debug)]
pub struct Listener {
    pub(super) tcp: TcpListener,
    pub(super) tls: Option<tls::Server>,
}

impl Listener {
    /// Encrypted when there is a `tls`.
    #[must_use]
    pub fn new(tcp: TcpListener, tls: Option<tls::Server>) -> Self {
        Self { tcp, tls }
    }
}

impl From<TcpListener> for Listener {
    /// In plain.
    fn from(tcp: TcpListener) -> Self {
        Self::new(tcp, None)
    }
}

/// A connection's bytes, whatever carries them.
pub(super) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// Begins with a connection; `None` when nothing comes of it, which is logged.
pub(super) async fn begin(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<tls::Server>,
) -> Option<Box<dyn Bytes>> {
    let Some(tls) = tls else {
        return Some(Box::new(stream));
    };
    match time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(Box::new(stream)),
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

fn refused(peer: SocketAddr, error: &io::Error) {
    use rustls::Error::{InvalidCertificate, NoCertificatesPresented};
    match tls::failure(error) {
        Some(reason @ (InvalidCertificate(_) | NoCertificatesPresented)) => {
            warn!(%peer, %reason, "client refused: its certificate is not taken here");
        }
        _ => info!(%peer, %error, "no encrypted connection came about"),
    }
}
