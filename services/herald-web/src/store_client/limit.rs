//! What somebody sees who sees some systems only. Every question goes through here: it is
//! narrowed, or what comes back is, or it is not asked.

use std::sync::Arc;

use domain::{
    AlertEventKind, ContextScope, CountQuery, Notification, Order, RecordFilter, RecordQuery,
    SavedSearch,
};
use proto::v1;

use super::{
    AlertPage, AlertQuery, AlertStory, ChangeFailure, Glance, RecordContext, StoreClient,
    StoreError,
};
use crate::{
    access::Systems,
    request::{self, BadQuery, Parameters, Reader, read_filter},
    utc,
};

/// Stands where a text may tell of other systems.
const NOT_SHOWN: &str = "(not shown: it may tell of other systems)";
/// How many alerts are counted of somebody's systems.
const COUNTED: u32 = 1_000;
/// How many lists of alerts are looked through for one.
const MOST_LISTS: usize = 20;
/// The most systems that the store lists.
const MOST_SYSTEMS: u32 = 10_000;

impl StoreClient {
    /// The same for somebody who sees these systems; none for all.
    pub(crate) fn limited(&self, systems: Option<&Systems>) -> Self {
        Self {
            systems: systems.cloned().map(Arc::new),
            ..self.clone()
        }
    }

    /// What answers are for, in one line: two who see the same share it.
    pub(crate) fn sight(&self) -> String {
        self.systems
            .as_ref()
            .map_or_else(String::new, |systems| systems.to_string())
    }

    /// Whether somebody sees a system.
    pub(super) fn sees(&self, system_id: &str) -> bool {
        self.systems
            .as_ref()
            .is_none_or(|systems| systems.contain(system_id))
    }

    /// For what is about all systems.
    ///
    /// # Errors
    /// Somebody asks who does not see them.
    pub(super) fn require_all(&self) -> Result<(), StoreError> {
        match self.systems {
            None => Ok(()),
            Some(_) => Err(StoreError::Limited),
        }
    }

    /// The filter, and that records are of somebody's systems.
    pub(super) fn narrowed(&self, filter: &RecordFilter) -> RecordFilter {
        let mut filter = filter.clone();
        if let Some(systems) = &self.systems {
            filter.condition = systems.condition().and(filter.condition);
        }
        filter
    }

    /// A record between those neighbours that somebody sees.
    pub(super) async fn limited_context(
        &self,
        id: u64,
        before: u32,
        after: u32,
        scope: ContextScope,
    ) -> Result<RecordContext, StoreError> {
        let record = self.record(id).await?;
        let query = |order, limit: u32| RecordQuery {
            filter: RecordFilter::new(scope.condition(&record)),
            order,
            limit: limit as usize,
            before: (order == Order::NewestFirst).then_some(id),
            after: (order == Order::OldestFirst).then_some(id),
        };
        let list = async |order, limit| match limit {
            0 => Ok((Vec::new(), false)),
            _ => {
                let page = self.list(query(order, limit)).await?;
                Ok::<_, StoreError>((page.records, page.partial))
            }
        };
        let (below, above) = tokio::try_join!(
            list(Order::NewestFirst, before),
            list(Order::OldestFirst, after)
        )?;
        let (mut before, after) = (below.0, above.0);
        before.reverse();
        Ok(RecordContext {
            before,
            record,
            after,
            partial: below.1 || above.1,
        })
    }

    /// The systems that somebody sees, `limit` at most.
    pub(super) fn seen_systems(
        &self,
        mut answer: v1::ListSystemsResponse,
        limit: u32,
    ) -> v1::ListSystemsResponse {
        answer.systems.retain(|system| self.sees(&system.system_id));
        let limit = limit as usize;
        answer.more |= answer.systems.len() > limit;
        answer.systems.truncate(limit);
        answer
    }

    /// What to ask for instead, so that enough is left.
    pub(super) fn more_systems(&self, request: v1::ListSystemsRequest) -> v1::ListSystemsRequest {
        v1::ListSystemsRequest {
            limit: MOST_SYSTEMS,
            ..request
        }
    }

    /// The store as far as it is about somebody's systems: how many records they have, and
    /// for how long these are kept.
    pub(super) async fn limited_status(
        &self,
        whole: v1::GetStatusResponse,
    ) -> Result<v1::GetStatusResponse, StoreError> {
        let counts = self.count(&CountQuery::default()).await?;
        Ok(v1::GetStatusResponse {
            records: counts.records,
            newest_id: whole.newest_id,
            version: whole.version,
            retention_s: whole.retention_s,
            started_us: whole.started_us,
            ..v1::GetStatusResponse::default()
        })
    }

