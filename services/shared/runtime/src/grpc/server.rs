//! The server side: gRPC and HTTP on one port, told apart by content type, with
//! limits against slow and too many peers, and a drain under a deadline.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::header::CONTENT_TYPE,
    middleware::{self, Next},
    response::Response,
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::TcpStream,
    sync::{Notify, Semaphore},
    task::{JoinError, JoinSet},
    time,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    service::Routes,
    transport::server::{Connected, TcpConnectInfo},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument, debug, info, warn};

use super::{
    listener::{self, Begun, Listener},
    newcomers::{Newcomer, Newcomers},
    trace,
};
use crate::{health::Readiness, tls};

/// Connections at a time; more wait in the listener's queue.
const MAX_CONNECTIONS: usize = 1_024;
/// While fewer places are left, an address may have only some connections that have not
/// asked for anything.
const FEW_PLACES: usize = MAX_CONNECTIONS / 2;
/// How long a connection may take to its first request, a handshake included.
const FIRST_TIMEOUT: Duration = Duration::from_secs(5);
/// Calls at a time on one connection.
const MAX_STREAMS: u32 = 256;
/// For the head of each further HTTP/1 request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Unread bytes one stream and one connection may send us.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
const HTTP1_BUFFER_BYTES: usize = 64 << 10;
/// Before the next try to accept, when the system has no more descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves gRPC (`routes`, and the standard health service) and HTTP/1 and
/// HTTP/2 (`http`) on one listener, in plain or encrypted, until `shutdown`, then
/// waits up to `drain` for calls at hand and cuts the rest. Long streams must watch `shutdown`
/// themselves to end in good order.
///
/// Health: service `""` is SERVING as long as the process answers (liveness),
/// service `"readiness"` follows `readiness`, which is set to not ready by
/// `shutdown`. Handlers find the peer in the extensions, as `TcpConnectInfo`
/// (`tonic::Request::remote_addr`) and as axum's `ConnectInfo<SocketAddr>`, and as
/// [`tls::Peer`] when it has shown a certificate.
/// Each call runs in a span with the trace context of the caller as its
/// parent; a handler's panic fails its call only.
///
/// # Errors
/// The listener's own address cannot be told.
pub async fn serve(
    listener: impl Into<Listener>,
    routes: Routes,
    http: Router,
    readiness: Readiness,
    shutdown: CancellationToken,
    drain: Duration,
) -> Result<(), io::Error> {
    let listener = listener.into();
    let address = listener.tcp.local_addr()?;
    let (reporter, health_service) = tonic_health::server::health_reporter();
    let health = tokio::spawn(follow(readiness.clone(), reporter));
    let application = Application {
        grpc: Routes::prepare(routes.add_service(health_service))
            .into_axum_router()
            .layer(CatchPanicLayer::new()),
        http: http
            .layer(CatchPanicLayer::new())
            .layer(middleware::from_fn(traced_http)),
    };
    info!(%address, encrypted = listener.tls.is_some(), "serving");
    let mut connections = JoinSet::new();
    accept(&listener, &application, &shutdown, &mut connections).await;
    drop(listener);
    readiness.not_ready("shutting down");
    if time::timeout(drain, join_all(&mut connections))
        .await
        .is_err()
    {
        warn!(%address, connections = connections.len(), "cutting connections that did not end");
        connections.shutdown().await;
    }
    health.abort();
    debug!(%address, "served");
    Ok(())
}

/// What answers requests; clones are cheap.
#[derive(Clone)]
struct Application {
    grpc: Router,
    http: Router,
}

impl Application {
    async fn answer(
        self,
        info: TcpConnectInfo,
        peer: Option<tls::Peer>,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let mut request = request.map(Body::new);
        if let Some(address) = info.remote_addr {
            request.extensions_mut().insert(ConnectInfo(address));
        }
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        request.extensions_mut().insert(info);
        let content_type = request.headers().get(CONTENT_TYPE);
        let is_grpc = content_type.is_some_and(|v| v.as_bytes().starts_with(b"application/grpc"));
        if !is_grpc {
            return self.http.oneshot(request).await;
        }
        // Machines ask for health and descriptors every few seconds: no spans.
        if request.uri().path().starts_with("/grpc.") {
            return self.grpc.oneshot(request).await;
        }
        let span = trace::server_span(request.uri().path(), request.headers());
        let response = self.grpc.oneshot(request).instrument(span.clone()).await?;
        Ok(trace::answer(span, response).map(Body::new))
    }
}

