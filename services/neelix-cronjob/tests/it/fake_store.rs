//! The store's outbox without a disk: the real contract over gRPC.

use std::{
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use domain::{DeliveryState, Micros, Notification};
use proto::v1::{
    self,
    run_service_client::RunServiceClient,
    run_service_server::{RunService, RunServiceServer},
};
use runtime::{
    grpc::{self, Client},
    health::Readiness,
};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status, service::Routes};

/// The run that holds the lease in tests without a process.
pub(crate) const RUN: u64 = 1;

/// A running store; it ends when it is dropped.
pub(crate) struct FakeStore {
    outbox: Arc<Outbox>,
    url: String,
    _running: DropGuard,
}

#[derive(Default)]
struct Outbox {
    notifications: Mutex<Vec<Notification>>,
    reports: Mutex<Vec<v1::Delivery>>,
    /// How many of the next reports fail, and how.
    failing: Mutex<(usize, Option<tonic::Code>)>,
    runs: Mutex<u64>,
}

impl FakeStore {
    pub(crate) async fn with(notifications: Vec<Notification>) -> Self {
        let outbox = Arc::new(Outbox::default());
        *outbox.notifications.lock().unwrap() = numbered(notifications);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let serving = grpc::serve(
            listener,
            Routes::new(RunServiceServer::from_arc(Arc::clone(&outbox))),
            axum::Router::new(),
            Readiness::new(),
            shutdown.clone(),
            std::time::Duration::ZERO,
        );
        tokio::spawn(serving);
        Self {
            outbox,
            url,
            _running: shutdown.drop_guard(),
        }
    }

    pub(crate) fn client(&self) -> RunServiceClient<Client> {
        RunServiceClient::new(grpc::channel(&self.url).unwrap())
    }

    /// All deliveries as they are now.
    pub(crate) fn deliveries(&self) -> Vec<domain::Delivery> {
        let notifications = self.outbox.notifications.lock().unwrap();
        let of_all = notifications.iter().flat_map(|it| it.deliveries.clone());
        of_all.collect()
    }

    /// The reports so far.
    pub(crate) fn reports(&self) -> Vec<v1::Delivery> {
        self.outbox.reports.lock().unwrap().clone()
    }

    /// Lets whatever waits be due now.
    pub(crate) fn hurry(&self) {
        let mut notifications = self.outbox.notifications.lock().unwrap();
        for delivery in notifications.iter_mut().flat_map(|it| &mut it.deliveries) {
            delivery.next_attempt_us = 0;
        }
    }

    /// Fails the next reports.
    pub(crate) fn fail_reports(&self, times: usize, code: tonic::Code) {
        *self.outbox.failing.lock().unwrap() = (times, Some(code));
    }
}

fn numbered(mut notifications: Vec<Notification>) -> Vec<Notification> {
    let mut id = 0;
    for (at, notification) in (1..).zip(&mut notifications) {
        notification.id = at;
        for delivery in &mut notification.deliveries {
            id += 1;
            delivery.id = id;
        }
    }
    notifications
}

pub(crate) fn now_us() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Micros::try_from(since.as_micros()).unwrap()
}

#[tonic::async_trait]
impl RunService for Outbox {
    async fn begin_run(
        &self,
        _request: Request<v1::BeginRunRequest>,
    ) -> Result<Response<v1::BeginRunResponse>, Status> {
        let mut runs = self.runs.lock().unwrap();
        *runs += 1;
        let state = v1::RunState {
            now_us: now_us(),
            ..v1::RunState::default()
        };
        Ok(Response::new(v1::BeginRunResponse {
            run_id: *runs,
            state: Some(state),
        }))
    }

    async fn get_run_state(
        &self,
        _request: Request<v1::GetRunStateRequest>,
    ) -> Result<Response<v1::GetRunStateResponse>, Status> {
        Err(Status::unimplemented("not needed here"))
    }

    async fn list_seen_systems(
        &self,
        _request: Request<v1::ListSeenSystemsRequest>,
    ) -> Result<Response<v1::ListSeenSystemsResponse>, Status> {
        Err(Status::unimplemented("not needed here"))
    }

    async fn renew_run(
        &self,
        _request: Request<v1::RenewRunRequest>,
    ) -> Result<Response<v1::RenewRunResponse>, Status> {
        Ok(Response::new(v1::RenewRunResponse {}))
    }

    async fn commit_run(
        &self,
        _request: Request<v1::CommitRunRequest>,
    ) -> Result<Response<v1::CommitRunResponse>, Status> {
        Err(Status::unimplemented("not needed here"))
    }

    async fn list_due_notifications(
        &self,
        _request: Request<v1::ListDueNotificationsRequest>,
    ) -> Result<Response<v1::ListDueNotificationsResponse>, Status> {
        let now_us = now_us();
        let mut due = Vec::new();
        for notification in self.notifications.lock().unwrap().iter() {
            let mut notification = notification.clone();
            notification.deliveries.retain(|delivery| {
                delivery.state == DeliveryState::Waiting && delivery.next_attempt_us <= now_us
            });
            if !notification.deliveries.is_empty() {
                due.push(v1::Notification::from(notification));
            }
        }
        due.truncate(20);
        Ok(Response::new(v1::ListDueNotificationsResponse {
            notifications: due,
        }))
    }

    async fn report_delivery(
        &self,
        request: Request<v1::ReportDeliveryRequest>,
    ) -> Result<Response<v1::ReportDeliveryResponse>, Status> {
        if let (left @ 1.., Some(code)) = &mut *self.failing.lock().unwrap() {
            *left -= 1;
            return Err(Status::new(*code, "told to fail"));
        }
        let told = request.into_inner().delivery.unwrap();
        self.reports.lock().unwrap().push(told.clone());
        let told = domain::Delivery::try_from(told).unwrap();
        let mut notifications = self.notifications.lock().unwrap();
        let mut all = notifications.iter_mut().flat_map(|it| &mut it.deliveries);
        let delivery = all.find(|it| it.id == told.id).unwrap();
        *delivery = domain::Delivery {
            attempts: delivery.attempts + 1,
            ..told
        };
        Ok(Response::new(v1::ReportDeliveryResponse {}))
    }

    async fn end_run(
        &self,
        _request: Request<v1::EndRunRequest>,
    ) -> Result<Response<v1::EndRunResponse>, Status> {
        Ok(Response::new(v1::EndRunResponse {}))
    }
}
