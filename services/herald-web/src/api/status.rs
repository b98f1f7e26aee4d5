//! `/api/v1/status`: the store and its bridges at a glance.

use axum::{extract::RawQuery, response::Response};
use proto::v1;
use serde::Serialize;

use super::{ApiError, json, require_sound};
use crate::{app::App, request::Parameters};

#[derive(Serialize)]
struct StatusView<'a> {
    stage: &'static str,
    version: &'static str,
    store_version: &'a str,
    records: u64,
    dead_letters: u64,
    lost: u64,
    newest_id: u64,
    oldest_received_at: Option<String>,
    database_bytes: u64,
    free_bytes: u64,
    wal_bytes: u64,
    blocks: u64,
    blocks_damaged: u64,
    small_blocks: u64,
    started_at: String,
    retention_s: Option<u64>,
    max_bytes: Option<u64>,
    bridges: Vec<BridgeView<'a>>,
}

#[derive(Serialize)]
struct BridgeView<'a> {
    bridge_id: &'a str,
    name: &'a str,
    next_sequence: u64,
    contact_at: String,
    report: Option<ReportView<'a>>,
}

#[derive(Serialize)]
struct ReportView<'a> {
    spool_bytes: u64,
    spool_limit_bytes: u64,
    lag_entries: u64,
    lag_ms: u64,
    connections: u64,
    received: u64,
    dropped: u64,
    version: &'a str,
    destinations: Vec<DestinationView<'a>>,
    slowed: Vec<SlowedView<'a>>,
}

#[derive(Serialize)]
struct SlowedView<'a> {
    address: &'a str,
    records_per_second: u64,
    since: String,
}

#[derive(Serialize)]
struct DestinationView<'a> {
    name: &'a str,
    connected: bool,
    waiting: bool,
    lag_entries: u64,
    lag_ms: u64,
}

/// `GET /api/v1/status`
pub(crate) async fn show(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    require_sound(&Parameters::read(query.as_deref(), &[]))?;
    let status = app.store.status().await?;
    Ok(json(&StatusView {
        stage: app.stage.name(),
        version: env!("CARGO_PKG_VERSION"),
        store_version: &status.version,
        records: status.records,
        dead_letters: status.dead_letters,
        lost: status.lost,
        newest_id: status.newest_id,
        oldest_received_at: (status.oldest_received_us != 0)
            .then(|| render::rfc3339(status.oldest_received_us)),
        database_bytes: status.database_bytes,
        free_bytes: status.free_bytes,
        wal_bytes: status.wal_bytes,
        blocks: status.blocks,
        blocks_damaged: status.blocks_damaged,
        small_blocks: status.small_blocks,
        started_at: render::rfc3339(status.started_us),
        retention_s: (status.retention_s > 0).then_some(status.retention_s),
        max_bytes: (status.max_bytes > 0).then_some(status.max_bytes),
        bridges: status.bridges.iter().map(bridge).collect(),
    }))
}

fn bridge(bridge: &v1::BridgeStatus) -> BridgeView<'_> {
    BridgeView {
        bridge_id: &bridge.bridge_id,
        name: &bridge.name,
        next_sequence: bridge.next_sequence,
        contact_at: render::rfc3339(bridge.contact_us),
        report: bridge.report.as_ref().map(report),
    }
}

fn report(report: &v1::BridgeReport) -> ReportView<'_> {
    ReportView {
        spool_bytes: report.spool_bytes,
        spool_limit_bytes: report.spool_limit_bytes,
        lag_entries: report.lag_entries,
        lag_ms: report.lag_ms,
        connections: report.connections,
        received: report.received,
        dropped: report.dropped,
        version: &report.version,
        destinations: report.destinations.iter().map(destination).collect(),
        slowed: report.slowed.iter().map(slowed).collect(),
    }
}

fn slowed(client: &v1::SlowedClient) -> SlowedView<'_> {
    SlowedView {
        address: &client.address,
        records_per_second: client.records_per_second,
        since: render::rfc3339(client.since_us),
    }
}

fn destination(destination: &v1::DestinationReport) -> DestinationView<'_> {
    DestinationView {
        name: &destination.name,
        connected: destination.is_connected,
        waiting: destination.is_waiting,
        lag_entries: destination.lag_entries,
        lag_ms: destination.lag_ms,
    }
}
