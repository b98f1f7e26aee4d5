//! The client side: one lazy, self-healing connection that hands on the trace
//! context.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tonic::{
    body::Body,
    transport::{Channel, Endpoint, Error},
};
use tower::{Service, service_fn};
use tracing::{Instrument, warn};

use super::trace::{self, TracedBody};
use crate::{config::ConfigError, tls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// How much one stream may send before the other side has read it, in bytes.
const STREAM_WINDOW: u32 = 1 << 20;
/// The same for all streams of a connection.
const CONNECTION_WINDOW: u32 = 4 << 20;
/// The same where many streams go on and on: whoever does not read its stream
/// leaves room for the others, as many as a connection may have.
const LONG_STREAM_WINDOW: u32 = 64 << 10;
const LONG_CONNECTION_WINDOW: u32 = 256 * LONG_STREAM_WINDOW;

/// A connection to one server, for the generated clients:
/// `RecordsClient::new(client)`. Clones share the connection, which is made by
/// the first call and made anew after a failure; a dead peer is noticed within
/// 15 s.
///
/// Every call is a span, named by its method, which ends with the last message
/// of its answer: a long stream is one long span. Its context goes with the
/// request's head only, not with single messages of a stream.
#[derive(Debug, Clone)]
pub struct Client {
    channel: Channel,
}

/// A text that is no address of a gRPC server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address of a server: use a URL such as http://127.0.0.1:9124")]
pub struct InvalidUrl(String);

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The URL is none.
    #[error(transparent)]
    InvalidUrl(#[from] InvalidUrl),
    /// A file of certificates cannot be used.
    #[error(transparent)]
    Files(#[from] ConfigError),
}

impl ChannelError {
    /// What is wrong with the configuration, when `variable` says what the URL is.
    #[must_use]
    pub fn of(self, variable: &str) -> ConfigError {
        match self {
            Self::InvalidUrl(error) => ConfigError::new(variable, error),
            Self::Files(error) => error,
        }
    }
}

/// A client for the server at `url`, which must be `http://HOST:PORT` or
/// `https://HOST:PORT`. Makes no connection yet. Call it within a tokio runtime.
///
/// # Errors
/// `url` is no such URL.
pub fn channel(url: &str) -> Result<Client, ChannelError> {
    secure_channel(url, &tls::Files::default())
}

/// As [`channel`]; over `https` it shows the certificate and trusts the authorities
/// of `files`.
///
/// # Errors
/// `url` is no such URL, or one of the files cannot be used.
pub fn secure_channel(url: &str, files: &tls::Files) -> Result<Client, ChannelError> {
    connect(url, files, STREAM_WINDOW, CONNECTION_WINDOW)
}

/// As [`secure_channel`], for answers that go on and on: one that nobody reads holds
/// up no other, and takes at most 64 KiB of memory.
///
/// # Errors
/// As [`secure_channel`].
pub fn channel_of_streams(url: &str, files: &tls::Files) -> Result<Client, ChannelError> {
    connect(url, files, LONG_STREAM_WINDOW, LONG_CONNECTION_WINDOW)
}

/// Whether `url` is one that [`channel`] takes, without making anything.
///
/// # Errors
/// `url` is no such URL.
pub fn check_url(url: &str) -> Result<(), InvalidUrl> {
    uri(url).map(|_| ())
}

fn uri(url: &str) -> Result<Uri, InvalidUrl> {
    let invalid = || InvalidUrl(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| invalid())?;
    let has_path = uri.path_and_query().is_some_and(|path| path != "/");
    let is_known = matches!(uri.scheme_str(), Some("http" | "https"));
    match is_known && uri.port().is_some() && !has_path {
        true => Ok(uri),
        false => Err(invalid()),
    }
}

fn connect(
    url: &str,
    files: &tls::Files,
    stream_window: u32,
    connection_window: u32,
) -> Result<Client, ChannelError> {
    let uri = uri(url)?;
    let is_secure = uri.scheme_str() == Some("https");
    let endpoint = Endpoint::from(uri)
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(stream_window)
        .initial_connection_window_size(connection_window);
    let channel = match is_secure {
        true => {
            let tls = files.client()?;
            endpoint.connect_with_connector_lazy(service_fn(move |uri| dial(tls.clone(), uri)))
        }
        false => endpoint.connect_lazy(),
    };
    Ok(Client { channel })
}

/// Opens an encrypted connection.
async fn dial(tls: tls::Client, uri: Uri) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or_default();
    let connected = tls.connect(host, port, &[b"h2"]).await;
    if let Err(error) = &connected
        && let Some(reason) = tls::failure(error)
    {
        // Those who wait for an answer learn only that there is no connection.
        warn!(host, port, %reason, "no trust in a server");
    }
    connected.map(TokioIo::new)
}

impl Service<Request<Body>> for Client {
    type Response = Response<TracedBody<Body>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let span = trace::client_span(request.uri().path());
        trace::inject(&span, request.headers_mut());
        let answer = self.channel.call(request).instrument(span.clone());
        Box::pin(async move {
            match answer.await {
                Ok(response) => Ok(trace::answer(span, response)),
                Err(error) => {
                    trace::failed(&span, &error);
                    Err(error)
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{ChannelError, InvalidUrl, channel};

    #[tokio::test]
    async fn only_urls_of_a_host_and_a_port_are_taken() {
        let check = |url: &str, is_valid: bool| {
            let outcome = channel(url).map(|_| ());
            let expected = is_valid
                .then_some(())
                .ok_or_else(|| ChannelError::InvalidUrl(InvalidUrl(url.to_owned())));
            assert_eq!(outcome, expected);
        };
        check("http://127.0.0.1:9124", true);
        check("http://store:9124/", true);
        check("http://[::1]:9124", true);
        check("", false);
        check("store:9124", false);
        check("127.0.0.1:9124", false);
        check("http://store", false);
        check("https://store:9124", true);
        check("https://store", false);
        check("http://store:9124/path", false);
        check("unix:///run/store", false);
    }
}
