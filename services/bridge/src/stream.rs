//! What a program's bytes come through: a socket, in plain or encrypted.

use std::io;

use bytes::BytesMut;
use runtime::tls;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An open connection.
#[derive(Debug)]
pub enum Stream {
    /// As it comes.
    Plain(TcpStream),
    /// Encrypted. What it holds of bytes is its own: an idle one costs us no buffer.
    Secure(Box<tls::Stream>),
}

impl Stream {
    /// Waits for bytes and adds some `most` of them to `buffer`; 0 is the end. May be
    /// dropped at any time: nothing is lost by it.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn read(&mut self, most: usize, buffer: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => loop {
                stream.readable().await?;
                buffer.reserve(most);
                let read = stream.try_read_buf(buffer);
                if buffer.is_empty() {
                    *buffer = BytesMut::new();
                }
                match read {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => return read,
                }
            },
            Self::Secure(stream) => {
                let bytes = stream.fill_buf().await?;
                let read = bytes.len().min(most);
                buffer.extend_from_slice(&bytes[..read]);
                stream.consume(read);
                Ok(read)
            }
        }
    }

    /// Sends small pieces as they come, without waiting for more.
    ///
    /// # Errors
    /// The connection is over.
    pub fn send_at_once(&self) -> io::Result<()> {
        let socket = match self {
            Self::Plain(stream) => stream,
            Self::Secure(stream) => stream.get_ref().0,
        };
        socket.set_nodelay(true)
    }

    /// Sends all of `bytes`. What has been sent when it is dropped before is unknown.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Secure(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    /// Tells the other side that nothing more is sent.
    ///
    /// # Errors
    /// The connection is over.
    pub async fn end(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown().await,
            Self::Secure(stream) => stream.shutdown().await,
        }
    }
}
