//! One stream of another bridge. Requests are read and answers given by one
//! future, so that a stream that is gone leaves no task behind.

use std::{pin::Pin, sync::Arc};

use prost::Message;
use proto::{
    BATCH_ENTRIES,
    v1::{self, AppendRequest, append_request, append_response},
};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use tracing::info;
use uuid::Uuid;

use super::entry::{self, Looked, Source};
use crate::{
    clock,
    metrics::Metrics,
    spool::{
        Caller, FORWARDED_KIND, Forwarded, ForwardedBatch, Intake, Sender, SpoolError, TakenIn,
    },
};

/// What a batch may have, as a store takes it.
const BATCH_BYTES: usize = 16 << 20;

type Taking = Pin<Box<dyn Future<Output = Result<TakenIn, SpoolError>> + Send>>;

/// One stream.
pub(super) struct Link {
    intake: Intake,
    own: Uuid,
    /// Where the other bridge calls from.
    place: String,
    metrics: Arc<Metrics>,
    requests: Streaming<AppendRequest>,
    shutdown: CancellationToken,
    source: Option<Source>,
    changes: watch::Receiver<u64>,
    /// A batch that waits for room.
    taking: Option<Taking>,
    /// The number behind what was taken.
    taken: u64,
    /// The number behind what was acknowledged.
    acknowledged: u64,
    is_reading: bool,
}

impl Link {
    pub(super) fn new(
        intake: Intake,
        (own, place): (Uuid, String),
        metrics: Arc<Metrics>,
        requests: Streaming<AppendRequest>,
        shutdown: CancellationToken,
    ) -> Self {
        let changes = intake.changes();
        Self {
            intake,
            own,
            place,
            metrics,
            requests,
            shutdown,
            source: None,
            changes,
            taking: None,
            taken: 0,
            acknowledged: 0,
            is_reading: true,
        }
    }

    /// The next answer; none at the end of the stream.
    pub(super) async fn answer(&mut self) -> Result<Option<append_response::Step>, Status> {
        loop {
            if let Some(acknowledged) = self.acknowledge() {
                return Ok(Some(acknowledged));
            }
            let is_done = self.taking.is_none() && self.acknowledged >= self.taken;
            if !self.is_reading && is_done {
                return Ok(None);
            }
            tokio::select! {
                biased;
                changed = self.changes.changed() => {
                    changed.map_err(|_| Status::unavailable("the bridge is stopping"))?;
                }
                taken = taken(&mut self.taking) => taken?,
                () = self.shutdown.cancelled(), if self.is_reading => self.is_reading = false,
                request = self.requests.message(), if self.is_reading && self.taking.is_none() => {
                    match request? {
                        None => self.is_reading = false,
                        Some(request) => {
                            if let Some(opened) = self.take(request)? {
                                return Ok(Some(opened));
                            }
                        }
                    }
                }
            }
        }
    }

    /// Tells what has become durable, if anything.
    fn acknowledge(&mut self) -> Option<append_response::Step> {
        // Changes from here on are seen by the next look.
        self.changes.borrow_and_update();
        let durable = self.intake.expected(self.source.as_ref()?.upstream)?;
        // A former stream of the same spool may have been ahead of this one.
        let next_sequence = durable.min(self.taken);
        if next_sequence <= self.acknowledged {
            return None;
        }
        self.acknowledged = next_sequence;
        Some(append_response::Step::Acknowledged(v1::Acknowledged {
            next_sequence,
        }))
    }

    fn take(&mut self, request: AppendRequest) -> Result<Option<append_response::Step>, Status> {
        let step = request
            .step
            .ok_or_else(|| Status::invalid_argument("a request without a step"))?;
        match (step, &self.source) {
            (append_request::Step::Open(open), None) => self.open(open).map(Some),
            (append_request::Step::Open(_), Some(_)) => {
                Err(Status::invalid_argument("a stream opens one spool, once"))
            }
            (_, None) => Err(Status::invalid_argument("the first request must be open")),
            (append_request::Step::Batch(batch), Some(source)) => {
                let batch = self.batch_of(batch, source)?;
                if let Some(last) = batch.entries.last() {
                    self.taken = self.taken.max(last.next);
                }
                let intake = self.intake.clone();
                self.taking = Some(Box::pin(async move { intake.take(&batch).await }));
                Ok(None)
            }
            // Who sends is heard of by what it sends.
            (append_request::Step::Report(_), Some(_)) => Ok(None),
        }
    }

