//! What the bridge counts: for `/metrics`, OTLP, and its report to the store.

mod destination;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use opentelemetry::metrics::{Counter, Meter};

pub use destination::DestinationMetrics;
pub(crate) use destination::lag_ms;

use crate::{
    clock,
    routes::STORE,
    spool::{Spool, SpoolStats},
};

/// Counters of one bridge.
#[derive(Debug)]
pub struct Metrics {
    received: AtomicU64,
    connections: AtomicUsize,
    received_counter: Counter<u64>,
    incomplete: Counter<u64>,
    refused: Counter<u64>,
    ingested: Counter<u64>,
    gone_round: Counter<u64>,
    repeated: Counter<u64>,
    decoder_panics: Counter<u64>,
    meter: Meter,
    spool: Spool,
    destinations: Mutex<BTreeMap<String, Arc<DestinationMetrics>>>,
}

impl Metrics {
    /// Instruments of `meter`, and gauges that look at `spool` when asked.
    #[must_use]
    pub fn new(meter: &Meter, spool: &Spool) -> Arc<Self> {
        // From the start, so that whoever looks at increases sees the first one.
        let counter = |name, text| {
            let counter = meter.u64_counter(name).with_description(text).build();
            counter.add(0, &[]);
            counter
        };
        let metrics = Arc::new(Self {
            received: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
            received_counter: counter("herald.bridge.received", "Whole frames read"),
            incomplete: counter(
                "herald.bridge.incomplete",
                "Frames cut off by their end of stream",
            ),
            refused: counter("herald.bridge.refused", "Connections refused by a limit"),
            ingested: counter(
                "herald.bridge.ingest.received",
                "Entries taken from other bridges",
            ),
            gone_round: counter(
                "herald.bridge.ingest.gone_round",
                "Entries of other bridges that were here before, or on too many bridges: dropped",
            ),
            repeated: counter(
                "herald.bridge.repeated",
                "Frames that programs have sent again although they were here: dropped",
            ),
            decoder_panics: counter(
                "herald.bridge.decoder.panics",
                "Frames at which the decoder panicked; dead letters, too",
            ),
            meter: meter.clone(),
            spool: spool.clone(),
            destinations: Mutex::default(),
        });
        let connections = Arc::downgrade(&metrics);
        meter
            .u64_observable_gauge("herald.bridge.connections")
            .with_description("Open connections of programs")
            .with_callback(move |gauge| {
                if let Some(metrics) = connections.upgrade() {
                    gauge.observe(metrics.connections() as u64, &[]);
                }
            })
            .build();
        observe_spool(meter, spool);
        metrics
    }

    /// Frames read whole.
    pub fn received(&self, frames: usize) {
        self.received.fetch_add(frames as u64, Ordering::Relaxed);
        self.received_counter.add(frames as u64, &[]);
    }

    /// Frames read whole since the start.
    #[must_use]
    pub fn received_total(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Frames that were here already.
    pub fn repeated(&self, frames: u64) {
        self.repeated.add(frames, &[]);
    }

    /// A frame whose end never came.
    pub fn incomplete(&self) {
        self.incomplete.add(1, &[]);
    }

    /// A connection above a limit.
    pub fn refused(&self) {
        self.refused.add(1, &[]);
    }

    /// What is counted of a destination.
    pub fn destination(&self, name: &str) -> Arc<DestinationMetrics> {
        let mut known = self
            .destinations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let made = || DestinationMetrics::new(&self.meter, &self.spool, name);
        Arc::clone(known.entry(name.to_owned()).or_insert_with(made))
    }

    /// All destinations by name.
    #[must_use]
    pub fn destinations(&self) -> Vec<(String, Arc<DestinationMetrics>)> {
        let known = self
            .destinations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let named = known
            .iter()
            .map(|(name, it)| (name.clone(), Arc::clone(it)));
        named.collect()
    }

    /// Entries of other bridges: those that were taken, and those that were here
    /// before.
    pub fn ingested(&self, kept: u64, round: u64) {
        self.ingested.add(kept, &[]);
        self.gone_round.add(round, &[]);
    }

    /// Frames at which the decoder panicked.
    pub fn decoder_panicked(&self, frames: u64) {
        if frames > 0 {
            self.decoder_panics.add(frames, &[]);
        }
    }

    /// A connection was admitted.
    pub fn connection_opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// It ended.
    pub fn connection_closed(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// Open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

fn observe_spool(meter: &Meter, spool: &Spool) {
    let syncs = meter
        .f64_histogram("herald.bridge.sync.duration")
        .with_unit("s")
        .with_description("How long the spool's syncs take")
        .build();
    spool.observe_syncs(move |took| syncs.record(took.as_secs_f64(), &[]));
    let gauge = |name, text, read: fn(&SpoolStats) -> u64| {
        let spool = spool.clone();
        meter
            .u64_observable_gauge(name)
            .with_description(text)
            .with_callback(move |gauge| gauge.observe(read(&spool.stats()), &[]))
            .build();
    };
    gauge("herald.bridge.spool.bytes", "Bytes in the spool", |stats| {
        stats.bytes
    });
    gauge(
        "herald.bridge.spool.limit",
        "Most bytes the spool may hold",
        |stats| stats.limit,
    );
    gauge(
        "herald.bridge.durable.sequence",
        "First number that is not durable",
        |stats| stats.durable_sequence,
    );
    gauge(
        "herald.bridge.lag.entries",
        "Durable entries the store does not have",
        |stats| stats.lag(STORE).entries,
    );
    gauge(
        "herald.bridge.lag.seconds",
        "Age of the oldest of them",
        |stats| {
            let oldest = stats.lag(STORE).oldest_received_us;
            let age_us = oldest.map_or(0, |oldest| clock::now_us() - oldest);
            age_us.max(0).unsigned_abs() / 1_000_000
        },
    );
    let counter = |name, text, read: fn(&SpoolStats) -> u64| {
        let spool = spool.clone();
        meter
            .u64_observable_counter(name)
            .with_description(text)
            .with_callback(move |counter| counter.observe(read(&spool.stats()), &[]))
            .build();
    };
    counter(
        "herald.bridge.dropped",
        "Frames dropped: spool full",
        |stats| stats.dropped_total,
    );
    counter(
        "herald.bridge.lost",
        "Frames destroyed in the spool",
        |stats| stats.lost_total,
    );
    counter(
        "herald.bridge.streams.forgotten",
        "Streams of programs forgotten before their end: they may repeat records",
        |stats| stats.forgotten_streams_total,
    );
    counter(
        "herald.bridge.torn.bytes",
        "Bytes cut off a torn end",
        |stats| stats.torn_bytes_total,
    );
}
