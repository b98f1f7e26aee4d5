//! The frame of every `main.rs`: a runtime, one error report, an exit code.

use std::{
    future::Future,
    panic::{self, PanicHookInfo},
    process::ExitCode,
    thread,
};

use crate::config::ConfigError;

/// Exit code of a process that was not started because a variable or an
/// argument is wrong.
const MISCONFIGURED: u8 = 2;

/// An argument that only its command can check is wrong: nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongUsage(pub String);

/// Runs a service to its end on a multi-threaded tokio runtime. An error is
/// told on stderr once, with its causes: as one of our own log lines if
/// telemetry has been started, else, or if a [`ConfigError`] is among the
/// causes, as a plain line for who started the process. The exit code is 0, or
/// 2 for a [`ConfigError`] or a [`WrongUsage`], or 1 for any other error.
///
/// A panic is one of our own log lines, too. It has the place and, if the
/// message is a constant, the message: others may hold a record's text.
///
/// ```no_run
/// # struct Config; impl Config { fn from_vars(_: &runtime::config::Vars)
/// # -> Result<Self, runtime::config::ConfigError> { Ok(Self) } }
/// # async fn run(_: Config, _: tokio_util::sync::CancellationToken) -> anyhow::Result<()> { Ok(()) }
/// fn main() -> std::process::ExitCode {
///     runtime::process::main(async {
///         let vars = runtime::config::vars();
///         let config = Config::from_vars(&vars)?;
///         let stop = runtime::shutdown::of_service(&vars)?;
///         let telemetry = runtime::telemetry::start("bridge", "1.2.3", &vars)?;
///         let outcome = run(config, stop).await;
///         telemetry.shutdown();
///         outcome
///     })
/// }
/// ```
pub fn main(run: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if tracing::dispatcher::has_been_set() {
            log_panic(panic);
        } else {
            before(panic);
        }
    }));
    drive(run)
}

fn drive(run: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the system gives threads and an event queue");
    let outcome = runtime.block_on(run);
    // A blocked disk must not keep a process alive that has already said goodbye.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

fn report(error: &anyhow::Error) -> ExitCode {
    let is_misconfigured = error
        .chain()
        .any(|cause| cause.is::<ConfigError>() || cause.is::<WrongUsage>());
    if is_misconfigured || !tracing::dispatcher::has_been_set() {
        print(error);
    } else {
        tracing::error!(error = format!("{error:#}"), "ended by an error");
    }
    if is_misconfigured {
        ExitCode::from(MISCONFIGURED)
    } else {
        ExitCode::FAILURE
    }
}

#[expect(clippy::print_stderr, reason = "a person at a terminal reads it")]
fn print(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    tracing::error!(
        location = panic.location().map(ToString::to_string),
        thread = thread::current().name(),
        reason = panic.payload().downcast_ref::<&'static str>(),
        "panicked"
    );
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use anyhow::{Context, anyhow};

    use super::{WrongUsage, drive};
    use crate::config::ConfigError;

    #[test]
    fn the_exit_code_tells_a_wrong_variable_from_other_failures() {
        let check = |outcome: anyhow::Result<()>, expected: ExitCode| {
            let code = drive(async { outcome });
            assert_eq!(format!("{code:?}"), format!("{expected:?}"));
        };
        let wrong = ConfigError::new("DEV_STAGE", "is required, but not set");
        check(Ok(()), ExitCode::SUCCESS);
        check(Err(anyhow!("the disk is gone")), ExitCode::from(1));
        check(Err(wrong.clone().into()), ExitCode::from(2));
        check(Err(wrong).context("cannot start"), ExitCode::from(2));
        check(
            Err(WrongUsage("no query".to_owned()).into()),
            ExitCode::from(2),
        );
    }
}
