//! What the chart's alerts and dashboard ask for is what the services tell.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use e2e::{account::numbered, api};
use testkit::{Installation, frame, http};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const SOON: Duration = Duration::from_secs(30);

/// What the store tells only when a run of neelix has ended.
const AFTER_A_RUN: &str = "herald_store_run_age_seconds";

/// Names of our metrics in a text, without what Prometheus adds for histograms.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c| !is_part(c));
    let is_ours = |word: &&str| {
        let services = ["herald_bridge_", "herald_store_", "herald_web_"];
        services.iter().any(|service| word.starts_with(service))
    };
    words
        .filter(is_ours)
        .map(|word| word.trim_end_matches("_bucket").to_owned())
        .collect()
}

fn asked_for() -> BTreeSet<String> {
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts/herald");
    let files = [
        "rules/herald.yaml",
        "rules/neelix.yaml",
        "dashboards/herald.json",
    ];
    files
        .iter()
        .flat_map(|file| names(&fs::read_to_string(chart.join(file)).unwrap()))
        .collect()
}

#[tokio::test]
async fn alerts_and_dashboard_name_metrics_that_exist() {
    let herald = Installation::new();
    let (_store, _bridge) = (herald.store().await, herald.bridge().await);
    let _web = herald.web().await;
    let mut stream = TcpStream::connect(herald.bridge_address()).await.unwrap();
    stream
        .write_all(&frame::pickle(&numbered("a", 0)))
        .await
        .unwrap();
    api::exactly(&herald.web_url(), "", 1, SOON).await;

    let mut told = BTreeSet::new();
    for service in [herald.bridge_admin(), herald.store_url(), herald.web_url()] {
        let answer = http::get(&format!("{service}/metrics")).await.unwrap();
        told.extend(names(&answer.text()));
    }
    let asked = asked_for();
    assert!(asked.len() > 20, "it read the chart: {asked:?}");
    let missing: Vec<_> = asked
        .difference(&told)
        .filter(|name| *name != AFTER_A_RUN)
        .collect();
    assert!(
        missing.is_empty(),
        "nobody tells {missing:?} among {told:?}"
    );
}
