//! A store without a disk: the real gRPC contract over a list of records, with
//! the filter's own definition as its search.

pub(crate) mod alerts;
mod audit;
mod counts;
mod records;
mod saved_searches;
mod status;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{Record, RecordFilter};
use proto::v1::{
    self, alert_service_server::AlertServiceServer, audit_service_server::AuditServiceServer,
    record_service_server::RecordServiceServer,
    saved_search_service_server::SavedSearchServiceServer,
    status_service_server::StatusServiceServer,
};
use runtime::{grpc, health::Readiness};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{Status, service::Routes};

/// The time the store takes for now, microseconds since the epoch.
const NOW: i64 = 1_795_393_361_123_456;

/// How the store behaves.
#[derive(Debug, Clone)]
pub(crate) enum Mood {
    Well,
    Silent,
    Broken(Status),
    /// Ends every search after so many records.
    Deadline(usize),
    /// Breaks every stream after so many records.
    Breaking(usize),
    /// Fails counts after their first answer.
    Failing(Status),
    /// Gives the first answer of counts, the others with the next mood.
    Counting,
    /// Has lost so many records to the disk.
    Damaged(u64),
    /// Gives out the first record of an export again and again.
    Endless,
}

/// A running store; it can be stopped and started again on the same port.
pub(crate) struct FakeStore {
    data: Arc<Data>,
    address: SocketAddr,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

struct Data {
    records: watch::Sender<Vec<Record>>,
    mood: watch::Sender<Mood>,
    questions: Mutex<Vec<v1::ListRecordsRequest>>,
    searches: Mutex<Vec<v1::SavedSearch>>,
    alerts: alerts::Kept,
    audit: Mutex<Vec<v1::AuditEntry>>,
    /// Streams that somebody reads.
    streams: AtomicUsize,
    /// Pieces of exports that were made.
    pieces: AtomicUsize,
}

impl FakeStore {
    pub(crate) async fn start(records: Vec<Record>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut store = Self {
            data: Arc::new(Data {
                records: watch::Sender::new(Vec::new()),
                mood: watch::Sender::new(Mood::Well),
                questions: Mutex::default(),
                searches: Mutex::default(),
                alerts: Mutex::default(),
                audit: Mutex::default(),
                streams: AtomicUsize::new(0),
                pieces: AtomicUsize::new(0),
            }),
            address: listener.local_addr().unwrap(),
            running: None,
        };
        for record in records {
            store.take(record);
        }
        store.serve(listener);
        store
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes one more record, which gets the next id from 1.
    pub(crate) fn take(&self, mut record: Record) {
        self.data.records.send_modify(|records| {
            record.id = records.last().map_or(1, |last| last.id + 1);
            records.push(record);
        });
    }

    /// Removes a record, as retention does.
    pub(crate) fn forget(&self, id: u64) {
        let records = &self.data.records;
        records.send_modify(|records| records.retain(|record| record.id != id));
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        self.data.mood.send_replace(mood);
    }

    /// What it knows of alerts, to be changed.
    pub(crate) fn alerts(&self) -> std::sync::MutexGuard<'_, alerts::Known> {
        self.data.alerts.lock().unwrap()
    }

    /// Its audit log, oldest first, to be changed.
    pub(crate) fn audit(&self) -> std::sync::MutexGuard<'_, Vec<v1::AuditEntry>> {
        self.data.audit.lock().unwrap()
    }

    /// The list requests so far.
    pub(crate) fn questions(&self) -> Vec<v1::ListRecordsRequest> {
        self.data.questions.lock().unwrap().clone()
    }

    /// How many streams somebody reads.
    pub(crate) fn streams(&self) -> usize {
        self.data.streams.load(Ordering::SeqCst)
    }

    /// How many pieces of exports it has made.
    pub(crate) fn pieces(&self) -> usize {
        self.data.pieces.load(Ordering::SeqCst)
    }

    pub(crate) async fn stop(&mut self) {
        let (token, task) = self.running.take().expect("a running store");
        token.cancel();
        task.await.unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    fn serve(&mut self, listener: TcpListener) {
        let readiness = Readiness::new();
        readiness.ready();
        let mut routes = Routes::builder();
        routes
            .add_service(RecordServiceServer::new(records::Records(Arc::clone(
                &self.data,
            ))))
            .add_service(SavedSearchServiceServer::new(
                saved_searches::SavedSearches(Arc::clone(&self.data)),
            ))
            .add_service(AlertServiceServer::new(alerts::Alerts(Arc::clone(
                &self.data,
            ))))
            .add_service(AuditServiceServer::new(audit::Audit(Arc::clone(
                &self.data,
            ))))
            .add_service(StatusServiceServer::from_arc(Arc::clone(&self.data)));
        let token = CancellationToken::new();
        let serving = grpc::serve(
            listener,
            routes.routes(),
            axum::Router::new(),
            readiness,
            token.clone(),
            Duration::from_millis(100),
        );
        let task = tokio::spawn(async move { serving.await.unwrap() });
        self.running = Some((token, task));
    }
}

impl Data {
    fn mood(&self) -> Mood {
        self.mood.borrow().clone()
    }

    async fn behave(&self) -> Result<(), Status> {
        match self.mood() {
            Mood::Silent => std::future::pending().await,
            Mood::Broken(status) => Err(status),
            Mood::Well
            | Mood::Deadline(_)
            | Mood::Breaking(_)
            | Mood::Failing(_)
            | Mood::Counting
            | Mood::Damaged(_)
            | Mood::Endless => Ok(()),
        }
    }

    fn records(&self) -> Vec<Record> {
        self.records.borrow().clone()
    }

    fn record(&self, id: u64) -> Result<Record, Status> {
        let found = self.records().into_iter().find(|record| record.id == id);
        found.ok_or_else(|| Status::not_found("no such record"))
    }

    /// The records that pass, by rising id.
    fn matching(&self, filter: &RecordFilter) -> Vec<Record> {
        let mut records = self.records();
        records.retain(|record| filter.matches(record));
        records
    }

    /// How far a search for which so many records were looked at came.
    fn coverage(&self, covered: usize) -> v1::Coverage {
        let records = self.records.borrow();
        let looked_at = &records[records.len() - covered.min(records.len())..];
        v1::Coverage {
            records_total: records.len() as u64,
            records_covered: looked_at.len() as u64,
            from_us: looked_at.first().map_or(0, |record| record.received_us),
            to_us: looked_at.last().map_or(0, |record| record.received_us),
            damaged_records: match self.mood() {
                Mood::Damaged(count) => count,
                _ => 0,
            },
        }
    }
}

fn wire(records: Vec<Record>) -> Vec<v1::Record> {
    records.into_iter().map(Into::into).collect()
}

/// Counts a stream as long as it is read.
struct Reading(Arc<Data>);

impl Reading {
    fn new(data: &Arc<Data>) -> Self {
        data.streams.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(data))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::SeqCst);
    }
}
