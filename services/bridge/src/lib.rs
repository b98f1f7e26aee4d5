//! The bridge: takes log records over TCP, never loses one it has taken, and
//! passes them on to the store exactly once.
//!
//! The way of a record: [`listener`] accepts, [`connection`] reads and lets
//! [`frame`] find whole frames, [`spool`] makes them durable and numbers them,
//! [`forward`] reads them back, lets [`decode`] turn them into records or dead
//! letters, and sends them until the store has acknowledged them.
//!
//! Invariants: nothing is sent that is not durable; nothing is removed from the
//! spool that is not acknowledged; nothing of a frame is ever executed, and no
//! frame is looked into before it is durable.

pub mod batch;
pub mod clock;
pub mod config;
pub mod connection;
pub mod decode;
pub mod forward;
pub mod frame;
mod json;
pub mod listener;
pub mod metrics;
mod pickle;
pub mod report;
pub mod spool;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use runtime::{config::ConfigError, grpc, health::Readiness};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use config::Config;

use crate::{
    forward::Forwarder,
    listener::Shared,
    metrics::Metrics,
    report::Reporter,
    spool::{Recovery, Spool, SpoolError},
};

/// The destination that every bridge has.
const STORE: &str = "store";
/// How long the forwarder may take to notice that it is to stop.
const FORWARDER_END: Duration = Duration::from_secs(1);
/// How often a drain looks whether the spool is empty.
const DRAIN_LOOK: Duration = Duration::from_millis(10);

/// Runs a bridge until `shutdown` and drains it.
///
/// # Errors
/// A [`ConfigError`] before anything starts; later, when the spool's disk
/// fails.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    Bridge::bind(config).await?.run(shutdown).await
}

/// A bridge that owns its ports and its spool, and takes nothing yet.
#[derive(Debug)]
pub struct Bridge {
    config: Config,
    listener: TcpListener,
    admin: TcpListener,
    spool: Spool,
    client: grpc::Client,
}

impl Bridge {
    /// Opens ports and spool.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the variable to change.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        let client = grpc::channel(&config.store_url)
            .map_err(|error| ConfigError::new("BRIDGE_STORE_URL", error))?;
        let listener = bind("BRIDGE_LISTEN", config.listen).await?;
        let admin = bind("BRIDGE_ADMIN_LISTEN", config.admin_listen).await?;
        allow_many_files();
        let (spool, recovery) = Spool::open(config.spool.clone())
            .map_err(|error| ConfigError::new("BRIDGE_SPOOL_DIR", error))?;
        say(&recovery);
        Ok(Self {
            config,
            listener,
            admin,
            spool,
            client,
        })
    }

    /// Where programs send their records.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes and forwards until `shutdown`; then reads every socket empty,
    /// syncs, and forwards what it can within the drain time.
    ///
    /// # Errors
    /// When the spool's disk fails, or a part of the bridge ends before its time.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self {
            config,
            listener,
            admin,
            spool,
            client,
        } = self;
        let metrics = Metrics::new(&runtime::telemetry::meter("bridge"), &spool);
        let stop = CancellationToken::new();
        let readiness = Readiness::new();
        let mut admin = tokio::spawn(grpc::serve(
            admin,
            tonic::service::Routes::default(),
            runtime::health::router(readiness.clone()),
            readiness.clone(),
            stop.clone(),
            Duration::from_secs(1),
        ));
        let reader = spool.reader(STORE)?;
        let reporter = Reporter::new(spool.clone(), STORE);
        let forwarder = Forwarder::new(reader, client, config.name, Arc::clone(&metrics), reporter);
        let mut forwarding = tokio::spawn(forwarder.run(stop.clone()));
        let shared = Arc::new(Shared::new(spool.clone(), config.limits, metrics));
        readiness.ready();
        let listening = listener::serve(listener, shared, shutdown.clone());
        tokio::select! {
            listened = listening => listened.context("taking records")?,
            forwarded = &mut forwarding => forwarded?.context("forwarding")?,
            error = spool.failed() => return Err(error).context("the spool"),
            ended = &mut admin => {
                ended?.context("serving health and metrics")?;
                anyhow::bail!("the health and metrics server ended before its time");
            }
        }
        readiness.not_ready("stopping");
        let drained = tokio::time::timeout(config.drain, drain(&spool, &mut forwarding)).await;
        match drained {
            Ok(outcome) => outcome.context("draining")?,
            Err(_) => {
                let stats = spool.stats();
                warn!(
                    entries = stats.lag(STORE).entries,
                    unsynced = stats.next_sequence.saturating_sub(stats.durable_sequence),
                    dropped = stats.dropped_total,
                    full = stats.full,
                    "stopped with records in the spool; the next start sends them"
                );
            }
        }
        stop.cancel();
        end(forwarding).await?;
        if let Err(error) = admin.await? {
            warn!(%error, "health and metrics server ended with an error");
        }
        spool.close().await.context("closing the spool")
    }
}

/// Waits for the forwarder, which may be stuck in a store that neither takes
/// nor refuses; what is not acknowledged stays in the spool.
async fn end(mut forwarding: JoinHandle<Result<(), SpoolError>>) -> anyhow::Result<()> {
    match tokio::time::timeout(FORWARDER_END, &mut forwarding).await {
        Ok(outcome) => outcome?.context("forwarding"),
        Err(_) => {
            forwarding.abort();
            Ok(())
        }
    }
}

/// Syncs what has been read and waits until the store has it all.
async fn drain(
    spool: &Spool,
    forwarding: &mut JoinHandle<Result<(), SpoolError>>,
) -> anyhow::Result<()> {
    spool.flush().await?;
    let mut looks = tokio::time::interval(DRAIN_LOOK);
    while spool.stats().lag(STORE).entries > 0 && !forwarding.is_finished() {
        looks.tick().await;
    }
    Ok(())
}

async fn bind(variable: &str, address: SocketAddr) -> Result<TcpListener, ConfigError> {
    let listener = TcpListener::bind(address).await;
    listener
        .map_err(|error| ConfigError::new(variable, format!("cannot listen on {address}: {error}")))
}

/// Every connection is an open file; the usual soft limit of 1,024 is ours to
/// raise.
fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        warn!(%error, "limit on open files not raised");
    }
}

fn say(recovery: &Recovery) {
    info!(
        bytes = recovery.bytes,
        segments = recovery.segments,
        next_sequence = recovery.next_sequence,
        bridge_id = %recovery.bridge_id,
        "spool opened"
    );
    if recovery.torn_bytes > 0 {
        warn!(
            bytes = recovery.torn_bytes,
            "an unfinished write was cut off the spool's end"
        );
    }
    if recovery.lost_entries > 0 {
        warn!(
            entries = recovery.lost_entries,
            "durable frames are gone from the spool's end"
        );
    }
    if let Some(reason) = recovery.doubt {
        warn!(reason, "the spool may have forgotten frames that it had");
    }
}
