//! Delivers whatever is due in a store, for tests that kill it. Arguments: the
//! store's URL, the mail server's. Says on stdout what has come of it.

use std::{io::Write, process::ExitCode};

use domain::Stage;
use neelix_cronjob::delivery::{Delivered, Post, StoreClock, deliver_due};
use proto::v1::{BeginRunRequest, EndRunRequest, run_service_client::RunServiceClient};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, mail_server] = &arguments[..] else {
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime.map(|runtime| runtime.block_on(run(store, mail_server)));
    let told = match done {
        Ok(Ok(delivered)) => format!("{delivered:?}"),
        Ok(Err(error)) => format!("{error:#}"),
        Err(error) => error.to_string(),
    };
    match writeln!(std::io::stdout(), "{told}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn run(store: &str, mail_server: &str) -> anyhow::Result<Delivered> {
    let mut runs = RunServiceClient::new(runtime::grpc::channel(store)?);
    let begun = runs.begin_run(BeginRunRequest {
        holder: "test".to_owned(),
        lease_s: 1,
        ..BeginRunRequest::default()
    });
    let begun = begun.await?.into_inner();
    let post = Post {
        stage: Stage::Testing,
        server: mail_server.parse()?,
        sender: "Herald <neelix@example.com>".parse()?,
    };
    let clock = StoreClock::new(begun.state.unwrap_or_default().now_us);
    let run_id = begun.run_id;
    let shutdown = CancellationToken::new();
    let delivered = deliver_due(&mut runs, run_id, clock, &post, &shutdown).await;
    let errors = delivered.errors.clone();
    runs.end_run(EndRunRequest { run_id, errors }).await?;
    Ok(delivered)
}
