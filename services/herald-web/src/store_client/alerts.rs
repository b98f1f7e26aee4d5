//! Alerts, what rules expect, and the runs that judge them.

use domain::{Alert, AlertEvent, Author, Heartbeat, Micros, Notification, Rule, Run};
use proto::v1;

use super::{
    ChangeFailure, StoreClient, StoreError, answer, audit::in_name_of, change::changed,
    told_deadline,
};
use crate::secrets::{public_notification, public_rule};

/// Which alerts somebody wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AlertQuery {
    /// Those that go on, or those that have ended; both without.
    pub(crate) is_firing: Option<bool>,
    /// Empty for all.
    pub(crate) rule: String,
    /// Empty for all.
    pub(crate) system_id: String,
    pub(crate) limit: u32,
    /// Only ids below; 0 for no bound.
    pub(crate) before: u64,
}

/// Alerts, newest first, each with who was told of it.
#[derive(Debug, Default)]
pub(crate) struct AlertPage {
    pub(crate) alerts: Vec<(Alert, v1::Told)>,
    /// The cursor for the following; `None` when there are none.
    pub(crate) next: Option<u64>,
}

/// An alert and all about it.
#[derive(Debug)]
pub(crate) struct AlertStory {
    pub(crate) alert: Alert,
    /// Oldest first.
    pub(crate) events: Vec<AlertEvent>,
    /// Newest first.
    pub(crate) notifications: Vec<Notification>,
}

/// Alerts and neelix at a glance.
#[derive(Debug, Clone)]
pub(crate) struct Glance {
    pub(crate) firing: u64,
    /// Of those, the ones that nobody knows of and that are not silenced.
    pub(crate) unattended: u64,
    pub(crate) waiting: u64,
    pub(crate) failed: u64,
    /// None when neelix never ran.
    pub(crate) last_run: Option<Run>,
    /// When the rules were judged last; none when they never were.
    pub(crate) judged_us: Option<Micros>,
    pub(crate) is_late: bool,
    pub(crate) interval_s: u64,
    /// With what links are signed; empty when the store tells none.
    pub(crate) link_key: Vec<u8>,
    /// Notifications that did not reach somebody.
    pub(crate) troubled: Vec<Notification>,
}

impl StoreClient {
    /// Alerts that pass.
    pub(crate) async fn alerts(&self, query: &AlertQuery) -> Result<AlertPage, StoreError> {
        match self.systems {
            None => self.all_alerts(query).await,
            Some(_) => self.limited_alerts(query).await,
        }
    }

    pub(super) async fn all_alerts(&self, query: &AlertQuery) -> Result<AlertPage, StoreError> {
        let state = match query.is_firing {
            None => v1::AlertState::Unspecified,
            Some(true) => v1::AlertState::Firing,
            Some(false) => v1::AlertState::Resolved,
        };
        let answer = answer(|| {
            let mut client = self.alerts.clone();
            let request = told_deadline(v1::ListAlertsRequest {
                state: state.into(),
                rule: query.rule.clone(),
                system_id: query.system_id.clone(),
                limit: query.limit,
                before: query.before,
            });
            async move { client.list_alerts(request).await }
        })
        .await?;
        let mut told = answer.told.into_iter();
        let alerts = answer.alerts.into_iter().map(|alert| {
            let told = told.next().unwrap_or_default();
            Ok((read(alert)?, told))
        });
        Ok(AlertPage {
            alerts: alerts.collect::<Result<_, StoreError>>()?,
            next: (answer.next > 0).then_some(answer.next),
        })
    }

    /// One alert.
    pub(crate) async fn alert(&self, id: u64) -> Result<AlertStory, StoreError> {
        let answer = answer(|| {
            let mut client = self.alerts.clone();
            let request = told_deadline(v1::GetAlertRequest { id });
            async move { client.get_alert(request).await }
        })
        .await?;
        self.seen_story(AlertStory {
            alert: read(answer.alert.ok_or(StoreError::NotFound)?)?,
            events: read_all(answer.events)?,
            notifications: read_notifications(answer.notifications)?,
        })
    }

