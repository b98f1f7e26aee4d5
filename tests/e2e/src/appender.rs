//! A bridge's part of the protocol, without a bridge: records straight into a
//! store, received whenever a test wants.

use domain::Entry;
use proto::v1::{
    AppendRequest, AppendResponse, Batch, OpenSpool, append_request::Step, append_response,
    ingest_service_client::IngestServiceClient,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use uuid::Uuid;

/// Entries of a batch, at most.
const BATCH: usize = 1_000;

/// An open Append stream.
#[derive(Debug)]
pub struct Appender {
    requests: mpsc::Sender<AppendRequest>,
    responses: Streaming<AppendResponse>,
    next: u64,
    acknowledged: u64,
}

impl Appender {
    /// Opens a stream as a spool that the store at `url` has not heard of.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn open(url: &str) -> Self {
        let (requests, outgoing) = mpsc::channel(8);
        let open = OpenSpool {
            bridge_id: Uuid::new_v4().to_string(),
            name: "bakery-bridge".to_owned(),
            first_sequence: 1,
            ..OpenSpool::default()
        };
        let channel = runtime::grpc::channel(url).expect("the URL of a store");
        let mut appender = Self {
            responses: {
                requests
                    .send(step(Step::Open(open)))
                    .await
                    .expect("an open channel");
                let mut client = IngestServiceClient::new(channel);
                let answer = client.append(ReceiverStream::new(outgoing)).await;
                answer.expect("a store that answers").into_inner()
            },
            requests,
            next: 1,
            acknowledged: 1,
        };
        appender.answer().await;
        appender
    }

    /// Sends a batch of at most 1,000 entries; does not wait.
    ///
    /// # Panics
    /// When the stream is closed.
    pub async fn send(&mut self, entries: Vec<Entry>) {
        let first_sequence = self.next;
        self.next += entries.len() as u64;
        let batch = Batch {
            first_sequence,
            entries: entries.into_iter().map(Into::into).collect(),
            mark: String::new(),
        };
        let sent = self.requests.send(step(Step::Batch(batch))).await;
        sent.expect("a store that reads");
    }

    /// Waits until all but `behind` of what was sent is committed.
    ///
    /// # Panics
    /// When the store gives up.
    pub async fn committed(&mut self, behind: u64) {
        while self.acknowledged + behind < self.next {
            let answer = self.answer().await;
            if let Some(append_response::Step::Acknowledged(ack)) = answer.step {
                self.acknowledged = ack.next_sequence;
            }
        }
    }

    async fn answer(&mut self) -> AppendResponse {
        let answer = self.responses.message().await;
        answer
            .expect("a store that takes what is sent")
            .expect("a stream that stays open")
    }
}

/// Puts all of these into the store at `url`; returns when they are committed.
///
/// # Panics
/// When the store gives up.
pub async fn append(url: &str, entries: impl IntoIterator<Item = Entry>) {
    let mut appender = Appender::open(url).await;
    let mut entries = entries.into_iter();
    loop {
        let batch: Vec<Entry> = entries.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        appender.send(batch).await;
        appender.committed(8 * BATCH as u64).await;
    }
    appender.committed(0).await;
}

fn step(step: Step) -> AppendRequest {
    AppendRequest { step: Some(step) }
}
