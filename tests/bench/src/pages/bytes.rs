//! How soon a page begins, and how much of it there is.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use domain::{RecordFilter, RecordQuery};
use proto::v1::record_service_client::RecordServiceClient;
use testkit::{Installation, http};

use crate::{
    append::now_us,
    report::{Report, Target, quantile_ms},
};

const ROUNDS: usize = 100;
const COMPRESSED: [(&str, &str); 1] = [("accept-encoding", "gzip")];
const KB: f64 = 1_000.0;

/// Asks the store and the page the same in turn.
///
/// # Errors
/// When one of them gives no answer.
pub(crate) async fn run(installation: &Installation, report: &mut Report) -> anyhow::Result<()> {
    let channel = runtime::grpc::channel(&installation.store_url())?;
    let mut store = RecordServiceClient::new(channel);
    for (what, query, path) in [
        ("the newest 50", "*", "/"),
        (
            "50 of a system",
            "system:service_7",
            "/?q=system%3Aservice_7",
        ),
        ("50 with a word", "error", "/?q=error"),
    ] {
        let mut asked = Vec::new();
        let mut begun = Vec::new();
        for _ in 0..ROUNDS {
            let request = proto::query_to_request(&RecordQuery {
                filter: RecordFilter::new(query::parse(query, now_us())?),
                ..RecordQuery::default()
            });
            let start = Instant::now();
            store.list_records(request).await?;
            asked.push(start.elapsed());
            let answer = page(installation, path).await?;
            begun.push(answer.head_after);
        }
        let of_store = quantile_ms(&mut asked, 0.5);
        report.add(format!("{what}, store's time, p50"), of_store, "ms");
        let p50 = quantile_ms(&mut begun, 0.5) - of_store;
        report.add(format!("{what}, first byte beyond it, p50"), p50, "ms");
        let p99 = quantile_ms(&mut begun, 0.99) - of_store;
        let most = Target::AtMost(30.0);
        report.hold(
            format!("{what}, first byte beyond it, p99"),
            p99,
            "ms",
            most,
        );
    }
    sizes(installation, report).await
}

async fn sizes(installation: &Installation, report: &mut Report) -> anyhow::Result<()> {
    let answer = page(installation, "/").await?;
    let size = answer.body.len() as f64 / KB;
    let most = Target::AtMost(60.0);
    report.hold("page of 50 rows, compressed", size, "KB", most);
    let plain = http::get(&(installation.web_url() + "/")).await?;
    report.add(
        "the same, not compressed",
        plain.body.len() as f64 / KB,
        "KB",
    );
    let html = plain.text();
    let assets: BTreeSet<&str> = html
        .split('"')
        .filter(|part| part.starts_with("/static/"))
        .collect();
    let mut size = 0;
    for asset in &assets {
        size += page(installation, asset).await?.body.len();
    }
    anyhow::ensure!(size > 0, "the page names no style and no script");
    let most = Target::AtMost(40.0);
    report.hold(
        "style and scripts, compressed",
        size as f64 / KB,
        "KB",
        most,
    );
    report.add("files of style and scripts", assets.len() as f64, "");
    Ok(())
}

async fn page(installation: &Installation, path: &str) -> anyhow::Result<http::Response> {
    let url = installation.web_url() + path;
    let answer = http::get_with(&url, &COMPRESSED).await?;
    anyhow::ensure!(answer.status.is_success(), "{url}: {}", answer.status);
    anyhow::ensure!(answer.head_after < Duration::from_secs(5), "{url} is slow");
    Ok(answer)
}
