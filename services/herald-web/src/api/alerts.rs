//! `/api/v1/alerts`: what rules have found, and what is said about it.

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use domain::{
    Alert, AlertEvent, AlertEventKind, AlertKind, Delivery, DeliveryChannel, DeliveryState,
    Notification,
};
use proto::v1;
use render::rfc3339;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{ApiError, error, json, require_sound};
use crate::{
    app::App,
    pages::{
        alerts::{change::read_until, read_state},
        form::status_of,
    },
    request::{KnownName, LimitRule, Parameters, Reader, read_count, read_id},
    store_client::{AlertQuery, ChangeFailure, StoreError},
    utc,
};

/// What the list can be asked.
pub(super) const PARAMETERS: &[&[KnownName]] = &[&[
    ("state", "state"),
    ("rule", "rule"),
    ("system_id", "system_id"),
    ("limit", "limit"),
    ("before", "before"),
]];
const LIMIT: LimitRule = LimitRule {
    max: 1_000,
    hint: "",
};
const DEFAULT_LIMIT: usize = 50;
/// What a change may send, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 4 << 10;

#[derive(Serialize)]
struct ListView {
    alerts: Vec<ListedView>,
    next: Option<u64>,
}

#[derive(Serialize)]
struct ListedView {
    #[serde(flatten)]
    alert: AlertView,
    told: ToldView,
}

#[derive(Serialize)]
struct ToldView {
    delivered: u32,
    waiting: u32,
    failed: u32,
    kept: u32,
}

#[derive(Serialize)]
struct StoryView {
    alert: AlertView,
    events: Vec<EventView>,
    notifications: Vec<NotificationView>,
}

#[derive(Serialize)]
struct ChangedView {
    alert: AlertView,
}

#[derive(Serialize)]
struct AlertView {
    id: u64,
    rule: String,
    condition: String,
    kind: &'static str,
    system_id: String,
    sub_system_id: String,
    state: &'static str,
    reason: String,
    opened_at: String,
    resolved_at: Option<String>,
    since: Option<String>,
    last_at: Option<String>,
    first_record_id: Option<u64>,
    last_record_id: Option<u64>,
    records: u64,
    records_unnotified: u64,
    notified_at: Option<String>,
    acknowledged_at: Option<String>,
    silenced_until: Option<String>,
}

#[derive(Serialize)]
struct EventView {
    at: String,
    kind: &'static str,
    by: String,
    note: String,
}

#[derive(Serialize)]
struct NotificationView {
    id: u64,
    message_id: String,
    created_at: String,
    subject: String,
    text: String,
    alert_ids: Vec<u64>,
    deliveries: Vec<DeliveryView>,
}

#[derive(Serialize)]
struct DeliveryView {
    channel: &'static str,
    recipient: String,
    state: &'static str,
    attempts: u32,
    next_attempt_at: Option<String>,
    error: String,
    delivered_at: Option<String>,
}

/// Somebody knows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    #[serde(default)]
    by: String,
}

/// Nobody is to be told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Silence {
    /// Null takes it back; it must be there.
    #[serde(deserialize_with = "Option::deserialize")]
    until: Option<String>,
    #[serde(default)]
    by: String,
}

/// `GET /api/v1/alerts`
pub(crate) async fn list(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let limit = reader.value("limit", |text| read_count(text, LIMIT));
    let asked = AlertQuery {
        is_firing: reader.value("state", read_state),
        rule: reader.text("rule").unwrap_or_default().to_owned(),
        system_id: reader.text("system_id").unwrap_or_default().to_owned(),
        limit: u32::try_from(limit.unwrap_or(DEFAULT_LIMIT)).expect("at most 1,000"),
        before: reader.value("before", read_id).unwrap_or(0),
    };
    reader.finish()?;
    let page = app.store.alerts(&asked).await?;
    let alerts = page.alerts.into_iter().map(|(alert, told)| ListedView {
        alert: AlertView::new(alert),
        told: ToldView::new(&told),
    });
    Ok(json(&ListView {
        alerts: alerts.collect(),
        next: page.next,
    }))
}

/// `GET /api/v1/alerts/{id}`
pub(crate) async fn one(
    app: App,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    require_sound(&Parameters::read(query.as_deref(), &[]))?;
    let Ok(id) = read_id(&id) else {
        return Ok(missing());
    };
    let story = match app.store.alert(id).await {
        Err(StoreError::NotFound) => return Ok(missing()),
        story => story?,
    };
    Ok(json(&StoryView {
        alert: AlertView::new(story.alert),
        events: story.events.into_iter().map(EventView::new).collect(),
        notifications: story
            .notifications
            .into_iter()
            .map(NotificationView::new)
            .collect(),
    }))
}

/// `POST /api/v1/alerts/{id}/acknowledge`
pub(crate) async fn acknowledge(
    app: App,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (id, asked): (u64, Acknowledgement) = match read(&app, &id, &uri, &headers, body) {
        Ok(asked) => asked,
        Err(response) => return *response,
    };
    changed(
        &app,
        app.store
            .acknowledge(id, &app.who.signature(&asked.by), &app.author(&asked.by))
            .await,
    )
}