    /// Somebody knows of an alert.
    pub(crate) async fn acknowledge(
        &self,
        id: u64,
        by: &str,
        author: &Author,
    ) -> Result<Alert, ChangeFailure> {
        self.check_alert(id).await?;
        let mut client = self.alerts.clone();
        let by = by.to_owned();
        let request = v1::AcknowledgeAlertRequest { id, by };
        let answer = changed(client.acknowledge_alert(in_name_of(author, request))).await?;
        Ok(read(answer.alert.ok_or(StoreError::Failed)?)?)
    }

    /// Nobody is told until then; `None` takes that back.
    pub(crate) async fn silence(
        &self,
        id: u64,
        until_us: Option<Micros>,
        by: &str,
        author: &Author,
    ) -> Result<Alert, ChangeFailure> {
        self.check_alert(id).await?;
        let mut client = self.alerts.clone();
        let by = by.to_owned();
        let request = v1::SilenceAlertRequest { id, until_us, by };
        let answer = changed(client.silence_alert(in_name_of(author, request))).await?;
        Ok(read(answer.alert.ok_or(StoreError::Failed)?)?)
    }

    /// What rules expect, by system.
    pub(crate) async fn heartbeats(&self) -> Result<Vec<Heartbeat>, StoreError> {
        let answer = answer(|| {
            let mut client = self.alerts.clone();
            let request = told_deadline(v1::ListHeartbeatsRequest {});
            async move { client.list_heartbeats(request).await }
        });
        let mut heartbeats: Vec<Heartbeat> = read_all(answer.await?.heartbeats)?;
        heartbeats.retain(|heartbeat| self.sees(&heartbeat.system_id));
        Ok(heartbeats)
    }

    /// The rules of the newest run, as they are written but for secrets.
    pub(crate) async fn rules(&self) -> Result<Vec<Rule>, StoreError> {
        self.require_all()?;
        let answer = answer(|| {
            let mut client = self.alerts.clone();
            let request = told_deadline(v1::ListRulesRequest {});
            async move { client.list_rules(request).await }
        });
        let rules = answer.await?.rules.into_iter().map(Rule::from);
        Ok(rules.map(public_rule).collect())
    }

    /// Runs, newest first, and the cursor for the following.
    pub(crate) async fn runs(
        &self,
        limit: u32,
        before: u64,
    ) -> Result<(Vec<Run>, Option<u64>), StoreError> {
        self.require_all()?;
        let answer = answer(|| {
            let mut client = self.alerts.clone();
            let request = told_deadline(v1::ListRunsRequest { limit, before });
            async move { client.list_runs(request).await }
        })
        .await?;
        let runs = answer.runs.into_iter().map(Run::from).collect();
        Ok((runs, (answer.next > 0).then_some(answer.next)))
    }

    /// Whether all is well.
    pub(crate) async fn glance(&self) -> Result<Glance, StoreError> {
        let answer = answer(|| {
            let mut client = self.alerts.clone();
            let request = told_deadline(v1::GetAlertStatusRequest {});
            async move { client.get_alert_status(request).await }
        })
        .await?;
        let glance = Glance {
            firing: answer.firing,
            unattended: answer.unattended,
            waiting: answer.waiting,
            failed: answer.failed,
            last_run: answer.last_run.map(Run::from),
            judged_us: answer.judged_us,
            is_late: answer.late,
            interval_s: answer.interval_s,
            link_key: answer.link_key.into(),
            troubled: read_notifications(answer.troubled)?,
        };
        match self.systems {
            None => Ok(glance),
            Some(_) => self.limited_glance(glance).await,
        }
    }
}

fn read<T, U: TryFrom<T>>(value: T) -> Result<U, StoreError> {
    U::try_from(value).map_err(|_| StoreError::Failed)
}

fn read_all<T, U: TryFrom<T>>(values: Vec<T>) -> Result<Vec<U>, StoreError> {
    values.into_iter().map(read).collect()
}

/// As everybody may read them.
fn read_notifications(values: Vec<v1::Notification>) -> Result<Vec<Notification>, StoreError> {
    let notifications: Vec<Notification> = read_all(values)?;
    Ok(notifications.into_iter().map(public_notification).collect())
}
