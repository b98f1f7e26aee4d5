//! How the provider is called: one request for each connection, without redirects, and
//! with an answer of bounded size within a bounded time.

use std::{pin::Pin, time::Duration};

use axum::http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use runtime::tls;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tracing::debug;

use super::address::{self, UnsafeAddress};

/// For all of one request.
const TIMEOUT: Duration = Duration::from_secs(8);
/// The most bytes of an answer.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Calls the provider; clones share its authorities.
#[derive(Debug, Clone)]
pub(super) struct Http {
    tls: tls::Client,
    is_plain_allowed: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error(transparent)]
    Address(#[from] UnsafeAddress),
    #[error("nobody answers at {host}")]
    Unreachable {
        host: String,
        source: std::io::Error,
    },
    #[error("the connection to {host} broke")]
    Broken { host: String, source: hyper::Error },
    #[error("{host} did not answer within {} s", TIMEOUT.as_secs())]
    Slow { host: String },
    #[error("{host} answered with more than {MAX_ANSWER_BYTES} bytes, or not to the end")]
    Answer { host: String },
}

impl Http {
    pub(super) fn new(tls: tls::Client, is_plain_allowed: bool) -> Self {
        Self {
            tls,
            is_plain_allowed,
        }
    }

    /// The answer, whatever its status.
    ///
    /// # Errors
    /// There is none, or the address may not be called.
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let place = address::check(&request.uri().to_string(), self.is_plain_allowed)?;
        let host = place.host_str().unwrap_or_default().to_owned();
        let port = place.port_or_known_default().unwrap_or(443);
        let request = prepared(request, &place);
        let name = host.trim_matches(['[', ']']);
        let called = async {
            let unreachable = |source| HttpError::Unreachable {
                host: host.clone(),
                source,
            };
            if place.scheme() == "https" {
                let stream = self.tls.connect(name, port, &[b"http/1.1"]).await;
                exchange(stream.map_err(unreachable)?, request, &host).await
            } else {
                let stream = TcpStream::connect((name, port)).await;
                exchange(stream.map_err(unreachable)?, request, &host).await
            }
        };
        let outcome = timeout(TIMEOUT, called).await;
        outcome.unwrap_or_else(|_| Err(HttpError::Slow { host: host.clone() }))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// As it goes over a connection: by its path, and with the name of the host.
fn prepared(request: HttpRequest, place: &url::Url) -> Request<Full<Bytes>> {
    let (mut parts, body) = request.into_parts();
    let path = match place.query() {
        Some(query) => format!("{}?{query}", place.path()),
        None => place.path().to_owned(),
    };
    parts.uri = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
    let authority = &place[url::Position::BeforeHost..url::Position::AfterPort];
    for (name, value) in [
        (header::HOST, authority),
        (
            header::USER_AGENT,
            concat!("herald-web/", env!("CARGO_PKG_VERSION")),
        ),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            parts.headers.insert(name, value);
        }
    }
    Request::from_parts(parts, Full::new(Bytes::from(body)))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
    host: &str,
) -> Result<HttpResponse, HttpError> {
    let broken = |source| HttpError::Broken {
        host: host.to_owned(),
        source,
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    // Ends with `sender`, and what is wrong with it the request tells.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            debug!(%error, "connection to the provider of identities ended");
        }
    });
    let answer = sender.send_request(request).await.map_err(broken)?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
    let body = body.map_err(|_| HttpError::Answer {
        host: host.to_owned(),
    })?;
    Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
}
