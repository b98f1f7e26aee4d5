//! What is counted of one destination.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Meter},
};

use crate::{
    batch::{Done, Tally},
    clock,
    routes::STORE,
    spool::{Lag, Spool},
};

/// Counters of one destination, each with the label `destination`.
#[derive(Debug)]
pub struct DestinationMetrics {
    label: [KeyValue; 1],
    is_store: bool,
    is_connected: Arc<AtomicBool>,
    is_waiting: AtomicBool,
    forwarded: Counter<u64>,
    dead_letters: Counter<u64>,
    sent: Counter<u64>,
    filtered: Counter<u64>,
    masked: Counter<u64>,
    failed: Counter<u64>,
}

impl DestinationMetrics {
    /// Instruments of `meter`, and gauges that look at `spool` when asked.
    pub(super) fn new(meter: &Meter, spool: &Spool, name: &str) -> Arc<Self> {
        let counter = |name, text| meter.u64_counter(name).with_description(text).build();
        let metrics = Self {
            label: [KeyValue::new("destination", name.to_owned())],
            is_store: name == STORE,
            is_connected: Arc::default(),
            is_waiting: AtomicBool::new(false),
            forwarded: counter("herald.bridge.forwarded", "Entries acknowledged"),
            dead_letters: counter("herald.bridge.dead_letters", "Frames that are no record"),
            sent: counter("herald.bridge.forward.sent", "Entries acknowledged"),
            filtered: counter(
                "herald.bridge.forward.filtered",
                "Entries that rules have kept from a destination",
            ),
            masked: counter(
                "herald.bridge.forward.masked",
                "How often a mask has found something in a field",
            ),
            failed: counter(
                "herald.bridge.forward.failed",
                "Connections that failed or broke",
            ),
        };
        // From the start, so that whoever looks at increases sees the first one.
        let counters = [
            &metrics.forwarded,
            &metrics.sent,
            &metrics.filtered,
            &metrics.masked,
            &metrics.failed,
        ];
        counters.iter().for_each(|it| it.add(0, &metrics.label));
        metrics.dead_letters.add(0, &[]);
        metrics.observe(meter, spool, name);
        Arc::new(metrics)
    }

    fn observe(&self, meter: &Meter, spool: &Spool, name: &str) {
        let gauge = |metric, text, read: fn(&Lag) -> u64| {
            let (spool, name, label) = (spool.clone(), name.to_owned(), self.label.clone());
            meter
                .u64_observable_gauge(metric)
                .with_description(text)
                .with_callback(move |gauge| gauge.observe(read(&spool.stats().lag(&name)), &label))
                .build();
        };
        gauge(
            "herald.bridge.forward.lag.entries",
            "Durable entries that a destination does not have",
            |lag| lag.entries,
        );
        gauge(
            "herald.bridge.forward.lag.seconds",
            "Age of the oldest of them",
            |lag| lag_ms(lag) / 1_000,
        );
        let (is_connected, label) = (Arc::clone(&self.is_connected), self.label.clone());
        meter
            .u64_observable_gauge("herald.bridge.forward.connected")
            .with_description("Whether there is a connection to a destination")
            .with_callback(move |gauge| {
                gauge.observe(u64::from(is_connected.load(Ordering::Relaxed)), &label);
            })
            .build();
    }

    /// Entries that the destination has for good.
    pub fn sent(&self, done: Done) {
        self.forwarded.add(done.entries, &self.label);
        self.sent.add(done.entries, &self.label);
        if self.is_store {
            self.dead_letters.add(done.dead_letters, &[]);
        }
    }

    /// What the destination's rules did.
    pub fn ruled(&self, tally: Tally) {
        if tally != Tally::default() {
            self.filtered.add(tally.filtered, &self.label);
            self.masked.add(tally.masked, &self.label);
        }
    }

    /// A connection failed or broke.
    pub fn failed(&self) {
        self.failed.add(1, &self.label);
        self.is_waiting.store(false, Ordering::Relaxed);
    }

    /// The destination is there and has asked to be tried again later.
    pub fn has_to_wait(&self) {
        self.is_waiting.store(true, Ordering::Relaxed);
    }

    /// Whether that was the last that was heard of it.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.is_waiting.load(Ordering::Relaxed)
    }

    /// Whether there is a connection.
    pub fn set_connected(&self, is_connected: bool) {
        self.is_connected.store(is_connected, Ordering::Relaxed);
        if is_connected {
            self.is_waiting.store(false, Ordering::Relaxed);
        }
    }

    /// Whether there is a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }
}

/// The age of the oldest entry that is lacking.
pub(crate) fn lag_ms(lag: &Lag) -> u64 {
    let age_us = lag
        .oldest_received_us
        .map_or(0, |oldest| clock::now_us() - oldest);
    age_us.max(0).unsigned_abs() / 1_000
}
