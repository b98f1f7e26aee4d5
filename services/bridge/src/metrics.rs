//! What the bridge counts: for `/metrics`, OTLP, and its report to the store.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Meter},
};

use crate::{
    clock,
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
    forwarded: Counter<u64>,
    dead_letters: Counter<u64>,
    decoder_panics: Counter<u64>,
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
            forwarded: meter
                .u64_counter("herald.bridge.forwarded")
                .with_description("Entries acknowledged by the store")
                .build(),
            dead_letters: counter("herald.bridge.dead_letters", "Frames that are no record"),
            decoder_panics: counter(
                "herald.bridge.decoder.panics",
                "Frames at which the decoder panicked; dead letters, too",
            ),
        });
        metrics.forwarded(0, 0);
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

    /// A frame whose end never came.
    pub fn incomplete(&self) {
        self.incomplete.add(1, &[]);
    }

    /// A connection above a limit.
    pub fn refused(&self) {
        self.refused.add(1, &[]);
    }

    /// Entries that the store has committed, and how many of them were no
    /// records.
    pub fn forwarded(&self, entries: u64, dead_letters: u64) {
        let destination = [KeyValue::new("destination", "store")];
        self.forwarded.add(entries, &destination);
        if dead_letters > 0 {
            self.dead_letters.add(dead_letters, &[]);
        }
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
        |stats| stats.lag(crate::STORE).entries,
    );
    gauge(
        "herald.bridge.lag.seconds",
        "Age of the oldest of them",
        |stats| {
            let oldest = stats.lag(crate::STORE).oldest_received_us;
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
        "herald.bridge.torn.bytes",
        "Bytes cut off a torn end",
        |stats| stats.torn_bytes_total,
    );
}
