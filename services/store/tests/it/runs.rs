//! Runs of neelix: one at a time by a lease, all they found or nothing, once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::v1;
use tempfile::TempDir;
use testkit::wait_for;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    crash::{serving, start},
    harness::{Clients, DEADLINE, Store, entries},
};

/// The time of day: what ended long ago is removed.
pub(crate) fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_micros() as i64
}

/// A request to begin a run.
pub(crate) fn begin_request(lease_s: u32) -> v1::BeginRunRequest {
    v1::BeginRunRequest {
        holder: "host 7".to_owned(),
        version: "1.2.3".to_owned(),
        lease_s,
        interval_s: 0,
    }
}

/// Begins a run: its number, and what it begins with.
pub(crate) async fn begin(clients: &mut Clients) -> (u64, v1::RunState) {
    let begun = clients.runs.begin_run(begin_request(0)).await.unwrap();
    let begun = begun.into_inner();
    (begun.run_id, begun.state.unwrap())
}

/// Ends a run.
pub(crate) async fn end(clients: &mut Clients, run_id: u64) {
    let request = v1::EndRunRequest {
        run_id,
        errors: Vec::new(),
    };
    clients.runs.end_run(request).await.unwrap();
}

/// An alert of the rule `shop` that goes on.
pub(crate) fn alert(id: u64, system: &str) -> v1::Alert {
    v1::Alert {
        id,
        rule: "shop".to_owned(),
        condition: "MSG=disk full".to_owned(),
        kind: v1::AlertKind::Match.into(),
        system_id: system.to_owned(),
        state: v1::AlertState::Firing.into(),
        reason: "it matched".to_owned(),
        opened_us: 1_000,
        since_us: 900,
        ..v1::Alert::default()
    }
}

/// A delivery that waits since ever.
pub(crate) fn delivery(recipient: &str) -> v1::Delivery {
    v1::Delivery {
        channel: v1::DeliveryChannel::Mail.into(),
        recipient: recipient.to_owned(),
        state: v1::DeliveryState::Waiting.into(),
        ..v1::Delivery::default()
    }
}

/// A notification about alerts.
pub(crate) fn notification(message_id: &str, alert_ids: &[u64]) -> v1::Notification {
    v1::Notification {
        message_id: message_id.to_owned(),
        created_us: 1_001,
        subject: format!("subject of {message_id}"),
        text: "text".to_owned(),
        html: "<p>html</p>".to_owned(),
        json: "{}".to_owned(),
        alert_ids: alert_ids.to_vec(),
        deliveries: vec![delivery("a@example.org"), delivery("b@example.org")],
        ..v1::Notification::default()
    }
}

/// What a run found: these alerts.
pub(crate) fn found(run_id: u64, alerts: Vec<v1::Alert>) -> v1::CommitRunRequest {
    v1::CommitRunRequest {
        run_id,
        alerts,
        ..v1::CommitRunRequest::default()
    }
}

/// A whole run that finds this, with its number in place.
pub(crate) async fn run(clients: &mut Clients, mut request: v1::CommitRunRequest) -> u64 {
    let (run_id, state) = begin(clients).await;
    request.run_id = run_id;
    request.through_id = request.through_id.max(state.judged_id);
    clients.runs.commit_run(request).await.unwrap();
    end(clients, run_id).await;
    run_id
}

async fn due(clients: &mut Clients, run_id: u64) -> Result<Vec<v1::Notification>, Status> {
    let request = v1::ListDueNotificationsRequest { run_id, limit: 0 };
    let due = clients.runs.list_due_notifications(request).await?;
    Ok(due.into_inner().notifications)
}

async fn state(clients: &mut Clients) -> v1::RunState {
    let request = v1::GetRunStateRequest {};
    let state = clients.runs.get_run_state(request).await.unwrap();
    state.into_inner().state.unwrap()
}

