//! Two hundred who follow the log and fifty pages a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use testkit::{Installation, Process, http};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    lines::Lines,
    report::{Report, Target, quantile_ms},
    search,
    throughput::mib,
};

const STREAMS: usize = 200;
const LOADS_PER_SECOND: u64 = 50;
const SECONDS: u64 = 20;

/// Follows and loads while records come in.
///
/// # Errors
/// When herald-web refuses a stream or has no page.
pub(crate) async fn run(
    installation: &Installation,
    web: &Process,
    lines: &Lines,
    per_second: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let incoming = tokio::spawn(search::pour(
        stop.clone(),
        per_second,
        0,
        lines.texts.clone(),
        installation.store_url(),
    ));
    let read = Arc::new(AtomicU64::new(0));
    let mut streams = JoinSet::new();
    for _ in 0..STREAMS {
        let stream = follow(installation).await?;
        streams.spawn(drain(stream, Arc::clone(&read)));
    }
    let loads = loads(installation).await?;
    stop.cancel();
    incoming.await?;
    let alive = STREAMS - std::iter::from_fn(|| streams.try_join_next()).count();
    anyhow::ensure!(alive == STREAMS, "only {alive} streams are left");
    let read = read.load(Ordering::Relaxed);
    anyhow::ensure!(read > 0, "nobody was told anything");
    let what = format!("200 streams, 50 loads/s, {per_second} records/s");
    let (mut begun, mut ended): (Vec<_>, Vec<_>) = loads.into_iter().unzip();
    let p99 = quantile_ms(&mut begun, 0.99);
    report.add(format!("{what}, first byte, p99"), p99, "ms");
    let p50 = quantile_ms(&mut ended, 0.5);
    report.add(format!("{what}, whole page, p50"), p50, "ms");
    let p99 = quantile_ms(&mut ended, 0.99);
    let most = Target::AtMost(100.0);
    report.hold(format!("{what}, whole page, p99"), p99, "ms", most);
    let sent = read as f64 / 1e6 / SECONDS as f64;
    report.add(format!("{what}, sent to the streams"), sent, "MB/s");
    let peak = mib(web.peak_resident_bytes());
    let most = Target::AtMost(64.0);
    report.hold(
        format!("{what}, herald-web peak resident"),
        peak,
        "MiB",
        most,
    );
    Ok(())
}

/// An open stream of the page.
async fn follow(installation: &Installation) -> anyhow::Result<TcpStream> {
    let address = installation.web_url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await?;
    let request = format!(
        "GET /tail HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\
         Accept-Encoding: gzip\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    let status = String::from_utf8_lossy(&head);
    anyhow::ensure!(status.ends_with("200"), "/tail: {status}");
    Ok(stream)
}

async fn drain(mut stream: TcpStream, read: Arc<AtomicU64>) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        read.fetch_add(length as u64, Ordering::Relaxed);
    }
}

/// How long each page took, from the question to its head and to its end.
async fn loads(installation: &Installation) -> anyhow::Result<Vec<(Duration, Duration)>> {
    let paths = [
        "/",
        "/?level=ERROR",
        "/?q=system%3Aservice_7",
        "/?from=-15m",
    ];
    let mut ticks = interval(Duration::from_millis(1_000 / LOADS_PER_SECOND));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut running = JoinSet::new();
    for number in 0..LOADS_PER_SECOND * SECONDS {
        ticks.tick().await;
        let path = paths[number as usize % paths.len()];
        let url = installation.web_url() + path;
        running.spawn(async move {
            let start = Instant::now();
            let answer = http::get_with(&url, &[("accept-encoding", "gzip")]).await?;
            anyhow::ensure!(answer.status.is_success(), "{url}: {}", answer.status);
            Ok((answer.head_after, start.elapsed()))
        });
    }
    let mut times = Vec::new();
    while let Some(time) = running.join_next().await {
        times.push(time??);
    }
    Ok(times)
}
