//! Export of traces and metrics by OTLP over gRPC: one thread each, and only if
//! an endpoint is set.

use std::time::Duration;

use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    metrics::PeriodicReader,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};

use crate::config::{ConfigError, Vars, optional};

pub(super) type MetricReader = PeriodicReader<MetricExporter>;

/// For one export.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

const ENDPOINT_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Spans waiting for export; more are dropped. A span takes about 1 KiB.
const SPAN_QUEUE: usize = 2_048;

pub(super) fn endpoint(vars: &Vars) -> Result<Option<String>, ConfigError> {
    let url: Option<http::Uri> = optional(ENDPOINT_VARIABLE, vars)?;
    match &url {
        Some(url) if url.scheme_str() != Some("http") => {
            let problem = format!(
                "`{url}` is no address of OTLP over gRPC without TLS: use a URL such as http://localhost:4317"
            );
            Err(ConfigError::new(ENDPOINT_VARIABLE, problem))
        }
        _ => Ok(url.map(|url| url.to_string())),
    }
}

pub(super) fn tracer_provider(
    resource: Resource,
    endpoint: &str,
) -> Result<SdkTracerProvider, ConfigError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(TIMEOUT)
        .build()
        .map_err(unusable)?;
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(SPAN_QUEUE)
        .build();
    let processor = BatchSpanProcessor::builder(exporter)
        .with_batch_config(config)
        .build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_span_processor(processor)
        .build())
}

pub(super) fn metric_reader(endpoint: &str) -> Result<MetricReader, ConfigError> {
    let exporter = MetricExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(TIMEOUT)
        .build()
        .map_err(unusable)?;
    Ok(PeriodicReader::builder(exporter).build())
}

fn unusable(error: opentelemetry_otlp::ExporterBuildError) -> ConfigError {
    ConfigError::new(ENDPOINT_VARIABLE, error)
}
