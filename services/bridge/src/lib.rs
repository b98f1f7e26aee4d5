//! The bridge: takes log records over TCP, never loses one it has taken, and
//! passes them on to the store exactly once.
//!
//! The way of a record: [`listener`] accepts, [`connection`] reads and lets
//! [`frame`] find whole frames, [`spool`] makes them durable and numbers them,
//! [`forward`] reads them back, lets [`decode`] turn them into records or dead
//! letters, and sends them until the store has acknowledged them. Other
//! destinations ([`routes`]) get what their [`policy`] lets through; entries of
//! other bridges come in by [`ingest`].
//!
//! Invariants: nothing is sent that is not durable; nothing is removed from the
//! spool that is not acknowledged; nothing of a frame is ever executed, and no
//! frame is looked into before it is durable.

pub mod batch;
pub mod clock;
mod command;
pub mod config;
pub mod connection;
pub mod decode;
mod destinations;
pub mod forward;
pub mod frame;
pub mod ingest;
mod json;
pub mod listener;
pub mod metrics;
mod pickle;
pub mod policy;
pub mod predecessor;
pub mod report;
pub mod routes;
mod secure;
pub mod spool;
pub mod stream;
pub mod throttle;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use runtime::{
    config::ConfigError,
    grpc::{self, Listener},
    health::Readiness,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tracing::{info, warn};

pub use command::Cli;
pub use config::Config;

use crate::{
    destinations::Destinations,
    forward::Sender,
    ingest::Ingest,
    listener::{Doors, Shared},
    metrics::Metrics,
    report::Reporter,
    routes::STORE,
    secure::Secure,
    spool::{Recovery, Spool},
    throttle::Throttle,
};

/// How long streams of other bridges may take to end.
const INGEST_END: Duration = Duration::from_secs(1);

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
    encrypted: Option<TcpListener>,
    admin: TcpListener,
    ingest: Option<TcpListener>,
    secure: Secure,
    spool: Spool,
}

impl Bridge {
    /// Opens ports and spool.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the variable to change.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        if let Some(url) = &config.store_url {
            grpc::check_url(url).map_err(|error| ConfigError::new("BRIDGE_STORE_URL", error))?;
        }
        let secure = Secure::new(&config)?;
        secure.warn_of_plain(&config);
        let listener = bind("BRIDGE_LISTEN", config.listen).await?;
        let encrypted = bind_if_set("BRIDGE_TLS_LISTEN", config.tls_listen).await?;
        let admin = bind("BRIDGE_ADMIN_LISTEN", config.admin_listen).await?;
        let ingest = bind_if_set("BRIDGE_INGEST_LISTEN", config.ingest_listen).await?;
        allow_many_files();
        let (spool, recovery) = Spool::open(config.spool.clone())
            .map_err(|error| ConfigError::new("BRIDGE_SPOOL_DIR", error))?;
        say(&recovery);
        Ok(Self {
            config,
            listener,
            encrypted,
            admin,
            ingest,
            secure,
            spool,
        })
    }

    /// Where programs send their records.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where programs send their records encrypted, if anywhere.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn tls_address(&self) -> std::io::Result<Option<SocketAddr>> {
        let encrypted = self.encrypted.as_ref();
        encrypted.map(TcpListener::local_addr).transpose()
    }

    /// Where other bridges send their records, if anywhere.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn ingest_address(&self) -> std::io::Result<Option<SocketAddr>> {
        self.ingest
            .as_ref()
            .map(TcpListener::local_addr)
            .transpose()
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
            encrypted,
            admin,
            ingest,
            secure,
            spool,
        } = self;
        let metrics = Metrics::new(&runtime::telemetry::meter("bridge"), &spool);
        let stop = CancellationToken::new();
        let readiness = Readiness::new();
        let mut admin = tokio::spawn(grpc::serve(
            admin,
            Routes::default(),
            runtime::health::router(readiness.clone()),
            readiness.clone(),
            stop.clone(),
            Duration::from_secs(1),
        ));
        let sender = Sender {
            hop: ingest::hop(spool.installation(), &config.name),
            name: config.name.clone(),
        };
        let throttle = Arc::new(Throttle::new(config.limits.rate));
        let reporter = Reporter::new(spool.clone(), Arc::clone(&throttle));
        let mut destinations =
            Destinations::start(&config, &spool, &sender, &metrics, &reporter, &stop)
                .context("forwarding")?;
        let receiving = match ingest {
            Some(listener) => {
                let listener = Listener::new(listener, secure.bridges);
                let intake = spool
                    .intake(spool::Sender::Bridge)
                    .context("receiving from other bridges")?;
                let ingest =
                    Ingest::server(intake, sender.hop, Arc::clone(&metrics), shutdown.clone());
                let routes = match secure::bridges(&config).asks_clients() {
                    true => grpc::guarded(Routes::new(ingest), proto::access::may_call),
                    false => Routes::new(ingest),
                };
                Some(receive(listener, routes, &shutdown))
            }
            None => None,
        };
        let shared = Arc::new(Shared::new(
            spool.clone(),
            config.limits,
            config.allow.clone(),
            throttle,
            metrics,
        ));
        readiness.ready();
        let doors = Doors {
            plain: listener,
            secure: encrypted.zip(secure.programs),
        };
        let listening = async {
            let served = listener::serve(doors, shared, shutdown.clone()).await;
            served.context("taking records")
        };
        let receiving = async {
            match receiving {
                Some(serving) => serving.await?.context("receiving from other bridges"),
                None => Ok(()),
            }
        };
        tokio::select! {
            taken = async { tokio::try_join!(listening, receiving) } => {
                taken?;
            }
            forwarded = destinations.failed() => forwarded.context("forwarding")?,
            error = spool.failed() => return Err(error).context("the spool"),
            ended = &mut admin => {
                ended?.context("serving health and metrics")?;
                anyhow::bail!("the health and metrics server ended before its time");
            }
        }
        readiness.not_ready("stopping");
        let drained = tokio::time::timeout(config.drain, destinations.drain(&spool)).await;
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
        destinations.end().await?;
        if let Err(error) = admin.await? {
            warn!(%error, "health and metrics server ended with an error");
        }
        spool.close().await.context("closing the spool")
    }
}

/// Serves other bridges until `shutdown`.
fn receive(
    listener: Listener,
    routes: Routes,
    shutdown: &CancellationToken,
) -> tokio::task::JoinHandle<std::io::Result<()>> {
    let readiness = Readiness::new();
    readiness.ready();
    tokio::spawn(grpc::serve(
        listener,
        routes,
        // Metrics are not for other zones.
        runtime::health::probes(readiness.clone()),
        readiness,
        shutdown.clone(),
        INGEST_END,
    ))
}

async fn bind_if_set(
    variable: &str,
    address: Option<SocketAddr>,
) -> Result<Option<TcpListener>, ConfigError> {
    match address {
        Some(address) => bind(variable, address).await.map(Some),
        None => Ok(None),
    }
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
