//! Measures counting on made records, in a folder that is kept for the next run:
//! `cargo run --release -p store --example count_speed -- FOLDER [MILLIONS]`.
//! The whole way: gRPC on this machine, real SQLite. Prints the median of
//! several runs.

#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::{path::Path, time::Duration};

use anyhow::Context;
use domain::{CountBy, CountQuery, Entry, Record, RecordFilter, TextField};
use proto::v1::{self, record_service_client::RecordServiceClient};
use store::{Config, direct::Direct};
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use uuid::Uuid;

const RUNS: usize = 7;
const BATCH: u64 = 1_000;
const START_US: i64 = 1_700_000_000_000_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("which folder?")?;
    let millions: u64 = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let vars = [
        ("DEV_STAGE", "TESTING".to_owned()),
        ("STORE_LISTEN", "127.0.0.1:0".to_owned()),
        ("STORE_DATA_DIR", folder),
        ("STORE_QUERY_TIMEOUT", "60s".to_owned()),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value));
    let config = Config::from_vars(&vars.into())?;
    if !config.database_path().exists() {
        std::fs::create_dir_all(&config.data_dir)?;
        fill(&config.database_path(), millions * 1_000_000).await?;
    }
    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(store::serve(listener, config, shutdown.clone()));
    let channel = Channel::from_shared(format!("http://{address}"))?;
    let channel = loop {
        match channel.connect().await {
            Ok(channel) => break channel,
            Err(_) if !serving.is_finished() => tokio::task::yield_now().await,
            Err(error) => return Err(error.into()),
        }
    };
    measure(&mut RecordServiceClient::new(channel)).await?;
    shutdown.cancel();
    serving.await?
}

async fn fill(database: &Path, records: u64) -> anyhow::Result<()> {
    let started = Instant::now();
    let direct = Direct::open(database).await?;
    let batches = (0..records.div_ceil(BATCH)).map(|batch| {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        numbers
            .map(|number| Entry::Record(Box::new(record(number))))
            .collect()
    });
    direct.append(Uuid::from_u128(1), batches).await?;
    direct.close().await?;
    println!("{records} records made in {:?}", started.elapsed());
    Ok(())
}

/// A number that looks random.
fn random(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// 20 systems on 40 hosts; a tenth of the records mentions a timeout, one in a
/// hundred has an exception.
fn record(number: u64) -> Record {
    let noise = random(number + 1);
    let (system, host, site) = (noise % 20, (noise >> 8) % 40, (noise >> 16) % 200);
    let level = match (noise >> 24) % 100 {
        0 => 40,
        1..6 => 30,
        6..30 => 10,
        _ => 20,
    };
    let what = match (noise >> 32) % 10 {
        0 => "timeout while waiting for",
        _ => "handled",
    };
    let exception = match level {
        40 => format!(
            "Traceback (most recent call last):\n  File \"/srv/shop/m{site}.py\", line 12, in \
             f{site}\n    self.save()\nshop.db.DbError: no {noise:x}"
        ),
        _ => String::new(),
    };
    Record {
        received_us: START_US + (number * 8_000).cast_signed() + (noise % 3_000).cast_signed(),
        created_us: START_US + (number * 8_000).cast_signed(),
        level,
        message: format!("{what} request {noise:016x} of customer {}", noise % 5_000),
        system_id: format!("system-{system}"),
        sub_system_id: format!("host-{host}"),
        sub_sub_system_id: format!("worker-{}", noise % 8),
        produkt_id: format!("product-{}", noise % 3),
        user_spec_1: format!("tenant-{}", noise % 60),
        user_spec_2: "north".to_owned(),
        module: format!("module_{site}"),
        function: format!("function_{site}"),
        exception,
        ..testkit::record(number)
    }
}

async fn measure(client: &mut RecordServiceClient<Channel>) -> anyhow::Result<()> {
    let everything = CountQuery {
        fields: TextField::CONTEXT.to_vec(),
        buckets: 60,
        ..CountQuery::default()
    };
    let with = |text: &str| -> anyhow::Result<CountQuery> {
        Ok(CountQuery {
            filter: RecordFilter::new(query::parse(text, 0)?),
            ..everything.clone()
        })
    };
    let by_system = CountQuery {
        by: CountBy::Field(TextField::System),
        ..everything.clone()
    };
    let recent = CountQuery {
        filter: RecordFilter {
            from_us: Some(START_US + 1_000_000_000),
            to_us: Some(START_US + 9_000_000_000),
            ..RecordFilter::default()
        },
        ..everything.clone()
    };
    let modules = CountQuery {
        fields: vec![TextField::Module],
        ..CountQuery::default()
    };
    counts(client, "60 bars by level, 6 facets", &everything).await?;
    counts(client, "60 bars by system, 6 facets", &by_system).await?;
    counts(client, "the same in a time range", &recent).await?;
    counts(client, "a common word", &with("timeout")?).await?;
    counts(client, "a part of an id", &with("deadbeef")?).await?;
    counts(client, "level >= error", &with("level>=error")?).await?;
    counts(client, "one system", &with("system_id:system-3")?).await?;
    counts(client, "a field that is no facet", &modules).await?;
    for buckets in [0, 60] {
        let mut took = Vec::new();
        let mut found = 0;
        for _ in 0..RUNS {
            let started = Instant::now();
            let request = v1::ListSystemsRequest {
                buckets,
                ..v1::ListSystemsRequest::default()
            };
            found = client
                .list_systems(request)
                .await?
                .into_inner()
                .systems
                .len();
            took.push(started.elapsed());
        }
        let took = median(took);
        println!("systems, {buckets} buckets: {took:.1?}, {found} of them");
    }
    let started = Instant::now();
    let request = v1::ListExceptionsRequest {
        buckets: 60,
        ..v1::ListExceptionsRequest::default()
    };
    let groups = client.list_exceptions(request).await?.into_inner().groups;
    println!(
        "exceptions: {:.1?}, {} groups",
        started.elapsed(),
        groups.len()
    );
    Ok(())
}

async fn counts(
    client: &mut RecordServiceClient<Channel>,
    name: &str,
    query: &CountQuery,
) -> anyhow::Result<()> {
    let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
    let mut records = 0;
    for _ in 0..RUNS {
        let started = Instant::now();
        let request = proto::count_to_request(query);
        let mut answers = client.count_records(request).await?.into_inner();
        let mut first = None;
        while let Some(answer) = answers.message().await? {
            first.get_or_insert(started.elapsed());
            records = answer.records;
        }
        firsts.extend(first);
        lasts.push(started.elapsed());
    }
    let (first, last) = (median(firsts), median(lasts));
    println!("{name}: first {first:.1?}, complete {last:.1?}, {records} records");
    Ok(())
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default()
}
