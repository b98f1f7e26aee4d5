//! `RunService`: what neelix needs, one run at a time.

use domain::Delivery;
use proto::v1::{self, run_service_server::RunService};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::{limit_of, status_of};
use crate::{
    App,
    clock::now_us,
    runs::{self, Begin, Findings},
};

const DEFAULT_LEASE_S: u32 = 60;
const DEFAULT_INTERVAL_S: u32 = 7_200;

/// The service.
pub(super) struct Runs {
    app: App,
}

impl Runs {
    pub(super) fn new(app: App) -> Self {
        Self { app }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.app.config.query_timeout
    }
}

#[tonic::async_trait]
impl RunService for Runs {
    async fn begin_run(
        &self,
        request: Request<v1::BeginRunRequest>,
    ) -> Result<Response<v1::BeginRunResponse>, Status> {
        let request = request.into_inner();
        let begin = Begin {
            holder: request.holder,
            version: request.version,
            lease_us: micros(request.lease_s, DEFAULT_LEASE_S),
            interval_us: micros(request.interval_s, DEFAULT_INTERVAL_S),
        };
        let begun = runs::begin(&self.app, begin, self.deadline()).await;
        let (run_id, state) = begun.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::BeginRunResponse {
            run_id,
            state: Some(state.into()),
        }))
    }

    async fn get_run_state(
        &self,
        _request: Request<v1::GetRunStateRequest>,
    ) -> Result<Response<v1::GetRunStateResponse>, Status> {
        let state = runs::state(&self.app, self.deadline()).await;
        let state = state.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::GetRunStateResponse {
            state: Some(state.into()),
        }))
    }

    async fn list_seen_systems(
        &self,
        request: Request<v1::ListSeenSystemsRequest>,
    ) -> Result<Response<v1::ListSeenSystemsResponse>, Status> {
        let request = request.into_inner();
        let limit = limit_of(request.limit, 1_000, 10_000)?;
        let after = (&*request.after_system_id, &*request.after_sub_system_id);
        let (systems, more) = self.app.journal.seen.list(after, limit, now_us());
        Ok(Response::new(v1::ListSeenSystemsResponse {
            systems: systems.into_iter().map(Into::into).collect(),
            more,
        }))
    }

    async fn renew_run(
        &self,
        request: Request<v1::RenewRunRequest>,
    ) -> Result<Response<v1::RenewRunResponse>, Status> {
        let renewed = runs::renew(&self.app, request.into_inner().run_id).await;
        renewed.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::RenewRunResponse {}))
    }

    async fn commit_run(
        &self,
        request: Request<v1::CommitRunRequest>,
    ) -> Result<Response<v1::CommitRunResponse>, Status> {
        let request = request.into_inner();
        let findings = Findings {
            through_id: request.through_id,
            alerts: all(request.alerts)?,
            notifications: all(request.notifications)?,
            heartbeats: all(request.heartbeats)?,
            rules: request.rules.into_iter().map(Into::into).collect(),
        };
        let committed = runs::commit(&self.app, request.run_id, findings).await;
        committed.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::CommitRunResponse {}))
    }

    async fn list_due_notifications(
        &self,
        request: Request<v1::ListDueNotificationsRequest>,
    ) -> Result<Response<v1::ListDueNotificationsResponse>, Status> {
        let request = request.into_inner();
        let limit = limit_of(request.limit, 20, 100)?;
        let due = runs::due(&self.app, request.run_id, limit, self.deadline()).await;
        let due = due.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::ListDueNotificationsResponse {
            notifications: due.into_iter().map(Into::into).collect(),
        }))
    }

    async fn report_delivery(
        &self,
        request: Request<v1::ReportDeliveryRequest>,
    ) -> Result<Response<v1::ReportDeliveryResponse>, Status> {
        let request = request.into_inner();
        let delivery = request
            .delivery
            .ok_or_else(|| Status::invalid_argument("delivery is missing"))?;
        let delivery = Delivery::try_from(delivery)?;
        let reported = runs::report(&self.app, request.run_id, delivery).await;
        reported.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::ReportDeliveryResponse {}))
    }

    async fn end_run(
        &self,
        request: Request<v1::EndRunRequest>,
    ) -> Result<Response<v1::EndRunResponse>, Status> {
        let request = request.into_inner();
        let ended = runs::end(&self.app, request.run_id, request.errors).await;
        ended.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::EndRunResponse {}))
    }
}

/// Seconds as microseconds; 0 means the default.
fn micros(seconds: u32, default: u32) -> i64 {
    let seconds = if seconds == 0 { default } else { seconds };
    i64::from(seconds) * 1_000_000
}

fn all<T, U: TryFrom<T, Error = proto::ConvertError>>(values: Vec<T>) -> Result<Vec<U>, Status> {
    let values: Result<Vec<U>, _> = values.into_iter().map(U::try_from).collect();
    Ok(values?)
}
