//! One destination that speaks gRPC, a store or another bridge: reads the spool,
//! decodes, applies the destination's rules, sends batches, and moves its cursor
//! when they are acknowledged.

pub(crate) mod back_off;
mod care;
pub(crate) mod pace;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use proto::v1::{
    AppendRequest, AppendResponse, Batch, OpenSpool, append_request, append_response,
    ingest_service_client::IngestServiceClient,
};
use runtime::grpc::Client;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};
use tracing::{info, warn};
use uuid::Uuid;

use back_off::BackOff;
use care::Care;
use pace::Pace;

use crate::{
    batch::{self, Decoded, InFlight, Outgoing},
    metrics::{DestinationMetrics, Metrics},
    policy::Policy,
    report::Reporter,
    routes::{Route, STORE},
    spool::{Chunk, Position, Reader, Resumed, SpoolError},
};

/// Batches that may wait for their acknowledgement.
const IN_FLIGHT: usize = 8;
/// The most that one read of the spool takes.
const CHUNK_ENTRIES: usize = 1000;
const CHUNK_BYTES: usize = 1 << 20;
/// How often the store is told how the bridge is doing.
const REPORT_EVERY: Duration = Duration::from_secs(2);
/// An acknowledgement that takes longer means a dead connection or store.
const ACK_WITHIN: Duration = Duration::from_secs(60);
/// Changes of identity that come sooner than this have to wait.
const CHANGES_APART: Duration = Duration::from_secs(60);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    /// The spool can give nothing any more: fatal.
    #[error("the spool failed")]
    Spool(#[from] SpoolError),
    /// The destination is there, but takes nothing now.
    #[error("it has no room or time now: {0}")]
    Busy(String),
    /// The destination or the way to it; tried again.
    #[error("it answered {}: {}", .0.code(), .0.message())]
    Answered(Status),
    /// The destination closed the stream.
    #[error("it closed the stream")]
    Closed,
    /// The destination is silent.
    #[error("it acknowledged nothing for {} s", ACK_WITHIN.as_secs())]
    Silent,
    /// The destination's answer makes no sense.
    #[error("it acknowledged number {acknowledged}, but {sent} is the last one sent")]
    Senseless {
        /// What it said.
        acknowledged: u64,
        /// What it was sent.
        sent: u64,
    },
}

impl From<Status> for Broken {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::ResourceExhausted => Self::Busy(status.message().to_owned()),
            _ => Self::Answered(status),
        }
    }
}

/// Why a stream ended well.
#[derive(Debug, PartialEq, Eq)]
enum Finished {
    /// `stop` was cancelled.
    Stopped,
    /// The spool goes on under another identity: open a new stream.
    NewIdentity,
}

/// Who sends.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The bridge's name.
    pub name: String,
    /// What it calls itself in the path of an entry.
    pub hop: Uuid,
}

/// A destination's way out of the bridge.
#[derive(Debug)]
pub struct Forwarder {
    reader: Reader,
    client: IngestServiceClient<Client>,
    destination: String,
    sender: Sender,
    policy: Arc<Policy>,
    pace: Pace,
    metrics: Arc<Metrics>,
    counts: Arc<DestinationMetrics>,
    reporter: Reporter,
    care: Care,
    /// The number behind the last entry sent on the stream at hand.
    sent_to: u64,
    /// Since when the bridge is there for its programs.
    started: Instant,
    /// When a stream last ended because the entries changed their identity.
    changed: Option<Instant>,
}

impl Forwarder {
    /// Sends what `reader` gives to the store or bridge behind `client`, by the
    /// rules of `route`.
    #[must_use]
    pub fn new(
        route: &Route,
        reader: Reader,
        client: Client,
        sender: Sender,
        metrics: Arc<Metrics>,
        reporter: Reporter,
    ) -> Self {
        Self {
            reader,
            client: IngestServiceClient::new(client),
            destination: route.name.clone(),
            sender,
            policy: Arc::clone(&route.policy),
            pace: Pace::new(route.rate),
            counts: metrics.destination(&route.name),
            metrics,
            reporter,
            care: Care::default(),
            sent_to: 0,
            started: Instant::now(),
            changed: None,
        }
    }

