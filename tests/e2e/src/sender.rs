//! Connections that send numbered records as fast as a test wants.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::Record;
use testkit::frame;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::account::numbered;

/// How often a sender sends.
const PERIOD: Duration = Duration::from_millis(5);

/// Sends numbered records at a steady rate until it is stopped. When its
/// connection breaks it opens another one, under another name and from number
/// 0, as if another program had started.
#[derive(Debug)]
pub struct Sender {
    sent: Arc<AtomicU64>,
    stopping: Arc<AtomicBool>,
    task: JoinHandle<BTreeMap<String, u64>>,
}

impl Sender {
    /// Starts sending `per_second` records to `address`; the connections are
    /// called `<name>-00000`, `<name>-00001` and so on.
    #[must_use]
    pub fn start(name: &str, address: String, per_second: u64) -> Self {
        let sent = Arc::new(AtomicU64::new(0));
        let stopping = Arc::new(AtomicBool::new(false));
        let sending = Sending {
            address,
            per_period: (per_second * PERIOD.as_millis() as u64 / 1_000).max(1),
            sent: Arc::clone(&sent),
            stopping: Arc::clone(&stopping),
        };
        let task = tokio::spawn(sending.run(name.to_owned()));
        Self {
            sent,
            stopping,
            task,
        }
    }

    /// Records handed to the system so far, over all connections.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Stops at the end of a record and closes the connection; says how many
    /// records were handed to the system over each connection.
    ///
    /// # Panics
    /// When the sender has panicked.
    pub async fn stop(self) -> BTreeMap<String, u64> {
        self.stopping.store(true, Ordering::Relaxed);
        self.task.await.expect("a sender does not panic")
    }
}

/// Sends these records over one connection and returns when the bridge has read
/// them.
///
/// # Panics
/// When the bridge does not take them.
pub async fn send(address: &str, records: &[Record]) {
    let mut stream = TcpStream::connect(address).await.expect("a bridge");
    let frames: Vec<u8> = records.iter().flat_map(frame::pickle).collect();
    stream
        .write_all(&frames)
        .await
        .expect("a bridge that reads");
    stream.shutdown().await.expect("a connection");
    let answer = stream.read_to_end(&mut Vec::new()).await;
    answer.expect("the end of the connection");
}

struct Sending {
    address: String,
    per_period: u64,
    sent: Arc<AtomicU64>,
    stopping: Arc<AtomicBool>,
}

impl Sending {
    async fn run(self, name: String) -> BTreeMap<String, u64> {
        let mut sent = BTreeMap::new();
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        for number in 0.. {
            let connection = format!("{name}-{number:05}");
            let mut stream = loop {
                ticks.tick().await;
                if self.is_stopping() {
                    return sent;
                }
                if let Ok(stream) = TcpStream::connect(&self.address).await {
                    break stream;
                }
            };
            let count = sent.entry(connection.clone()).or_insert(0);
            while !self.is_stopping() {
                ticks.tick().await;
                let frames: Vec<u8> = (*count..*count + self.per_period)
                    .flat_map(|number| frame::pickle(&numbered(&connection, number)))
                    .collect();
                if stream.write_all(&frames).await.is_err() {
                    break;
                }
                *count += self.per_period;
                self.sent.fetch_add(self.per_period, Ordering::Relaxed);
            }
            // A peer that is gone cannot be told goodbye.
            let _ = stream.shutdown().await;
        }
        sent
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
