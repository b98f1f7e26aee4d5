//! Spans of calls, and how their context travels in HTTP headers
//! (`traceparent`, W3C Trace Context).

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
};

use axum::extract::MatchedPath;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use opentelemetry::{
    global,
    propagation::{Extractor, Injector},
    trace::Status,
};
use tracing::{Span, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Status codes that are the server's fault, by OpenTelemetry's conventions:
/// unknown, deadline exceeded, unimplemented, internal, unavailable, data loss.
const SERVER_FAULTS: [u8; 6] = [2, 4, 12, 13, 14, 15];

/// The body of an answer, which keeps its call's span open up to the last
/// frame and tells it the outcome.
#[derive(Debug)]
pub struct TracedBody<B> {
    body: B,
    span: Option<Span>,
}

pub(super) fn client_span(path: &str) -> Span {
    let name = path.trim_start_matches('/');
    info_span!(
        "call",
        otel.name = name,
        otel.kind = "client",
        rpc.system = "grpc"
    )
}

pub(super) fn server_span(path: &str, headers: &HeaderMap) -> Span {
    let name = path.trim_start_matches('/');
    let span = info_span!(
        "serve",
        otel.name = name,
        otel.kind = "server",
        rpc.system = "grpc"
    );
    extract(&span, headers);
    span
}

/// `None` for what is asked every few seconds by machines.
pub(super) fn http_span<B>(request: &Request<B>) -> Option<Span> {
    if matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics") {
        return None;
    }
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let method = request.method().as_str();
    let name = format!("{method} {route}");
    let span = info_span!(
        "serve",
        otel.name = name.trim_end(),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    extract(&span, request.headers());
    Some(span)
}

pub(super) fn http_outcome(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.set_status(Status::error(status.to_string()));
    }
}

pub(super) fn inject(span: &Span, headers: &mut HeaderMap) {
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&span.context(), &mut HeaderWriter(headers));
    });
}

fn extract(span: &Span, headers: &HeaderMap) {
    let context =
        global::get_text_map_propagator(|propagator| propagator.extract(&HeaderReader(headers)));
    // Fails if nobody collects spans: then there is no parent to set.
    drop(span.set_parent(context));
}

/// Hands the span to the body of its answer.
pub(super) fn answer<B>(span: Span, response: Response<B>) -> Response<TracedBody<B>> {
    // An answer without a message has its status in the head.
    outcome(&span, response.headers());
    response.map(|body| TracedBody {
        body,
        span: Some(span),
    })
}

pub(super) fn failed(span: &Span, error: &dyn Error) {
    span.set_status(Status::error(error.to_string()));
}

fn outcome(span: &Span, headers: &HeaderMap) {
    let Some(code) = headers.get("grpc-status") else {
        return;
    };
    let code: Option<u8> = code.to_str().ok().and_then(|code| code.parse().ok());
    if let Some(code) = code {
        span.set_attribute("rpc.grpc.status_code", i64::from(code));
        if SERVER_FAULTS.contains(&code) {
            span.set_status(Status::error(
                tonic::Code::from(i32::from(code)).to_string(),
            ));
        }
    }
}

impl<B> Body for TracedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        let polled = {
            let _entered = this.span.as_ref().map(Span::enter);
            Pin::new(&mut this.body).poll_frame(cx)
        };
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref()
                    && let Some(span) = this.span.take()
                {
                    outcome(&span, trailers);
                }
            }
            Poll::Ready(Some(Err(_)) | None) => this.span = None,
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

struct HeaderWriter<'a>(&'a mut HeaderMap);

impl Injector for HeaderWriter<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            self.0.insert(name, value);
        }
    }
}

struct HeaderReader<'a>(&'a HeaderMap);

impl Extractor for HeaderReader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
