//! The client side: one lazy, self-healing connection that hands on the trace
//! context.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response, Uri};
use tonic::{
    body::Body,
    transport::{Channel, Endpoint, Error},
};
use tower::Service;
use tracing::Instrument;

use super::trace::{self, TracedBody};

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

/// A client for the server at `url`, which must be `http://HOST:PORT`. Makes
/// no connection yet. Call it within a tokio runtime.
///
/// # Errors
/// `url` is no such URL.
pub fn channel(url: &str) -> Result<Client, InvalidUrl> {
    connect(url, STREAM_WINDOW, CONNECTION_WINDOW)
}

/// As [`channel`], for answers that go on and on: one that nobody reads holds
/// up no other, and takes at most 64 KiB of memory.
///
/// # Errors
/// `url` is no such URL.
pub fn channel_of_streams(url: &str) -> Result<Client, InvalidUrl> {
    connect(url, LONG_STREAM_WINDOW, LONG_CONNECTION_WINDOW)
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
    match uri.scheme_str() != Some("http") || uri.port().is_none() || has_path {
        true => Err(invalid()),
        false => Ok(uri),
    }
}

fn connect(url: &str, stream_window: u32, connection_window: u32) -> Result<Client, InvalidUrl> {
    let uri = uri(url)?;
    let channel = Endpoint::from(uri)
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(stream_window)
        .initial_connection_window_size(connection_window)
        .connect_lazy();
    Ok(Client { channel })
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
    use super::{InvalidUrl, channel};

    #[tokio::test]
    async fn only_plain_urls_with_a_port_are_taken() {
        let check = |url: &str, is_valid: bool| {
            let outcome = channel(url).map(|_| ());
            let expected = is_valid
                .then_some(())
                .ok_or_else(|| InvalidUrl(url.to_owned()));
            assert_eq!(outcome, expected);
        };
        check("http://127.0.0.1:9124", true);
        check("http://store:9124/", true);
        check("http://[::1]:9124", true);
        check("", false);
        check("store:9124", false);
        check("127.0.0.1:9124", false);
        check("http://store", false);
        check("https://store:9124", false);
        check("http://store:9124/path", false);
        check("unix:///run/store", false);
    }
}
