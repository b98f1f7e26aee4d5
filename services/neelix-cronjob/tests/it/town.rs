//! A store that runs, records in it, and neelix as a process.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{Micros, Record};
use futures::{SinkExt, channel::mpsc};
use proto::v1::{
    self, AppendRequest, alert_service_client::AlertServiceClient, append_request::Step,
    ingest_service_client::IngestServiceClient, run_service_client::RunServiceClient,
};
use runtime::grpc::{self, Client};
use serde_json::Value;
use testkit::{Installation, Process};

pub(crate) const SOON: Duration = Duration::from_secs(60);
pub(crate) const MINUTE: Micros = 60_000_000;
pub(crate) const HOUR: Micros = 60 * MINUTE;
/// A spool that reads something in, and does not stand for programs: nobody waits
/// for it.
const SPOOL: &str = "00000000-0000-4000-8000-000000000001";
/// Records of a batch at most.
const BATCH: usize = 1_000;

/// A store, a rules file, and how many records there are.
pub(crate) struct Town {
    pub(crate) installation: Installation,
    _store: Process,
    next: u64,
}

/// How a process of neelix ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

impl Town {
    pub(crate) async fn new(rules: &str) -> Self {
        let installation = Installation::new()
            .with("STORE_RETENTION", "36500d")
            .with("NEELIX_SMTP_URL", "keep:");
        let rules_file = installation.folder().join("ps_neelix_t.cfg");
        let installation = installation.with("NEELIX_RULES", rules_file.display().to_string());
        let store = installation.store().await;
        let town = Self {
            installation,
            _store: store,
            next: 1,
        };
        town.rules(rules);
        town
    }

    /// Other rules from now on.
    pub(crate) fn rules(&self, rules: &str) {
        let file = self.installation.folder().join("ps_neelix_t.cfg");
        std::fs::write(file, rules).unwrap();
    }

    /// Runs neelix to its end.
    pub(crate) async fn neelix(&self, arguments: &[&str]) -> Ended {
        let mut process = self.installation.start("neelix-cronjob", arguments);
        let status = process.end(SOON).await;
        Ended {
            code: status.code(),
            stdout: process.stdout(),
            stderr: process.stderr(),
        }
    }

    /// A run that goes well: how many alerts it opened and resolved.
    pub(crate) async fn run(&self) -> (u64, u64) {
        let ended = self.neelix(&["--format", "json"]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let told = ended.json();
        (
            told["opened"].as_u64().unwrap(),
            told["resolved"].as_u64().unwrap(),
        )
    }

    /// Appends records, and waits until they are kept.
    pub(crate) async fn append(&mut self, records: impl IntoIterator<Item = Record>) {
        let records: Vec<Record> = records.into_iter().collect();
        let (mut requests, outgoing) = mpsc::channel(8);
        let open = v1::OpenSpool {
            bridge_id: SPOOL.to_owned(),
            name: "import".to_owned(),
            first_sequence: 1,
            ..v1::OpenSpool::default()
        };
        requests.send(step(Step::Open(open))).await.unwrap();
        let mut client = IngestServiceClient::new(self.client());
        let mut answers = client.append(outgoing).await.unwrap().into_inner();
        let end = self.next + records.len() as u64;
        for batch in records.chunks(BATCH) {
            let batch = v1::Batch {
                first_sequence: self.next,
                entries: batch.iter().map(entry).collect(),
                mark: "read in".to_owned(),
            };
            self.next += batch.entries.len() as u64;
            requests.send(step(Step::Batch(batch))).await.unwrap();
        }
        while let Some(answer) = answers.message().await.unwrap() {
            let is_end = matches!(answer.step, Some(v1::append_response::Step::Acknowledged(
                acknowledged,
            )) if acknowledged.next_sequence >= end);
            if is_end {
                return;
            }
        }
        panic!("the store has closed the stream");
    }

    /// Alerts that go on, oldest first: condition and system.
    pub(crate) async fn firing(&self) -> Vec<(String, String)> {
        let alerts = self.alerts(v1::AlertState::Firing).await;
        let of = |alert: v1::Alert| (alert.condition, alert.system_id);
        alerts.into_iter().map(of).collect()
    }

    /// Alerts in a state, oldest first.
    pub(crate) async fn alerts(&self, state: v1::AlertState) -> Vec<v1::Alert> {
        let request = v1::ListAlertsRequest {
            state: state.into(),
            limit: 1_000,
            ..v1::ListAlertsRequest::default()
        };
        let mut client = AlertServiceClient::new(self.client());
        let mut alerts = client
            .list_alerts(request)
            .await
            .unwrap()
            .into_inner()
            .alerts;
        alerts.reverse();
        alerts
    }

    /// Notifications about an alert, oldest first.
    pub(crate) async fn notifications(&self, id: u64) -> Vec<v1::Notification> {
        let mut client = AlertServiceClient::new(self.client());
        let request = v1::GetAlertRequest { id };
        let mut told = client
            .get_alert(request)
            .await
            .unwrap()
            .into_inner()
            .notifications;
        told.reverse();
        told
    }

    /// What is expected, by system.
    pub(crate) async fn heartbeats(&self) -> Vec<v1::Heartbeat> {
        let mut client = AlertServiceClient::new(self.client());
        let request = v1::ListHeartbeatsRequest {};
        let answer = client.list_heartbeats(request).await;
        answer.unwrap().into_inner().heartbeats
    }

    /// The newest run.
    pub(crate) async fn last_run(&self) -> v1::Run {
        let request = v1::ListRunsRequest {
            limit: 1,
            before: 0,
        };
        let mut client = AlertServiceClient::new(self.client());
        client
            .list_runs(request)
            .await
            .unwrap()
            .into_inner()
            .runs
            .remove(0)
    }

    pub(crate) fn runs(&self) -> RunServiceClient<Client> {
        RunServiceClient::new(self.client())
    }

    fn client(&self) -> Client {
        grpc::channel(&self.installation.store_url()).unwrap()
    }
}

/// Now.
pub(crate) fn now_us() -> Micros {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_micros() as Micros
}

/// A record of a system.
pub(crate) fn record(system_id: &str, message: &str, received_us: Micros) -> Record {
    Record {
        system_id: system_id.to_owned(),
        message: message.to_owned(),
        received_us,
        created_us: received_us,
        ..testkit::record(3)
    }
}

fn entry(record: &Record) -> v1::Entry {
    domain::Entry::Record(Box::new(record.clone())).into()
}

fn step(step: Step) -> AppendRequest {
    AppendRequest { step: Some(step) }
}
