//! `herald status`: how the store and its bridges are doing.

use clap::Args;
use proto::v1::{
    BridgeStatus, GetStatusRequest, GetStatusResponse, status_service_client::StatusServiceClient,
};
use runtime::config::Vars;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    cli::{Format, StoreAddress},
    connection::Connection,
    output::say,
};

const ABOUT: &str = "\
Asks the running store how many records, dead letters and declared losses it
has, how large its database is, and how far each bridge is behind. Imports
appear as bridges, too.";

const EXAMPLES: &str = "\
Examples:
  herald status
  herald status --format json | jq .records
  herald status --store http://logs.example:9124";

/// Say how the store and its bridges are doing.
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub(crate) struct Status {
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    store: StoreAddress,
}

/// Asks the store and prints its answer.
pub(crate) async fn run(command: Status, vars: &Vars) -> anyhow::Result<()> {
    let connection = Connection::new(command.store, vars)?;
    let status = StatusServiceClient::new(connection.client.clone())
        .get_status(GetStatusRequest {})
        .await
        .map_err(|status| connection.explain(&status))?
        .into_inner();
    match command.format {
        Format::Text => say(text(&connection.url, &status)),
        Format::Json => say(as_json(&status)),
    }
    Ok(())
}

fn text(url: &str, status: &GetStatusResponse) -> String {
    let mut lines = vec![
        format!("store         {url}, version {}", status.version),
        format!("records       {}", status.records),
        format!("dead letters  {}", status.dead_letters),
        format!("lost          {}", status.lost),
        format!("newest id     {}", status.newest_id),
        format!("oldest        {}", time_of(status.oldest_received_us)),
        format!(
            "database      {} bytes, {} of them free",
            status.database_bytes, status.free_bytes
        ),
    ];
    lines.extend(status.bridges.iter().map(bridge_text));
    lines.join("\n")
}

fn bridge_text(bridge: &BridgeStatus) -> String {
    let contact = time_of(bridge.contact_us);
    let report = bridge.report.as_ref().map_or(String::new(), |report| {
        format!(
            ", {} connections, {} entries behind",
            report.connections, report.lag_entries
        )
    });
    format!(
        "bridge        {} ({}), last heard {contact}{report}",
        render::terminal::one_line(&bridge.name),
        bridge.bridge_id
    )
}

fn as_json(status: &GetStatusResponse) -> Value {
    let bridges: Vec<Value> = status
        .bridges
        .iter()
        .map(|bridge| {
            let report = bridge.report.as_ref();
            json!({
                "bridge_id": bridge.bridge_id,
                "name": bridge.name,
                "next_sequence": bridge.next_sequence,
                "contact": time_of(bridge.contact_us),
                "spool_bytes": report.map(|report| report.spool_bytes),
                "lag_entries": report.map(|report| report.lag_entries),
                "lag_ms": report.map(|report| report.lag_ms),
                "connections": report.map(|report| report.connections),
                "received": report.map(|report| report.received),
                "dropped": report.map(|report| report.dropped),
                "version": report.map(|report| &report.version),
            })
        })
        .collect();
    json!({
        "records": status.records,
        "dead_letters": status.dead_letters,
        "lost": status.lost,
        "newest_id": status.newest_id,
        "oldest_received": time_of(status.oldest_received_us),
        "database_bytes": status.database_bytes,
        "free_bytes": status.free_bytes,
        "version": status.version,
        "bridges": bridges,
    })
}

/// RFC 3339, or empty for "never".
fn time_of(micros: i64) -> String {
    if micros == 0 {
        return String::new();
    }
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}
