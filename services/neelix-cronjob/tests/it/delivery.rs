//! The outbox against mail servers that misbehave.

use std::time::{Duration, Instant};

use domain::{Delivery, DeliveryState, Notification};
use neelix_cronjob::{
    delivery::{Delivered, Post, StoreClock, deliver_due},
    mailer,
};
use serde_json::{Value, json};
use testkit::{MailServer, mail_server::header};
use tokio_util::sync::CancellationToken;

use crate::{
    fake_store::{FakeStore, RUN, now_us},
    mail::{build, notification, post},
};

const THREE: [&str; 3] = ["anna@example.com", "bob@example.com", "carl@example.com"];

async fn deliver(store: &FakeStore, post: &Post) -> Delivered {
    let clock = StoreClock::new(now_us());
    let shutdown = CancellationToken::new();
    deliver_due(&mut store.client(), RUN, clock, post, &shutdown).await
}

/// A notification that has just been made.
fn fresh(recipients: &[&str]) -> Notification {
    Notification {
        created_us: now_us(),
        ..notification(recipients)
    }
}

fn counts(delivered: &Delivered) -> (u32, u32) {
    (delivered.delivered, delivered.undelivered)
}

fn states(store: &FakeStore) -> Vec<DeliveryState> {
    store.deliveries().iter().map(|it| it.state).collect()
}

fn takers(server: &MailServer) -> Vec<Value> {
    server
        .mails()
        .iter()
        .map(|mail| mail["to"][0].clone())
        .collect()
}

/// The same with less patience.
fn impatient(mut post: Post) -> Post {
    if let mailer::MailServer::Smtp(server) = &mut post.server {
        server.timeout = Duration::from_millis(300);
        server.patience = server.timeout;
    }
    post
}

#[tokio::test]
async fn everything_due_is_delivered_and_reported() {
    let server = MailServer::start(&[]).await;
    let notifications = (0..30).map(|_| fresh(&THREE)).collect();
    let store = FakeStore::with(notifications).await;
    let before = now_us();
    let delivered = deliver(&store, &post(&server.url())).await;
    assert_eq!(counts(&delivered), (90, 0));
    assert_eq!(delivered.errors, Vec::<String>::new());
    assert_eq!(server.taken(), 90);
    for delivery in store.deliveries() {
        assert_eq!(delivery.state, DeliveryState::Delivered);
        assert!(delivery.delivered_us >= Some(before), "{delivery:?}");
    }
    assert_eq!(counts(&deliver(&store, &post(&server.url())).await), (0, 0));
}

#[tokio::test]
async fn a_refused_recipient_does_not_stop_the_others() {
    let server = MailServer::start(&["--refuse", "bob@example.com"]).await;
    let store = FakeStore::with(vec![fresh(&THREE)]).await;
    let delivered = deliver(&store, &post(&server.url())).await;
    assert_eq!(counts(&delivered), (2, 1));
    let [delivered_1, failed, delivered_2] = &store.deliveries()[..] else {
        panic!("three deliveries");
    };
    assert_eq!(delivered_1.state, DeliveryState::Delivered);
    assert_eq!(delivered_2.state, DeliveryState::Delivered);
    assert_eq!(failed.state, DeliveryState::Failed);
    assert_eq!(failed.error, "550: 5.1.1 <bob@example.com> unknown");
    assert_eq!(takers(&server), ["anna@example.com", "carl@example.com"]);
    let to = THREE.join(", ");
    assert!(server.mails().iter().all(|mail| header(mail, "To") == to));
    assert_eq!(
        delivered.errors,
        ["mail failed: 550: 5.1.1 <address> unknown"]
    );
}

#[tokio::test]
async fn a_greylisted_mail_goes_later_with_the_same_headers() {
    let server = MailServer::start(&["--greylist"]).await;
    let mut notification = fresh(&THREE);
    notification.deliveries[0].state = DeliveryState::Delivered;
    let store = FakeStore::with(vec![notification]).await;
    let before = now_us();
    assert_eq!(counts(&deliver(&store, &post(&server.url())).await), (0, 2));
    assert_eq!(server.taken(), 0);
    for delivery in &store.deliveries()[1..] {
        assert_eq!(delivery.state, DeliveryState::Waiting);
        assert!(delivery.error.starts_with("451: 4.7.1"), "{delivery:?}");
        let pause = delivery.next_attempt_us - before;
        assert!((60_000_000..90_000_000).contains(&pause), "{pause}");
    }
    assert_eq!(counts(&deliver(&store, &post(&server.url())).await), (0, 0));
    store.hurry();
    assert_eq!(counts(&deliver(&store, &post(&server.url())).await), (2, 0));
    let to = THREE.join(", ");
    assert!(server.mails().iter().all(|mail| header(mail, "To") == to));
    assert_eq!(takers(&server), ["bob@example.com", "carl@example.com"]);
}

