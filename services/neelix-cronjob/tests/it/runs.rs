//! Whole runs against a real store.

use proto::v1::{self, AlertState, HeartbeatState};

use crate::town::{HOUR, MINUTE, Town, now_us, record};

fn firing(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(condition, system): &(&str, &str)| ((*condition).to_owned(), (*system).to_owned());
    expected.iter().map(own).collect()
}

#[tokio::test]
async fn new_records_are_judged_once() {
    let mut town =
        Town::new("[a]\nMAIL_TO=x@example.com\nMSG=disk full\n[b]\nMSG=disk full\n").await;
    assert_eq!(town.run().await, (0, 0));
    let now = now_us();
    town.append([
        record("a", "the disk full again", now - MINUTE),
        record("a", "all is well", now - MINUTE),
        record("c", "disk full", now),
    ])
    .await;
    assert_eq!(town.run().await, (1, 0));
    assert_eq!(town.firing().await, firing(&[("MSG=disk full", "a")]));
    let alert = town.alerts(AlertState::Firing).await.remove(0);
    assert_eq!(
        (alert.first_record_id, alert.last_record_id, alert.records),
        (1, 1, 1)
    );
    assert_eq!(alert.since_us, now - MINUTE);

    // Within the cooldown it is counted, and nobody is told.
    town.append((0..7).map(|_| record("a", "disk full", now)))
        .await;
    assert_eq!(town.run().await, (0, 0));
    assert_eq!(town.run().await, (0, 0));
    let alert = town.alerts(AlertState::Firing).await.remove(0);
    assert_eq!(
        (
            alert.records,
            alert.records_unnotified,
            alert.last_record_id
        ),
        (8, 7, 10)
    );
    let told = town.notifications(alert.id).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].deliveries[0].recipient, "x@example.com");
    assert!(
        told[0].text.contains("the disk full again"),
        "{}",
        told[0].text
    );
}

#[tokio::test]
async fn a_count_fires_over_two_runs_and_ends() {
    let rules = "[a]\nMSG=timeout\nCOUNT=5\nWITHIN=10m\n";
    let mut town = Town::new(rules).await;
    let now = now_us();
    let at = |minutes: i64| record("a", "timeout", now - minutes * MINUTE);
    town.append([at(60), at(50), at(40), at(30), at(20)]).await;
    assert_eq!(town.run().await, (0, 0), "too far apart");
    town.append([at(19), at(18), at(17)]).await;
    assert_eq!(town.run().await, (0, 0), "four together");
    town.append([at(16)]).await;
    assert_eq!(
        town.run().await,
        (1, 0),
        "with those judged before it is five"
    );
    assert_eq!(
        town.run().await,
        (0, 1),
        "nothing more has come for ten minutes"
    );
    let alert = town.alerts(AlertState::Resolved).await.remove(0);
    assert_eq!(alert.first_record_id, 5);
    assert_eq!(town.notifications(alert.id).await.len(), 2);
}

#[tokio::test]
async fn silence_is_told_with_its_end() {
    let mut town = Town::new("[job_*]\nAGE=1h\n[never]\nAGE=1h\n").await;
    let now = now_us();
    town.append([
        record("job_1", "the last word", now - 3 * HOUR),
        record("job_2", "x", now - MINUTE),
    ])
    .await;
    assert_eq!(town.run().await, (1, 0));
    assert_eq!(town.firing().await, firing(&[("AGE=1h", "job_1")]));
    let heartbeats = town.heartbeats().await;
    let states: Vec<(&str, HeartbeatState)> = heartbeats
        .iter()
        .map(|it| (it.system_id.as_str(), it.state()))
        .collect();
    assert_eq!(
        states,
        [
            ("job_1", HeartbeatState::Down),
            ("job_2", HeartbeatState::Up),
            ("never", HeartbeatState::Up),
        ]
    );
    assert_eq!(town.run().await, (0, 0), "once");
    town.append([record("job_1", "back again", now)]).await;
    assert_eq!(town.run().await, (0, 1));
    let alert = town.alerts(AlertState::Resolved).await.remove(0);
    let told = town.notifications(alert.id).await;
    assert_eq!(told.len(), 2);
    assert!(told[0].text.contains("the last word"), "{}", told[0].text);
    assert!(told[1].text.contains("back again"), "{}", told[1].text);
    assert!(
        told[1].text.contains("It lasted:           3 h\n"),
        "{}",
        told[1].text
    );
}

#[tokio::test]
async fn patterns_are_for_each_system_and_sub_system() {
    let rules = "[job_*]\nMSG=boom\n[x/*]\nMSG_REGEX=^bo+m$\n[*]\nLEVEL=critical\n";
    let mut town = Town::new(rules).await;
    let now = now_us();
    let mut critical = record("other", "boom", now);
    critical.level = 50;
    let mut of_host = record("x", "booom", now);
    of_host.sub_system_id = "h9".to_owned();
    town.append([
        record("job_1", "boom", now),
        record("job_2", "boom", now),
        record("job_2", "boom", now),
        record("myjob_3", "boom", now),
        of_host,
        critical,
    ])
    .await;
    assert_eq!(town.run().await, (4, 0));
    let alerts = town.alerts(AlertState::Firing).await;
    let mut found: Vec<(&str, &str, &str, u64)> = alerts
        .iter()
        .map(|it| (&*it.rule, &*it.system_id, &*it.sub_system_id, it.records))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("*", "other", "", 1),
            ("job_*", "job_1", "", 1),
            ("job_*", "job_2", "", 2),
            ("x/*", "x", "h9", 1),
        ]
    );
}

