//! Delivers whatever is due in a store, for tests that kill it. Arguments: the
//! store's URL, the mail server's, and the number of the run at hand. Says on
//! stdout what has come of it.

use std::{io::Write, process::ExitCode};

use domain::Stage;
use neelix_cronjob::delivery::{Delivered, Post, StoreClock, deliver_due};
use proto::v1::{GetRunStateRequest, run_service_client::RunServiceClient};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, mail_server, run_id] = &arguments[..] else {
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime.map(|runtime| runtime.block_on(run(store, mail_server, run_id)));
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

async fn run(store: &str, mail_server: &str, run_id: &str) -> anyhow::Result<Delivered> {
    let mut runs = RunServiceClient::new(runtime::grpc::channel(store)?);
    let state = runs.get_run_state(GetRunStateRequest {}).await?;
    let state = state.into_inner().state.unwrap_or_default();
    let post = Post {
        stage: Stage::Testing,
        server: mail_server.parse()?,
        sender: "Herald <neelix@example.com>".parse()?,
    };
    let clock = StoreClock::new(state.now_us);
    let shutdown = CancellationToken::new();
    Ok(deliver_due(&mut runs, run_id.parse()?, clock, &post, &shutdown).await)
}
