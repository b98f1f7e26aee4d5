//! Own log lines: for people on a terminal, else JSON; and the spans for OTLP.

use std::io::{self, IsTerminal};

use opentelemetry_sdk::trace::SdkTracer;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, filter::Targets, fmt, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::config::{ConfigError, Vars};

const FILTER_VARIABLE: &str = "HERALD_LOG";

/// Crates whose spans would tell of the export of spans, without end.
const PLUMBING: [&str; 5] = ["h2", "hyper", "opentelemetry", "tonic", "tower"];

pub(super) fn filter(vars: &Vars) -> Result<EnvFilter, ConfigError> {
    let value = vars.iter().find(|(name, _)| name == FILTER_VARIABLE);
    EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(value.map_or("", |(_, value)| value))
        .map_err(|error| {
            let way_out = "use a level (error, warn, info, debug, trace) or `info,bridge=debug`";
            ConfigError::new(FILTER_VARIABLE, format_args!("{error}: {way_out}"))
        })
}

/// Without effect if the process has a subscriber already (a test's).
pub(super) fn start(filter: EnvFilter, tracer: Option<SdkTracer>) {
    let spans = tracer.map(|tracer| {
        let mut targets = Targets::new().with_default(LevelFilter::INFO);
        for name in PLUMBING {
            targets = targets.with_target(name, LevelFilter::OFF);
        }
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_filter(targets)
    });
    let is_terminal = io::stderr().is_terminal();
    let subscriber = tracing_subscriber::registry()
        .with(spans)
        .with(lines(is_terminal).with_filter(filter));
    if subscriber.try_init().is_err() {
        tracing::debug!("logging was set up before");
    }
}

fn lines<S>(is_terminal: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = fmt::layer().with_writer(io::stderr).with_ansi(is_terminal);
    if is_terminal {
        layer.boxed()
    } else {
        layer.json().with_span_list(false).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn the_filter_is_info_unless_told_otherwise() {
        let check = |value: &str, expected: &str| {
            let vars = vec![("HERALD_LOG".to_owned(), value.to_owned())];
            assert_eq!(filter(&vars).unwrap().to_string(), expected);
        };
        assert_eq!(filter(&Vec::new()).unwrap().to_string(), "info");
        check("", "info");
        check("warn", "warn");
        check("info,bridge=debug", "bridge=debug,info");
    }

    #[test]
    fn a_bad_filter_names_its_variable() {
        let vars = vec![("HERALD_LOG".to_owned(), "bridge=loud".to_owned())];
        let error = filter(&vars).unwrap_err().to_string();
        assert!(error.starts_with("HERALD_LOG: "), "{error}");
        assert!(error.ends_with("or `info,bridge=debug`"), "{error}");
    }
}
