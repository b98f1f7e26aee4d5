//! One bridge and its spool, as the status page shows them.

use domain::Micros;
use proto::v1;
use serde::Serialize;

use super::percent;
use crate::{
    pages::figure::{Figure, When, grouped},
    utc,
};

/// A bridge reports every second: silent for longer than this, it is away.
const AWAY_AFTER_US: Micros = 60_000_000;

#[derive(Debug, Serialize)]
pub(super) struct Bridge {
    name: String,
    /// The beginning of its identity; `id` is the whole.
    short_id: String,
    id: String,
    contact: When,
    is_away: bool,
    next_sequence: String,
    mark: String,
    /// `None` when it never made one.
    report: Option<Report>,
}

/// What it said of itself.
#[derive(Debug, Serialize)]
struct Report {
    spool: Figure,
    limit: Figure,
    /// How full the spool is, in percent.
    fill: u64,
    lag: String,
    lag_time: String,
    /// It does not keep up: entries wait for longer than a few seconds.
    is_behind: bool,
    connections: String,
    received: String,
    dropped: String,
    has_dropped: bool,
    version: String,
    /// Where its routes lead besides this store.
    destinations: Vec<Destination>,
    /// Who sends more than it may.
    slowed: Vec<Slowed>,
}

/// An address that is read more slowly than it sends.
#[derive(Debug, Serialize)]
struct Slowed {
    address: String,
    rate: String,
    since: When,
}

/// How it gets on with a destination of its routes.
#[derive(Debug, Serialize)]
struct Destination {
    name: String,
    is_connected: bool,
    is_waiting: bool,
    lag: String,
    lag_time: String,
    is_behind: bool,
}

/// Entries that wait for so long are worth a look.
const BEHIND_AFTER_MS: u64 = 10_000;

impl Bridge {
    pub(super) fn new(bridge: &v1::BridgeStatus, now: Micros) -> Self {
        Self {
            name: bridge.name.clone(),
            short_id: bridge.bridge_id.chars().take(8).collect(),
            id: bridge.bridge_id.clone(),
            contact: When::new(bridge.contact_us, now),
            is_away: now - bridge.contact_us > AWAY_AFTER_US,
            next_sequence: grouped(bridge.next_sequence),
            mark: bridge.mark.clone(),
            report: bridge
                .report
                .as_ref()
                .map(|report| Report::new(report, now)),
        }
    }
}

impl Report {
    fn new(report: &v1::BridgeReport, now: Micros) -> Self {
        Self {
            spool: Figure::bytes(report.spool_bytes),
            limit: Figure::bytes(report.spool_limit_bytes),
            fill: percent(report.spool_bytes, report.spool_limit_bytes).unwrap_or(0),
            lag: grouped(report.lag_entries),
            lag_time: utc::distance(report.lag_ms.saturating_mul(1_000)),
            is_behind: report.lag_ms >= BEHIND_AFTER_MS,
            connections: grouped(report.connections),
            received: grouped(report.received),
            dropped: grouped(report.dropped),
            has_dropped: report.dropped > 0,
            version: report.version.clone(),
            destinations: report.destinations.iter().map(Destination::new).collect(),
            slowed: report
                .slowed
                .iter()
                .map(|client| Slowed::new(client, now))
                .collect(),
        }
    }
}

impl Slowed {
    fn new(client: &v1::SlowedClient, now: Micros) -> Self {
        Self {
            address: client.address.clone(),
            rate: grouped(client.records_per_second),
            since: When::new(client.since_us, now),
        }
    }
}

impl Destination {
    fn new(destination: &v1::DestinationReport) -> Self {
        Self {
            name: destination.name.clone(),
            is_connected: destination.is_connected,
            is_waiting: destination.is_waiting,
            lag: grouped(destination.lag_entries),
            lag_time: utc::distance(destination.lag_ms.saturating_mul(1_000)),
            is_behind: destination.lag_ms >= BEHIND_AFTER_MS,
        }
    }
}
