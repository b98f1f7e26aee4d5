//! A delivery that is killed at any point: nothing is missed, and what comes
//! twice is the same mail.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use domain::{DeliveryState, Notification};
use serde_json::json;
use testkit::{Process, wait_until};

use crate::{
    fake_store::{FakeStore, now_us},
    mail::build,
    mail_server::{MailServer, header},
};

const KILLS: usize = 60;
const MAILS: usize = 400;
const SOON: Duration = Duration::from_secs(60);

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

fn start(store: &FakeStore, url: &str, environment: &[(&str, String)]) -> Process {
    let environment = environment.iter().map(|(name, value)| (*name, value));
    Process::start(program(), [store.url(), url], environment)
}

fn notifications() -> Vec<Notification> {
    let fresh = |number: usize| Notification {
        created_us: now_us(),
        message_id: format!("herald.testing.r{number}.x@host"),
        ..build::notification(&["anna@example.com"], "full")
    };
    (0..MAILS).map(fresh).collect()
}

#[tokio::test]
async fn nothing_is_missed_and_a_kill_repeats_one_mail_at_most() {
    let server = MailServer::start(&["--pause-ms", "1"]).await;
    let store = FakeStore::with(notifications()).await;
    let mut kills = 0;
    for round in 0..KILLS {
        let taken = server.taken();
        if taken + 5 > MAILS {
            break;
        }
        let mut process = start(&store, &server.url(), &[]);
        // In turn: as soon as a mail is taken, or has been reported, or some mails later.
        let reported = store.reports().len();
        wait_until("it is at work", SOON, async || match round % 3 {
            0 => server.taken() > taken,
            1 => store.reports().len() > reported,
            _ => server.taken() > taken + 2,
        })
        .await;
        process.kill().await;
        kills += 1;
    }
    let mut last = start(&store, &server.url(), &[]);
    assert!(last.end(SOON).await.success(), "{}", last.stdout());

    assert!(kills >= 50, "{kills}");
    let is_delivered = |it: &domain::Delivery| it.state == DeliveryState::Delivered;
    assert!(store.deliveries().iter().all(is_delivered));
    let mut times: HashMap<String, usize> = HashMap::new();
    for mail in server.mails() {
        *times
            .entry(header(&mail, "Message-ID").to_owned())
            .or_default() += 1;
    }
    assert_eq!(times.len(), MAILS);
    let repeats: usize = times.values().map(|times| times - 1).sum();
    assert!(repeats <= kills, "{repeats} repeats of {kills} kills");
    // Some kills meet the time between acceptance and report; else this shows nothing.
    assert!(repeats > 0, "no kill met a mail on its way");
}

#[tokio::test]
async fn a_login_over_a_certificate_that_is_checked() {
    for (kind, scheme, option) in [
        ("required", "smtp", "?tls=required"),
        ("smtps", "smtps", ""),
    ] {
        let options = ["--tls", kind, "--login", "anna@x:se/cret"];
        let server = MailServer::start(&options).await;
        let store = FakeStore::with(vec![notifications().remove(0)]).await;
        let url = format!(
            "{scheme}://anna%40x:se%2Fcret@127.0.0.1:{}{option}",
            server.port()
        );
        let trusted = [("SSL_CERT_FILE", server.authority().display().to_string())];
        let mut process = start(&store, &url, &trusted);
        assert!(process.end(SOON).await.success());
        let mails = server.mails();
        assert_eq!(mails.len(), 1, "{}{}", process.stdout(), process.stderr());
        assert_eq!(mails[0]["is_encrypted"], json!(true));
    }
}