#[tokio::test]
async fn a_dry_run_shows_the_mail_and_changes_nothing() {
    let mut town = Town::new("[a]\nMAIL_TO=x@example.com\nMSG=disk full\n").await;
    town.append([record("a", "disk full", now_us())]).await;
    let shown = town.neelix(&["--dry-run"]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(
        shown.stdout.starts_with("To: x@example.com\nSubject: "),
        "{shown:?}"
    );
    let shown = town.neelix(&["--dry-run", "--format", "json"]).await.json();
    assert_eq!(shown["notifications"].as_array().unwrap().len(), 1);
    assert_eq!(town.alerts(AlertState::Unspecified).await.len(), 0);
    assert_eq!(town.run().await, (1, 0), "it is still new");
}

#[tokio::test]
async fn rules_are_rehearsed_on_the_past() {
    let rules = "[a]\nMSG=boom\nCOOLDOWN=6h\n[b]\nAGE=2h\n[c]\nMSG=t\nCOUNT=3\nWITHIN=10m\n";
    let mut town = Town::new(rules).await;
    let now = now_us();
    let ago = |system, message, minutes: i64| record(system, message, now - minutes * MINUTE);
    let booms = [1_000, 999, 700, 300].map(|minutes| ago("a", "boom", minutes));
    let beats = (0..20)
        .filter(|n| !(8..12).contains(n))
        .map(|n| ago("b", "x", 1_200 - n * 60));
    let storm = [500, 499, 498, 100].map(|minutes| ago("c", "t", minutes));
    town.append(booms.into_iter().chain(beats).chain(storm))
        .await;
    let shown = town
        .neelix(&["--dry-run", "--since", "1d", "--format", "json"])
        .await
        .json();
    let found = shown["found"].as_array().unwrap();
    let alarms = |rule: &str| {
        let found = found.iter().find(|found| found["rule"] == rule).unwrap();
        let alarms = found["alarms"].as_array().unwrap().iter();
        alarms
            .map(|it| (now - it["from_us"].as_i64().unwrap()) / MINUTE)
            .collect::<Vec<_>>()
    };
    assert_eq!(alarms("a"), [1_000, 300]);
    // At first from where the rehearsal begins to the first record, then the gap.
    assert_eq!(alarms("b"), [1_319, 660]);
    assert_eq!(alarms("c"), [498]);
    let text = town.neelix(&["--dry-run", "--since", "1d"]).await.stdout;
    assert!(
        text.contains("[a] MSG=boom a: 2 alarms, 4 records\n"),
        "{text}"
    );
    assert_eq!(town.run().await.0, 2, "nothing was marked");
}

#[tokio::test]
async fn one_run_at_a_time() {
    let town = Town::new("[a]\nMSG=x\n").await;
    let request = v1::BeginRunRequest {
        holder: "somebody else".to_owned(),
        ..v1::BeginRunRequest::default()
    };
    let run = town.runs().begin_run(request).await.unwrap().into_inner();
    let ended = town.neelix(&[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("somebody else"), "{ended:?}");
    let request = v1::EndRunRequest {
        run_id: run.run_id,
        errors: Vec::new(),
    };
    town.runs().end_run(request).await.unwrap();
    assert_eq!(town.run().await, (0, 0));
}

#[tokio::test]
async fn wrong_rules_are_told_everywhere() {
    let mut town = Town::new("[a]\nMGS=x\nAGE=soon\n").await;
    town.append([record("a", "x", now_us())]).await;
    let ended = town.neelix(&[]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("2: MGS: there is no such key; is it MSG?"),
        "{ended:?}"
    );
    let run = town.last_run().await;
    assert_eq!((run.errors.len(), run.through_id), (2, 0), "{run:?}");

    let checked = town.neelix(&["check", "--format", "json"]).await;
    assert_eq!(checked.code, Some(2), "{checked:?}");
    assert_eq!(checked.json()["errors"][0]["line"], 2);

    town.rules("[a]\nMSG=x\n");
    let checked = town.neelix(&["check"]).await;
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(
        checked.stdout.ends_with("1 rules with 1 conditions\n"),
        "{checked:?}"
    );
    assert_eq!(town.run().await, (1, 0), "nothing was passed by");
}

#[tokio::test]
async fn a_test_is_fired_at_those_whom_a_section_names() {
    let town = Town::new("[payments]\nMSG=x\n").await;
    let wrong = town.neelix(&["--test-fire", "paymets"]).await;
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("is it [payments]?"), "{wrong:?}");
    let fired = town
        .neelix(&["--test-fire", "payments", "--format", "json"])
        .await;
    assert_eq!(fired.code, Some(0), "{fired:?}");
    assert_eq!(fired.json()["recipients"][0], "test@somewhere.com");
}
