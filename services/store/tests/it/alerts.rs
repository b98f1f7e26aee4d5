//! Alerts for those who look after them: lists, what people say, silences that
//! outlive an alert, and what is removed.

use std::time::Duration;

use proto::v1;
use testkit::wait_until;
use tonic::{Code, Status};

use crate::{
    harness::{Clients, DEADLINE, Store},
    runs::{alert, begin, delivery, end, found, notification, now_us, run},
};

const HOUR_US: i64 = 3_600_000_000;

async fn list(clients: &mut Clients, request: v1::ListAlertsRequest) -> (Vec<u64>, u64) {
    let list = clients
        .alerts
        .list_alerts(request)
        .await
        .unwrap()
        .into_inner();
    let ids = list.alerts.into_iter().map(|alert| alert.id);
    (ids.collect(), list.next)
}

/// An alert and all about it.
pub(crate) async fn get(clients: &mut Clients, id: u64) -> Result<v1::GetAlertResponse, Status> {
    let got = clients.alerts.get_alert(v1::GetAlertRequest { id }).await?;
    Ok(got.into_inner())
}

/// Anna knows of an alert.
pub(crate) async fn acknowledge(clients: &mut Clients, id: u64) -> Result<v1::Alert, Status> {
    let request = v1::AcknowledgeAlertRequest {
        id,
        by: "anna".to_owned(),
    };
    let known = clients.alerts.acknowledge_alert(request).await?;
    Ok(known.into_inner().alert.unwrap())
}

/// Anna silences an alert.
pub(crate) async fn silence(
    clients: &mut Clients,
    id: u64,
    until_us: Option<i64>,
) -> Result<v1::Alert, Status> {
    let request = v1::SilenceAlertRequest {
        id,
        until_us,
        by: "anna".to_owned(),
    };
    let silenced = clients.alerts.silence_alert(request).await?;
    Ok(silenced.into_inner().alert.unwrap())
}

/// Alerts at a glance.
pub(crate) async fn status(clients: &mut Clients) -> v1::GetAlertStatusResponse {
    let request = v1::GetAlertStatusRequest {};
    let status = clients.alerts.get_alert_status(request).await.unwrap();
    status.into_inner()
}

/// The same alert, ended now.
pub(crate) fn resolved(mut alert: v1::Alert) -> v1::Alert {
    alert.resolved_us = Some(now_us());
    alert.state = v1::AlertState::Resolved.into();
    alert
}

/// What happened, in short.
pub(crate) fn kinds(events: &[v1::AlertEvent]) -> Vec<v1::AlertEventKind> {
    events.iter().map(v1::AlertEvent::kind).collect()
}

fn check<T: std::fmt::Debug>(outcome: Result<T, Status>, code: Code, message: &str) {
    let status = outcome.unwrap_err();
    assert_eq!((status.code(), status.message()), (code, message));
}

#[tokio::test]
async fn alerts_are_listed_newest_first() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let mut alerts: Vec<_> = (1..=5).map(|id| alert(id, &format!("s{id}"))).collect();
    alerts[1].rule = "till".to_owned();
    alerts[4] = resolved(alerts[4].clone());
    run(&mut clients, found(0, alerts)).await;
    let all = v1::ListAlertsRequest::default();
    let mut check_list = async |request: v1::ListAlertsRequest, ids: &[u64], next: u64| {
        assert_eq!(list(&mut clients, request).await, (ids.to_vec(), next));
    };
    check_list(all.clone(), &[5, 4, 3, 2, 1], 0).await;
    let page = |before| v1::ListAlertsRequest {
        limit: 2,
        before,
        ..all.clone()
    };
    check_list(page(0), &[5, 4], 4).await;
    check_list(page(4), &[3, 2], 2).await;
    check_list(page(2), &[1], 0).await;
    let of_state = |state: v1::AlertState| v1::ListAlertsRequest {
        state: state.into(),
        ..all.clone()
    };
    check_list(of_state(v1::AlertState::Firing), &[4, 3, 2, 1], 0).await;
    check_list(of_state(v1::AlertState::Resolved), &[5], 0).await;
    let of_rule = v1::ListAlertsRequest {
        rule: "till".to_owned(),
        ..all.clone()
    };
    check_list(of_rule, &[2], 0).await;
    let of_system = v1::ListAlertsRequest {
        system_id: "s3".to_owned(),
        rule: "shop".to_owned(),
        ..all.clone()
    };
    check_list(of_system, &[3], 0).await;
    let too_many = v1::ListAlertsRequest {
        limit: 1_001,
        ..all
    };
    let refused = clients.alerts.list_alerts(too_many).await;
    check(refused, Code::InvalidArgument, "limit 1001 is above 1000");
    check(
        get(&mut clients, 9).await,
        Code::NotFound,
        "there is no alert 9",
    );
}

