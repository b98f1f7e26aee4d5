//! A store without a disk: the real gRPC contract over a list of records, with
//! the filter's own definition as its search.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::{Order, Record};
use proto::v1::{
    self,
    record_service_server::{RecordService, RecordServiceServer},
    status_service_server::{StatusService, StatusServiceServer},
};
use runtime::{grpc, health::Readiness};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_stream::Empty;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes};

/// How the store behaves.
#[derive(Debug, Clone)]
pub(crate) enum Mood {
    Well,
    Silent,
    Broken(Status),
    /// Ends every list after so many records.
    Deadline(usize),
}

/// A running store; it can be stopped and started again on the same port.
pub(crate) struct FakeStore {
    data: Arc<Data>,
    address: SocketAddr,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

struct Data {
    records: Vec<Record>,
    mood: Mutex<Mood>,
    questions: Mutex<Vec<v1::ListRecordsRequest>>,
}

impl FakeStore {
    pub(crate) async fn start(mut records: Vec<Record>) -> Self {
        for (id, record) in (1..).zip(&mut records) {
            record.id = id;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut store = Self {
            data: Arc::new(Data {
                records,
                mood: Mutex::new(Mood::Well),
                questions: Mutex::default(),
            }),
            address: listener.local_addr().unwrap(),
            running: None,
        };
        store.serve(listener);
        store
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.data.mood.lock().unwrap() = mood;
    }

    /// The list requests so far.
    pub(crate) fn questions(&self) -> Vec<v1::ListRecordsRequest> {
        self.data.questions.lock().unwrap().clone()
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
            .add_service(RecordServiceServer::from_arc(Arc::clone(&self.data)))
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
    async fn behave(&self) -> Result<(), Status> {
        let mood = self.mood.lock().unwrap().clone();
        match mood {
            Mood::Silent => std::future::pending().await,
            Mood::Broken(status) => Err(status),
            Mood::Well | Mood::Deadline(_) => Ok(()),
        }
    }

    fn position(&self, id: u64) -> Result<usize, Status> {
        let found = self.records.iter().position(|record| record.id == id);
        found.ok_or_else(|| Status::not_found("no such record"))
    }
}

#[tonic::async_trait]
impl RecordService for Data {
    async fn list_records(
        &self,
        request: Request<v1::ListRecordsRequest>,
    ) -> Result<Response<v1::ListRecordsResponse>, Status> {
        let request = request.into_inner();
        self.questions.lock().unwrap().push(request.clone());
        self.behave().await?;
        let query = proto::query_from_request(request).expect("a valid request");
        let mut found: Vec<&Record> = self
            .records
            .iter()
            .filter(|record| query.filter.matches(record))
            .filter(|record| query.before.is_none_or(|before| record.id < before))
            .filter(|record| query.after.is_none_or(|after| record.id > after))
            .collect();
        if query.order == Order::NewestFirst {
            found.reverse();
        }
        let partial_after = match *self.mood.lock().unwrap() {
            Mood::Deadline(count) => Some(count),
            _ => None,
        };
        let limit = partial_after.unwrap_or(query.limit);
        let is_more = found.len() > limit;
        found.truncate(limit);
        Ok(Response::new(v1::ListRecordsResponse {
            next: found
                .last()
                .filter(|_| is_more)
                .map_or(0, |record| record.id),
            records: found.into_iter().cloned().map(Into::into).collect(),
            partial: partial_after.is_some(),
        }))
    }

    async fn get_record(
        &self,
        request: Request<v1::GetRecordRequest>,
    ) -> Result<Response<v1::GetRecordResponse>, Status> {
        self.behave().await?;
        let at = self.position(request.into_inner().id)?;
        Ok(Response::new(v1::GetRecordResponse {
            record: Some(self.records[at].clone().into()),
        }))
    }

    async fn get_record_context(
        &self,
        request: Request<v1::GetRecordContextRequest>,
    ) -> Result<Response<v1::GetRecordContextResponse>, Status> {
        self.behave().await?;
        let request = request.into_inner();
        let at = self.position(request.id)?;
        let from = at.saturating_sub(request.before as usize);
        let to = (at + 1 + request.after as usize).min(self.records.len());
        let wire = |records: &[Record]| records.iter().cloned().map(Into::into).collect();
        Ok(Response::new(v1::GetRecordContextResponse {
            before: wire(&self.records[from..at]),
            record: Some(self.records[at].clone().into()),
            after: wire(&self.records[at + 1..to]),
        }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<v1::ListDeadLettersResponse>, Status> {
        self.behave().await?;
        let request = request.into_inner();
        let letter = v1::DeadLetter {
            id: 7,
            received_us: 1_795_393_361_123_456,
            peer: "10.0.0.7:41234".to_owned(),
            reason: "looks like an HTTP request".to_owned(),
            size_bytes: 1_000,
            sha256: vec![0xab; 32].into(),
            head: b"GET / \xff".to_vec().into(),
            bridge_id: "6f1e2d3c-0000-4000-8000-000000000001".to_owned(),
            sequence: 42,
        };
        let is_asked_for = request.before == 0 || request.before > letter.id;
        Ok(Response::new(v1::ListDeadLettersResponse {
            dead_letters: if is_asked_for {
                vec![letter]
            } else {
                Vec::new()
            },
            next: u64::from(request.limit == 1) * 7,
        }))
    }

    async fn list_gaps(
        &self,
        _request: Request<v1::ListGapsRequest>,
    ) -> Result<Response<v1::ListGapsResponse>, Status> {
        Ok(Response::new(v1::ListGapsResponse::default()))
    }
}

#[tonic::async_trait]
impl StatusService for Data {
    async fn get_status(
        &self,
        _request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        self.behave().await?;
        let report = v1::BridgeReport {
            spool_bytes: 1,
            spool_limit_bytes: 2,
            lag_entries: 3,
            lag_ms: 4,
            connections: 5,
            received: 6,
            dropped: 7,
            version: "0.1.0".to_owned(),
        };
        let bridge = v1::BridgeStatus {
            bridge_id: "6f1e2d3c-0000-4000-8000-000000000001".to_owned(),
            name: "web01".to_owned(),
            next_sequence: 43,
            contact_us: 1_795_393_361_123_456,
            mark: String::new(),
            report: Some(report),
        };
        Ok(Response::new(v1::GetStatusResponse {
            records: self.records.len() as u64,
            dead_letters: 1,
            lost: 2,
            newest_id: self.records.len() as u64,
            oldest_received_us: self.records.first().map_or(0, |record| record.received_us),
            database_bytes: 8_192,
            free_bytes: 4_096,
            version: "0.1.0".to_owned(),
            bridges: vec![bridge],
        }))
    }

    type BackupStream = Empty<Result<v1::BackupResponse, Status>>;

    async fn backup(
        &self,
        _request: Request<v1::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}
