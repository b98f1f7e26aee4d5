//! Alerts in memory.

use std::sync::{Arc, Mutex};

use domain::{
    Alert, AlertEvent, AlertEventKind, AlertKind, AlertSubject, Delivery, DeliveryChannel,
    DeliveryState, Heartbeat, HeartbeatState, Notification, Rule, Run,
};
use proto::v1::{self, alert_service_server::AlertService};
use tonic::{Request, Response, Status};

use super::Data;

/// What links are signed with.
pub(crate) const LINK_KEY: [u8; 32] = [0x0b; 32];
const MINUTE: i64 = 60_000_000;

/// What the store knows of alerts.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) alerts: Vec<Alert>,
    pub(crate) events: Vec<AlertEvent>,
    pub(crate) notifications: Vec<Notification>,
    pub(crate) heartbeats: Vec<Heartbeat>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) runs: Vec<Run>,
    pub(crate) is_late: bool,
    /// Who said what: id, who, and until when.
    pub(crate) said: Vec<String>,
}

/// The service.
pub(super) struct Alerts(pub(super) Arc<Data>);

impl Alerts {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.alerts.lock().unwrap()
    }

    fn change(
        &self,
        id: u64,
        said: String,
        change: impl FnOnce(&mut Alert) -> Result<(), Status>,
    ) -> Result<v1::Alert, Status> {
        let mut known = self.known();
        known.said.push(said);
        let alert = known.alerts.iter_mut().find(|alert| alert.id == id);
        let alert = alert.ok_or_else(|| Status::not_found(format!("there is no alert {id}")))?;
        change(alert)?;
        Ok(alert.clone().into())
    }
}

/// Deliveries of an alert that have come so far.
fn told(known: &Known, id: u64) -> v1::Told {
    let mut told = v1::Told::default();
    for notification in &known.notifications {
        if !notification.alert_ids.contains(&id) {
            continue;
        }
        for delivery in &notification.deliveries {
            match delivery.state {
                DeliveryState::Waiting => told.waiting += 1,
                DeliveryState::Delivered => told.delivered += 1,
                DeliveryState::Failed => told.failed += 1,
                DeliveryState::Kept => told.kept += 1,
            }
        }
    }
    told
}

fn all<T: Clone, U: From<T>>(values: &[T]) -> Vec<U> {
    values.iter().cloned().map(U::from).collect()
}