#[tokio::test]
async fn an_alert_has_its_story() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let mut findings = found(0, vec![alert(1, "shop")]);
    findings.notifications = vec![notification("a", &[1])];
    run(&mut clients, findings).await;
    let known = acknowledge(&mut clients, 1).await.unwrap();
    assert!(known.acknowledged_us.is_some());
    acknowledge(&mut clients, 1).await.unwrap();
    // neelix does not know what people have said since it began.
    run(&mut clients, found(0, vec![alert(1, "shop")])).await;
    let until_us = now_us() + HOUR_US;
    let silenced = silence(&mut clients, 1, Some(until_us)).await.unwrap();
    assert_eq!(silenced.acknowledged_us, known.acknowledged_us);
    assert_eq!(silenced.silenced_until_us, Some(until_us));
    let free = silence(&mut clients, 1, None).await.unwrap();
    assert_eq!(free.silenced_until_us, None);
    silence(&mut clients, 1, None).await.unwrap();
    let mut findings = found(0, vec![resolved(alert(1, "shop"))]);
    findings.notifications = vec![notification("b", &[1])];
    run(&mut clients, findings).await;
    let ended = acknowledge(&mut clients, 1).await;
    check(ended, Code::FailedPrecondition, "alert 1 has ended");

    let story = get(&mut clients, 1).await.unwrap();
    use v1::AlertEventKind::{Acknowledged, Fired, Notified, Resolved, Silenced, Unsilenced};
    let expected = [
        Fired,
        Notified,
        Acknowledged,
        Silenced,
        Unsilenced,
        Resolved,
        Notified,
    ];
    assert_eq!(kinds(&story.events), expected);
    assert_eq!(story.events[0].note, "it matched");
    assert_eq!(story.events[2].by, "anna");
    assert!(
        story.events[3].note.starts_with("until 20"),
        "{:?}",
        story.events[3]
    );
    let told: Vec<_> = story
        .notifications
        .iter()
        .map(|it| &*it.message_id)
        .collect();
    assert_eq!(told, ["b", "a"]);
    assert_eq!(story.notifications[0].deliveries.len(), 2);
}

#[tokio::test]
async fn what_people_cannot_say_is_refused() {
    let store = Store::start().await;
    let mut clients = store.clients();
    run(&mut clients, found(0, vec![alert(1, "shop")])).await;
    let past = silence(&mut clients, 1, Some(now_us() - 1)).await;
    check(past, Code::InvalidArgument, "until_us has passed");
    let far = silence(&mut clients, 1, Some(i64::MAX)).await;
    check(
        far,
        Code::InvalidArgument,
        "until_us is more than a year ahead",
    );
    let missing = silence(&mut clients, 2, None).await;
    check(missing, Code::NotFound, "there is no alert 2");
    let request = v1::AcknowledgeAlertRequest {
        id: 1,
        by: "x".repeat(101),
    };
    let long = clients.alerts.acknowledge_alert(request).await;
    let message = "by has at most 100 characters, none of them a control character";
    check(long, Code::InvalidArgument, message);
}

