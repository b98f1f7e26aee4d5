//! One meter provider a process, read by Prometheus and, if asked for, sent by
//! OTLP.

use std::sync::OnceLock;

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::{
    Resource,
    metrics::{Aggregation, Instrument, InstrumentKind, SdkMeterProvider, Stream},
};
use prometheus::{Encoder, Registry, TextEncoder};

use super::otlp;
use crate::config::ConfigError;

struct Metrics {
    registry: Registry,
    provider: SdkMeterProvider,
}

static METRICS: OnceLock<Metrics> = OnceLock::new();

/// Upper bounds of the buckets of every duration, in seconds.
const DURATION_BOUNDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// A source of instruments. Their names have dots and no unit; durations are
/// histograms with unit `s`. Works without [`start`](super::start), then for
/// `/metrics` only.
#[must_use]
pub fn meter(name: &'static str) -> Meter {
    metrics().provider.meter(name)
}

/// All metrics of this process in Prometheus' text format 0.0.4.
#[must_use]
pub fn prometheus_text() -> String {
    let mut text = Vec::new();
    TextEncoder::new()
        .encode(&metrics().registry.gather(), &mut text)
        .expect("a Vec takes all bytes, and families are named when built");
    String::from_utf8(text).expect("the text format is UTF-8")
}

/// False if a meter was asked for before: then there is no export.
pub(super) fn start(resource: Resource, endpoint: Option<&str>) -> Result<bool, ConfigError> {
    let reader = endpoint.map(otlp::metric_reader).transpose()?;
    Ok(METRICS.set(build(resource, reader)).is_ok())
}

pub(super) fn shutdown() {
    if let Err(error) = metrics().provider.shutdown_with_timeout(otlp::TIMEOUT) {
        tracing::warn!(%error, "last metrics not sent");
    }
}

fn metrics() -> &'static Metrics {
    METRICS.get_or_init(|| build(Resource::builder().build(), None))
}

fn build(resource: Resource, reader: Option<otlp::MetricReader>) -> Metrics {
    let registry = Registry::new();
    let prometheus = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .scope_info_enabled(false)
        .build()
        .expect("a new registry has no other collector");
    let mut builder = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_reader(prometheus)
        .with_view(duration_view);
    if let Some(reader) = reader {
        builder = builder.with_reader(reader);
    }
    Metrics {
        registry,
        provider: builder.build(),
    }
}

/// OpenTelemetry's own bounds are made for milliseconds.
fn duration_view(instrument: &Instrument) -> Option<Stream> {
    let is_duration = instrument.kind() == InstrumentKind::Histogram && instrument.unit() == "s";
    is_duration.then(|| {
        Stream::builder()
            .with_aggregation(Aggregation::ExplicitBucketHistogram {
                boundaries: DURATION_BOUNDS.to_vec(),
                record_min_max: false,
            })
            .build()
            .expect("the bounds rise")
    })
}
