//! `AlertService`: alerts for those who look after them.

use proto::v1::{self, alert_service_server::AlertService};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::{audit::author_of, limit_of, status_of};
use crate::{
    App, alerts,
    db::{alert::AlertQuery, delivery::Told},
};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 1_000;

/// The service.
pub(super) struct Alerts {
    app: App,
}

impl Alerts {
    pub(super) fn new(app: App) -> Self {
        Self { app }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.app.config.query_timeout
    }
}

#[tonic::async_trait]
impl AlertService for Alerts {
    async fn list_alerts(
        &self,
        request: Request<v1::ListAlertsRequest>,
    ) -> Result<Response<v1::ListAlertsResponse>, Status> {
        let request = request.into_inner();
        let query = AlertQuery {
            is_firing: is_firing(request.state)?,
            rule: request.rule,
            system_id: request.system_id,
            limit: limit_of(request.limit, DEFAULT_LIMIT, MAX_LIMIT)?,
            before: (request.before > 0).then_some(request.before),
        };
        let listed = alerts::list(&self.app, query, self.deadline()).await;
        let (alerts, told, has_more) = listed.map_err(|error| status_of(&error))?;
        let next = alerts.last().filter(|_| has_more).map_or(0, |last| last.id);
        Ok(Response::new(v1::ListAlertsResponse {
            alerts: alerts.into_iter().map(Into::into).collect(),
            next,
            told: told.iter().map(told_of).collect(),
        }))
    }

    async fn get_alert(
        &self,
        request: Request<v1::GetAlertRequest>,
    ) -> Result<Response<v1::GetAlertResponse>, Status> {
        let id = request.into_inner().id;
        let details = alerts::get(&self.app, id, self.deadline()).await;
        let details = details.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::GetAlertResponse {
            alert: Some(details.alert.into()),
            events: details.events.into_iter().map(Into::into).collect(),
            notifications: details.notifications.into_iter().map(Into::into).collect(),
        }))
    }

    async fn acknowledge_alert(
        &self,
        request: Request<v1::AcknowledgeAlertRequest>,
    ) -> Result<Response<v1::AcknowledgeAlertResponse>, Status> {
        let author = author_of(&request)?;
        let v1::AcknowledgeAlertRequest { id, by } = request.into_inner();
        let alert = alerts::acknowledge(&self.app, id, by, author, self.deadline()).await;
        let alert = alert.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::AcknowledgeAlertResponse {
            alert: Some(alert.into()),
        }))
    }

    async fn silence_alert(
        &self,
        request: Request<v1::SilenceAlertRequest>,
    ) -> Result<Response<v1::SilenceAlertResponse>, Status> {
        let author = author_of(&request)?;
        let v1::SilenceAlertRequest { id, until_us, by } = request.into_inner();
        let alert = alerts::silence(&self.app, id, until_us, by, author, self.deadline()).await;
        let alert = alert.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::SilenceAlertResponse {
            alert: Some(alert.into()),
        }))
    }

    async fn list_heartbeats(
        &self,
        _request: Request<v1::ListHeartbeatsRequest>,
    ) -> Result<Response<v1::ListHeartbeatsResponse>, Status> {
        let heartbeats = alerts::heartbeats(&self.app, self.deadline()).await;
        let heartbeats = heartbeats.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::ListHeartbeatsResponse {
            heartbeats: heartbeats.into_iter().map(Into::into).collect(),
        }))
    }

    async fn list_rules(
        &self,
        _request: Request<v1::ListRulesRequest>,
    ) -> Result<Response<v1::ListRulesResponse>, Status> {
        let rules = alerts::rules(&self.app, self.deadline()).await;
        let rules = rules.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::ListRulesResponse {
            rules: rules.into_iter().map(Into::into).collect(),
        }))
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<v1::ListRunsResponse>, Status> {
        let request = request.into_inner();
        let limit = limit_of(request.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
        let before = (request.before > 0).then_some(request.before);
        let listed = alerts::runs(&self.app, before, limit, self.deadline()).await;
        let (runs, has_more) = listed.map_err(|error| status_of(&error))?;
        let next = runs.last().filter(|_| has_more).map_or(0, |last| last.id);
        Ok(Response::new(v1::ListRunsResponse {
            runs: runs.into_iter().map(Into::into).collect(),
            next,
        }))
    }

    async fn get_alert_status(
        &self,
        _request: Request<v1::GetAlertStatusRequest>,
    ) -> Result<Response<v1::GetAlertStatusResponse>, Status> {
        let status = alerts::status(&self.app, self.deadline()).await;
        let status = status.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::GetAlertStatusResponse {
            firing: status.alerts.firing,
            unattended: status.alerts.unattended,
            waiting: status.deliveries.waiting,
            failed: status.deliveries.failed,
            last_run: status.last_run.map(Into::into),
            judged_us: status.judged_us,
            late: status.is_late,
            interval_s: (status.interval_us / 1_000_000).max(0).unsigned_abs(),
            link_key: status.link_key.into(),
            troubled: status.troubled.into_iter().map(Into::into).collect(),
        }))
    }
}

fn told_of(told: &Told) -> v1::Told {
    v1::Told {
        delivered: told.delivered,
        waiting: told.waiting,
        failed: told.failed,
        kept: told.kept,
    }
}

fn is_firing(state: i32) -> Result<Option<bool>, Status> {
    match v1::AlertState::try_from(state) {
        Ok(v1::AlertState::Unspecified) => Ok(None),
        Ok(v1::AlertState::Firing) => Ok(Some(true)),
        Ok(v1::AlertState::Resolved) => Ok(Some(false)),
        Err(_) => Err(Status::invalid_argument(format!(
            "state {state} is unknown"
        ))),
    }
}