#[tokio::test]
async fn a_silence_survives_the_end_of_an_alert() {
    let store = Store::start().await;
    let mut clients = store.clients();
    run(
        &mut clients,
        found(0, vec![alert(1, "shop"), alert(2, "till")]),
    )
    .await;
    let until_us = now_us() + HOUR_US;
    silence(&mut clients, 1, Some(until_us)).await.unwrap();
    assert_eq!(status(&mut clients).await.unattended, 1);
    let ended = vec![resolved(alert(1, "shop")), resolved(alert(2, "till"))];
    run(&mut clients, found(0, ended)).await;
    let (run_id, state) = begin(&mut clients).await;
    let known: Vec<_> = state.alerts.iter().map(|alert| alert.id).collect();
    assert_eq!(known, [1], "its silence goes on");
    let mut again = alert(3, "shop");
    again.opened_us = now_us();
    let mut other = alert(4, "till");
    // Only people say so.
    other.silenced_until_us = Some(until_us);
    other.acknowledged_us = Some(1);
    clients
        .runs
        .commit_run(found(run_id, vec![again, other]))
        .await
        .unwrap();
    end(&mut clients, run_id).await;
    let silenced = |got: v1::GetAlertResponse| got.alert.unwrap().silenced_until_us;
    assert_eq!(
        silenced(get(&mut clients, 3).await.unwrap()),
        Some(until_us)
    );
    let other = get(&mut clients, 4).await.unwrap().alert.unwrap();
    assert_eq!(
        (other.silenced_until_us, other.acknowledged_us),
        (None, None)
    );

    // By the link of the former mail: it is about the same.
    silence(&mut clients, 1, None).await.unwrap();
    assert_eq!(silenced(get(&mut clients, 3).await.unwrap()), None);
    silence(&mut clients, 1, Some(until_us)).await.unwrap();
    assert_eq!(
        silenced(get(&mut clients, 3).await.unwrap()),
        Some(until_us)
    );
}

#[tokio::test]
async fn the_status_tells_of_alerts_and_runs() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let never = status(&mut clients).await;
    assert_eq!(
        (never.late, never.interval_s, never.last_run),
        (false, 0, None)
    );
    assert_eq!(never.link_key.len(), 32);
    let mut findings = found(0, vec![alert(1, "shop"), alert(2, "till")]);
    findings.notifications = vec![notification("a", &[1])];
    let run_id = run(&mut clients, findings).await;
    acknowledge(&mut clients, 2).await.unwrap();
    let now = status(&mut clients).await;
    assert_eq!((now.firing, now.unattended, now.waiting), (2, 1, 2));
    assert_eq!((now.late, now.interval_s), (false, 7_200));
    assert_eq!(now.last_run.unwrap().id, run_id);
    wait_until("the numbers are told", DEADLINE, async || {
        let firing = store.metric("herald_store_alerts_firing").await;
        let waiting = store.metric("herald_store_deliveries_waiting").await;
        let age = store.metric("herald_store_run_age_seconds").await;
        (firing, waiting) == (Some(2.0), Some(2.0)) && age.is_some_and(|age| age < 20.0)
    })
    .await;
    assert_eq!(
        store.metric("herald_store_deliveries_failed").await,
        Some(0.0)
    );
}

#[tokio::test]
async fn old_alerts_go_with_all_that_is_theirs() {
    let mut store = Store::start().await;
    let mut clients = store.clients();
    let mut findings = found(
        0,
        (1..=100).map(|id| alert(id, &format!("s{id}"))).collect(),
    );
    findings.notifications = vec![notification("a", &[1]), notification("b", &[2, 100])];
    for delivery in &mut findings.notifications[0].deliveries {
        delivery.state = v1::DeliveryState::Kept.into();
    }
    findings.notifications[1]
        .deliveries
        .push(delivery("c@example.org"));
    run(&mut clients, findings).await;
    let until_us = now_us() + HOUR_US;
    silence(&mut clients, 3, Some(until_us)).await.unwrap();
    let ended = (1..=99).map(|id| resolved(alert(id, &format!("s{id}"))));
    run(&mut clients, found(0, ended.collect())).await;
    for _ in 0..3 {
        run(&mut clients, found(0, Vec::new())).await;
    }
    store.stop().await;
    store.config.alert_retention = Duration::from_secs(1);
    store.resume().await;
    let mut clients = store.clients();
    wait_until("the old ones are gone", DEADLINE, async || {
        let all = v1::ListAlertsRequest::default();
        list(&mut store.clients(), all).await.0 == [100, 3]
    })
    .await;
    wait_until("the runs are gone", DEADLINE, async || {
        store.count("SELECT count(*) FROM run").await == 1
    })
    .await;
    assert_eq!(store.count("SELECT count(*) FROM notification").await, 1);
    assert_eq!(store.count("SELECT count(*) FROM delivery").await, 3);
    let of_none = "SELECT count(*) FROM alert_event WHERE alert_id NOT IN (SELECT id FROM alert)";
    assert_eq!(store.count(of_none).await, 0);
    let (run_id, state) = begin(&mut clients).await;
    assert_eq!(
        (run_id, state.next_alert_id),
        (6, 101),
        "no number comes twice"
    );
}

