//! `IngestService`: one stream per spool. Requests are read and answers given by
//! one future, so that a stream that is gone leaves no task behind.

use std::{pin::Pin, time::Duration};

use domain::{AuditAction, Author};
use futures::{
    FutureExt, Stream, StreamExt,
    future::BoxFuture,
    stream::{self, FuturesOrdered},
};
use prost::Message;
use proto::{
    BATCH_ENTRIES, IMPORT_NAME_PREFIX,
    v1::{
        self, AppendRequest, AppendResponse, append_request, append_response,
        ingest_service_server::IngestService,
    },
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::{audit::author_of, status_of};
use crate::{
    audit,
    clock::now_us,
    error::StoreError,
    journal::{Batch, Connected, Journal, Spool},
};

/// What a batch may have on the wire. A bridge ends its batches at 1 MiB, but
/// one record alone may be several times as large: escapes make text of a
/// frame's bytes longer.
const BATCH_BYTES: usize = 16 << 20;
const MARK_BYTES: usize = 1 << 10;
/// How many batches of one stream wait for their commit at most.
const IN_FLIGHT: usize = 64;

/// The service.
pub(super) struct Ingest {
    journal: Journal,
    shutdown: CancellationToken,
}

impl Ingest {
    pub(super) fn new(journal: Journal, shutdown: CancellationToken) -> Self {
        Self { journal, shutdown }
    }
}

#[tonic::async_trait]
impl IngestService for Ingest {
    type AppendStream = Pin<Box<dyn Stream<Item = Result<AppendResponse, Status>> + Send>>;

    async fn append(
        &self,
        request: Request<Streaming<AppendRequest>>,
    ) -> Result<Response<Self::AppendStream>, Status> {
        let author = author_of(&request)?;
        let link = Link {
            author,
            journal: self.journal.clone(),
            shutdown: self.shutdown.clone(),
            requests: request.into_inner(),
            bridge_id: None,
            connected: None,
            pending: FuturesOrdered::new(),
            is_reading: true,
        };
        let answers = stream::unfold(Some(link), async |link| {
            let mut link = link?;
            match link.answer().await {
                Ok(Some(step)) => Some((Ok(AppendResponse { step: Some(step) }), Some(link))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        });
        Ok(Response::new(answers.boxed()))
    }
}

/// One stream of a bridge.
struct Link {
    author: Author,
    journal: Journal,
    shutdown: CancellationToken,
    requests: Streaming<AppendRequest>,
    bridge_id: Option<Uuid>,
    /// Says that the stream is open.
    connected: Option<Connected>,
    pending: FuturesOrdered<BoxFuture<'static, Result<u64, StoreError>>>,
    is_reading: bool,
}

impl Link {
    /// The next answer; none at the end of the stream.
    async fn answer(&mut self) -> Result<Option<append_response::Step>, Status> {
        loop {
            if !self.is_reading && self.pending.is_empty() {
                return Ok(None);
            }
            let may_read = self.is_reading && self.pending.len() < IN_FLIGHT;
            tokio::select! {
                biased;
                Some(outcome) = self.pending.next() => {
                    return self.acknowledged(outcome).map(Some);
                }
                () = self.shutdown.cancelled(), if self.is_reading => self.is_reading = false,
                request = self.requests.message(), if may_read => match request? {
                    None => self.is_reading = false,
                    Some(request) => {
                        if let Some(answer) = self.take(request).await? {
                            return Ok(Some(answer));
                        }
                    }
                }
            }
        }
    }

    /// One answer for all batches that are committed by now.
    fn acknowledged(
        &mut self,
        first: Result<u64, StoreError>,
    ) -> Result<append_response::Step, Status> {
        let mut next_sequence = first.map_err(|error| status_of(&error))?;
        while let Some(Some(Ok(further))) = self.pending_now() {
            next_sequence = next_sequence.max(further);
        }
        Ok(append_response::Step::Acknowledged(v1::Acknowledged {
            next_sequence,
        }))
    }

    fn pending_now(&mut self) -> Option<Option<Result<u64, StoreError>>> {
        let ready = self.pending.next().now_or_never();
        // A failure must not be swallowed by the answer for those before it.
        if let Some(Some(Err(error))) = ready {
            self.pending
                .push_front(std::future::ready(Err(error)).boxed());
            return None;
        }
        ready
    }

    async fn take(
        &mut self,
        request: AppendRequest,
    ) -> Result<Option<append_response::Step>, Status> {
        let step = request
            .step
            .ok_or_else(|| Status::invalid_argument("a request without a step"))?;
        match (step, self.bridge_id) {
            (append_request::Step::Open(open), None) => self.open(open).await.map(Some),
            (append_request::Step::Open(_), Some(_)) => {
                Err(Status::invalid_argument("a stream opens one spool, once"))
            }
            (_, None) => Err(Status::invalid_argument("the first request must be open")),
            (append_request::Step::Batch(batch), Some(bridge_id)) => {
                self.append(bridge_id, batch).await.map(|()| None)
            }
            (append_request::Step::Report(report), Some(bridge_id)) => {
                let contacts = &self.journal.contacts;
                contacts.reported(bridge_id, &report, now_us());
                Ok(None)
            }
        }
    }

    async fn open(&mut self, open: v1::OpenSpool) -> Result<append_response::Step, Status> {
        let spool = spool_of(open)?;
        let bridge_id = spool.bridge_id;
        let imported = spool.name.strip_prefix(IMPORT_NAME_PREFIX);
        let imported = imported.map(str::to_owned);
        let position = self.journal.open(spool).await;
        let position = position.map_err(|error| status_of(&error))?;
        self.bridge_id = Some(bridge_id);
        self.connected = Some(self.journal.contacts.connected(bridge_id));
        if let Some(name) = imported {
            let noted = audit::note(
                &self.journal,
                AuditAction::RecordsImported,
                &name,
                self.author.clone(),
            );
            noted.await.map_err(|error| status_of(&error))?;
        }
        Ok(append_response::Step::Opened(v1::Opened {
            next_sequence: position.next_sequence,
            mark: position.mark,
        }))
    }

    async fn append(&mut self, bridge_id: Uuid, batch: v1::Batch) -> Result<(), Status> {
        let batch = batch_of(bridge_id, batch)?;
        let committed = self.journal.append(batch).await;
        let committed = committed.map_err(|error| status_of(&error))?;
        self.pending.push_back(committed.boxed());
        Ok(())
    }
}

fn spool_of(open: v1::OpenSpool) -> Result<Spool, Status> {
    let bridge_id = Uuid::try_parse(&open.bridge_id)
        .map_err(|_| Status::invalid_argument("bridge_id is no UUID"))?;
    if open.first_sequence == 0 || i64::try_from(open.first_sequence).is_err() {
        return Err(Status::invalid_argument("first_sequence is out of range"));
    }
    if open.name.len() > proto::BRIDGE_NAME_BYTES {
        let text = format!("name has at most {} bytes", proto::BRIDGE_NAME_BYTES);
        return Err(Status::invalid_argument(text));
    }
    Ok(Spool {
        bridge_id,
        name: open.name,
        first_sequence: open.first_sequence,
        uptime: (open.uptime_ms > 0).then(|| Duration::from_millis(open.uptime_ms)),
    })
}

fn batch_of(bridge_id: Uuid, batch: v1::Batch) -> Result<Batch, Status> {
    if batch.entries.len() > BATCH_ENTRIES {
        let text = format!("a batch has at most {BATCH_ENTRIES} entries");
        return Err(Status::invalid_argument(text));
    }
    if batch.encoded_len() > BATCH_BYTES {
        let text = format!("a batch has at most {BATCH_BYTES} bytes");
        return Err(Status::invalid_argument(text));
    }
    if batch.mark.len() > MARK_BYTES {
        return Err(Status::invalid_argument("mark is too long"));
    }
    let entries = proto::entries_from_batch(batch.entries)
        .map_err(|error| Status::invalid_argument(error.to_string()))?;
    Ok(Batch {
        bridge_id,
        first_sequence: batch.first_sequence,
        entries,
        mark: batch.mark,
    })
}
