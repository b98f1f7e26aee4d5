//! The bridge's account of itself, for the status page.

use proto::v1::{BridgeReport, DestinationReport};

use crate::{
    metrics::{Metrics, lag_ms},
    routes::STORE,
    spool::{Spool, SpoolStats},
};

/// Makes reports about one destination.
#[derive(Debug, Clone)]
pub struct Reporter {
    spool: Spool,
    destination: String,
}

impl Reporter {
    /// Reports on `spool` as seen by the reader of `destination`.
    #[must_use]
    pub fn new(spool: Spool, destination: &str) -> Self {
        Self {
            spool,
            destination: destination.to_owned(),
        }
    }

    /// How the bridge is doing now.
    #[must_use]
    pub fn report(&self, metrics: &Metrics) -> BridgeReport {
        let stats = self.spool.stats();
        let lag = stats.lag(&self.destination);
        let destinations = match self.destination == STORE {
            true => destinations(&stats, metrics),
            false => Vec::new(),
        };
        BridgeReport {
            spool_bytes: stats.bytes,
            spool_limit_bytes: stats.limit,
            lag_entries: lag.entries,
            lag_ms: lag_ms(&lag),
            connections: metrics.connections() as u64,
            received: metrics.received_total(),
            dropped: stats.dropped_total,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            destinations,
        }
    }
}

/// All but the store itself, which knows by what it is told.
fn destinations(stats: &SpoolStats, metrics: &Metrics) -> Vec<DestinationReport> {
    let named = metrics.destinations().into_iter();
    named
        .filter(|(name, _)| name != STORE)
        .map(|(name, counts)| {
            let lag = stats.lag(&name);
            DestinationReport {
                name,
                is_connected: counts.is_connected(),
                lag_entries: lag.entries,
                lag_ms: lag_ms(&lag),
            }
        })
        .collect()
}
