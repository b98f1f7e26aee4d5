//! One trace goes from a bridge's batches into the store, and one from a page.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::time::Duration;

use e2e::{account::numbered, api, otlp::Receiver};
use opentelemetry_proto::tonic::trace::v1::Span;
use testkit::{Installation, Process, frame, http, wait_until};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const SOON: Duration = Duration::from_secs(30);

const APPEND: &str = "herald.v1.IngestService/Append";
const LIST: &str = "herald.v1.RecordService/ListRecords";

async fn stop(mut process: Process) {
    process.terminate();
    let status = process.end(SOON).await;
    assert!(status.success(), "{status}: {}", process.stderr());
}

/// Whether a span of `caller` has a child in the store, both of that name.
fn is_traced(receiver: &Receiver, caller: &str, name: &str) -> bool {
    let inside = receiver.spans("store", name);
    let is_parent = |parent: &Span| {
        inside.iter().any(|child| {
            child.trace_id == parent.trace_id && child.parent_span_id == parent.span_id
        })
    };
    receiver.spans(caller, name).iter().any(is_parent)
}

#[tokio::test]
async fn batches_and_pages_are_traced_into_the_store() {
    let (receiver, endpoint) = Receiver::start().await;
    let herald = Installation::new().with("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let store = herald.store().await;
    let bridge = herald.bridge().await;
    let web = herald.web().await;
    let mut stream = TcpStream::connect(herald.bridge_address()).await.unwrap();
    stream
        .write_all(&frame::pickle(&numbered("a", 0)))
        .await
        .unwrap();
    api::exactly(&herald.web_url(), "", 1, SOON).await;
    http::get(&herald.web_url()).await.unwrap();
    drop(stream);
    // A stream is one span, which ends with it; what is not sent yet goes at the end.
    stop(bridge).await;
    stop(web).await;
    stop(store).await;
    wait_until("both traces are whole", SOON, async || {
        is_traced(&receiver, "bridge", APPEND) && is_traced(&receiver, "herald-web", LIST)
    })
    .await;
    let pages = receiver.spans("herald-web", "GET /");
    let lists = receiver.spans("herald-web", LIST);
    let is_below_page = |list: &Span| pages.iter().any(|page| page.trace_id == list.trace_id);
    assert!(lists.iter().any(is_below_page), "{pages:?} {lists:?}");
}