#[tonic::async_trait]
impl AlertService for Alerts {
    async fn list_alerts(
        &self,
        request: Request<v1::ListAlertsRequest>,
    ) -> Result<Response<v1::ListAlertsResponse>, Status> {
        self.0.behave().await?;
        let asked = request.into_inner();
        let known = self.known();
        let mut alerts = known.alerts.clone();
        alerts.retain(|alert| {
            let is_state = match asked.state() {
                v1::AlertState::Unspecified => true,
                v1::AlertState::Firing => alert.is_firing(),
                v1::AlertState::Resolved => !alert.is_firing(),
            };
            is_state
                && (asked.rule.is_empty() || asked.rule == alert.subject.rule)
                && (asked.system_id.is_empty() || asked.system_id == alert.subject.system_id)
                && (asked.before == 0 || alert.id < asked.before)
        });
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.id));
        let is_more = alerts.len() > asked.limit as usize;
        alerts.truncate(asked.limit as usize);
        let last = alerts.last().map_or(0, |alert| alert.id);
        Ok(Response::new(v1::ListAlertsResponse {
            told: alerts.iter().map(|alert| told(&known, alert.id)).collect(),
            next: if is_more { last } else { 0 },
            alerts: all(&alerts),
        }))
    }

    async fn get_alert(
        &self,
        request: Request<v1::GetAlertRequest>,
    ) -> Result<Response<v1::GetAlertResponse>, Status> {
        self.0.behave().await?;
        let id = request.into_inner().id;
        let known = self.known();
        let alert = known.alerts.iter().find(|alert| alert.id == id).cloned();
        let alert = alert.ok_or_else(|| Status::not_found("there is no such alert"))?;
        let mut notifications = known.notifications.clone();
        notifications.retain(|notification| notification.alert_ids.contains(&id));
        Ok(Response::new(v1::GetAlertResponse {
            alert: Some(alert.into()),
            events: all(&known.events),
            notifications: all(&notifications),
        }))
    }

    async fn acknowledge_alert(
        &self,
        request: Request<v1::AcknowledgeAlertRequest>,
    ) -> Result<Response<v1::AcknowledgeAlertResponse>, Status> {
        self.0.behave().await?;
        let id = request.get_ref().id.to_string();
        self.0
            .note(&request, v1::AuditAction::AlertAcknowledged, &id);
        let asked = request.into_inner();
        let said = format!("{} acknowledged by {:?}", asked.id, asked.by);
        let alert = self.change(asked.id, said, |alert| {
            if !alert.is_firing() {
                return Err(Status::failed_precondition("the alert has ended"));
            }
            alert.acknowledged_us = Some(now_us());
            Ok(())
        })?;
        let alert = Some(alert);
        Ok(Response::new(v1::AcknowledgeAlertResponse { alert }))
    }

    async fn silence_alert(
        &self,
        request: Request<v1::SilenceAlertRequest>,
    ) -> Result<Response<v1::SilenceAlertResponse>, Status> {
        self.0.behave().await?;
        let id = request.get_ref().id.to_string();
        self.0.note(&request, v1::AuditAction::AlertSilenced, &id);
        let asked = request.into_inner();
        let minutes = asked
            .until_us
            .map(|until| (until - now_us() + MINUTE / 2) / MINUTE);
        let said = format!(
            "{} silenced for {minutes:?} min by {:?}",
            asked.id, asked.by
        );
        let alert = self.change(asked.id, said, |alert| {
            alert.silenced_until_us = asked.until_us;
            Ok(())
        })?;
        let alert = Some(alert);
        Ok(Response::new(v1::SilenceAlertResponse { alert }))
    }

    async fn list_heartbeats(
        &self,
        _request: Request<v1::ListHeartbeatsRequest>,
    ) -> Result<Response<v1::ListHeartbeatsResponse>, Status> {
        self.0.behave().await?;
        let heartbeats = all(&self.known().heartbeats);
        Ok(Response::new(v1::ListHeartbeatsResponse { heartbeats }))
    }

    async fn list_rules(
        &self,
        _request: Request<v1::ListRulesRequest>,
    ) -> Result<Response<v1::ListRulesResponse>, Status> {
        self.0.behave().await?;
        let rules = all(&self.known().rules);
        Ok(Response::new(v1::ListRulesResponse { rules }))
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<v1::ListRunsResponse>, Status> {
        self.0.behave().await?;
        let asked = request.into_inner();
        let mut runs = self.known().runs.clone();
        runs.retain(|run| asked.before == 0 || run.id < asked.before);
        runs.sort_by_key(|run| std::cmp::Reverse(run.id));
        let is_more = runs.len() > asked.limit as usize;
        runs.truncate(asked.limit as usize);
        let last = runs.last().map_or(0, |run| run.id);
        Ok(Response::new(v1::ListRunsResponse {
            runs: all(&runs),
            next: if is_more { last } else { 0 },
        }))
    }

    async fn get_alert_status(
        &self,
        _request: Request<v1::GetAlertStatusRequest>,
    ) -> Result<Response<v1::GetAlertStatusResponse>, Status> {
        self.0.behave().await?;
        let known = self.known();
        let firing: Vec<_> = known.alerts.iter().filter(|it| it.is_firing()).collect();
        let is_unattended =
            |alert: &&&Alert| alert.acknowledged_us.is_none() && !alert.is_silenced(now_us());
        let troubled: Vec<Notification> = known
            .notifications
            .iter()
            .cloned()
            .map(|mut notification| {
                notification.deliveries.retain(|it| !it.error.is_empty());
                notification
            })
            .filter(|notification| !notification.deliveries.is_empty())
            .collect();
        let deliveries = || known.notifications.iter().flat_map(|it| &it.deliveries);
        let count = |state| deliveries().filter(|it| it.state == state).count() as u64;
        let last_run = known
            .runs
            .iter()
            .filter(|run| run.ended_us.is_some())
            .max_by_key(|it| it.id);
        Ok(Response::new(v1::GetAlertStatusResponse {
            firing: firing.len() as u64,
            unattended: firing.iter().filter(is_unattended).count() as u64,
            waiting: count(DeliveryState::Waiting),
            failed: count(DeliveryState::Failed),
            last_run: last_run.cloned().map(Into::into),
            judged_us: last_run.and_then(|run| run.ended_us),
            late: known.is_late,
            interval_s: if last_run.is_some() { 300 } else { 0 },
            link_key: LINK_KEY.to_vec().into(),
            troubled: all(&troubled),
        }))
    }
}

/// Now, in microseconds since 1970.
pub(crate) fn now_us() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_micros().try_into().unwrap()
}

