//! All destinations of a bridge, each a task of its own with a reader of its own:
//! what one of them does, or does not do, none of the others notices.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use runtime::{grpc, tls};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    config::Config,
    forward::{Forwarder, Sender},
    metrics::Metrics,
    predecessor::Predecessor,
    report::Reporter,
    routes::{Kind, Route, STORE},
    spool::{Forgotten, Spool, SpoolError},
};

/// How long a destination may take to notice that it is to stop.
const END: Duration = Duration::from_secs(1);
/// How often a drain looks whether the spool is empty.
const DRAIN_LOOK: Duration = Duration::from_millis(10);
/// How often is looked whether somebody asks to forget a destination.
const FORGET_LOOK: Duration = Duration::from_millis(250);

/// The destinations at work.
#[derive(Debug)]
pub(crate) struct Destinations {
    tasks: JoinSet<Result<(), SpoolError>>,
    names: Vec<String>,
    metrics: Arc<Metrics>,
    reporter: Reporter,
    stop: CancellationToken,
}

impl Destinations {
    /// Begins to forward to the store, if there is one, and by all routes.
    ///
    /// # Errors
    /// When a cursor cannot be read or written, or an URL is none.
    pub(crate) fn start(
        config: &Config,
        spool: &Spool,
        sender: &Sender,
        metrics: &Arc<Metrics>,
        reporter: &Reporter,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let store = config.store_url.as_deref().map(Route::to_store);
        let mut destinations = Self {
            tasks: JoinSet::new(),
            names: Vec::new(),
            metrics: Arc::clone(metrics),
            reporter: reporter.clone(),
            stop: stop.clone(),
        };
        for route in store.iter().chain(&config.routes) {
            destinations.add(route, &config.tls, spool, sender)?;
        }
        tell_orphans(spool);
        let answering = answer_requests(spool.clone(), stop.clone());
        destinations.tasks.spawn(answering);
        Ok(destinations)
    }

    fn add(
        &mut self,
        route: &Route,
        tls: &tls::Files,
        spool: &Spool,
        sender: &Sender,
    ) -> anyhow::Result<()> {
        let reader = spool.reader_from(&route.name, route.begin, route.backlog)?;
        let metrics = Arc::clone(&self.metrics);
        let stop = self.stop.clone();
        match &route.kind {
            Kind::Herald { url, tls: own } => {
                let files = own.clone().or(tls);
                let client =
                    grpc::secure_channel(url, &files).with_context(|| route.name.clone())?;
                let reporter = self.reporter.clone();
                let forwarder =
                    Forwarder::new(route, reader, client, sender.clone(), metrics, reporter);
                self.tasks.spawn(forwarder.run(stop));
            }
            Kind::Predecessor { address } => {
                let predecessor = Predecessor::new(route, address, reader, metrics);
                self.tasks.spawn(predecessor.run(stop));
            }
        }
        self.names.push(route.name.clone());
        Ok(())
    }

    /// Resolves when one of them ends before its time.
    ///
    /// # Errors
    /// Why it did.
    pub(crate) async fn failed(&mut self) -> anyhow::Result<()> {
        match self.tasks.join_next().await {
            Some(ended) => Ok(ended??),
            None => std::future::pending().await,
        }
    }

    /// Syncs what has been read, and waits until the store has it all, and so have
    /// the other destinations that there is a connection to.
    ///
    /// # Errors
    /// When the spool fails.
    pub(crate) async fn drain(&mut self, spool: &Spool) -> anyhow::Result<()> {
        spool.flush().await?;
        let mut looks = tokio::time::interval(DRAIN_LOOK);
        while self.is_waited_for(spool) {
            tokio::select! {
                _ = looks.tick() => {}
                failed = self.failed() => return failed,
            }
        }
        Ok(())
    }

    fn is_waited_for(&self, spool: &Spool) -> bool {
        let stats = spool.stats();
        self.names.iter().any(|name| {
            let matters = name == STORE || self.metrics.destination(name).is_connected();
            matters && stats.lag(name).entries > 0
        })
    }

    /// Waits for all of them after `stop`; what one is stuck with stays in the spool.
    ///
    /// # Errors
    /// When one of them has failed.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        let ending = async {
            while let Some(ended) = self.tasks.join_next().await {
                ended??;
            }
            Ok(())
        };
        let ended = tokio::time::timeout(END, ending).await;
        match ended {
            Ok(ended) => ended,
            Err(_) => {
                self.tasks.shutdown().await;
                Ok(())
            }
        }
    }
}

fn tell_orphans(spool: &Spool) {
    for (destination, lag) in spool.orphans(STORE) {
        warn!(
            destination,
            entries = lag.entries,
            "no route leads to this destination any more: what it lacks stays in the spool \
             until `bridge forget DESTINATION`"
        );
    }
}

/// Does what `bridge forget` asks of a running bridge.
async fn answer_requests(spool: Spool, stop: CancellationToken) -> Result<(), SpoolError> {
    let mut looks = tokio::time::interval(FORGET_LOOK);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = stop.cancelled() => return Ok(()),
        }
        // Nothing else depends on it: whoever asked is told that it did not happen.
        match spool.answer_forget_requests() {
            Ok(answers) => answers.iter().for_each(tell),
            Err(error) => error!(%error, "destination not forgotten"),
        }
    }
}

fn tell((destination, forgotten): &(String, Forgotten)) {
    match forgotten {
        Forgotten::Gone => info!(destination, "destination forgotten"),
        Forgotten::Unknown => info!(destination, "no such destination to forget"),
        Forgotten::Kept => warn!(destination, "a destination at work is not forgotten"),
    }
}
