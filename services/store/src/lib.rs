//! The gRPC service that owns SQLite: records, dead letters, gaps, retention,
//! backup. Nothing else opens the database.
//!
//! The way of a batch: `grpc` decodes it, `journal` queues it, and the one
//! writer commits what has gathered as one `block` and then answers. The way
//! of a query: `catalog` tells which blocks may hold matches, `search` reads
//! those in short snapshots, newest or oldest first. `upkeep` merges small blocks, removes old ones and keeps the
//! write-ahead log short, in steps that the writer does between commits.
//!
//! Invariants:
//! * What is acknowledged is committed and synced.
//! * A spool's number moves in the transaction that takes its entries.
//! * Ids are given by the writer alone, rise, and have no holes; merging keeps them.
//! * Table `bridge` is never emptied.

mod admin;
mod alerts;
mod attendance;
mod audit;
mod backup;
pub mod block;
mod catalog;
mod clock;
mod config;
mod counts;
mod db;
pub mod direct;
mod error;
mod exceptions;
mod export;
mod grpc;
mod journal;
mod metrics;
pub mod predecessor;
mod runs;
mod saved_searches;
mod search;
mod systems;
mod tail;
mod timeline;
mod upkeep;
mod values;
pub mod verify;
mod vital;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use domain::Stage;
use runtime::{config::ConfigError, grpc::Listener, health::Readiness, tls};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

pub use config::Config;

use admin::Admin;
use attendance::Uptime;
use catalog::Catalog;
use db::{Database, Readers};
use journal::{Journal, Writer};
use metrics::Metrics;
use search::{BlockCache, Workers};
use vital::Vital;

/// The store's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the services work with.
#[derive(Debug, Clone)]
pub(crate) struct App {
    config: Arc<Config>,
    database: Database,
    catalog: Catalog,
    readers: Readers,
    workers: Workers,
    cache: BlockCache,
    /// Who reads on and on leaves one reader to those who have just come.
    patience: Arc<Semaphore>,
    journal: Journal,
    metrics: Arc<Metrics>,
    backups: Arc<Semaphore>,
    uptime: Uptime,
}

/// Binds the port, then serves until `shutdown`.
///
/// # Errors
/// A [`ConfigError`] when the port is taken, or the folder or the database
/// cannot be used; nothing has been started then.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let listener = bind("STORE_LISTEN", config.listen).await?;
    serve(listener, config, shutdown).await
}

async fn bind(variable: &str, address: SocketAddr) -> Result<TcpListener, ConfigError> {
    let listener = TcpListener::bind(address).await;
    listener
        .map_err(|error| ConfigError::new(variable, format!("cannot listen on {address}: {error}")))
}

/// Serves on a listener until `shutdown`, then commits what has been received.
///
/// # Errors
/// As [`run`]; and at once when the writer or the upkeep ends before its time,
/// because a store without one of them takes nothing or grows for ever.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let tls = config.tls.server()?;
    if config.stage == Stage::Production {
        match &tls {
            None => tls::warn_of_plain_listener("STORE_LISTEN", config.listen, "STORE_TLS_CERT"),
            Some(_) if !config.tls.asks_clients() => {
                tls::warn_of_open_listener("STORE_LISTEN", config.listen, "STORE_TLS_CA");
            }
            Some(_) => {}
        }
    }
    let readiness = Readiness::new();
    let admin = Admin::start(config.admin_listen, &readiness).await?;
    let database = Database::open(&config.database_path())
        .await
        .map_err(|error| ConfigError::new("STORE_DATA_DIR", error))?;
    backup::remove_left_over(database.folder()).context("cannot tidy the data folder")?;

    let metrics = Arc::new(Metrics::new(&runtime::telemetry::meter("store")));
    let (journal, queue) = Journal::new(config.queue_bytes);
    let catalog = Catalog::new();
    let mut writer = Writer::new(
        database.clone(),
        catalog.clone(),
        config.commit_interval,
        (journal.contacts.clone(), journal.seen.clone()),
        Arc::clone(&metrics),
    );
    let alive_before_us = writer.prepare().await.context("cannot read the database")?;
    let mut writer = Vital::spawn("the writer", writer.run(queue));
    let app = App {
        readers: Readers::new(&database, config.readers),
        cache: BlockCache::new(config.cache_bytes),
        patience: Arc::new(Semaphore::new(config.readers.max(2) as usize - 1)),
        config: Arc::new(config),
        database,
        catalog,
        workers: Workers::start(cores()).context("cannot start the threads that search")?,
        journal,
        metrics,
        backups: Arc::new(Semaphore::new(1)),
        uptime: Uptime {
            started_us: clock::now_us(),
            alive_before_us,
        },
    };
    let mut upkeep = Vital::spawn("the upkeep", upkeep::run(app.clone(), shutdown.clone()));

    readiness.ready();
    let routes = grpc::routes(&app, &shutdown);
    let http = runtime::health::router(readiness.clone());
    let served = runtime::grpc::serve(
        Listener::new(listener, tls),
        routes,
        http,
        readiness,
        shutdown.clone(),
        grpc::DRAIN,
    );
    // The writer ends when nobody can hand in anything any more: below.
    let not_yet = CancellationToken::new();
    let served = tokio::select! {
        served = served => served,
        failure = writer.ended_early(&not_yet) => return Err(failure),
        failure = upkeep.ended_early(&shutdown) => return Err(failure),
    };

    upkeep.finish().await?;
    admin.stop().await?;
    app.readers.close().await;
    drop(app);
    writer.finish().await?;
    served.context("cannot serve")
}

/// How many things this machine does at a time.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
