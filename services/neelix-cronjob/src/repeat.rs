//! Run after run, for a Herald that is one process.

use tokio::{
    runtime::Handle,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    config::Config,
    job::{self, Outcome},
};

/// Runs every [`Config::interval`], the first time at once, until `shutdown`. What
/// goes wrong is logged once as long as it stays the same; it ends nothing.
///
/// # Errors
/// The store's URL is none.
pub async fn repeat(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    // A run is not made to move from thread to thread: it has one of its own.
    let runtime = Handle::current();
    spawn_blocking(move || runtime.block_on(again_and_again(config, shutdown))).await?
}

async fn again_and_again(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    config.warn_of_plain();
    crate::store_client::StoreClient::new(&config.store_url, &config.tls)?;
    let mut ticks = interval(config.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Vec::new();
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        let faults = match job::run(&config, &shutdown).await {
            Ok(Outcome::Done(summary)) => {
                if summary.opened + summary.resolved > 0 || summary.delivered > 0 {
                    info!(
                        opened = summary.opened,
                        resolved = summary.resolved,
                        delivered = summary.delivered,
                        "judged the records"
                    );
                }
                summary.errors
            }
            Ok(Outcome::BrokenRules(problems)) => problems,
            Ok(Outcome::Held(by_whom)) => vec![format!("another run goes on: {by_whom}")],
            Ok(Outcome::Stopped) => Vec::new(),
            Err(error) => vec![format!("{error:#}")],
        };
        if faults != before {
            for fault in &faults {
                warn!(fault, "a run of neelix found a fault");
            }
            before = faults;
        }
    }
}
