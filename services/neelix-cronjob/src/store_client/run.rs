//! The run, its lease, and what it leaves behind.

use domain::{Alert, AlertSubject, Heartbeat, Notification, Rule, RunState, SeenSystem};
use proto::v1;
use tonic::Code;

use super::{StoreClient, StoreError, told_deadline};

/// How long the lease holds without being renewed, in seconds.
const LEASE_S: u32 = 60;
/// How many systems one answer has.
const SYSTEMS: u32 = 5_000;
/// How many alerts are looked at to tell how often it happened before.
const EARLIER: u32 = 1_000;

/// Whether a run could begin.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It has.
    Run { id: u64, state: RunState },
    /// Another one goes on: whose, and until when.
    Held(String),
}

/// All that a run leaves behind.
#[derive(Debug)]
pub(crate) struct Commitment {
    pub(crate) through_id: u64,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) notifications: Vec<Notification>,
    pub(crate) heartbeats: Vec<Heartbeat>,
    pub(crate) rules: Vec<Rule>,
}

impl StoreClient {
    /// Begins a run.
    pub(crate) async fn begin(&self, holder: String, interval_s: u32) -> Result<Begun, StoreError> {
        let mut client = self.runs.clone();
        let request = told_deadline(v1::BeginRunRequest {
            holder,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lease_s: LEASE_S,
            interval_s,
        });
        match self.answer("begin a run", client.begin_run(request)).await {
            Ok(begun) => Ok(Begun::Run {
                id: begun.run_id,
                state: state(begun.state, "begin a run")?,
            }),
            Err(StoreError::Refused {
                code: Code::FailedPrecondition,
                message,
                ..
            }) => Ok(Begun::Held(message)),
            Err(error) => Err(error),
        }
    }

    /// What a run would begin with.
    pub(crate) async fn state(&self) -> Result<RunState, StoreError> {
        const WHAT: &str = "tell where a run would begin";
        let mut client = self.runs.clone();
        let request = told_deadline(v1::GetRunStateRequest {});
        let answer = self.answer(WHAT, client.get_run_state(request)).await?;
        state(answer.state, WHAT)
    }

    /// Every system seen.
    pub(crate) async fn systems(&self) -> Result<Vec<SeenSystem>, StoreError> {
        let mut systems: Vec<SeenSystem> = Vec::new();
        loop {
            let last = systems.last();
            let request = v1::ListSeenSystemsRequest {
                after_system_id: last.map(|last| last.system_id.clone()).unwrap_or_default(),
                after_sub_system_id: last
                    .map(|last| last.sub_system_id.clone())
                    .unwrap_or_default(),
                limit: SYSTEMS,
            };
            let mut client = self.runs.clone();
            let asked = client.list_seen_systems(told_deadline(request));
            let answer = self.answer("list systems", asked).await?;
            let is_last = !answer.more || answer.systems.is_empty();
            systems.extend(answer.systems.into_iter().map(SeenSystem::from));
            if is_last {
                return Ok(systems);
            }
        }
    }

    /// Makes the lease longer.
    pub(crate) async fn renew(&self, run_id: u64) -> Result<(), StoreError> {
        let mut client = self.runs.clone();
        let request = told_deadline(v1::RenewRunRequest { run_id });
        self.answer("renew the run", client.renew_run(request))
            .await?;
        Ok(())
    }

    /// Keeps what a run has found.
    pub(crate) async fn commit(
        &self,
        run_id: u64,
        commitment: Commitment,
    ) -> Result<(), StoreError> {
        let mut client = self.runs.clone();
        let request = told_deadline(v1::CommitRunRequest {
            run_id,
            through_id: commitment.through_id,
            alerts: commitment.alerts.into_iter().map(Into::into).collect(),
            notifications: commitment
                .notifications
                .into_iter()
                .map(Into::into)
                .collect(),
            heartbeats: commitment.heartbeats.into_iter().map(Into::into).collect(),
            rules: commitment.rules.into_iter().map(Into::into).collect(),
        });
        self.answer("keep what was found", client.commit_run(request))
            .await?;
        Ok(())
    }

    /// Ends a run.
    pub(crate) async fn end(&self, run_id: u64, errors: Vec<String>) -> Result<(), StoreError> {
        let mut client = self.runs.clone();
        let request = told_deadline(v1::EndRunRequest { run_id, errors });
        self.answer("end the run", client.end_run(request)).await?;
        Ok(())
    }

    /// Whether the newest run that kept anything had rules.
    pub(crate) async fn has_rules(&self) -> Result<bool, StoreError> {
        let mut client = self.alerts.clone();
        let request = told_deadline(v1::ListRulesRequest {});
        let answer = self
            .answer("list rules", client.list_rules(request))
            .await?;
        Ok(!answer.rules.is_empty())
    }

    /// How many alerts of a subject there were before one; of many, as many as are
    /// looked at.
    pub(crate) async fn earlier(&self, subject: &AlertSubject, id: u64) -> Result<u64, StoreError> {
        let mut client = self.alerts.clone();
        let request = told_deadline(v1::ListAlertsRequest {
            state: v1::AlertState::Unspecified.into(),
            rule: subject.rule.clone(),
            system_id: subject.system_id.clone(),
            limit: EARLIER,
            before: id,
        });
        let answer = self
            .answer("list alerts", client.list_alerts(request))
            .await?;
        let is_same = |alert: &&v1::Alert| {
            alert.condition == subject.condition && alert.sub_system_id == subject.sub_system_id
        };
        Ok(answer.alerts.iter().filter(is_same).count() as u64)
    }
}

fn state(state: Option<v1::RunState>, what: &'static str) -> Result<RunState, StoreError> {
    let state = state.ok_or(StoreError::Meaningless(what))?;
    RunState::try_from(state).map_err(|_| StoreError::Meaningless(what))
}
