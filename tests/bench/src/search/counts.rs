//! Counting everything, and counting what passes a filter.

use std::time::{Duration, Instant};

use domain::{CountQuery, RecordFilter, TextField};
use proto::v1;

use super::Records;
use crate::{
    append::now_us,
    report::{Report, Target, quantile_ms},
};

const ROUNDS: usize = 30;

/// When the first and the last answer of a count came.
struct Times {
    first: Duration,
    last: Duration,
}

pub(super) async fn run(client: &mut Records, report: &mut Report) -> anyhow::Result<()> {
    let most = |most| Some(Target::AtMost(most));
    counts(client, "everything", "", (None, most(50.0)), report).await?;
    counts(client, "level error", "level>=error", (None, None), report).await?;
    counts(
        client,
        "a system",
        "system_id:service_7",
        (None, None),
        report,
    )
    .await?;
    counts(client, "a word", "failed", (most(300.0), None), report).await?;
    systems(client, report).await?;
    exceptions(client, report).await
}

async fn counts(
    client: &mut Records,
    what: &str,
    text: &str,
    (first, last): (Option<Target>, Option<Target>),
    report: &mut Report,
) -> anyhow::Result<()> {
    let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for _ in 0..ROUNDS {
        if start.elapsed() > super::LONGEST {
            break;
        }
        let times = count(client, text).await?;
        firsts.push(times.first);
        lasts.push(times.last);
    }
    let what = format!("facets and histogram, {what}");
    for (which, times, target) in [
        ("first answer", &mut firsts, first),
        ("complete", &mut lasts, last),
    ] {
        let p99 = quantile_ms(times, 0.99);
        let what = format!("{what}, {which}, p99");
        match target {
            Some(target) => report.hold(what, p99, "ms", target),
            None => report.add(what, p99, "ms"),
        }
    }
    Ok(())
}

async fn count(client: &mut Records, text: &str) -> anyhow::Result<Times> {
    let condition = query::parse(text, now_us())?;
    let request = proto::count_to_request(&CountQuery {
        filter: RecordFilter::new(condition),
        fields: TextField::CONTEXT.to_vec(),
        buckets: 60,
        ..CountQuery::default()
    });
    let start = Instant::now();
    let mut answers = client.count_records(request).await?.into_inner();
    let mut first = None;
    while answers.message().await?.is_some() {
        first.get_or_insert_with(|| start.elapsed());
    }
    let last = start.elapsed();
    Ok(Times {
        first: first.unwrap_or(last),
        last,
    })
}

async fn systems(client: &mut Records, report: &mut Report) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        client
            .list_systems(v1::ListSystemsRequest::default())
            .await?;
        times.push(start.elapsed());
    }
    report.add("systems, p99", quantile_ms(&mut times, 0.99), "ms");
    Ok(())
}

async fn exceptions(client: &mut Records, report: &mut Report) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        client
            .list_exceptions(v1::ListExceptionsRequest::default())
            .await?;
        times.push(start.elapsed());
    }
    report.add("exceptions, p99", quantile_ms(&mut times, 0.99), "ms");
    Ok(())
}