    /// Alerts of somebody's systems: the store is asked until there are enough.
    pub(super) async fn limited_alerts(&self, query: &AlertQuery) -> Result<AlertPage, StoreError> {
        let mut found = AlertPage::default();
        if !query.system_id.is_empty() && !self.sees(&query.system_id) {
            return Ok(found);
        }
        let limit = query.limit.max(1) as usize;
        let mut asked = query.clone();
        for _ in 0..MOST_LISTS {
            let page = self.all_alerts(&asked).await?;
            let seen = page.alerts.into_iter();
            found
                .alerts
                .extend(seen.filter(|(alert, _)| self.sees(&alert.subject.system_id)));
            found.next = page.next;
            if found.alerts.len() > limit {
                found.alerts.truncate(limit);
                found.next = found.alerts.last().map(|(alert, _)| alert.id);
            }
            match found.next {
                Some(next) if found.alerts.len() < limit => asked.before = next,
                _ => break,
            }
        }
        Ok(found)
    }

    /// The story, if somebody may see it; mails may tell of other systems.
    pub(super) fn seen_story(&self, story: AlertStory) -> Result<AlertStory, StoreError> {
        if !self.sees(&story.alert.subject.system_id) {
            return Err(StoreError::NotFound);
        }
        let veiled = |notification: Notification| match self.systems {
            None => notification,
            Some(_) => veiled(notification, story.alert.id),
        };
        let notifications = story.notifications.into_iter().map(veiled).collect();
        let mut events = story.events;
        // What is noted of a mail is its subject.
        let of_mails = events
            .iter_mut()
            .filter(|event| event.kind == AlertEventKind::Notified);
        for event in of_mails.filter(|_| self.systems.is_some()) {
            NOT_SHOWN.clone_into(&mut event.note);
        }
        Ok(AlertStory {
            events,
            notifications,
            ..story
        })
    }

    /// Whether somebody may change an alert.
    ///
    /// # Errors
    /// There is none that they see.
    pub(super) async fn check_alert(&self, id: u64) -> Result<(), ChangeFailure> {
        if self.systems.is_none() {
            return Ok(());
        }
        match self.alert(id).await {
            Ok(_) => Ok(()),
            Err(StoreError::NotFound) => {
                Err(ChangeFailure::Missing(format!("there is no alert {id}")))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// How alerts of somebody's systems stand. Signed links say by themselves what they
    /// allow: by what they are signed is told.
    pub(super) async fn limited_glance(&self, whole: Glance) -> Result<Glance, StoreError> {
        let firing = AlertQuery {
            is_firing: Some(true),
            limit: COUNTED,
            ..AlertQuery::default()
        };
        let firing = self.limited_alerts(&firing).await?.alerts;
        let now = utc::now();
        let is_unattended =
            |alert: &domain::Alert| alert.acknowledged_us.is_none() && !alert.is_silenced(now);
        let unattended = firing
            .iter()
            .filter(|(alert, _)| is_unattended(alert))
            .count();
        let last_run = whole.last_run.map(|mut run| {
            run.errors.clear();
            (run.opened, run.resolved, run.delivered, run.undelivered) = (0, 0, 0, 0);
            run
        });
        Ok(Glance {
            firing: firing.len() as u64,
            unattended: unattended as u64,
            waiting: 0,
            failed: 0,
            last_run,
            troubled: Vec::new(),
            ..whole
        })
    }

    /// Whether a saved search is narrowed to somebody's systems: of any other, already the
    /// name may tell of others.
    pub(super) fn sees_search(&self, search: &SavedSearch) -> bool {
        let Some(systems) = &self.systems else {
            return true;
        };
        let parameters = Parameters::read(Some(search.query.as_str()), &[request::FILTER]);
        let mut reader = Reader::new(&parameters);
        let (filter, _) = read_filter(&mut reader, utc::now(), BadQuery::SearchWords);
        systems.contain_all_of(&filter.condition)
    }
}

fn veiled(notification: Notification, alert_id: u64) -> Notification {
    let subject = match notification.alert_ids == [alert_id] {
        true => notification.subject,
        false => NOT_SHOWN.to_owned(),
    };
    Notification {
        subject,
        text: NOT_SHOWN.to_owned(),
        html: String::new(),
        json: String::new(),
        alert_ids: vec![alert_id],
        ..notification
    }
}