async fn last_run(clients: &mut Clients) -> v1::Run {
    let request = v1::ListRunsRequest::default();
    let runs = clients.alerts.list_runs(request).await.unwrap();
    runs.into_inner().runs.remove(0)
}

fn check(status: &Status, code: Code, message: &str) {
    assert_eq!(status.code(), code, "{status}");
    assert!(status.message().contains(message), "{status}");
}

#[tokio::test]
async fn one_runs_at_a_time() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (first, state) = begin(&mut clients).await;
    assert_eq!((first, state.next_alert_id), (1, 1));
    assert_eq!(state.link_key.len(), 32);
    let refused = clients.runs.begin_run(begin_request(0)).await.unwrap_err();
    check(
        &refused,
        Code::FailedPrecondition,
        "run 1 of host 7 goes on, until 20",
    );
    end(&mut clients, first).await;
    // Whoever did not hear the answer may say so again.
    end(&mut clients, first).await;
    let (second, _) = begin(&mut clients).await;
    assert_eq!(second, 2);
}

#[tokio::test]
async fn who_lost_the_lease_changes_nothing() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let lost = clients.runs.begin_run(begin_request(1)).await.unwrap();
    let lost = lost.into_inner().run_id;
    // A lease that has run out is of no account until another has begun.
    let renew = v1::RenewRunRequest { run_id: lost };
    clients.runs.renew_run(renew).await.unwrap();
    let present = wait_for("the lease runs out", DEADLINE, async || {
        let begun = store.clients().runs.begin_run(begin_request(60)).await;
        begun.ok().map(|begun| begun.into_inner().run_id)
    })
    .await;
    assert_eq!(present, 2);
    let mut findings = found(lost, vec![alert(1, "shop")]);
    findings.notifications = vec![notification("a", &[1])];
    let message = "run 1 does not go on";
    let refused = clients.runs.commit_run(findings).await.unwrap_err();
    check(&refused, Code::Aborted, message);
    let refused = clients.runs.renew_run(renew).await.unwrap_err();
    check(&refused, Code::Aborted, message);
    check(
        &due(&mut clients, lost).await.unwrap_err(),
        Code::Aborted,
        message,
    );
    let report = v1::ReportDeliveryRequest {
        run_id: lost,
        delivery: Some(delivery("a@example.org")),
    };
    let refused = clients.runs.report_delivery(report).await.unwrap_err();
    check(&refused, Code::Aborted, message);
    let request = v1::EndRunRequest {
        run_id: lost,
        errors: Vec::new(),
    };
    let refused = clients.runs.end_run(request).await.unwrap_err();
    check(&refused, Code::Aborted, message);
    assert_eq!(store.count("SELECT count(*) FROM alert").await, 0);
    clients
        .runs
        .commit_run(found(present, Vec::new()))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_run_found_is_kept_once() {
    let mut store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(Uuid::from_u128(1)).await;
    bridge.append(1, entries("a", 1..11)).await.unwrap();
    let (run_id, begun) = begin(&mut clients).await;
    assert_eq!((begun.judged_id, begun.newest_id), (0, 10));
    let mut findings = found(run_id, vec![alert(1, "shop"), alert(2, "till")]);
    findings.through_id = 10;
    findings.notifications = vec![notification("a", &[1, 2])];
    findings.rules = vec![v1::Rule {
        name: "shop".to_owned(),
        text: "[shop]\n# a comment".to_owned(),
        recipients: vec!["a@example.org".to_owned()],
        line: 3,
    }];
    findings.heartbeats = vec![v1::Heartbeat {
        rule: "shop".to_owned(),
        condition: "AGE=2h".to_owned(),
        system_id: "shop".to_owned(),
        state: v1::HeartbeatState::Up.into(),
        expected: "every 2 h".to_owned(),
        ..v1::Heartbeat::default()
    }];
    clients.runs.commit_run(findings.clone()).await.unwrap();
    clients.runs.commit_run(findings.clone()).await.unwrap();
    store.restart().await;
    let mut clients = store.clients();
    clients.runs.commit_run(findings.clone()).await.unwrap();

    let state = state(&mut clients).await;
    assert_eq!((state.judged_id, state.next_alert_id), (10, 3));
    assert_eq!(state.link_key, begun.link_key);
    assert_eq!(state.alerts, findings.alerts);
    assert_eq!(state.heartbeats, findings.heartbeats);
    let rules = clients.alerts.list_rules(v1::ListRulesRequest {}).await;
    assert_eq!(rules.unwrap().into_inner().rules, findings.rules);
    assert_eq!(store.count("SELECT count(*) FROM notification").await, 1);
    assert_eq!(store.count("SELECT count(*) FROM delivery").await, 2);
    let run = last_run(&mut clients).await;
    assert_eq!((run.opened, run.after_id, run.through_id), (2, 0, 10));

    end(&mut clients, run_id).await;
    let refused = clients.runs.commit_run(findings).await.unwrap_err();
    check(&refused, Code::Aborted, "run 1 does not go on");
    // What is not there any more is no heartbeat and no rule.
    run_nothing(&mut clients).await;
    let heartbeats = clients.alerts.list_heartbeats(v1::ListHeartbeatsRequest {});
    assert_eq!(heartbeats.await.unwrap().into_inner().heartbeats, []);
    assert_eq!(store.count("SELECT count(*) FROM rule").await, 0);
}

