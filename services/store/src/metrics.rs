//! What the store tells of itself at `/metrics` and over OTLP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter},
};

use domain::Micros;
use tracing::error;

use crate::{
    catalog::Entry,
    clock::now_us,
    db::{alert::AlertCounts, counter::Totals, delivery::DeliveryCounts},
};

/// The instruments.
#[derive(Debug)]
pub(crate) struct Metrics {
    records: Counter<u64>,
    dead_letters: Counter<u64>,
    lost: Counter<u64>,
    duplicates: Counter<u64>,
    damaged: Counter<u64>,
    commit_duration: Histogram<f64>,
    query_duration: Histogram<f64>,
    cache_hits: Counter<u64>,
    cache_misses: Counter<u64>,
    pub(crate) gauges: Arc<Gauges>,
}

/// What upkeep measures now and then.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    pub(crate) database_bytes: AtomicU64,
    pub(crate) free_bytes: AtomicU64,
    pub(crate) wal_bytes: AtomicU64,
    pub(crate) blocks: AtomicU64,
    pub(crate) small_blocks: AtomicU64,
    /// Of opened blocks that are kept.
    pub(crate) cache_bytes: AtomicU64,
    /// Tails, exports and checks under way.
    pub(crate) streams: AtomicU64,
    pub(crate) firing_alerts: AtomicU64,
    pub(crate) waiting_deliveries: AtomicU64,
    pub(crate) failed_deliveries: AtomicU64,
    /// Since when the rules have not been judged; 0 when neelix never ran.
    pub(crate) unjudged_since_us: AtomicI64,
    /// Id of the newest record, as far as this process has written one.
    pub(crate) newest_id: AtomicU64,
}

impl Metrics {
    /// Registers the instruments.
    pub(crate) fn new(meter: &Meter) -> Self {
        // From the start, so that whoever looks at increases sees the first one.
        let counter = |name: &'static str, what: &'static str| {
            let counter = meter.u64_counter(name).with_description(what).build();
            counter.add(0, &[]);
            counter
        };
        let seconds = |name: &'static str, what: &'static str| {
            let histogram = meter.f64_histogram(name).with_unit("s");
            histogram.with_description(what).build()
        };
        let gauges = Arc::new(Gauges::default());
        gauges.register(meter);
        Self {
            records: counter("herald.store.records", "Records committed"),
            dead_letters: counter("herald.store.dead_letters", "Dead letters committed"),
            lost: counter("herald.store.lost", "Numbers declared lost"),
            duplicates: counter("herald.store.duplicates", "Entries that were here already"),
            damaged: counter(
                "herald.store.damaged",
                "Blocks set aside because they are damaged",
            ),
            commit_duration: seconds("herald.store.commit.duration", "Encode, write and sync"),
            query_duration: seconds("herald.store.query.duration", "Reads, by call"),
            cache_hits: counter(
                "herald.store.cache.hits",
                "Blocks that were asked for and had been opened before",
            ),
            cache_misses: counter("herald.store.cache.misses", "Blocks that were opened"),
            gauges,
        }
    }

    /// Of some blocks, so many had been opened before.
    pub(crate) fn cache(&self, hits: usize, misses: usize) {
        self.cache_hits.add(hits as u64, &[]);
        self.cache_misses.add(misses as u64, &[]);
    }

    /// A commit took the totals from `before` to `after`.
    pub(crate) fn committed(&self, took: Duration, before: &Totals, after: &Totals) {
        self.commit_duration.record(took.as_secs_f64(), &[]);
        self.records.add(after.records - before.records, &[]);
        self.dead_letters
            .add(after.dead_letters - before.dead_letters, &[]);
        self.lost.add(after.lost - before.lost, &[]);
        self.gauges
            .newest_id
            .store(after.records, Ordering::Relaxed);
    }

    /// Entries came that were here already.
    pub(crate) fn duplicates(&self, count: u64) {
        self.duplicates.add(count, &[]);
    }

