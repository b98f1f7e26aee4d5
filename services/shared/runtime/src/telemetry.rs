//! Our own logs, metrics and traces. Global state is set once a process, by
//! whoever calls first: `herald up` runs three services on one of these.

mod logs;
mod metrics;
mod otlp;

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::{global, trace::TracerProvider};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};

use crate::config::{ConfigError, Vars};

pub use metrics::{meter, prometheus_text};

static STARTED: AtomicBool = AtomicBool::new(false);

/// What has to be flushed at the end of a process.
#[must_use = "the last spans and metrics are lost without `shutdown`"]
#[derive(Debug)]
pub struct Telemetry {
    tracer_provider: Option<SdkTracerProvider>,
    is_owner: bool,
}

/// Starts logging to stderr, metrics and, if `OTEL_EXPORTER_OTLP_ENDPOINT` is
/// set, the export of traces and metrics by OTLP over gRPC. Call it within a
/// tokio runtime, before [`meter`]. A second call in a process changes nothing
/// and its result flushes nothing.
///
/// Variables:
/// * `HERALD_LOG`: which of our own log lines are written, such as `warn` or
///   `info,bridge=debug`; `info` if not set. Lines are for people if stderr is a
///   terminal, else one JSON object each.
/// * `OTEL_EXPORTER_OTLP_ENDPOINT`: such as `http://localhost:4317`.
/// * `DEV_STAGE`: becomes the resource's `deployment.environment.name`.
///
/// # Errors
/// A variable does not parse.
pub fn start(
    service: &'static str,
    version: &'static str,
    vars: &Vars,
) -> Result<Telemetry, ConfigError> {
    let log_filter = logs::filter(vars)?;
    let endpoint = otlp::endpoint(vars)?;
    if STARTED.swap(true, Ordering::AcqRel) {
        return Ok(Telemetry {
            tracer_provider: None,
            is_owner: false,
        });
    }
    let resource = resource(service, version, vars);
    let is_first_meter = metrics::start(resource.clone(), endpoint.as_deref())?;
    let tracer_provider = endpoint
        .map(|endpoint| otlp::tracer_provider(resource, &endpoint))
        .transpose()?;
    if let Some(provider) = &tracer_provider {
        global::set_text_map_propagator(TraceContextPropagator::new());
        global::set_tracer_provider(provider.clone());
    }
    let tracer = tracer_provider
        .as_ref()
        .map(|provider| provider.tracer("herald"));
    logs::start(log_filter, tracer);
    if !is_first_meter {
        tracing::warn!("metrics are not exported: a meter was made before telemetry started");
    }
    Ok(Telemetry {
        tracer_provider,
        is_owner: true,
    })
}

impl Telemetry {
    /// Sends what has not been sent yet, waiting up to five seconds each for
    /// traces and metrics. Blocks: call it where the tokio runtime keeps running
    /// on other threads.
    pub fn shutdown(self) {
        if !self.is_owner {
            return;
        }
        if let Some(provider) = self.tracer_provider
            && let Err(error) = provider.shutdown_with_timeout(otlp::TIMEOUT)
        {
            tracing::warn!(%error, "last traces not sent");
        }
        metrics::shutdown();
    }
}

fn resource(service: &'static str, version: &'static str, vars: &Vars) -> Resource {
    use opentelemetry::KeyValue;
    let stage = vars.iter().find(|(name, _)| name == "DEV_STAGE");
    Resource::builder()
        .with_attributes([
            KeyValue::new("service.namespace", "herald"),
            KeyValue::new("service.name", service),
            KeyValue::new("service.version", version),
        ])
        .with_attributes(
            stage.map(|(_, stage)| KeyValue::new("deployment.environment.name", stage.clone())),
        )
        .build()
}
