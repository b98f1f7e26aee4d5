//! Where a server takes connections, and how it begins with each.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

use crate::tls;

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

/// A connection that has begun.
pub(super) struct Begun {
    pub(super) stream: Box<dyn Bytes>,
    pub(super) peer: Option<tls::Peer>,
}

/// Begins with a connection; `None` when nothing comes of it.
pub(super) async fn begin(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<tls::Server>,
) -> Option<Begun> {
    match tls {
        None => Some(Begun {
            stream: Box::new(stream),
            peer: None,
        }),
        Some(tls) => {
            let stream = tls.accept(stream, peer).await?;
            Some(Begun {
                peer: tls::Peer::of(&stream),
                stream: Box::new(stream),
            })
        }
    }
}
