//! Runs of neelix between the wire's types and the domain's.

use domain::{Interruption, Rule, Run, RunState};

use crate::{ConvertError, error::all, v1};

impl From<Run> for v1::Run {
    fn from(value: Run) -> Self {
        Self {
            id: value.id,
            holder: value.holder,
            version: value.version,
            started_us: value.started_us,
            ended_us: value.ended_us,
            after_id: value.after_id,
            through_id: value.through_id,
            opened: value.opened,
            resolved: value.resolved,
            delivered: value.delivered,
            undelivered: value.undelivered,
            errors: value.errors,
        }
    }
}

impl From<v1::Run> for Run {
    fn from(value: v1::Run) -> Self {
        Self {
            id: value.id,
            holder: value.holder,
            version: value.version,
            started_us: value.started_us,
            ended_us: value.ended_us,
            after_id: value.after_id,
            through_id: value.through_id,
            opened: value.opened,
            resolved: value.resolved,
            delivered: value.delivered,
            undelivered: value.undelivered,
            errors: value.errors,
        }
    }
}

impl From<Rule> for v1::Rule {
    fn from(value: Rule) -> Self {
        Self {
            name: value.name,
            text: value.text,
            recipients: value.recipients,
            line: value.line,
        }
    }
}

impl From<v1::Rule> for Rule {
    fn from(value: v1::Rule) -> Self {
        Self {
            name: value.name,
            text: value.text,
            recipients: value.recipients,
            line: value.line,
        }
    }
}

impl From<RunState> for v1::RunState {
    fn from(value: RunState) -> Self {
        Self {
            now_us: value.now_us,
            judged_id: value.judged_id,
            newest_id: value.newest_id,
            complete_us: value.complete_us,
            attended_since_us: value.attended_since_us,
            next_alert_id: value.next_alert_id,
            alerts: value.alerts.into_iter().map(Into::into).collect(),
            heartbeats: value.heartbeats.into_iter().map(Into::into).collect(),
            link_key: value.link_key.into(),
            interruptions: value.interruptions.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<v1::RunState> for RunState {
    type Error = ConvertError;

    fn try_from(value: v1::RunState) -> Result<Self, ConvertError> {
        Ok(Self {
            now_us: value.now_us,
            judged_id: value.judged_id,
            newest_id: value.newest_id,
            complete_us: value.complete_us,
            attended_since_us: value.attended_since_us,
            next_alert_id: value.next_alert_id,
            alerts: all(value.alerts)?,
            heartbeats: all(value.heartbeats)?,
            link_key: value.link_key.into(),
            interruptions: value.interruptions.into_iter().map(Into::into).collect(),
        })
    }
}

impl From<Interruption> for v1::Interruption {
    fn from(value: Interruption) -> Self {
        Self {
            from_us: value.from_us,
            to_us: value.to_us,
        }
    }
}

impl From<v1::Interruption> for Interruption {
    fn from(value: v1::Interruption) -> Self {
        Self {
            from_us: value.from_us,
            to_us: value.to_us,
        }
    }
}