    /// Forwards for ever: what fails is tried again, and what the destination will
    /// never take is replaced by what it says about it. Ends when `stop` is cancelled.
    ///
    /// # Errors
    /// When the spool can give nothing any more.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), SpoolError> {
        let mut back_off = BackOff::default();
        loop {
            let streamed = self.stream(&stop, &mut back_off).await;
            self.counts.set_connected(false);
            match streamed {
                Ok(Finished::Stopped) => return Ok(()),
                Ok(Finished::NewIdentity) => {
                    let changed = self.changed.replace(Instant::now());
                    // The former runs of a spool follow each other at once; a destination
                    // that is ahead of it again and again has to wait.
                    if changed.is_some_and(|at| at.elapsed() < CHANGES_APART) {
                        tokio::select! {
                            () = tokio::time::sleep(back_off.next()) => {}
                            () = stop.cancelled() => return Ok(()),
                        }
                    }
                }
                Err(Broken::Spool(error)) => return Err(error),
                Err(error) => {
                    match &error {
                        Broken::Busy(_) => self.counts.has_to_wait(),
                        _ => self.counts.failed(),
                    }
                    if let Broken::Answered(status) = &error {
                        let unsafe_from = self.reader.position()?.next_sequence;
                        self.care.failed(status, unsafe_from, self.sent_to);
                    }
                    let wait = back_off.next();
                    let wait_ms = wait.as_millis();
                    warn!(destination = self.destination, %error, wait_ms, "records wait in the spool");
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => return Ok(()),
                    }
                }
            }
        }
    }

    /// One stream, from its opening to its end.
    async fn stream(
        &mut self,
        stop: &CancellationToken,
        back_off: &mut BackOff,
    ) -> Result<Finished, Broken> {
        self.sent_to = 0;
        let position = self.reader.position()?;
        let (requests, outgoing) = mpsc::channel(IN_FLIGHT + 2);
        send(&requests, append_request::Step::Open(self.open(&position))).await?;
        let opening = async {
            let stream = self.client.append(ReceiverStream::new(outgoing)).await?;
            let mut responses = stream.into_inner();
            let opened = responses.message().await?;
            Ok::<_, Broken>((responses, opened))
        };
        let opened = tokio::select! {
            opened = tokio::time::timeout(ACK_WITHIN, opening) => opened,
            () = stop.cancelled() => return Ok(Finished::Stopped),
        };
        let (responses, opened) = opened.map_err(|_| Broken::Silent)??;
        let Some(append_response::Step::Opened(opened)) = opened.and_then(|it| it.step) else {
            return Err(Broken::Closed);
        };
        let opened_id = position.bridge_id;
        let position = match self.reader.resume(opened.next_sequence)? {
            Resumed::At(position) if position.bridge_id == opened_id => position,
            // The stream is the former identity's, of which the store has everything.
            Resumed::At(_) | Resumed::NewIdentity(_) => return Ok(Finished::NewIdentity),
        };
        self.counts.set_connected(true);
        info!(
            destination = self.destination,
            bridge_id = %position.bridge_id,
            next_sequence = position.next_sequence,
            "destination connected"
        );
        self.pump(&position, requests, responses, stop, back_off)
            .await
    }

    /// Sends and acknowledges until something ends it.
    async fn pump(
        &mut self,
        position: &Position,
        requests: mpsc::Sender<AppendRequest>,
        mut responses: Streaming<AppendResponse>,
        stop: &CancellationToken,
        back_off: &mut BackOff,
    ) -> Result<Finished, Broken> {
        let mut in_flight = InFlight::default();
        let mut leaving = false;
        let mut next = position.next_sequence;
        let mut reports = tokio::time::interval(REPORT_EVERY);
        loop {
            if leaving && in_flight.is_empty() {
                return Ok(Finished::NewIdentity);
            }
            let (entries, most) = match self.care.is_due(next) {
                true => (1, 1),
                false => (self.pace.most().min(CHUNK_ENTRIES), IN_FLIGHT),
            };
            tokio::select! {
                response = responses.message() => {
                    self.acknowledged(&response?.ok_or(Broken::Closed)?, &mut in_flight)?;
                    back_off.reset();
                }
                chunk = self.reader.next(entries, CHUNK_BYTES),
                    if !leaving && in_flight.len() < most && self.pace.is_free() =>
                {
                    let chunk = chunk?;
                    if chunk.bridge_id == position.bridge_id {
                        next = self.send_chunk(chunk, &requests, &mut in_flight).await?;
                    } else {
                        leaving = true;
                    }
                }
                () = self.pace.free(), if !self.pace.is_free() => {}
                _ = reports.tick() => {
                    let report = self.reporter.report(&self.destination, &self.metrics);
                    send(&requests, append_request::Step::Report(report)).await?;
                }
                () = in_flight.overdue(ACK_WITHIN) => return Err(Broken::Silent),
                () = stop.cancelled() => return Ok(Finished::Stopped),
            }
        }
    }

    /// Decodes a chunk and sends it in as many batches as its size asks for.
    /// Returns the number behind it.
    async fn send_chunk(
        &mut self,
        chunk: Chunk,
        requests: &mpsc::Sender<AppendRequest>,
        in_flight: &mut InFlight,
    ) -> Result<u64, Broken> {
        let mut next = chunk.first_sequence;
        for entries in self.decode(chunk) {
            let first_sequence = next;
            next += entries.iter().map(|it| it.entry.width()).sum::<u64>();
            self.pace.spend(entries.len());
            in_flight.sent(&entries, next);
            self.sent_to = next;
            let entries = entries.into_iter().map(Into::into).collect();
            let batch = Batch {
                first_sequence,
                entries,
                mark: String::new(),
            };
            send(requests, append_request::Step::Batch(batch)).await?;
        }
        Ok(next)
    }

    fn decode(&self, chunk: Chunk) -> Vec<Vec<Outgoing>> {
        if let ([item], Some(refusal)) = (&chunk.items[..], self.care.refusal(chunk.first_sequence))
        {
            warn!(
                destination = self.destination,
                sequence = refusal.sequence,
                times = refusal.times,
                reason = refusal.reason,
                "the destination refuses an entry: replaced"
            );
            let stand_in = batch::stand_in(item, &self.policy, refusal.times, &refusal.reason);
            return vec![vec![stand_in.into()]];
        }
        let Decoded {
            batches,
            panics,
            tally,
        } = batch::decode(chunk.items, &self.policy);
        self.metrics.decoder_panicked(panics);
        self.counts.ruled(tally);
        batches
    }

    fn acknowledged(
        &mut self,
        response: &AppendResponse,
        in_flight: &mut InFlight,
    ) -> Result<(), Broken> {
        let Some(append_response::Step::Acknowledged(ack)) = &response.step else {
            return Err(Broken::Closed);
        };
        let done = in_flight
            .acknowledged(ack.next_sequence)
            .ok_or(Broken::Senseless {
                acknowledged: ack.next_sequence,
                sent: in_flight.last_sent(),
            })?;
        self.counts.sent(done);
        self.reader.acknowledge(ack.next_sequence)?;
        Ok(())
    }

    /// Under which identity the receiver knows the entries. Each route has its own, so
    /// that two of them may lead to the same receiver and give it different things.
    fn wire_id(&self, position: &Position) -> Uuid {
        match self.destination == STORE {
            true => position.bridge_id,
            false => Uuid::new_v5(&position.bridge_id, self.destination.as_bytes()),
        }
    }

    fn open(&self, position: &Position) -> OpenSpool {
        OpenSpool {
            bridge_id: self.wire_id(position).to_string(),
            name: self.policy.own_text(&self.sender.name),
            first_sequence: position.first_sequence,
            hop: Bytes::copy_from_slice(self.sender.hop.as_bytes()),
            uptime_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

async fn send(
    requests: &mpsc::Sender<AppendRequest>,
    step: append_request::Step,
) -> Result<(), Broken> {
    let sent = requests.send(AppendRequest { step: Some(step) });
    match tokio::time::timeout(ACK_WITHIN, sent).await {
        Ok(sent) => sent.map_err(|_| Broken::Closed),
        Err(_) => Err(Broken::Silent),
    }
}
