//! A delivery that is killed at any point: nothing is missed, and what comes
//! twice is the same mail.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use domain::Notification;
use proto::v1::{
    self, alert_service_client::AlertServiceClient, run_service_client::RunServiceClient,
};
use runtime::grpc::{self, Client};
use serde_json::json;
use testkit::{Installation, MailServer, Process, mail_server::header, wait_until};

use crate::{fake_store::now_us, mail::build};

/// Unless `HERALD_KILLS` says otherwise.
const KILLS: usize = 50;
/// A run has at most 1,000 messages.
const KILLS_PER_RUN: usize = 100;
/// More than are sent until the next kill.
const MAILS_PER_KILL: usize = 6;
/// The longest lease there is.
const LEASE_S: u32 = 600;
const SOON: Duration = Duration::from_mins(3);

/// The program, built if it is not up to date.
fn program() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).expect("target/profile/deps/test");
        let mut build = Command::new(std::env::var("CARGO").unwrap_or("cargo".to_owned()));
        build.args(["build", "--quiet", "--package", "neelix-cronjob"]);
        build.args(["--example", "deliver", "--target-dir"]);
        build.arg(profile.parent().expect("target"));
        if profile.ends_with("release") {
            build.arg("--release");
        }
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().unwrap().success(), "deliver does not build");
        profile.join("examples/deliver")
    })
}

/// A real store, whose run at hand has found something to tell.
struct Outbox {
    herald: Installation,
    runs: RunServiceClient<Client>,
    run_id: u64,
    _store: Process,
}

impl Outbox {
    async fn with(notifications: Vec<Notification>) -> Self {
        let herald = Installation::new();
        let store = herald.store().await;
        let mut runs = RunServiceClient::new(grpc::channel(&herald.store_url()).unwrap());
        let begun = runs.begin_run(v1::BeginRunRequest {
            holder: "test".to_owned(),
            lease_s: LEASE_S,
            ..v1::BeginRunRequest::default()
        });
        let run_id = begun.await.unwrap().into_inner().run_id;
        let alert = build::letter(&[], "").findings.remove(0).alert;
        let alert = domain::Alert { id: 1, ..alert };
        let commit = runs.commit_run(v1::CommitRunRequest {
            run_id,
            alerts: vec![alert.into()],
            notifications: notifications.into_iter().map(Into::into).collect(),
            ..v1::CommitRunRequest::default()
        });
        commit.await.unwrap();
        Self {
            herald,
            runs,
            run_id,
            _store: store,
        }
    }

    fn deliver(&self, mail_server: &str, environment: &[(&str, String)]) -> Process {
        let environment = environment.iter().map(|(name, value)| (*name, value));
        let run_id = self.run_id.to_string();
        let arguments = [&self.herald.store_url(), mail_server, &run_id];
        Process::start(program(), arguments, environment)
    }

    /// How many deliveries wait, and how many failed.
    async fn left(&mut self) -> (u64, u64) {
        let url = self.herald.store_url();
        let mut alerts = AlertServiceClient::new(grpc::channel(&url).unwrap());
        let status = alerts.get_alert_status(v1::GetAlertStatusRequest {}).await;
        let status = status.unwrap().into_inner();
        (status.waiting, status.failed)
    }

    async fn end(&mut self) {
        let (run_id, errors) = (self.run_id, Vec::new());
        let ended = self
            .runs
            .end_run(v1::EndRunRequest { run_id, errors })
            .await;
        ended.unwrap();
    }
}

fn notifications(number: usize) -> Vec<Notification> {
    let fresh = |number: usize| Notification {
        created_us: now_us(),
        message_id: format!("herald.testing.r{number}.x@host"),
        alert_ids: vec![1],
        ..build::notification(&["anna@example.com"], "full")
    };
    (0..number).map(fresh).collect()
}

#[tokio::test]
async fn nothing_is_missed_and_a_kill_repeats_one_mail_at_most() {
    let wanted = std::env::var("HERALD_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let (mut kills, mut repeats) = (0, 0);
    for round in (0..wanted).step_by(KILLS_PER_RUN) {
        let (killed, repeated) = kill_often(KILLS_PER_RUN.min(wanted - round)).await;
        kills += killed;
        repeats += repeated;
    }
    assert!(kills * 10 >= wanted * 9, "{kills}");
    // Some kills meet the time between acceptance and report; else this shows nothing.
    assert!(repeats > 0, "no kill met a mail on its way");
}

/// Kills the delivery of one run's messages again and again: how often, and how many mails
/// came twice.
async fn kill_often(wanted: usize) -> (usize, usize) {
    let mails = wanted * MAILS_PER_KILL;
    let server = MailServer::start(&["--pause-ms", "5"]).await;
    let mut outbox = Outbox::with(notifications(mails)).await;
    let mut kills = 0;
    while kills < wanted && server.taken() + 5 < mails {
        let taken = server.taken();
        let mut process = outbox.deliver(&server.url(), &[]);
        // In turn: as soon as a mail is taken, or after some more.
        let more = kills % 4;
        wait_until("it is at work", SOON, async || {
            server.taken() > taken + more
        })
        .await;
        process.kill().await;
        kills += 1;
    }
    let mut last = outbox.deliver(&server.url(), &[]);
    assert!(last.end(SOON).await.success(), "{}", last.stdout());
    assert_eq!(outbox.left().await, (0, 0), "{}", last.stdout());
    outbox.end().await;

    let mut times: HashMap<String, usize> = HashMap::new();
    for mail in server.mails() {
        *times
            .entry(header(&mail, "Message-ID").to_owned())
            .or_default() += 1;
    }
    assert_eq!(times.len(), mails);
    let repeats: usize = times.values().map(|times| times - 1).sum();
    assert!(repeats <= kills, "{repeats} repeats of {kills} kills");
    (kills, repeats)
}

#[tokio::test]
async fn a_login_over_a_certificate_that_is_checked() {
    for (kind, scheme, option) in [
        ("required", "smtp", "?tls=required"),
        ("smtps", "smtps", ""),
    ] {
        let options = ["--tls", kind, "--login", "anna@x:se/cret"];
        let server = MailServer::start(&options).await;
        let outbox = Outbox::with(notifications(1)).await;
        let url = format!(
            "{scheme}://anna%40x:se%2Fcret@127.0.0.1:{}{option}",
            server.port()
        );
        let trusted = [("SSL_CERT_FILE", server.authority().display().to_string())];
        let mut process = outbox.deliver(&url, &trusted);
        assert!(process.end(SOON).await.success());
        let mails = server.mails();
        assert_eq!(mails.len(), 1, "{}{}", process.stdout(), process.stderr());
        assert_eq!(mails[0]["is_encrypted"], json!(true));
    }
}
