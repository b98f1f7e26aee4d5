//! Heartbeats and systems seen between the wire's types and the domain's.

use domain::{Heartbeat, HeartbeatState, SeenSystem};

use crate::{ConvertError, v1};

impl From<Heartbeat> for v1::Heartbeat {
    fn from(value: Heartbeat) -> Self {
        Self {
            rule: value.rule,
            condition: value.condition,
            system_id: value.system_id,
            sub_system_id: value.sub_system_id,
            expected: value.expected,
            state: v1::HeartbeatState::from(value.state).into(),
            since_us: value.since_us,
            last_received_us: value.last_received_us,
            due_us: value.due_us,
            expected_since_us: value.expected_since_us,
        }
    }
}

impl TryFrom<v1::Heartbeat> for Heartbeat {
    type Error = ConvertError;

    fn try_from(value: v1::Heartbeat) -> Result<Self, ConvertError> {
        Ok(Self {
            rule: value.rule,
            condition: value.condition,
            system_id: value.system_id,
            sub_system_id: value.sub_system_id,
            expected: value.expected,
            state: state(value.state)?,
            since_us: value.since_us,
            last_received_us: value.last_received_us,
            due_us: value.due_us,
            expected_since_us: value.expected_since_us,
        })
    }
}

impl From<SeenSystem> for v1::SeenSystem {
    fn from(value: SeenSystem) -> Self {
        Self {
            system_id: value.system_id,
            sub_system_id: value.sub_system_id,
            first_received_us: value.first_received_us,
            last_received_us: value.last_received_us,
            last_stored_us: value.last_stored_us,
            last_id: value.last_id,
        }
    }
}

impl From<v1::SeenSystem> for SeenSystem {
    fn from(value: v1::SeenSystem) -> Self {
        Self {
            system_id: value.system_id,
            sub_system_id: value.sub_system_id,
            first_received_us: value.first_received_us,
            last_received_us: value.last_received_us,
            last_stored_us: value.last_stored_us,
            last_id: value.last_id,
        }
    }
}

impl From<HeartbeatState> for v1::HeartbeatState {
    fn from(value: HeartbeatState) -> Self {
        match value {
            HeartbeatState::Up => Self::Up,
            HeartbeatState::Late => Self::Late,
            HeartbeatState::Down => Self::Down,
            HeartbeatState::NeverSeen => Self::NeverSeen,
        }
    }
}

fn state(number: i32) -> Result<HeartbeatState, ConvertError> {
    match v1::HeartbeatState::try_from(number) {
        Ok(v1::HeartbeatState::Up) => Ok(HeartbeatState::Up),
        Ok(v1::HeartbeatState::Late) => Ok(HeartbeatState::Late),
        Ok(v1::HeartbeatState::Down) => Ok(HeartbeatState::Down),
        Ok(v1::HeartbeatState::NeverSeen) => Ok(HeartbeatState::NeverSeen),
        Ok(v1::HeartbeatState::Unspecified) | Err(_) => {
            Err(ConvertError::Unknown("state of a heartbeat", number))
        }
    }
}
