//! `/api/v1/heartbeats`: what rules expect of systems, and whether that is so.

use axum::{extract::RawQuery, response::Response};
use domain::{Heartbeat, HeartbeatState};
use render::rfc3339;
use serde::Serialize;

use super::{ApiError, json, require_sound};
use crate::{app::App, request::Parameters};

#[derive(Serialize)]
struct ListView {
    heartbeats: Vec<HeartbeatView>,
}

#[derive(Serialize)]
struct HeartbeatView {
    rule: String,
    condition: String,
    system_id: String,
    sub_system_id: String,
    expected: String,
    state: &'static str,
    since: String,
    last_received_at: Option<String>,
    due_at: String,
    expected_since: String,
}

/// `GET /api/v1/heartbeats`
pub(crate) async fn list(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    require_sound(&Parameters::read(query.as_deref(), &[]))?;
    let heartbeats = app.store.heartbeats().await?;
    Ok(json(&ListView {
        heartbeats: heartbeats.into_iter().map(view).collect(),
    }))
}

fn view(heartbeat: Heartbeat) -> HeartbeatView {
    HeartbeatView {
        rule: heartbeat.rule,
        condition: heartbeat.condition,
        system_id: heartbeat.system_id,
        sub_system_id: heartbeat.sub_system_id,
        expected: heartbeat.expected,
        state: match heartbeat.state {
            HeartbeatState::Up => "up",
            HeartbeatState::Late => "late",
            HeartbeatState::Down => "down",
            HeartbeatState::NeverSeen => "never_seen",
        },
        since: rfc3339(heartbeat.since_us),
        last_received_at: (heartbeat.last_received_us > 0)
            .then(|| rfc3339(heartbeat.last_received_us)),
        due_at: rfc3339(heartbeat.due_us),
        expected_since: rfc3339(heartbeat.expected_since_us),
    }
}