    fn open(&mut self, open: v1::OpenSpool) -> Result<append_response::Step, Status> {
        let upstream = Uuid::try_parse(&open.bridge_id)
            .map_err(|_| Status::invalid_argument("bridge_id is no UUID"))?;
        if open.first_sequence == 0 || i64::try_from(open.first_sequence).is_err() {
            return Err(Status::invalid_argument("first_sequence is out of range"));
        }
        if !matches!(open.hop.len(), 0 | 16) {
            return Err(Status::invalid_argument("hop has 16 bytes"));
        }
        let caller = Caller {
            from: digest(self.place.as_bytes()),
            name: digest(&open.hop),
        };
        self.intake.introduce(upstream, caller);
        let expected = self.intake.expected(upstream);
        let next_sequence = expected.unwrap_or(open.first_sequence);
        info!(bridge_id = %upstream, next_sequence, "a bridge forwards to this one");
        (self.taken, self.acknowledged) = (next_sequence, next_sequence);
        self.source = Some(Source {
            upstream,
            begin: open.first_sequence,
            hop: open.hop,
        });
        Ok(append_response::Step::Opened(v1::Opened {
            next_sequence,
            mark: String::new(),
        }))
    }

    fn batch_of(&self, batch: v1::Batch, source: &Source) -> Result<ForwardedBatch, Status> {
        let refused = |text: &str| Err(Status::invalid_argument(text));
        if batch.entries.len() > BATCH_ENTRIES {
            return refused(&format!("a batch has at most {BATCH_ENTRIES} entries"));
        }
        if batch.encoded_len() > BATCH_BYTES {
            return refused(&format!("a batch has at most {BATCH_BYTES} bytes"));
        }
        if !batch.mark.is_empty() {
            return refused("a bridge keeps no marks: send this to a store");
        }
        let mut entries = Vec::with_capacity(batch.entries.len());
        let mut next = batch.first_sequence;
        let (mut kept, mut round) = (0, 0);
        for entry in batch.entries {
            let width = entry::width(&entry)
                .ok_or_else(|| Status::invalid_argument("an entry that takes no number"))?;
            let sequence = next;
            next = sequence
                .checked_add(width)
                .filter(|next| sequence > 0 && i64::try_from(*next).is_ok())
                .ok_or_else(|| Status::invalid_argument("numbers are out of range"))?;
            if !entry::is_sound(&entry) {
                return refused("an origin whose identities do not have 16 bytes");
            }
            let entry = match entry::look(entry, sequence, source, self.own) {
                Looked::Kept(bytes) => {
                    kept += 1;
                    Some(bytes)
                }
                Looked::GoesRound => {
                    round += 1;
                    None
                }
                Looked::Skipped => None,
            };
            entries.push(Forwarded {
                next,
                kind: FORWARDED_KIND,
                entry,
            });
        }
        self.metrics.ingested(kept, round);
        Ok(ForwardedBatch {
            sender: Sender::Bridge,
            connection: 0,
            peer: None,
            upstream: source.upstream,
            begin: source.begin,
            first: batch.first_sequence,
            received_us: clock::now_us(),
            entries,
        })
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let hash = Sha256::digest(bytes);
    let (first, _) = hash.split_first_chunk().expect("it has 32 bytes");
    u64::from_le_bytes(*first)
}

/// Resolves when the batch at hand is in the spool's queue; never without one.
async fn taken(taking: &mut Option<Taking>) -> Result<(), Status> {
    let Some(waiting) = taking else {
        return std::future::pending().await;
    };
    let outcome = waiting.await;
    *taking = None;
    match outcome {
        Ok(TakenIn::Queued(_)) => Ok(()),
        Ok(TakenIn::Hole(expected)) => Err(Status::failed_precondition(format!(
            "numbers from {expected} on are missing"
        ))),
        Err(SpoolError::FrameTooLarge { .. }) => {
            Err(Status::invalid_argument("an entry is too large"))
        }
        Err(_) => Err(Status::unavailable("the spool takes nothing now")),
    }
}
