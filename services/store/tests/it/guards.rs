//! What once went wrong with runs and alerts: each test names what it guards against.

use testkit::wait_until;
use tonic::Code;

use crate::{
    alerts::{acknowledge, get, kinds, resolved, silence, status},
    harness::{Clients, DEADLINE, Store},
    runs::{alert, begin, end, found, notification, now_us, run},
};
use proto::v1;

const HOUR_US: i64 = 3_600_000_000;

/// Guards against an edit of a rule that fires blocking every later run.
#[tokio::test]
async fn an_alert_goes_on_when_its_rule_is_edited() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let mut other = alert(2, "shop");
    other.condition = "MSG=oven cold".to_owned();
    run(&mut clients, found(0, vec![alert(1, "shop"), other])).await;
    let edited = |id| {
        let mut alert = alert(id, "shop");
        alert.kind = v1::AlertKind::Count.into();
        alert.condition = "MSG=disk is full".to_owned();
        alert
    };
    run(&mut clients, found(0, vec![edited(1)])).await;
    let (run_id, state) = begin(&mut clients).await;
    assert_eq!(state.alerts[0].kind(), v1::AlertKind::Count);
    assert_eq!(state.alerts[0].condition, "MSG=disk is full");
    let refused = clients.runs.commit_run(found(run_id, vec![edited(2)]));
    let refused = refused.await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    // The one in its way ends with the same run, whatever their order.
    let findings = found(run_id, vec![edited(2), resolved(edited(1))]);
    clients.runs.commit_run(findings).await.unwrap();
    let alert = get(&mut clients, 2).await.unwrap().alert.unwrap();
    assert_eq!(alert.condition, "MSG=disk is full");
}

/// Guards against runs that judge nothing counting as neelix being well.
#[tokio::test]
async fn neelix_is_late_when_its_runs_keep_nothing() {
    let store = Store::start().await;
    let mut clients = store.clients();
    fail(&mut clients).await;
    assert!(!status(&mut clients).await.late);
    age(&store, 3 * HOUR_US).await;
    fail(&mut clients).await;
    let never = status(&mut clients).await;
    assert_eq!((never.late, never.judged_us), (true, None));
    assert!(never.last_run.is_some());
    run(&mut clients, found(0, Vec::new())).await;
    let well = status(&mut clients).await;
    assert!(!well.late && well.judged_us.is_some(), "{well:?}");
    age(&store, 3 * HOUR_US).await;
    fail(&mut clients).await;
    let failing = status(&mut clients).await;
    let judged_us = well.judged_us.map(|at_us| at_us - 3 * HOUR_US);
    assert_eq!((failing.late, failing.judged_us), (true, judged_us));
}

/// Guards against the run that lateness goes by being removed.
#[tokio::test]
async fn the_newest_run_that_judged_is_kept() {
    let store = Store::start().await;
    let mut clients = store.clients();
    run(&mut clients, found(0, Vec::new())).await;
    let mut conn = store.database().await;
    sqlx::query(
        "WITH RECURSIVE numbers (id) AS (SELECT 2 UNION ALL SELECT id + 1 FROM numbers LIMIT 1500)
         INSERT INTO run SELECT id, '', '', ?, 2, 0, 0, 0, 0, 0, 0, 0, '[]' FROM numbers",
    )
    .bind(now_us())
    .execute(&mut conn)
    .await
    .unwrap();
    wait_until("a thousand are left, and that one", DEADLINE, async || {
        store.count("SELECT count(*) FROM run").await == 1_001
    })
    .await;
    assert!(status(&mut clients).await.judged_us.is_some());
}

/// Guards against mails that still wait going away with the alerts they are about.
#[tokio::test]
async fn what_waits_to_be_told_outlives_its_alert() {
    let mut store = Store::start().await;
    let mut clients = store.clients();
    let mut findings = found(0, vec![resolved(alert(1, "shop"))]);
    findings.notifications = vec![notification("told", &[1]), notification("waits", &[1])];
    for delivery in &mut findings.notifications[0].deliveries {
        delivery.state = v1::DeliveryState::Kept.into();
    }
    run(&mut clients, findings).await;
    store.stop().await;
    store.config.alert_retention = std::time::Duration::from_millis(1);
    store.resume().await;
    let rest = "SELECT count(*) FROM notification";
    wait_until("the one that was told is gone", DEADLINE, async || {
        store.count(rest).await == 1
    })
    .await;
    assert_eq!(store.count("SELECT count(*) FROM alert").await, 0);
    let mut clients = store.clients();
    let (run_id, _) = begin(&mut clients).await;
    let request = v1::ListDueNotificationsRequest { run_id, limit: 0 };
    let due = clients.runs.list_due_notifications(request).await.unwrap();
    let due = due.into_inner().notifications;
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].message_id, "waits");
}

/// Guards against mails about what somebody has seen to while a run was judging.
#[tokio::test]
async fn nobody_is_told_of_what_became_quiet_while_a_run_was_judging() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let all = |records| {
        let alert = move |id| {
            let mut alert = alert(id, &format!("s{id}"));
            alert.records = records;
            alert.notified_us = if records > 2 { 7 } else { 0 };
            alert.records_unnotified = if records > 2 { 0 } else { records };
            alert
        };
        (1..=4).map(alert).collect::<Vec<_>>()
    };
    run(&mut clients, found(0, all(2))).await;
    let (run_id, _) = begin(&mut clients).await;
    acknowledge(&mut clients, 1).await.unwrap();
    let until_us = now_us() + HOUR_US;
    silence(&mut clients, 2, Some(until_us)).await.unwrap();
    acknowledge(&mut clients, 4).await.unwrap();
    let mut findings = found(run_id, all(5));
    findings.notifications = vec![
        notification("acknowledged", &[1]),
        notification("silenced", &[2]),
        notification("both", &[1, 2]),
        notification("one-of-two", &[3, 4]),
    ];
    clients.runs.commit_run(findings).await.unwrap();
    end(&mut clients, run_id).await;
    for (id, told) in [(1, (0, 5)), (2, (0, 5)), (3, (7, 0)), (4, (7, 0))] {
        let got = get(&mut clients, id).await.unwrap();
        let alert = got.alert.unwrap();
        assert_eq!((alert.notified_us, alert.records_unnotified), told, "{id}");
        let is_noted = kinds(&got.events).contains(&v1::AlertEventKind::Notified);
        assert_eq!(is_noted, told.1 == 0, "{id}");
        assert_eq!(got.notifications.len(), usize::from(is_noted), "{id}");
    }
    // That it ended is told also of what somebody knows of.
    let (run_id, _) = begin(&mut clients).await;
    acknowledge(&mut clients, 3).await.unwrap();
    let mut findings = found(run_id, vec![resolved(alert(3, "s3"))]);
    findings.notifications = vec![notification("ended", &[3])];
    clients.runs.commit_run(findings).await.unwrap();
    let ended = get(&mut clients, 3).await.unwrap();
    assert_eq!(ended.notifications.len(), 2);
}

/// A run that ends without having judged.
async fn fail(clients: &mut Clients) {
    let (run_id, _) = begin(clients).await;
    end(clients, run_id).await;
}

/// All runs were so much earlier.
async fn age(store: &Store, by_us: i64) {
    let mut conn = store.database().await;
    sqlx::query("UPDATE run SET started_us = started_us - ?, ended_us = ended_us - ?")
        .bind(by_us)
        .bind(by_us)
        .execute(&mut conn)
        .await
        .unwrap();
}
