//! Searching and counting a large store while records come in: the table that
//! is held against the best peer.

mod counts;
mod questions;

use std::time::{Duration, Instant};

use domain::RecordQuery;
use e2e::appender::Appender;
use proto::v1::record_service_client::RecordServiceClient;
use runtime::grpc::Client;
use testkit::{Installation, Process};
use tokio_util::sync::CancellationToken;

use crate::{
    append::{entry, now_us},
    corpus,
    lines::Lines,
    report::{Report, Target, quantile_ms},
    throughput::{database_bytes, mib},
};
use questions::Question;

/// Records that come in per second meanwhile.
const INCOMING: u64 = 5_000;
/// How often a question is asked.
const ROUNDS: u64 = 60;
/// But not for longer than this.
const LONGEST: Duration = Duration::from_secs(20);
const BATCH: u64 = 1_000;
/// Merging that has changed nothing for so long has come to rest.
const AT_REST: Duration = Duration::from_secs(3);
/// People who ask at the same time.
const PEOPLE: u64 = 10;

type Records = RecordServiceClient<Client>;

/// Fills a store, then asks while records come in.
///
/// # Errors
/// When the store refuses a question.
pub(crate) async fn run(lines: &Lines, records: u64, report: &mut Report) -> anyhow::Result<()> {
    let installation = Installation::new();
    let mut store = installation.store().await;
    let url = installation.store_url();
    let cpu = store.cpu_time();
    let start = Instant::now();
    fill(lines, records, &url).await;
    settle(&installation).await;
    let took = (start.elapsed() - AT_REST).as_secs_f64();
    let rate = records as f64 / took;
    let target = Target::AtLeast(70_000.0);
    report.hold("append, until all is merged", rate, "records/s", target);
    let seconds = (store.cpu_time() - cpu).as_secs_f64() * 1e6 / records as f64;
    report.add("store CPU per million records", seconds, "s");
    let bytes = database_bytes(&installation) as f64 / records as f64;
    report.hold("disk per record", bytes, "bytes", Target::AtMost(80.0));
    let peak = mib(store.peak_resident_bytes());
    report.hold(
        "store peak resident, filling",
        peak,
        "MiB",
        Target::AtMost(192.0),
    );

    let stop = CancellationToken::new();
    let incoming = tokio::spawn(pour(
        stop.clone(),
        INCOMING,
        records,
        lines.texts.clone(),
        url.clone(),
    ));
    let mut client = client(&url)?;
    for question in questions::all(lines) {
        ask(&mut client, &question, records, report).await?;
    }
    counts::run(&mut client, report).await?;
    together(&url, lines, records, report).await?;
    stop.cancel();
    let sent = incoming.await?;
    report.add("records that came in meanwhile", sent as f64, "");
    let peak = mib(store.peak_resident_bytes());
    report.hold(
        "store peak resident, asked",
        peak,
        "MiB",
        Target::AtMost(192.0),
    );
    ended(&mut store).await;
    Ok(())
}

/// Fills a store as [`run`] searches it: one record a millisecond, up to now.
pub(crate) async fn fill(lines: &Lines, records: u64, url: &str) {
    let mut appender = Appender::open(url).await;
    let first_us = now_us() - records as i64 * 1_000;
    for first in (0..records).step_by(BATCH as usize) {
        let batch = (first..records.min(first + BATCH))
            .map(|number| {
                entry(corpus::record(
                    lines,
                    number,
                    first_us + number as i64 * 1_000,
                ))
            })
            .collect();
        appender.send(batch).await;
        appender.committed(12 * BATCH).await;
    }
    appender.committed(0).await;
}

/// Waits until merging has come to rest.
pub(crate) async fn settle(installation: &Installation) {
    let patience = Duration::from_secs(600);
    let mut before = (0.0, Instant::now());
    testkit::wait_until("merging has come to rest", patience, async || {
        let blocks = testkit::http::metric(&installation.store_url(), "herald_store_blocks").await;
        let blocks = blocks.unwrap_or(0.0);
        if blocks != before.0 {
            before = (blocks, Instant::now());
        }
        before.1.elapsed() > AT_REST
    })
    .await;
}

/// Sends so many records a second until it is stopped; how many.
pub(crate) async fn pour(
    stop: CancellationToken,
    per_second: u64,
    first: u64,
    texts: Vec<String>,
    url: String,
) -> u64 {
    let lines = Lines {
        texts,
        origin: "the same",
    };
    let mut appender = Appender::open(&url).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let mut sent = 0;
    while !stop.is_cancelled() {
        ticks.tick().await;
        let received_us = now_us();
        let numbers = first + sent..first + sent + per_second / 50;
        sent += per_second / 50;
        let batch = numbers.map(|number| entry(corpus::record(&lines, number, received_us)));
        appender.send(batch.collect()).await;
        appender.committed(4 * BATCH).await;
    }
    appender.committed(0).await;
    sent
}

async fn ended(store: &mut Process) {
    store.terminate();
    store.end(Duration::from_secs(60)).await;
}

fn client(url: &str) -> anyhow::Result<Records> {
    let channel = runtime::grpc::channel(url)?;
    Ok(RecordServiceClient::new(channel).max_decoding_message_size(64 << 20))
}

async fn ask(
    client: &mut Records,
    question: &Question,
    records: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut times = Vec::new();
    let (mut found, mut partial) = (0, 0);
    let start = Instant::now();
    for round in 0..ROUNDS {
        if start.elapsed() > LONGEST {
            break;
        }
        let number = corpus::mix(round) % records;
        let answer = list(client, &(question.text)(number), &mut times).await?;
        found += answer.0;
        partial += u64::from(answer.1);
    }
    let rounds = times.len() as f64;
    let found = found as f64 / rounds;
    let cut = if partial > 0 {
        ", cut at the deadline"
    } else {
        ""
    };
    let what = format!("newest 50, {} ({found:.0} found{cut})", question.what);
    report.add(format!("{what}, p50"), quantile_ms(&mut times, 0.5), "ms");
    let p99 = quantile_ms(&mut times, 0.99);
    match question.most_ms {
        Some(most) => report.hold(format!("{what}, p99"), p99, "ms", Target::AtMost(most)),
        None => report.add(format!("{what}, p99"), p99, "ms"),
    }
    Ok(())
}

/// How many records, and whether it is all.
async fn list(
    client: &mut Records,
    text: &str,
    times: &mut Vec<Duration>,
) -> anyhow::Result<(usize, bool)> {
    let condition = query::parse(text, now_us())?;
    let request = proto::query_to_request(&RecordQuery {
        filter: domain::RecordFilter::new(condition),
        ..RecordQuery::default()
    });
    let start = Instant::now();
    let answer = client.list_records(request).await?.into_inner();
    times.push(start.elapsed());
    Ok((answer.records.len(), answer.partial))
}

/// Ten people at once, each with every quick question.
async fn together(
    url: &str,
    lines: &Lines,
    records: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut people = tokio::task::JoinSet::new();
    for person in 0..PEOPLE {
        let mut client = client(url)?;
        let questions = questions::all(lines);
        people.spawn(async move {
            let mut times = Vec::new();
            for (round, question) in questions.iter().filter(|it| it.is_quick()).enumerate() {
                let number = corpus::mix(person * 100 + round as u64) % records;
                list(&mut client, &(question.text)(number), &mut times).await?;
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(some) = people.join_next().await {
        times.extend(some??);
    }
    report.add("ten people, p50", quantile_ms(&mut times, 0.5), "ms");
    report.add("ten people, p99", quantile_ms(&mut times, 0.99), "ms");
    Ok(())
}