async fn run_nothing(clients: &mut Clients) {
    run(clients, found(0, Vec::new())).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_as_a_whole() {
    let store = Store::start().await;
    let mut clients = store.clients();
    run(
        &mut clients,
        found(0, vec![alert(1, "shop"), alert(2, "old")]),
    )
    .await;
    let mut ended = alert(2, "old");
    ended.resolved_us = Some(now_us());
    run(&mut clients, found(0, vec![ended])).await;
    let (run_id, state) = begin(&mut clients).await;
    assert_eq!(state.alerts.len(), 1);
    let mut check_findings = async |message: &str, change: &dyn Fn(&mut v1::CommitRunRequest)| {
        let mut findings = found(run_id, vec![alert(3, "till")]);
        change(&mut findings);
        let refused = clients.runs.commit_run(findings).await.unwrap_err();
        check(&refused, Code::InvalidArgument, message);
    };
    check_findings("alert 4 is new, but 3 is the next id", &|it| {
        it.alerts[0].id = 4;
    })
    .await;
    check_findings("there is no alert 0", &|it| it.alerts[0].id = 0).await;
    check_findings("alert 3 is about the same as 1, which goes on", &|it| {
        it.alerts[0].system_id = "shop".to_owned();
    })
    .await;
    check_findings("alert 1 is about something else", &|it| it.alerts[0].id = 1).await;
    check_findings("alert 2 has ended: open a new one", &|it| {
        it.alerts[0] = alert(2, "old");
    })
    .await;
    check_findings("through_id 1 is not from 0 to 0", &|it| it.through_id = 1).await;
    check_findings("there is no alert 9", &|it| {
        it.notifications = vec![notification("a", &[3, 9])];
    })
    .await;
    check_findings("alert 3 comes twice", &|it| {
        it.alerts.push(alert(3, "till"));
    })
    .await;
    check_findings("subject is one line", &|it| {
        it.notifications = vec![notification("a", &[3])];
        it.notifications[0].subject = "a\r\nBcc: b".to_owned();
    })
    .await;
    check_findings("kind of alert 0 is unknown", &|it| it.alerts[0].kind = 0).await;
    assert_eq!(store.count("SELECT count(*) FROM alert").await, 2);
    assert_eq!(store.count("SELECT count(*) FROM notification").await, 0);
    let long = v1::BeginRunRequest {
        lease_s: 601,
        ..begin_request(0)
    };
    let refused = store.clients().runs.begin_run(long).await.unwrap_err();
    check(&refused, Code::InvalidArgument, "lease_s is 1 to 600");
}

#[tokio::test]
async fn deliveries_are_due_until_they_are_through() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (run_id, _) = begin(&mut clients).await;
    let mut findings = found(run_id, vec![alert(1, "shop")]);
    findings.notifications = vec![notification("a", &[1]), notification("b", &[1])];
    findings.notifications[1].deliveries[0].state = v1::DeliveryState::Kept.into();
    findings.notifications[1].deliveries[1].next_attempt_us = i64::MAX;
    clients.runs.commit_run(findings).await.unwrap();
    let mut found = due(&mut clients, run_id).await.unwrap();
    assert_eq!(found.len(), 1, "the other is kept, or not due yet");
    let notification = found.remove(0);
    assert_eq!(notification.message_id, "a");
    assert_eq!(notification.html, "<p>html</p>");
    assert_eq!(notification.alert_ids, [1]);
    let [mut first, mut second] = <[_; 2]>::try_from(notification.deliveries).unwrap();

    let mut report = async |delivery: &v1::Delivery| {
        let request = v1::ReportDeliveryRequest {
            run_id,
            delivery: Some(delivery.clone()),
        };
        clients.runs.report_delivery(request).await
    };
    first.state = v1::DeliveryState::Delivered.into();
    report(&first).await.unwrap();
    report(&first).await.unwrap();
    second.error = "try later".to_owned();
    report(&second).await.unwrap();
    first.id = 99;
    check(
        &report(&first).await.unwrap_err(),
        Code::NotFound,
        "there is no delivery 99",
    );

    let mut clients = store.clients();
    let again = due(&mut clients, run_id).await.unwrap().remove(0);
    assert_eq!(again.mail_to, ["a@example.org", "b@example.org"]);
    let again = again.deliveries;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].attempts, &*again[0].error), (1, "try later"));
    let run = last_run(&mut clients).await;
    assert_eq!((run.delivered, run.undelivered), (1, 1));
    second.state = v1::DeliveryState::Failed.into();
    let request = v1::ReportDeliveryRequest {
        run_id,
        delivery: Some(second),
    };
    clients.runs.report_delivery(request).await.unwrap();
    assert_eq!(due(&mut clients, run_id).await.unwrap(), []);
    let status = clients
        .alerts
        .get_alert_status(v1::GetAlertStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!((status.waiting, status.failed), (1, 1));
}

