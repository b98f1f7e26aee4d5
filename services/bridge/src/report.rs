//! The bridge's account of itself, for the status page.

use std::sync::Arc;

use proto::v1::{BridgeReport, DestinationReport, SlowedClient};
use tokio::time::Instant;

use crate::{
    metrics::{Metrics, lag_ms},
    routes::STORE,
    spool::{Spool, SpoolStats},
    throttle::Throttle,
};

/// So many slowed addresses are told.
const MOST_SLOWED: usize = 20;

/// Makes reports.
#[derive(Debug, Clone)]
pub struct Reporter {
    spool: Spool,
    throttle: Arc<Throttle>,
}

impl Reporter {
    /// Reports on `spool` and on who is slowed.
    #[must_use]
    pub fn new(spool: Spool, throttle: Arc<Throttle>) -> Self {
        Self { spool, throttle }
    }

    /// How the bridge is doing now, as seen by the reader of `destination`. Only its own
    /// store is told of others: addresses and names are not for everybody.
    #[must_use]
    pub fn report(&self, destination: &str, metrics: &Metrics) -> BridgeReport {
        let stats = self.spool.stats();
        let lag = stats.lag(destination);
        let (destinations, slowed) = match destination == STORE {
            true => (destinations(&stats, metrics), self.slowed()),
            false => (Vec::new(), Vec::new()),
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
            slowed,
        }
    }

    fn slowed(&self) -> Vec<SlowedClient> {
        let slowed = self.throttle.slowed(Instant::now(), MOST_SLOWED);
        let told = slowed.into_iter().map(|slowed| SlowedClient {
            address: slowed.address.to_string(),
            records_per_second: slowed.per_second,
            since_us: slowed.since_us,
        });
        told.collect()
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
                is_waiting: counts.is_waiting(),
                lag_entries: lag.entries,
                lag_ms: lag_ms(&lag),
            }
        })
        .collect()
}
