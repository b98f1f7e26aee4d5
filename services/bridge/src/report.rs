//! The bridge's account of itself, for the status page.

use proto::v1::BridgeReport;

use crate::{clock, metrics::Metrics, spool::Spool};

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
        let lag_ms = lag
            .oldest_received_us
            .map_or(0, |oldest| (clock::now_us() - oldest) / 1000);
        BridgeReport {
            spool_bytes: stats.bytes,
            spool_limit_bytes: stats.limit,
            lag_entries: lag.entries,
            lag_ms: lag_ms.max(0).unsigned_abs(),
            connections: metrics.connections() as u64,
            received: metrics.received_total(),
            dropped: stats.dropped_total,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