#[tokio::test]
async fn runs_that_did_nothing_are_thinned() {
    let store = Store::start().await;
    let mut clients = store.clients();
    run(&mut clients, found(0, vec![alert(1, "shop")])).await;
    let mut conn = store.database().await;
    sqlx::query(
        "WITH RECURSIVE numbers (id) AS (SELECT 2 UNION ALL SELECT id + 1 FROM numbers LIMIT 2500)
         INSERT INTO run SELECT id, '', '', ?, 2, 1, 0, 0, 0, 0, 0, 0, '[]' FROM numbers",
    )
    .bind(now_us())
    .execute(&mut conn)
    .await
    .unwrap();
    wait_until("a thousand are left, and that one", DEADLINE, async || {
        store.count("SELECT count(*) FROM run").await == 1_001
    })
    .await;
    let request = v1::ListRunsRequest {
        limit: 1_000,
        before: 0,
    };
    let runs = clients
        .alerts
        .list_runs(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((runs.runs[0].id, runs.next), (2_501, 1_502));
    let request = v1::ListRunsRequest {
        limit: 0,
        before: runs.next,
    };
    let runs = clients
        .alerts
        .list_runs(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((runs.runs.len(), runs.runs[0].opened, runs.next), (1, 1, 0));
}

#[tokio::test]
async fn lists_and_the_status_tell_who_was_not_reached() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (run_id, _) = begin(&mut clients).await;
    let mut request = found(
        run_id,
        vec![alert(1, "shop"), alert(2, "bank"), alert(3, "till")],
    );
    request.notifications = vec![
        notification("one@herald", &[1, 2]),
        notification("two@herald", &[2]),
    ];
    clients.runs.commit_run(request).await.unwrap();
    let due = v1::ListDueNotificationsRequest { run_id, limit: 0 };
    let due = clients.runs.list_due_notifications(due).await.unwrap();
    let due = due.into_inner().notifications;
    let ends = [
        (v1::DeliveryState::Delivered, ""),
        (v1::DeliveryState::Failed, "550 no such user"),
        (v1::DeliveryState::Waiting, "451 try later"),
    ];
    let deliveries = due.iter().flat_map(|notification| &notification.deliveries);
    for (delivery, (state, error)) in deliveries.zip(ends) {
        let delivery = v1::Delivery {
            state: state.into(),
            error: error.to_owned(),
            next_attempt_us: now_us() + HOUR_US,
            delivered_us: (error.is_empty()).then(now_us),
            ..delivery.clone()
        };
        let delivery = Some(delivery);
        let request = v1::ReportDeliveryRequest { run_id, delivery };
        clients.runs.report_delivery(request).await.unwrap();
    }
    end(&mut clients, run_id).await;

    let list = clients.alerts.list_alerts(v1::ListAlertsRequest::default());
    let told = list.await.unwrap().into_inner().told;
    let told: Vec<_> = told
        .iter()
        .map(|told| (told.delivered, told.waiting, told.failed, told.kept))
        .collect();
    assert_eq!(told, [(0, 0, 0, 0), (1, 2, 1, 0), (1, 0, 1, 0)]);
    let troubled = async |clients: &mut Clients| -> Vec<(String, Vec<String>)> {
        let request = v1::GetAlertStatusRequest {};
        let status = clients.alerts.get_alert_status(request).await.unwrap();
        let troubled = status.into_inner().troubled.into_iter();
        troubled
            .map(|notification| {
                assert_eq!(
                    (notification.text, notification.html),
                    (String::new(), String::new())
                );
                let errors = notification.deliveries.into_iter().map(|it| it.error);
                (notification.subject, errors.collect())
            })
            .collect()
    };
    let waits = (
        "subject of two@herald".to_owned(),
        vec!["451 try later".to_owned()],
    );
    let failed = (
        "subject of one@herald".to_owned(),
        vec!["550 no such user".to_owned()],
    );
    assert_eq!(troubled(&mut clients).await, [waits.clone(), failed]);

    // When its alerts have ended, nobody minds what failed.
    let ended = [alert(1, "shop"), alert(2, "bank")].map(|alert| v1::Alert {
        state: v1::AlertState::Resolved.into(),
        resolved_us: Some(2_000),
        ..alert
    });
    run(&mut clients, found(0, ended.into())).await;
    assert_eq!(troubled(&mut clients).await, [waits]);
}
