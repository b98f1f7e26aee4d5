//! What it costs the store when many follow a flood, each with a limit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use proto::v1::{RecordFilter, TailRecordsRequest, record_service_client::RecordServiceClient};
use testkit::{Installation, Process};
use tokio::task::JoinSet;

use crate::{
    lines::Lines,
    load::Load,
    report::{Report, Target},
    throughput::mib,
};

/// Records that come in per second.
const RATE: u64 = 20_000;
const TIME: Duration = Duration::from_secs(15);
const TAILS: usize = 200;
const MAX_PER_SECOND: u32 = 40;
/// What they look for, in turns: everything, what the catalog knows, a word of
/// many messages, and one of none.
const QUERIES: [&str; 5] = [
    "",
    "system_id:service_7",
    "level>=warning",
    "status",
    "unobtainium",
];

/// What the tails have been told.
#[derive(Debug, Default)]
struct Told {
    shown: AtomicU64,
    left_out: AtomicU64,
}

/// Sends a flood with nobody and with many who follow it.
///
/// # Errors
/// When the store refuses a tail.
pub(crate) async fn run(lines: &Lines, report: &mut Report) -> anyhow::Result<()> {
    let load = Load::new(lines);
    let installation = Installation::new();
    let store = installation.store().await;
    let _bridge = installation.bridge().await;
    let alone = flood(&load, &installation, &store).await;
    report.add("store at 20,000 records/s", alone, "% of a core");
    let channel = runtime::grpc::channel_of_streams(
        &installation.store_url(),
        &runtime::tls::Files::default(),
    )?;
    let told = Arc::new(Told::default());
    let mut tails = JoinSet::new();
    for number in 0..TAILS {
        let mut client = RecordServiceClient::new(channel.clone());
        let filter = RecordFilter {
            query: QUERIES[number % QUERIES.len()].to_owned(),
            ..RecordFilter::default()
        };
        let request = TailRecordsRequest {
            filter: Some(filter),
            after: None,
            max_per_second: MAX_PER_SECOND,
        };
        let mut news = client.tail_records(request).await?.into_inner();
        let told = Arc::clone(&told);
        tails.spawn(async move {
            while let Ok(Some(answer)) = news.message().await {
                let shown = answer.records.len() as u64;
                told.shown.fetch_add(shown, Ordering::Relaxed);
                told.left_out.fetch_add(answer.left_out, Ordering::Relaxed);
            }
        });
    }
    let followed = flood(&load, &installation, &store).await;
    report.hold(
        "the same, followed by 200 with a limit of 40",
        followed,
        "% of a core",
        Target::AtMost(alone + 100.0),
    );
    let rate = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64 / TIME.as_secs_f64();
    report.add("shown to all of them", rate(&told.shown), "records/s");
    report.add("counted for them", rate(&told.left_out), "records/s");
    let peak = mib(store.peak_resident_bytes());
    report.add("store peak resident", peak, "MiB");
    Ok(())
}

/// How much of a core the store takes meanwhile, in percent.
async fn flood(load: &Load, installation: &Installation, store: &Process) -> f64 {
    let before = store.cpu_time();
    let sender = load.send_paced(&installation.bridge_address(), RATE, TIME);
    testkit::wait_until("all is sent", 4 * TIME, async || sender.is_finished()).await;
    (store.cpu_time() - before).as_secs_f64() / TIME.as_secs_f64() * 100.0
}
