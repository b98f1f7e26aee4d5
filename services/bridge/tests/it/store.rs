//! The other end of the wire: takes batches as the store does, and misbehaves
//! on request.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use domain::{DeadLetter, Entry, Record};
use proto::v1::{
    Acknowledged, AppendRequest, AppendResponse, Batch, BridgeReport, Opened, append_request,
    append_response,
    ingest_service_server::{IngestService, IngestServiceServer},
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming, transport::Server};

/// What a store has been sent, kept over its restarts.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Entries in the order of their arrival.
    pub(crate) entries: Vec<Entry>,
    /// The next number expected of each spool.
    pub(crate) next: HashMap<String, u64>,
    /// The newest report.
    pub(crate) report: Option<BridgeReport>,
    /// Streams opened.
    pub(crate) streams: usize,
    /// Read nothing more of a stream and answer nothing.
    pub(crate) is_stuck: bool,
    /// Be there, but have no room for anything.
    pub(crate) is_full: bool,
    /// Cut the stream after so many batches, before they are acknowledged.
    pub(crate) cut_after: Option<usize>,
    /// Refuse every batch with an entry that this is true of.
    pub(crate) refuses: Option<fn(&Entry) -> bool>,
}

/// A store on a port, until it is stopped.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

impl Store {
    /// A store on a free port.
    pub(crate) async fn start() -> Self {
        Self::listen(([127, 0, 0, 1], 0).into(), Arc::default()).await
    }

    /// The same store again, after [`Store::stop`].
    pub(crate) async fn restart(self) -> Self {
        Self::listen(self.address, self.state).await
    }

    async fn listen(address: SocketAddr, state: Arc<Mutex<State>>) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("a port");
        let service = IngestServiceServer::new(Ingest {
            state: Arc::clone(&state),
        })
        .max_decoding_message_size(16 << 20);
        let server = tokio::spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            let served = Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming);
            served.await.expect("the server runs until it is stopped");
        });
        Self {
            address,
            state,
            server,
        }
    }

    /// Ends it at once, its connections too.
    pub(crate) async fn stop(&mut self) {
        self.server.abort();
        let _aborted = (&mut self.server).await;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with it")
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let entries = &self.state().entries;
        entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Record(record) => Some((**record).clone()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.records()
            .into_iter()
            .map(|record| record.message)
            .collect()
    }

    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        let entries = &self.state().entries;
        entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::DeadLetter(letter) => Some((**letter).clone()),
                _ => None,
            })
            .collect()
    }
}

struct Ingest {
    state: Arc<Mutex<State>>,
}

#[tonic::async_trait]
impl IngestService for Ingest {
    type AppendStream = ReceiverStream<Result<AppendResponse, Status>>;

    async fn append(
        &self,
        request: Request<Streaming<AppendRequest>>,
    ) -> Result<Response<Self::AppendStream>, Status> {
        let (answers, stream) = mpsc::channel(64);
        let state = Arc::clone(&self.state);
        tokio::spawn(async move {
            if let Err(status) = converse(request.into_inner(), &answers, &state).await {
                let _closed = answers.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

async fn converse(
    mut requests: Streaming<AppendRequest>,
    answers: &mpsc::Sender<Result<AppendResponse, Status>>,
    state: &Mutex<State>,
) -> Result<(), Status> {
    let mut bridge_id = String::new();
    let mut batches = 0;
    while let Some(request) = requests.message().await? {
        if state.lock().expect("no test panics with it").is_stuck {
            answers.closed().await;
        }
        if state.lock().expect("no test panics with it").is_full {
            return Err(Status::resource_exhausted("no room"));
        }
        let step = {
            let mut state = state.lock().expect("no test panics with it");
            match request.step.expect("a step") {
                append_request::Step::Open(open) => {
                    bridge_id = open.bridge_id;
                    state.streams += 1;
                    let next = *state
                        .next
                        .entry(bridge_id.clone())
                        .or_insert(open.first_sequence);
                    let opened = Opened {
                        next_sequence: next,
                        mark: String::new(),
                    };
                    append_response::Step::Opened(opened)
                }
                append_request::Step::Batch(batch) => {
                    batches += 1;
                    let next_sequence = take(&mut state, &bridge_id, batch)?;
                    if state.cut_after.is_some_and(|most| batches >= most) {
                        return Err(Status::unavailable("cut on request"));
                    }
                    append_response::Step::Acknowledged(Acknowledged { next_sequence })
                }
                append_request::Step::Report(report) => {
                    state.report = Some(report);
                    continue;
                }
            }
        };
        if answers
            .send(Ok(AppendResponse { step: Some(step) }))
            .await
            .is_err()
        {
            break;
        }
    }
    Ok(())
}

/// Takes what is new of a batch, and returns the next number.
fn take(state: &mut State, bridge_id: &str, batch: Batch) -> Result<u64, Status> {
    let State {
        entries,
        next,
        refuses,
        ..
    } = state;
    let next = next
        .get_mut(bridge_id)
        .ok_or_else(|| Status::invalid_argument("not open"))?;
    let mut number = batch.first_sequence;
    if number > *next {
        return Err(Status::failed_precondition(format!("hole before {number}")));
    }
    let sent: Vec<Entry> =
        proto::entries_from_batch(batch.entries).expect("the bridge sends whole entries");
    if refuses.is_some_and(|refuses| sent.iter().any(refuses)) {
        return Err(Status::invalid_argument("not this one"));
    }
    for entry in sent {
        let first = number;
        number += entry.width();
        if first >= *next {
            entries.push(entry);
            *next = number;
        }
    }
    Ok(*next)
}