/// An alert of a bakery's shop that goes on for ten minutes.
pub(crate) fn alert(id: u64) -> Alert {
    Alert {
        id,
        subject: AlertSubject {
            rule: "shop".to_owned(),
            condition: "MSG=disk full".to_owned(),
            system_id: "shop".to_owned(),
            sub_system_id: String::new(),
        },
        kind: AlertKind::Match,
        reason: "3 records with “disk full”".to_owned(),
        opened_us: now_us() - 9 * MINUTE,
        resolved_us: None,
        since_us: now_us() - 10 * MINUTE,
        last_us: now_us() - MINUTE,
        first_record_id: 1,
        last_record_id: 3,
        records: 3,
        records_unnotified: 2,
        notified_us: now_us() - 9 * MINUTE,
        acknowledged_us: None,
        silenced_until_us: None,
    }
}

/// Something to look at of everything: alerts 1 (ended), 2 (a silence), 3 and 4.
pub(crate) fn known() -> Known {
    let now = now_us();
    let delivery = |id, recipient: &str, state, error: &str| Delivery {
        id,
        channel: DeliveryChannel::Mail,
        recipient: recipient.to_owned(),
        state,
        attempts: 2,
        next_attempt_us: now + 5 * MINUTE,
        error: error.to_owned(),
        delivered_us: (state == DeliveryState::Delivered).then_some(now - MINUTE),
    };
    let event = |kind, note: &str| AlertEvent {
        at_us: now - 9 * MINUTE,
        kind,
        by: "anna".to_owned(),
        note: note.to_owned(),
    };
    let heartbeat = |system_id: &str, state| Heartbeat {
        rule: "shop".to_owned(),
        condition: "AGE=2h".to_owned(),
        system_id: system_id.to_owned(),
        sub_system_id: String::new(),
        expected: "every 2 h".to_owned(),
        state,
        since_us: now - MINUTE,
        last_received_us: if state == HeartbeatState::NeverSeen {
            0
        } else {
            now - 3 * MINUTE
        },
        due_us: now + MINUTE,
        expected_since_us: now - 90 * MINUTE,
    };
    let run = |id, errors: &[&str]| Run {
        id,
        holder: "web01:42".to_owned(),
        version: "0.1.0".to_owned(),
        started_us: now - 4 * MINUTE,
        ended_us: Some(now - 3 * MINUTE),
        after_id: 1,
        through_id: 2_001,
        opened: 2,
        resolved: 1,
        delivered: 1,
        undelivered: 2,
        errors: errors.iter().map(|it| (*it).to_owned()).collect(),
    };
    Known {
        alerts: vec![
            Alert {
                resolved_us: Some(now - 5 * MINUTE),
                ..alert(1)
            },
            Alert {
                subject: AlertSubject {
                    rule: "oven/*".to_owned(),
                    condition: "AGE=2h".to_owned(),
                    system_id: "oven".to_owned(),
                    sub_system_id: "east".to_owned(),
                },
                kind: AlertKind::Heartbeat,
                reason: "no record for 2 h".to_owned(),
                since_us: 0,
                records: 0,
                ..alert(2)
            },
            Alert {
                acknowledged_us: Some(now - MINUTE),
                ..alert(3)
            },
            Alert {
                subject: AlertSubject {
                    condition: "MSG=oven cold".to_owned(),
                    ..alert(4).subject
                },
                silenced_until_us: Some(now + 60 * MINUTE),
                ..alert(4)
            },
        ],
        events: vec![
            event(AlertEventKind::Fired, "3 records"),
            event(AlertEventKind::Acknowledged, "by hand"),
        ],
        notifications: vec![Notification {
            id: 1,
            message_id: "herald.1.1@web01".to_owned(),
            created_us: now - 9 * MINUTE,
            subject: "[DEVELOPMENT] firing: shop".to_owned(),
            text: "3 records with “disk full”".to_owned(),
            html: "<b>no</b>".to_owned(),
            json: "{}".to_owned(),
            alert_ids: vec![3, 4],
            mail_to: Vec::new(),
            deliveries: vec![
                delivery(1, "ok@example.com", DeliveryState::Delivered, ""),
                delivery(
                    2,
                    "slow@example.com",
                    DeliveryState::Waiting,
                    "451 try later",
                ),
                delivery(
                    3,
                    "gone@example.com",
                    DeliveryState::Failed,
                    "550 no such user",
                ),
            ],
        }],
        heartbeats: vec![
            heartbeat("shop", HeartbeatState::Up),
            heartbeat("oven", HeartbeatState::NeverSeen),
        ],
        rules: vec![Rule {
            name: "shop".to_owned(),
            text: "[shop]\nMSG=disk full\nAGE=2h\n".to_owned(),
            recipients: vec!["anna@example.com".to_owned()],
            line: 7,
        }],
        runs: vec![run(1, &[]), run(2, &["cannot read the rules file"])],
        is_late: false,
        said: Vec::new(),
    }
}

/// Where a store keeps it.
pub(super) type Kept = Mutex<Known>;
