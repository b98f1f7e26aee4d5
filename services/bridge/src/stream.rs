//! What a program's bytes come through: a socket, in plain or encrypted.

use std::io;

use bytes::BytesMut;
use runtime::tls;
use tokio::{io::AsyncBufReadExt, net::TcpStream};

/// An open connection that is only read.
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
}
