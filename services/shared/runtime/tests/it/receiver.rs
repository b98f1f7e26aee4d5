//! A real OTLP receiver, and its trace service as an example of a gRPC service.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    trace::v1::Span,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// What came in.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
}

impl Receiver {
    /// Served by tonic's own server, not by ours.
    pub(crate) async fn start() -> (Self, SocketAddr) {
        let receiver = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(receiver.clone()))
            .add_service(MetricsServiceServer::new(receiver.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        (receiver, address)
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let requests = self.traces.lock().unwrap();
        let resources = requests.iter().flat_map(|r| r.resource_spans.iter());
        let scopes = resources.flat_map(|r| r.scope_spans.iter());
        scopes.flat_map(|s| s.spans.iter().cloned()).collect()
    }

    /// Attributes of the sender, as `key=value`.
    pub(crate) fn resource(&self) -> Vec<String> {
        let requests = self.traces.lock().unwrap();
        let attributes = &requests[0].resource_spans[0]
            .resource
            .as_ref()
            .unwrap()
            .attributes;
        let text = |value: &Option<_>| format!("{value:?}");
        attributes
            .iter()
            .map(|a| format!("{}={}", a.key, text(&a.value)))
            .collect()
    }

    pub(crate) fn metric_names(&self) -> Vec<String> {
        let requests = self.metrics.lock().unwrap();
        let resources = requests.iter().flat_map(|r| r.resource_metrics.iter());
        let scopes = resources.flat_map(|r| r.scope_metrics.iter());
        scopes
            .flat_map(|s| s.metrics.iter().map(|m| m.name.clone()))
            .collect()
    }
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        tracing::info!(peer = request.remote_addr().is_some(), "taking spans");
        self.traces.lock().unwrap().push(request.into_inner());
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.metrics.lock().unwrap().push(request.into_inner());
        Ok(Response::new(Default::default()))
    }
}
