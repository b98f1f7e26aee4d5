//! `herald up`: bridge, store, herald-web and neelix in one process.
//!
//! They are what they are as processes of their own: each with its own
//! configuration and port, speaking gRPC. What is added here: one check of
//! everything before anything starts, and the order of stopping.

mod announcement;
pub(crate) mod defaults;
mod plan;

use anyhow::anyhow;
use runtime::{
    config::{ConfigError, Vars},
    shutdown, telemetry,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::output::say;
use plan::Plan;

/// Runs everything until Ctrl-C or SIGTERM.
pub(crate) async fn run(vars: &Vars) -> anyhow::Result<()> {
    let plan = Plan::from_vars(vars)?;
    plan.check()?;
    let stop = shutdown::of_service(vars)?;
    let telemetry = telemetry::start("herald", env!("CARGO_PKG_VERSION"), vars)?;
    let outcome = serve(plan, stop).await;
    telemetry.shutdown();
    outcome
}

async fn serve(plan: Plan, shutdown: CancellationToken) -> anyhow::Result<()> {
    let ended = CancellationToken::new();
    let announcement = tokio::spawn(announcement::when_reachable(plan.clone()));
    // In the order in which records flow, which is the order of stopping: each
    // can still hand on what it has.
    let services = [
        Service::start("bridge", &ended, |stop| bridge::run(plan.bridge, stop)),
        Service::start("herald-web", &ended, |stop| herald_web::run(plan.web, stop)),
        Service::start("neelix", &ended, |stop| {
            neelix_cronjob::repeat(plan.neelix, stop)
        }),
        Service::start("store", &ended, |stop| store::run(plan.store, stop)),
    ];
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = ended.cancelled() => error!("a service has ended, stopping the others"),
    }
    announcement.abort();
    let mut failures = Vec::new();
    for service in services {
        let name = service.name;
        match service.stop().await {
            Ok(()) => info!(service = name, "stopped"),
            Err(failure) => failures.push(failure),
        }
    }
    failures.sort_by_key(|failure| !failure.is_cause);
    match failures.into_iter().next() {
        None => {
            say("Stopped. What was received is on disk.");
            Ok(())
        }
        Some(failure) => Err(failure.error),
    }
}

/// A service that runs.
struct Service {
    name: &'static str,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

/// A service that did not end well.
struct Failure {
    /// It ended before it was told to: the others were stopped because of it.
    is_cause: bool,
    error: anyhow::Error,
}

impl Service {
    /// Starts it; cancels `ended` when it ends, for whatever reason.
    fn start<F>(
        name: &'static str,
        ended: &CancellationToken,
        run: impl FnOnce(CancellationToken) -> F,
    ) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let running = run(stop.clone());
        let at_its_end = ended.clone().drop_guard();
        let task = tokio::spawn(async move {
            let _at_its_end = at_its_end;
            running.await
        });
        Self { name, stop, task }
    }

    /// Tells it to stop, and waits until it has.
    async fn stop(self) -> Result<(), Failure> {
        let is_cause = self.task.is_finished();
        self.stop.cancel();
        let outcome = match self.task.await {
            Ok(Ok(())) if is_cause => Err(anyhow!("ended without being told to")),
            Ok(outcome) => outcome,
            Err(panic) => Err(panic.into()),
        };
        outcome.map_err(|error| Failure {
            is_cause,
            error: match error.downcast_ref::<ConfigError>() {
                Some(_) => error,
                None => error.context(format!("{} failed", self.name)),
            },
        })
    }
}
