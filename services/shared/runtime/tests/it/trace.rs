//! One trace goes from a caller's span through the client and the server into
//! the handler, and arrives with metrics at an OTLP receiver.

use std::time::Duration;

use axum::{Router, extract::Path, routing::get};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_client::TraceServiceClient,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::{Span, span::SpanKind},
};
use runtime::{grpc, telemetry};
use tonic::{Request, Response, Status, service::Routes};
use tracing::Instrument;

use crate::{Server, receiver::Receiver};

const METHOD: &str = "opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Any gRPC service will do: this one fails after a span of its own.
struct Failing;

#[tonic::async_trait]
impl TraceService for Failing {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        assert!(request.remote_addr().is_some(), "the peer is told");
        async { Err(Status::internal("no")) }
            .instrument(tracing::info_span!("inside"))
            .await
    }
}

/// `GET /page/{id}` calls the service behind it, as herald-web does.
async fn page(client: grpc::Client, Path(_id): Path<u64>) -> String {
    let mut client = TraceServiceClient::new(client);
    let status = client
        .export(ExportTraceServiceRequest::default())
        .await
        .unwrap_err();
    status.code().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_from_the_page_to_the_handler_behind_the_client() {
    let (receiver, address) = Receiver::start().await;
    let vars = vec![
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(),
            format!("http://{address}"),
        ),
        ("DEV_STAGE".to_owned(), "TESTING".to_owned()),
    ];
    let telemetry = telemetry::start("web", "1.2.3", &vars).unwrap();
    telemetry::start("store", "1.2.3", &vars)
        .unwrap()
        .shutdown();

    let drain = Duration::from_secs(5);
    let service = TraceServiceServer::new(Failing);
    let store = Server::start(Routes::new(service), Router::new(), drain).await;
    let client = store.client();
    let pages = Router::new().route("/page/{id}", get(move |id| page(client, id)));
    let web = Server::start(Routes::default(), pages, drain).await;

    telemetry::meter("trace-test")
        .u64_counter("herald.test.pages")
        .build()
        .add(1, &[]);
    let answer = web.get("/page/7").await;
    assert!(answer.ends_with("Internal error"), "{answer}");
    let metrics = web.get("/metrics").await;
    assert!(
        metrics.contains("\nherald_test_pages_total 1\n"),
        "{metrics}"
    );
    web.stop().await;
    store.stop().await;
    telemetry.shutdown();

    let spans = receiver.spans();
    let find = |name: &str, kind: SpanKind| -> &Span {
        let found = spans
            .iter()
            .find(|s| s.name == name && s.kind == kind as i32);
        found.unwrap_or_else(|| panic!("no span {name} in {spans:#?}"))
    };
    let chain = [
        find("GET /page/{id}", SpanKind::Server),
        find(METHOD, SpanKind::Client),
        find(METHOD, SpanKind::Server),
        find("inside", SpanKind::Internal),
    ];
    for pair in chain.windows(2) {
        assert_eq!(pair[1].trace_id, pair[0].trace_id);
        assert_eq!(pair[1].parent_span_id, pair[0].span_id);
    }
    assert!(chain[0].parent_span_id.is_empty(), "the page is the root");
    for span in &chain[1..3] {
        let code = span
            .attributes
            .iter()
            .find(|a| a.key == "rpc.grpc.status_code");
        assert!(format!("{code:?}").contains("IntValue(13)"), "{span:?}");
        assert_eq!(
            span.status.as_ref().unwrap().code,
            2,
            "status of the span: error"
        );
    }
    let polled = spans.iter().find(|s| s.name.contains("/metrics"));
    assert_eq!(polled, None, "what machines poll makes no spans");
    let resource = receiver.resource().join("\n");
    for text in [
        "service.name=",
        "\"web\"",
        "\"1.2.3\"",
        "deployment.environment.name=",
        "\"TESTING\"",
    ] {
        assert!(resource.contains(text), "{text} in {resource}");
    }
    assert!(
        receiver
            .metric_names()
            .contains(&"herald.test.pages".to_owned())
    );
}
