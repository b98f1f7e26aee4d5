//! Turns SIGTERM and SIGINT into one token that everything waits on.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

/// The exit code of a process that was told twice to stop.
const IMPATIENT_EXIT_CODE: i32 = 130;

/// A token that SIGTERM or SIGINT (Ctrl-C) cancels. A second signal ends the
/// process at once, with code 130. Call it within a tokio runtime, once.
#[must_use]
pub fn on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    let mut terminate = listen(SignalKind::terminate());
    let mut interrupt = listen(SignalKind::interrupt());
    tokio::spawn(async move {
        let name = next(&mut terminate, &mut interrupt).await;
        info!(signal = name, "shutting down");
        stop.cancel();
        let name = next(&mut terminate, &mut interrupt).await;
        info!(signal = name, "ending at once");
        std::process::exit(IMPATIENT_EXIT_CODE);
    });
    token
}

fn listen(kind: SignalKind) -> Signal {
    signal(kind).expect("a tokio runtime with signals is running, and the signal may be caught")
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
