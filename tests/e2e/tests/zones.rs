//! Bridges of several zones, real processes: cuts and kill -9 at random moments
//! neither lose nor double anything, a ring ends, a dead destination delays nobody.
//! `HERALD_CUTS=200` cuts more often, `HERALD_SEED` repeats a run,
//! The predecessor is a stand-in that reads as the published one does,
//! `tests/clients/predecessor_bridge.py`.

#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{
    collections::BTreeMap,
    env,
    time::{Duration, Instant},
};

use e2e::{
    account::{arrived, numbered},
    api,
    chance::Chance,
    program,
    proxy::Proxy,
    sender::{Sender, send},
    zone::{self, Zone},
};
use serde_json::Value;
use testkit::{Process, http, port, python, wait_until};

const RATE: u64 = 1_000;
const SOON: Duration = Duration::from_secs(60);

fn cuts() -> u64 {
    env::var("HERALD_CUTS").map_or(30, |cuts| cuts.parse().expect("HERALD_CUTS is a number"))
}

/// A bridge that reads as the predecessor's does.
fn stand_in(port: u16) -> Process {
    let script = program::path("predecessor_bridge.py").display().to_string();
    let python = python::newest();
    Process::start(
        &python.path,
        [script, port.to_string()],
        [("PYTHONDONTWRITEBYTECODE", "1")],
    )
}

/// A moment that has nothing to do with what anybody is doing.
async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

/// Waits until the last record of each connection is there; returns all records.
async fn settled(web_url: &str, last: &BTreeMap<String, u64>) -> Vec<Value> {
    for (connection, count) in last {
        let url = format!("{web_url}/api/v1/records?user_spec_1={connection}&limit=1");
        let message = format!("record {}", count - 1);
        wait_until("the last record is there", SOON, async || {
            let page = http::get_json(&url).await;
            page.is_some_and(|page| page["records"][0]["message"] == message.as_str())
        })
        .await;
    }
    api::all(web_url, "").await
}

/// A to B to C, and from B to a predecessor; B is killed, and all ways are cut.
#[tokio::test]
async fn cuts_and_kills_between_three_zones_lose_and_double_nothing() {
    let mut chance = Chance::from_environment();
    let zones = [Zone::new(), Zone::new(), Zone::new()];
    let old_port = port::free();
    let old = stand_in(old_port);
    let to_b = Proxy::to(zones[1].ingest_address()).await;
    let to_c = Proxy::to(zones[2].ingest_address()).await;
    let to_old = Proxy::to(format!("127.0.0.1:{old_port}")).await;
    zones[0].route(&[zone::herald("b", to_b.address(), "")]);
    zones[1].route(&[
        zone::predecessor("old", to_old.address(), "rate = 2000\nmask = [\"email\"]"),
        zone::herald("c", to_c.address(), ""),
    ]);
    let mut running = Vec::new();
    for zone in &zones {
        running.push(zone.herald.store().await);
        running.push(zone.herald.web().await);
    }
    let _c = zones[2].herald.bridge().await;
    let mut b = zones[1].herald.bridge().await;
    let _a = zones[0].herald.bridge().await;
    let sender = Sender::start("a", zones[0].herald.bridge_address(), RATE);
    for round in 0..cuts() {
        pass(chance.time(Duration::ZERO, Duration::from_millis(150))).await;
        match (round % 3, chance.below(3)) {
            (0, _) => {
                b.kill().await;
                pass(chance.time(Duration::ZERO, Duration::from_millis(50))).await;
                b = zones[1].herald.bridge().await;
            }
            (_, 0) => to_b.cut(),
            (_, 1) => to_c.cut(),
            _ => to_old.cut(),
        }
    }
    let last = sender.stop().await;
    let expected: u64 = last.values().sum();
    assert!(expected > 10 * cuts(), "hardly any load: {expected}");
    for zone in &zones {
        let records = settled(&zone.herald.web_url(), &last).await;
        // No duplicate, no hole, and the order of every connection.
        assert_eq!(arrived(&records), last);
        let status = api::status(&zone.herald.web_url()).await;
        assert_eq!(status["lost"], 0, "{status}");
        assert_eq!(status["dead_letters"], 0, "{status}");
        assert_eq!(status["records"], records.len(), "{status}");
    }
    assert!(to_b.connections() > 2 && to_c.connections() > 2);
    // The predecessor cannot tell twice from once, but lacks nothing.
    for (connection, count) in &last {
        let wanted = format!("account {connection} record {}", count - 1);
        wait_until("the predecessor has the last", SOON, async || {
            old.stdout().contains(&wanted)
        })
        .await;
        let told = old.stdout();
        let lines: std::collections::BTreeSet<&str> = told.lines().collect();
        for number in 0..*count {
            let line = format!("record account {connection} record {number}");
            let broken: Vec<_> = lines.iter().filter(|it| it.starts_with("broken")).collect();
            assert!(lines.contains(&*line), "{line} of {count}; {broken:?}");
        }
    }
    drop(running);
}

