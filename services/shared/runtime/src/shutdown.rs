//! Turns SIGTERM and SIGINT into one token that everything waits on.

use std::time::Duration;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::config::{self, Age, ConfigError, Vars};

const SIGTERM: &str = "SIGTERM";

/// The exit code of a process that was told twice to stop.
const IMPATIENT_EXIT_CODE: i32 = 130;

/// A token that SIGTERM or SIGINT (Ctrl-C) cancels. A second signal ends the
/// process at once, with code 130. Call it within a tokio runtime, once.
#[must_use]
pub fn on_signal() -> CancellationToken {
    on_signal_after(Duration::ZERO)
}

/// The same for a service that others connect to. Kubernetes asks a process to stop while
/// connections still come its way; refusing one costs a program that logs with Python's
/// standard library a second of its records. So for as long as `HERALD_STOP_DELAY` says (not
/// at all unless it is set), everything goes on as if there had been no SIGTERM. A second
/// signal ends the waiting.
///
/// # Errors
/// When the variable is no time.
pub fn of_service(vars: &Vars) -> Result<CancellationToken, ConfigError> {
    let delay: Option<Age> = config::optional("HERALD_STOP_DELAY", vars)?;
    Ok(on_signal_after(
        delay.map_or(Duration::ZERO, |delay| delay.0),
    ))
}

fn on_signal_after(delay: Duration) -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    let mut terminate = listen(SignalKind::terminate());
    let mut interrupt = listen(SignalKind::interrupt());
    tokio::spawn(async move {
        let name = next(&mut terminate, &mut interrupt).await;
        // Whoever presses Ctrl-C is there, and waits.
        if name == SIGTERM && !delay.is_zero() {
            info!(
                signal = name,
                delay_s = delay.as_secs_f64(),
                "shutting down soon"
            );
            tokio::select! {
                () = sleep(delay) => {}
                _ = next(&mut terminate, &mut interrupt) => {}
            }
        }
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
        _ = terminate.recv() => SIGTERM,
        _ = interrupt.recv() => "SIGINT",
    }
}