#[tokio::test]
async fn a_server_that_is_down_leaves_the_outbox_for_later() {
    let notifications = (0..50).map(|_| fresh(&THREE)).collect();
    let store = FakeStore::with(notifications).await;
    let url = format!("smtp://127.0.0.1:{}", testkit::port::free());
    let delivered = deliver(&store, &post(&url)).await;
    assert_eq!(counts(&delivered), (0, 150));
    let deliveries = store.deliveries();
    assert!(
        deliveries
            .iter()
            .all(|it| it.state == DeliveryState::Waiting)
    );
    let is_untried = |it: &&Delivery| {
        it.error
            .starts_with("not tried: the mail server cannot be used")
    };
    assert_eq!(deliveries.iter().filter(is_untried).count(), 149);
    let reports = store.reports().len();
    assert_eq!(reports, 150);
    assert!(
        delivered.errors.iter().any(|it| it.contains("refused")),
        "{delivered:?}"
    );
}

#[tokio::test]
async fn a_slow_server_costs_one_timeout() {
    for options in [["--silent"], ["--hold"]] {
        let server = MailServer::start(&options).await;
        let notifications = (0..20).map(|_| fresh(&THREE)).collect();
        let store = FakeStore::with(notifications).await;
        let start = Instant::now();
        let delivered = deliver(&store, &impatient(post(&server.url()))).await;
        assert_eq!(counts(&delivered), (0, 60), "{options:?}");
        let tried = store.deliveries()[0].error.clone();
        assert!(tried.contains("did not answer"), "{tried}");
        // Sixty times the timeout would be eighteen seconds.
        assert!(start.elapsed() < Duration::from_secs(15), "{options:?}");
    }
}

/// Guards: a server that takes its time over a mail was left alone with it, and got it
/// again and again.
#[tokio::test]
async fn a_server_that_takes_its_time_gets_a_mail_once() {
    let server = MailServer::start(&["--pause-ms", "1000"]).await;
    let mut post = impatient(post(&server.url()));
    if let mailer::MailServer::Smtp(server) = &mut post.server {
        server.patience = Duration::from_secs(60);
    }
    let store = FakeStore::with(vec![fresh(&["anna@example.com"])]).await;
    assert_eq!(counts(&deliver(&store, &post).await), (1, 0));
    store.hurry();
    assert_eq!(counts(&deliver(&store, &post).await), (0, 0));
    assert_eq!(server.taken(), 1);
}

#[tokio::test]
async fn a_broken_connection_is_made_anew() {
    for (close, taken) in [("data", 2), ("taken", 3)] {
        let server = MailServer::start(&["--close", close]).await;
        let store = FakeStore::with(vec![fresh(&THREE)]).await;
        let delivered = deliver(&store, &post(&server.url())).await;
        assert_eq!(counts(&delivered), (2, 1), "{close}");
        let waiting = &store.deliveries()[0];
        assert_eq!(waiting.state, DeliveryState::Waiting, "{close}");
        assert!(waiting.error.contains("broke"), "{close}: {waiting:?}");
        assert_eq!(server.taken(), taken, "{close}");
        store.hurry();
        assert_eq!(counts(&deliver(&store, &post(&server.url())).await), (1, 0));
        // What was taken but not answered comes twice, and is the same mail.
        let originals = server.originals();
        assert!(
            originals.iter().all(|mail| *mail == originals[0]),
            "{close}"
        );
        assert_eq!(originals.len(), taken + 1, "{close}");
    }
}

#[tokio::test]
async fn a_goodbye_concerns_nobody_else() {
    let server = MailServer::start(&["--goodbye"]).await;
    let store = FakeStore::with(vec![fresh(&THREE)]).await;
    assert_eq!(counts(&deliver(&store, &post(&server.url())).await), (2, 1));
    assert_eq!(states(&store)[0], DeliveryState::Waiting);
}

#[tokio::test]
async fn a_refused_mail_has_failed_and_a_refused_sender_waits() {
    let server = MailServer::start(&["--refuse-data"]).await;
    let store = FakeStore::with(vec![fresh(&THREE)]).await;
    assert_eq!(counts(&deliver(&store, &post(&server.url())).await), (0, 3));
    assert_eq!(states(&store), [DeliveryState::Failed; 3]);

    let server = MailServer::start(&["--refuse-sender"]).await;
    let store = FakeStore::with(vec![fresh(&THREE)]).await;
    assert_eq!(counts(&deliver(&store, &post(&server.url())).await), (0, 3));
    assert_eq!(states(&store), [DeliveryState::Waiting; 3]);
    assert!(store.deliveries()[2].error.starts_with("not tried: 550"));
}

#[tokio::test]
async fn mails_are_kept_where_there_is_no_server() {
    let store = FakeStore::with(vec![fresh(&THREE)]).await;
    assert_eq!(counts(&deliver(&store, &post("keep:")).await), (0, 0));
    assert_eq!(states(&store), [DeliveryState::Kept; 3]);
}

/// Guards: age alone made a mail fail that had hardly been tried.
#[tokio::test]
async fn what_was_tried_for_too_long_has_failed() {
    let check = async |attempts: u32, expected: DeliveryState| {
        let mut old = Notification {
            created_us: now_us() - 4 * 86_400_000_000,
            ..notification(&["anna@example.com"])
        };
        old.deliveries[0].attempts = attempts;
        let store = FakeStore::with(vec![old]).await;
        let url = format!("smtp://127.0.0.1:{}", testkit::port::free());
        deliver(&store, &post(&url)).await;
        assert_eq!(states(&store), [expected], "{attempts}");
    };
    check(0, DeliveryState::Waiting).await;
    check(200, DeliveryState::Failed).await;
}

