//! The newest 50 records under each filter.

use std::time::{Duration, Instant};

use domain::{Condition, RecordFilter, RecordQuery, TextField, TextTest};
use proto::v1::record_service_client::RecordServiceClient;
use runtime::grpc::Client;
use testkit::{Installation, http};

use crate::{
    append,
    lines::Lines,
    report::{Report, Target, quantile_ms},
    search,
};

const ROUNDS: usize = 100;

/// Asks the store over gRPC and herald-web over HTTP, one after the other.
///
/// # Errors
/// When the store refuses a question.
pub(crate) async fn run(lines: &Lines, records: u64, report: &mut Report) -> anyhow::Result<()> {
    let installation = Installation::new();
    append::fill_folder(lines, records, &installation).await;
    let _store = installation.store().await;
    search::settle(&installation).await;
    let _web = installation.web().await;
    let mut client = RecordServiceClient::new(runtime::grpc::channel(&installation.store_url())?);
    for (what, filter, parameters) in filters() {
        let mut times = Vec::with_capacity(ROUNDS);
        let mut found = 0;
        for _ in 0..ROUNDS {
            found = ask(&mut client, filter.clone(), &mut times).await?;
        }
        let p99 = quantile_ms(&mut times, 0.99);
        let what = format!("newest 50, {what} ({found} found), p99");
        report.hold(format!("{what}, store"), p99, "ms", Target::AtMost(10.0));
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            page(&installation, parameters, &mut times).await?;
        }
        let p99 = quantile_ms(&mut times, 0.99);
        report.hold(format!("{what}, page"), p99, "ms", Target::AtMost(25.0));
    }
    Ok(())
}

async fn ask(
    client: &mut RecordServiceClient<Client>,
    filter: RecordFilter,
    times: &mut Vec<Duration>,
) -> anyhow::Result<usize> {
    let request = proto::query_to_request(&RecordQuery {
        filter,
        ..RecordQuery::default()
    });
    let start = Instant::now();
    let answer = client.list_records(request).await?.into_inner();
    times.push(start.elapsed());
    Ok(answer.records.len())
}

async fn page(
    installation: &Installation,
    parameters: &str,
    times: &mut Vec<Duration>,
) -> anyhow::Result<()> {
    let url = format!("{}/?{parameters}", installation.web_url());
    let start = Instant::now();
    let answer = http::get(&url).await?;
    times.push(start.elapsed());
    anyhow::ensure!(answer.status.is_success(), "{url}: {}", answer.status);
    Ok(())
}

fn filters() -> Vec<(&'static str, RecordFilter, &'static str)> {
    let context = |field, value: &str| {
        RecordFilter::new(Condition::Text(field, TextTest::Is(value.to_owned())))
    };
    let text = |text: &str| RecordFilter::new(Condition::Contains(text.to_owned()));
    let level = RecordFilter::new(Condition::at_least(40));
    let past = RecordFilter {
        to_us: Some(1),
        ..RecordFilter::default()
    };
    vec![
        ("no filter", RecordFilter::default(), ""),
        (
            "system_id",
            context(TextField::System, "service_7"),
            "system_id=service_7",
        ),
        (
            "absent system_id",
            context(TextField::System, "nobody"),
            "system_id=nobody",
        ),
        (
            "rare user_spec_1",
            context(TextField::UserSpec1, append::RARE),
            "user_spec_1=a-needle",
        ),
        ("level at least ERROR", level, "level=ERROR"),
        ("an empty time range", past, "to=1970-01-01T00:00:01Z"),
        ("common word", text("error"), "pattern=error"),
        ("absent word", text("unobtainium"), "pattern=unobtainium"),
        (
            "rare word",
            text("workerEnv in error state 10"),
            "pattern=workerEnv+in+error+state+10",
        ),
    ]
}