#[tokio::test]
async fn a_ring_gives_each_record_once_to_every_store() {
    let zones = [Zone::new(), Zone::new(), Zone::new()];
    let mut running = Vec::new();
    for at in 0..3 {
        zones[at].route(&[zone::herald(
            "next",
            &zones[(at + 1) % 3].ingest_address(),
            "",
        )]);
        running.push(zones[at].herald.store().await);
        running.push(zones[at].herald.web().await);
        running.push(zones[at].herald.bridge().await);
    }
    for (at, zone) in zones.iter().enumerate() {
        let records: Vec<_> = (0..500).map(|it| numbered(&format!("z{at}"), it)).collect();
        send(&zone.herald.bridge_address(), &records).await;
    }
    let expected: BTreeMap<String, u64> = (0..3).map(|at| (format!("z{at}"), 500)).collect();
    for zone in &zones {
        let records = settled(&zone.herald.web_url(), &expected).await;
        assert_eq!(arrived(&records), expected);
    }
    // What has gone round was dropped and counted, not refused.
    for zone in &zones {
        let admin = zone.herald.bridge_admin();
        wait_until("it has come round", SOON, async || {
            let round = http::metric(&admin, "herald_bridge_ingest_gone_round_total").await;
            round.is_some_and(|round| round >= 500.0)
        })
        .await;
        let status = api::status(&zone.herald.web_url()).await;
        assert_eq!(status["records"], 1_500, "{status}");
        assert_eq!(status["lost"], 0, "{status}");
    }
    drop(running);
}

#[tokio::test]
async fn a_dead_destination_delays_no_other_and_rules_hold() {
    let (inside, outside) = (Zone::new(), Zone::new());
    let nobody = format!("127.0.0.1:{}", port::free());
    inside.route(&[
        zone::herald("dead", &nobody, ""),
        zone::herald(
            "outside",
            &outside.ingest_address(),
            "query = \"level>=error\"\nfields = [\"message\", \"system_id\", \"user_spec_1\"]\n\
             mask = [\"email\", \"ip\"]",
        ),
    ]);
    let mut running = Vec::new();
    for zone in [&outside, &inside] {
        running.push(zone.herald.store().await);
        running.push(zone.herald.web().await);
        running.push(zone.herald.bridge().await);
    }
    let mut secret = numbered("c", 0);
    secret.level = 40;
    secret.message = "login of anna@example.org from 10.1.2.3".to_owned();
    let mut quiet = numbered("c", 1);
    quiet.level = 20;
    let begun = Instant::now();
    send(&inside.herald.bridge_address(), &[secret, quiet]).await;
    let left = api::exactly(&outside.herald.web_url(), "", 1, SOON).await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(api::text(&left[0], "message"), "login of [email] from [ip]");
    assert_eq!(left[0]["module"], "");
    let kept = api::exactly(&inside.herald.web_url(), "", 2, SOON).await;
    assert_eq!(
        api::text(&kept[0], "message"),
        "login of anna@example.org from 10.1.2.3"
    );
    // The bridge says the same without sending anything.
    let id = kept[0]["id"].to_string();
    let arguments = ["explain", "--to", "outside", "--id", &id];
    let mut explain = inside.herald.start("bridge", &arguments);
    assert!(explain.end(SOON).await.success(), "{}", explain.stderr());
    let told = explain.stdout();
    assert!(told.contains("masked by email: message"), "{told}");
    assert!(
        !told.contains("anna") && !told.contains("10.1.2.3"),
        "{told}"
    );
    // A wrong file is told before anything starts.
    inside.route(&["[[destination]]\nname = \"x\"\nkind = \"herold\"\n".to_owned()]);
    let mut check = inside.herald.start("bridge", &["check-routes"]);
    assert_eq!(check.end(SOON).await.code(), Some(2));
    assert!(
        check.stderr().contains("did you mean `herald`?"),
        "{}",
        check.stderr()
    );
    drop(running);
}