    /// Sets a damaged block aside: it is left out of answers. Told once.
    pub(crate) fn set_aside(&self, entry: &Entry, error: &dyn std::error::Error) {
        if entry.set_damaged() {
            self.damaged.add(1, &[]);
            error!(
                first_id = entry.meta.first_id,
                records = entry.meta.count,
                %error,
                "block is damaged: set aside"
            );
        }
    }

    /// Measures a call.
    pub(crate) async fn timed<T>(&self, call: &'static str, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let outcome = work.await;
        self.query_duration.record(
            started.elapsed().as_secs_f64(),
            &[KeyValue::new("call", call)],
        );
        outcome
    }
}

/// A stream of answers under way.
#[derive(Debug)]
pub(crate) struct Stream {
    gauges: Arc<Gauges>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.gauges.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gauges {
    /// Counts a stream until what is given is dropped.
    pub(crate) fn stream(self: &Arc<Self>) -> Stream {
        self.streams.fetch_add(1, Ordering::Relaxed);
        Stream {
            gauges: Arc::clone(self),
        }
    }

    /// Keeps what is known of alerts.
    pub(crate) fn alerts(
        &self,
        alerts: &AlertCounts,
        deliveries: &DeliveryCounts,
        unjudged_since_us: Option<Micros>,
    ) {
        let set = |gauge: &AtomicU64, value| gauge.store(value, Ordering::Relaxed);
        set(&self.firing_alerts, alerts.firing);
        set(&self.waiting_deliveries, deliveries.waiting);
        set(&self.failed_deliveries, deliveries.failed);
        self.unjudged_since_us
            .store(unjudged_since_us.unwrap_or(0), Ordering::Relaxed);
    }

    fn register(self: &Arc<Self>, meter: &Meter) {
        let gauge = |name: &'static str, what: &'static str, read: fn(&Self) -> &AtomicU64| {
            let gauges = Arc::clone(self);
            meter
                .u64_observable_gauge(name)
                .with_description(what)
                .with_callback(move |observer| {
                    observer.observe(read(&gauges).load(Ordering::Relaxed), &[]);
                })
                .build();
        };
        gauge(
            "herald.store.database.bytes",
            "Size of the database file",
            |g| &g.database_bytes,
        );
        gauge("herald.store.free.bytes", "Free bytes in it", |g| {
            &g.free_bytes
        });
        gauge(
            "herald.store.wal.bytes",
            "Size of the write-ahead log",
            |g| &g.wal_bytes,
        );
        gauge("herald.store.blocks", "Blocks", |g| &g.blocks);
        gauge("herald.store.small_blocks", "Blocks to be merged", |g| {
            &g.small_blocks
        });
        gauge(
            "herald.store.cache.bytes",
            "Memory of opened blocks that are kept",
            |g| &g.cache_bytes,
        );
        gauge(
            "herald.store.streams",
            "Tails, exports and checks under way",
            |g| &g.streams,
        );
        gauge("herald.store.alerts.firing", "Alerts that go on", |g| {
            &g.firing_alerts
        });
        gauge(
            "herald.store.deliveries.waiting",
            "Deliveries that wait",
            |g| &g.waiting_deliveries,
        );
        gauge(
            "herald.store.deliveries.failed",
            "Deliveries that failed for good and whose alert goes on",
            |g| &g.failed_deliveries,
        );
        self.register_run_age(meter);
    }

    /// Not told as long as neelix never ran.
    fn register_run_age(self: &Arc<Self>, meter: &Meter) {
        let gauges = Arc::clone(self);
        meter
            .f64_observable_gauge("herald.store.run.age")
            .with_unit("s")
            .with_description("Time since neelix last judged the rules, or first tried to")
            .with_callback(move |observer| {
                let since_us = gauges.unjudged_since_us.load(Ordering::Relaxed);
                if since_us > 0 {
                    let age_us = now_us().saturating_sub(since_us).max(0);
                    observer.observe(age_us as f64 / 1e6, &[]);
                }
            })
            .build();
    }
}
