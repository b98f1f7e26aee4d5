//! Own log lines: for people on a terminal, else JSON; and the spans for OTLP.

use std::io::{self, IsTerminal};

use opentelemetry_sdk::trace::SdkTracer;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, filter::Targets, fmt, fmt::MakeWriter, layer::SubscriberExt,
    registry::LookupSpan, util::SubscriberInitExt,
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
        .with(lines(is_terminal, io::stderr).with_filter(filter));
    if subscriber.try_init().is_err() {
        tracing::debug!("logging was set up before");
    }
}

fn lines<S, W>(is_terminal: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer).with_ansi(is_terminal);
    if is_terminal {
        layer.boxed()
    } else {
        layer.json().with_span_list(false).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::layer::SubscriberExt;

    use super::{filter, lines};

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(is_terminal: bool) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let layer = lines(is_terminal, move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let _entered = tracing::info_span!("connection", number = 7).entered();
            tracing::warn!(bytes = 12, "frame cut");
        });
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn lines_are_json_objects_unless_a_person_reads_them() {
        let text = written(false);
        assert_eq!(text.matches('\n').count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        let check = |pointer: &str, expected: serde_json::Value| {
            assert_eq!(
                line.pointer(pointer),
                Some(&expected),
                "{pointer} in {line}"
            );
        };
        check("/level", "WARN".into());
        check("/fields/message", "frame cut".into());
        check("/fields/bytes", 12.into());
        check("/span/name", "connection".into());
        check("/span/number", 7.into());
        let text = written(true);
        assert!(
            text.contains("frame cut") && !text.starts_with('{'),
            "{text}"
        );
    }

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
