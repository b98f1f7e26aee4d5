//! The bridge as a receiver: takes the entries of other bridges over the same
//! gRPC as a store, and acknowledges them when they are durable in its own spool.
//! The number that is expected next is part of what was synced, so that a cut, or
//! the death of either side, neither loses nor doubles anything.

mod entry;
mod link;

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt, stream};
use proto::v1::{
    AppendRequest, AppendResponse,
    ingest_service_server::{IngestService, IngestServiceServer},
};
use runtime::tls;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

pub(crate) use entry::unpack;
use link::Link;

use crate::{metrics::Metrics, spool::Intake};

/// How many streams may be open: each holds a batch or two while it waits.
const MOST_STREAMS: usize = 64;
/// What a message may have on the wire, in bytes: a batch, and what is around it.
const MESSAGE_BYTES: usize = 17 << 20;

/// What a bridge calls itself in the path of an entry: stays the same as long as
/// its spool's folder and its name do. It tells nothing else about either.
#[must_use]
pub fn hop(installation: Uuid, name: &str) -> Uuid {
    Uuid::new_v5(&installation, name.as_bytes())
}

/// The service.
#[derive(Debug)]
pub struct Ingest {
    intake: Intake,
    hop: Uuid,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
    streams: Arc<Semaphore>,
}

impl Ingest {
    /// Takes entries into a spool, as the bridge that calls itself `hop`. Streams
    /// end in good order on `shutdown`.
    #[must_use]
    pub fn server(
        intake: Intake,
        hop: Uuid,
        metrics: Arc<Metrics>,
        shutdown: CancellationToken,
    ) -> IngestServiceServer<Self> {
        IngestServiceServer::new(Self {
            intake,
            hop,
            metrics,
            shutdown,
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
        })
        .max_decoding_message_size(MESSAGE_BYTES)
    }
}

/// Where a bridge calls from: as what its certificate names it, or from which address.
fn place_of<T>(request: &Request<T>) -> String {
    let named = request.extensions().get::<tls::Peer>();
    let name = named.and_then(|peer| peer.uris().first());
    let address = || request.remote_addr().map(|it| it.ip().to_string());
    name.cloned().or_else(address).unwrap_or_default()
}

#[tonic::async_trait]
impl IngestService for Ingest {
    type AppendStream = Pin<Box<dyn Stream<Item = Result<AppendResponse, Status>> + Send>>;

    async fn append(
        &self,
        request: Request<Streaming<AppendRequest>>,
    ) -> Result<Response<Self::AppendStream>, Status> {
        let permit = Arc::clone(&self.streams).try_acquire_owned();
        let permit = permit.map_err(|_| {
            let text = format!("{MOST_STREAMS} bridges send here already");
            Status::resource_exhausted(text)
        })?;
        let link = Link::new(
            self.intake.clone(),
            (self.hop, place_of(&request)),
            Arc::clone(&self.metrics),
            request.into_inner(),
            self.shutdown.clone(),
        );
        let answers = stream::unfold(Some((link, permit)), async |open| {
            let (mut link, permit) = open?;
            match link.answer().await {
                Ok(Some(step)) => {
                    let response = AppendResponse { step: Some(step) };
                    Some((Ok(response), Some((link, permit))))
                }
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        });
        Ok(Response::new(answers.boxed()))
    }
}