#[tokio::test]
async fn a_killed_store_has_all_of_a_run_or_nothing() {
    let folder = TempDir::new().unwrap();
    let mut run_id = 0;
    for round in 1..=4_u64 {
        let mut process = start(&folder);
        let mut clients = serving(&process).await;
        let (begun, state) = begin_when_free(&mut clients).await;
        assert_eq!(
            state.next_alert_id, round,
            "each round before was kept once"
        );
        assert!(begun > run_id);
        run_id = begun;
        let mut findings = found(run_id, vec![alert(round, &format!("system {round}"))]);
        findings.notifications = vec![notification(&format!("m{round}"), &[round])];
        let request = findings.clone();
        let mut other = clients.clone();
        let committing = tokio::spawn(async move { other.runs.commit_run(request).await });
        if round % 2 == 0 {
            committing.await.unwrap().unwrap();
            process.kill().await;
        } else {
            process.kill().await;
            let _ = committing.await.unwrap();
        }
        let mut process = start(&folder);
        let mut clients = serving(&process).await;
        clients.runs.commit_run(findings).await.unwrap();
        let due = due(&mut clients, run_id).await.unwrap();
        assert_eq!(due.len() as u64, round);
        end(&mut clients, run_id).await;
        process.kill().await;
    }
}

async fn begin_when_free(clients: &mut Clients) -> (u64, v1::RunState) {
    wait_for("no run goes on", Duration::from_secs(5), async || {
        let mut clients = clients.clone();
        let begun = clients.runs.begin_run(begin_request(0)).await.ok()?;
        let begun = begun.into_inner();
        Some((begun.run_id, begun.state.unwrap()))
    })
    .await
}