async fn traced_http(request: Request, next: Next) -> Response {
    let Some(span) = trace::http_span(&request) else {
        return next.run(request).await;
    };
    let response = next.run(request).instrument(span.clone()).await;
    trace::http_outcome(&span, response.status());
    response
}

async fn follow(readiness: Readiness, reporter: HealthReporter) {
    let mut watch = readiness.watch();
    loop {
        let is_ready = watch.borrow_and_update().is_none();
        let status = if is_ready {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        reporter.set_service_status("readiness", status).await;
        if watch.changed().await.is_err() {
            return;
        }
    }
}

async fn accept(
    listener: &Listener,
    application: &Application,
    shutdown: &CancellationToken,
    connections: &mut JoinSet<()>,
) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let newcomers = Newcomers::default();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            Some(outcome) = connections.join_next() => {
                observe(outcome);
                continue;
            }
            accepted = async {
                let slot = Arc::clone(&slots).acquire_owned().await;
                let slot = slot.expect("nobody closes the semaphore");
                listener.tcp.accept().await.map(|(stream, peer)| (stream, peer, slot))
            } => accepted,
        };
        match accepted {
            Ok((stream, peer, slot)) => {
                let are_few = slots.available_permits() < FEW_PLACES;
                let Some(newcomer) = newcomers.admit(peer.ip(), are_few) else {
                    debug!(%peer, "closing a connection: its address has enough silent ones");
                    continue;
                };
                let (tls, application) = (listener.tls.clone(), application.clone());
                let shutdown = shutdown.clone();
                connections.spawn(async move {
                    connection((stream, newcomer), peer, tls, application, shutdown).await;
                    drop(slot);
                });
            }
            Err(error) => {
                warn!(%error, "connection not accepted");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    (stream, newcomer): (TcpStream, Newcomer),
    peer: SocketAddr,
    tls: Option<tls::Server>,
    application: Application,
    shutdown: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%peer, %error, "small answers may be slow");
    }
    let info = stream.connect_info();
    let deadline = time::Instant::now() + FIRST_TIMEOUT;
    let begun = tokio::select! {
        biased;
        begun = time::timeout_at(deadline, listener::begin(stream, peer, tls)) => begun,
        () = shutdown.cancelled() => return,
    };
    let Ok(Some(Begun {
        stream,
        peer: client,
    })) = begun
    else {
        return;
    };
    let asked = Arc::new(Notify::new());
    let first_request = Arc::clone(&asked);
    let service = service_fn(move |request| {
        asked.notify_one();
        application
            .clone()
            .answer(info.clone(), client.clone(), request)
    });
    let builder = builder();
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut silence = std::pin::pin!(time::timeout_at(deadline, first_request.notified()));
    let (mut newcomer, mut is_draining) = (Some(newcomer), false);
    let outcome = loop {
        tokio::select! {
            outcome = &mut serving => break outcome,
            heard = &mut silence, if newcomer.is_some() => {
                if heard.is_err() {
                    debug!(%peer, "closing a silent connection");
                    return;
                }
                newcomer = None;
            }
            () = shutdown.cancelled(), if !is_draining => {
                is_draining = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    };
    if let Err(error) = outcome {
        debug!(%peer, %error, "connection ended");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HTTP1_BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(MAX_STREAMS);
    builder
}

async fn join_all(connections: &mut JoinSet<()>) {
    while let Some(outcome) = connections.join_next().await {
        observe(outcome);
    }
}

fn observe(outcome: Result<(), JoinError>) {
    if let Err(error) = outcome {
        warn!(%error, "connection failed");
    }
}
