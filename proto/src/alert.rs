//! Alerts between the wire's types and the domain's.

use domain::{Alert, AlertEvent, AlertEventKind, AlertKind, AlertSubject};

use crate::{ConvertError, v1};

impl From<Alert> for v1::Alert {
    fn from(alert: Alert) -> Self {
        let state = match alert.is_firing() {
            true => v1::AlertState::Firing,
            false => v1::AlertState::Resolved,
        };
        Self {
            id: alert.id,
            rule: alert.subject.rule,
            condition: alert.subject.condition,
            kind: v1::AlertKind::from(alert.kind).into(),
            system_id: alert.subject.system_id,
            sub_system_id: alert.subject.sub_system_id,
            state: state.into(),
            reason: alert.reason,
            opened_us: alert.opened_us,
            resolved_us: alert.resolved_us,
            since_us: alert.since_us,
            last_us: alert.last_us,
            first_record_id: alert.first_record_id,
            last_record_id: alert.last_record_id,
            records: alert.records,
            records_unnotified: alert.records_unnotified,
            notified_us: alert.notified_us,
            acknowledged_us: alert.acknowledged_us,
            silenced_until_us: alert.silenced_until_us,
        }
    }
}

impl TryFrom<v1::Alert> for Alert {
    type Error = ConvertError;

    fn try_from(alert: v1::Alert) -> Result<Self, ConvertError> {
        Ok(Self {
            id: alert.id,
            subject: AlertSubject {
                rule: alert.rule,
                condition: alert.condition,
                system_id: alert.system_id,
                sub_system_id: alert.sub_system_id,
            },
            kind: kind(alert.kind)?,
            reason: alert.reason,
            opened_us: alert.opened_us,
            resolved_us: alert.resolved_us,
            since_us: alert.since_us,
            last_us: alert.last_us,
            first_record_id: alert.first_record_id,
            last_record_id: alert.last_record_id,
            records: alert.records,
            records_unnotified: alert.records_unnotified,
            notified_us: alert.notified_us,
            acknowledged_us: alert.acknowledged_us,
            silenced_until_us: alert.silenced_until_us,
        })
    }
}

impl From<AlertEvent> for v1::AlertEvent {
    fn from(event: AlertEvent) -> Self {
        Self {
            at_us: event.at_us,
            kind: v1::AlertEventKind::from(event.kind).into(),
            by: event.by,
            note: event.note,
        }
    }
}

impl TryFrom<v1::AlertEvent> for AlertEvent {
    type Error = ConvertError;

    fn try_from(event: v1::AlertEvent) -> Result<Self, ConvertError> {
        Ok(Self {
            at_us: event.at_us,
            kind: event_kind(event.kind)?,
            by: event.by,
            note: event.note,
        })
    }
}

impl From<AlertKind> for v1::AlertKind {
    fn from(value: AlertKind) -> Self {
        match value {
            AlertKind::Match => Self::Match,
            AlertKind::Count => Self::Count,
            AlertKind::Heartbeat => Self::Heartbeat,
        }
    }
}

impl From<AlertEventKind> for v1::AlertEventKind {
    fn from(value: AlertEventKind) -> Self {
        match value {
            AlertEventKind::Fired => Self::Fired,
            AlertEventKind::Notified => Self::Notified,
            AlertEventKind::Acknowledged => Self::Acknowledged,
            AlertEventKind::Silenced => Self::Silenced,
            AlertEventKind::Unsilenced => Self::Unsilenced,
            AlertEventKind::Resolved => Self::Resolved,
        }
    }
}

fn kind(number: i32) -> Result<AlertKind, ConvertError> {
    match v1::AlertKind::try_from(number) {
        Ok(v1::AlertKind::Match) => Ok(AlertKind::Match),
        Ok(v1::AlertKind::Count) => Ok(AlertKind::Count),
        Ok(v1::AlertKind::Heartbeat) => Ok(AlertKind::Heartbeat),
        Ok(v1::AlertKind::Unspecified) | Err(_) => {
            Err(ConvertError::Unknown("kind of alert", number))
        }
    }
}

fn event_kind(number: i32) -> Result<AlertEventKind, ConvertError> {
    match v1::AlertEventKind::try_from(number) {
        Ok(v1::AlertEventKind::Fired) => Ok(AlertEventKind::Fired),
        Ok(v1::AlertEventKind::Notified) => Ok(AlertEventKind::Notified),
        Ok(v1::AlertEventKind::Acknowledged) => Ok(AlertEventKind::Acknowledged),
        Ok(v1::AlertEventKind::Silenced) => Ok(AlertEventKind::Silenced),
        Ok(v1::AlertEventKind::Unsilenced) => Ok(AlertEventKind::Unsilenced),
        Ok(v1::AlertEventKind::Resolved) => Ok(AlertEventKind::Resolved),
        Ok(v1::AlertEventKind::Unspecified) | Err(_) => {
            Err(ConvertError::Unknown("kind of event", number))
        }
    }
}