/// `POST /api/v1/alerts/{id}/silence`
pub(crate) async fn silence(
    app: App,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (id, asked): (u64, Silence) = match read(&app, &id, &uri, &headers, body) {
        Ok(asked) => asked,
        Err(response) => return *response,
    };
    let until = match asked.until.map(|text| read_until(&text, utc::now())) {
        Some(Err(problem)) => return error(StatusCode::BAD_REQUEST, &format!("until: {problem}")),
        until => until.and_then(Result::ok),
    };
    changed(
        &app,
        app.store
            .silence(
                id,
                until,
                &app.who.signature(&asked.by),
                &app.author(&asked.by),
            )
            .await,
    )
}

/// What a program may change, and how.
fn read<T: DeserializeOwned>(
    app: &App,
    id: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(u64, T), Box<Response>> {
    let refuse = |status, message: &str| Box::new(error(status, message));
    app.guard
        .check_json(&app.who, uri, headers)
        .map_err(|why| refuse(StatusCode::FORBIDDEN, &why.to_string()))?;
    let body = body.map_err(|why| match why.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => refuse(
            status,
            &format!("a change has at most {MAX_BODY_BYTES} bytes"),
        ),
        status => refuse(status, "the body did not come whole"),
    })?;
    let id = read_id(id).map_err(|_| Box::new(missing()))?;
    let asked = serde_json::from_slice(&body)
        .map_err(|why| refuse(StatusCode::BAD_REQUEST, &format!("the body: {why}")))?;
    Ok((id, asked))
}

fn changed(app: &App, outcome: Result<Alert, ChangeFailure>) -> Response {
    match outcome {
        Ok(alert) => {
            app.watch.forget();
            json(&ChangedView {
                alert: AlertView::new(alert),
            })
        }
        Err(ChangeFailure::Store(failure)) => super::store_error(&failure),
        Err(failure) => error(status_of(&failure), &failure.to_string()),
    }
}

fn missing() -> Response {
    error(
        StatusCode::NOT_FOUND,
        "there is no such alert, or no longer",
    )
}

impl AlertView {
    fn new(alert: Alert) -> Self {
        let at = |at: i64| (at > 0).then(|| rfc3339(at));
        let id = |id: u64| (id > 0).then_some(id);
        Self {
            id: alert.id,
            kind: match alert.kind {
                AlertKind::Match => "match",
                AlertKind::Count => "count",
                AlertKind::Heartbeat => "heartbeat",
            },
            state: match alert.is_firing() {
                true => "firing",
                false => "resolved",
            },
            rule: alert.subject.rule,
            condition: alert.subject.condition,
            system_id: alert.subject.system_id,
            sub_system_id: alert.subject.sub_system_id,
            reason: alert.reason,
            opened_at: rfc3339(alert.opened_us),
            resolved_at: alert.resolved_us.map(rfc3339),
            since: at(alert.since_us),
            last_at: at(alert.last_us),
            first_record_id: id(alert.first_record_id),
            last_record_id: id(alert.last_record_id),
            records: alert.records,
            records_unnotified: alert.records_unnotified,
            notified_at: at(alert.notified_us),
            acknowledged_at: alert.acknowledged_us.map(rfc3339),
            silenced_until: alert.silenced_until_us.map(rfc3339),
        }
    }
}

impl ToldView {
    fn new(told: &v1::Told) -> Self {
        Self {
            delivered: told.delivered,
            waiting: told.waiting,
            failed: told.failed,
            kept: told.kept,
        }
    }
}

impl EventView {
    fn new(event: AlertEvent) -> Self {
        Self {
            at: rfc3339(event.at_us),
            kind: match event.kind {
                AlertEventKind::Fired => "fired",
                AlertEventKind::Notified => "notified",
                AlertEventKind::Acknowledged => "acknowledged",
                AlertEventKind::Silenced => "silenced",
                AlertEventKind::Unsilenced => "unsilenced",
                AlertEventKind::Resolved => "resolved",
            },
            by: event.by,
            note: event.note,
        }
    }
}

impl NotificationView {
    fn new(notification: Notification) -> Self {
        Self {
            id: notification.id,
            message_id: notification.message_id,
            created_at: rfc3339(notification.created_us),
            subject: notification.subject,
            text: notification.text,
            alert_ids: notification.alert_ids,
            deliveries: notification
                .deliveries
                .into_iter()
                .map(DeliveryView::new)
                .collect(),
        }
    }
}

impl DeliveryView {
    fn new(delivery: Delivery) -> Self {
        let is_waiting = delivery.state == DeliveryState::Waiting;
        Self {
            channel: match delivery.channel {
                DeliveryChannel::Mail => "mail",
                DeliveryChannel::Webhook => "webhook",
            },
            recipient: delivery.recipient,
            state: match delivery.state {
                DeliveryState::Waiting => "waiting",
                DeliveryState::Delivered => "delivered",
                DeliveryState::Failed => "failed",
                DeliveryState::Kept => "kept",
            },
            attempts: delivery.attempts,
            next_attempt_at: is_waiting.then(|| rfc3339(delivery.next_attempt_us)),
            error: delivery.error,
            delivered_at: delivery.delivered_us.map(rfc3339),
        }
    }
}