#[tokio::test]
async fn an_address_that_is_none_has_failed() {
    let store = FakeStore::with(vec![fresh(&["nobody"])]).await;
    assert_eq!(
        counts(&deliver(&store, &post("smtp://127.0.0.1:1")).await),
        (0, 1)
    );
    assert_eq!(states(&store), [DeliveryState::Failed]);
}

#[tokio::test]
async fn a_report_is_repeated_until_the_store_is_back() {
    let server = MailServer::start(&[]).await;
    let store = FakeStore::with(vec![fresh(&THREE)]).await;
    store.fail_reports(2, tonic::Code::Unavailable);
    assert_eq!(counts(&deliver(&store, &post(&server.url())).await), (3, 0));
    assert_eq!(server.taken(), 3);
}

#[tokio::test]
async fn a_run_that_lost_its_lease_sends_nothing_more() {
    let server = MailServer::start(&[]).await;
    let store = FakeStore::with(vec![fresh(&THREE)]).await;
    store.fail_reports(1, tonic::Code::Aborted);
    let delivered = deliver(&store, &post(&server.url())).await;
    assert_eq!(counts(&delivered), (0, 0));
    assert_eq!(
        delivered.errors,
        ["another run has begun: this one delivers nothing more"]
    );
    assert_eq!(server.taken(), 1);
}

#[tokio::test]
async fn it_ends_between_two_attempts_when_asked_to() {
    let store = FakeStore::with(vec![fresh(&THREE)]).await;
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let clock = StoreClock::new(now_us());
    let post = post("smtp://127.0.0.1:1");
    let delivered = deliver_due(&mut store.client(), RUN, clock, &post, &shutdown).await;
    assert_eq!(counts(&delivered), (0, 0));
    assert_eq!(store.reports().len(), 0);
    assert_eq!(delivered.errors.len(), 1);
}

#[tokio::test]
async fn an_encrypted_connection_is_used_where_it_is_offered() {
    let server = MailServer::start(&["--tls", "starttls"]).await;
    let check = async |url: String, is_encrypted: bool| {
        let store = FakeStore::with(vec![fresh(&["anna@example.com"])]).await;
        assert_eq!(counts(&deliver(&store, &post(&url)).await), (1, 0), "{url}");
        let mails = server.mails();
        assert_eq!(
            mails.last().unwrap()["is_encrypted"],
            json!(is_encrypted),
            "{url}"
        );
    };
    check(server.url(), true).await;
    check(format!("{}?tls=none", server.url()), false).await;
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_trusted_with_anything() {
    let server = MailServer::start(&["--tls", "starttls"]).await;
    let secure = MailServer::start(&["--tls", "smtps"]).await;
    let plain = MailServer::start(&[]).await;
    for url in [
        format!("{}?tls=required", server.url()),
        format!("smtps://127.0.0.1:{}", secure.port()),
        format!("{}?tls=required", plain.url()),
    ] {
        let store = FakeStore::with(vec![fresh(&THREE)]).await;
        assert_eq!(counts(&deliver(&store, &post(&url)).await), (0, 3), "{url}");
        assert_eq!(states(&store), [DeliveryState::Waiting; 3]);
    }
    assert_eq!(server.taken() + secure.taken() + plain.taken(), 0);
}

#[tokio::test]
async fn a_wrong_password_waits_for_a_right_one() {
    let server = MailServer::start(&["--tls", "required", "--login", "anna:right"]).await;
    let with = |password: &str| {
        let port = server.port();
        post(&format!(
            "smtp://anna:{password}@127.0.0.1:{port}?tls=opportunistic"
        ))
    };
    let store = FakeStore::with(vec![fresh(&THREE)]).await;
    let delivered = deliver(&store, &with("wrong")).await;
    assert_eq!(counts(&delivered), (0, 3));
    let told = format!("{delivered:?} {:?}", store.deliveries());
    assert!(told.contains("535"), "{told}");
    assert!(!told.contains("wrong"), "{told}");
    store.hurry();
    assert_eq!(counts(&deliver(&store, &with("right")).await), (3, 0));
    assert_eq!(takers(&server), THREE);
}

#[tokio::test]
async fn many_recipients_each_get_theirs() {
    let server = MailServer::start(&[]).await;
    // More than a line of a mail may have.
    let name = "x".repeat(50);
    let recipients: Vec<String> = (0..40)
        .map(|it| format!("{name}{it}@example.com"))
        .collect();
    let names: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let mut notification = build::notification(&names, "full");
    notification.created_us = now_us();
    let store = FakeStore::with(vec![notification]).await;
    let delivered = deliver(&store, &post(&server.url())).await;
    assert_eq!(counts(&delivered), (40, 0), "{:?}", delivered.errors);
    assert_eq!(takers(&server), recipients);
}
