//! Programs that log: frames as the standard SocketHandler sends them, made
//! beforehand so that making them is not what is measured.

use std::{
    io::Write,
    net::TcpStream,
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use domain::Record;

use crate::lines::Lines;

/// A value of `created` that can be found again in a pickle.
const PLACEHOLDER_US: i64 = 1_234_567_890_123_456;
/// How much one `send` carries at most, in bytes.
const SEND_BYTES: usize = 64 * 1024;

/// A frame and where its `created` stands.
#[derive(Debug, Clone)]
struct Frame {
    bytes: Vec<u8>,
    created_at: usize,
}

/// Frames to be sent round and round, each time with the current `created`.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    frames: Vec<Frame>,
}

/// How many programs log, on 8 hosts.
pub(crate) const PROGRAMS: u64 = 24;

/// The `number`-th record of the load, the programs in turn: a line each.
#[must_use]
pub(crate) fn record(lines: &Lines, number: u64) -> Record {
    let program = number % PROGRAMS;
    let index = usize::try_from(number).expect("64 bits") % lines.texts.len();
    let level = match number % 100 {
        0 => (40, "ERROR"),
        1..=4 => (30, "WARNING"),
        5..=24 => (10, "DEBUG"),
        _ => (20, "INFO"),
    };
    Record {
        created_us: PLACEHOLDER_US,
        level: level.0,
        level_name: level.1.to_owned(),
        message: lines.texts[index].clone(),
        system_id: format!("service_{program}"),
        sub_system_id: format!("host_{}", program % 8),
        user_spec_1: String::new(),
        extra: String::new(),
        ..testkit::record(number)
    }
}

impl Load {
    /// As many different frames as there are lines.
    #[must_use]
    pub(crate) fn new(lines: &Lines) -> Self {
        let needle = (PLACEHOLDER_US as f64 / 1e6).to_be_bytes();
        let frames = (0..lines.texts.len() as u64)
            .map(|number| {
                let bytes = testkit::frame::pickle(&record(lines, number));
                let created_at = bytes
                    .windows(needle.len())
                    .position(|window| window == needle)
                    .expect("created is in the pickle");
                Frame { bytes, created_at }
            })
            .collect();
        Self { frames }
    }

    /// Mean size of a frame in bytes.
    #[must_use]
    pub(crate) fn mean_bytes(&self) -> u64 {
        let sum: usize = self.frames.iter().map(|frame| frame.bytes.len()).sum();
        (sum / self.frames.len()) as u64
    }

    /// Sends `records` over `connections` as fast as they are taken.
    pub(crate) fn send(
        &self,
        address: &str,
        records: u64,
        connections: u64,
    ) -> Vec<JoinHandle<()>> {
        (0..connections)
            .map(|number| {
                let load = self.clone();
                let share = records / connections + u64::from(number < records % connections);
                let mut stream = TcpStream::connect(address).expect("the bridge listens");
                thread::spawn(move || {
                    load.write(&mut stream, share, number * 1_009);
                })
            })
            .collect()
    }

    /// Sends at `rate` records a second for `time`, over one connection, in a
    /// piece every 10 ms.
    pub(crate) fn send_paced(&self, address: &str, rate: u64, time: Duration) -> JoinHandle<u64> {
        let load = self.clone();
        let mut stream = TcpStream::connect(address).expect("the bridge listens");
        stream.set_nodelay(true).expect("an open socket");
        thread::spawn(move || {
            let start = Instant::now();
            let mut sent = 0;
            while start.elapsed() < time {
                let due = rate * u64::try_from(start.elapsed().as_millis()).expect("short") / 1_000;
                load.write(&mut stream, due - sent, sent);
                sent = due;
                thread::park_timeout(Duration::from_millis(10));
            }
            sent
        })
    }

    fn write(&self, stream: &mut TcpStream, records: u64, first: u64) {
        let mut piece = Vec::with_capacity(2 * SEND_BYTES);
        let now = now_seconds();
        for number in 0..records {
            let frame = &self.frames[((first + number) % self.frames.len() as u64) as usize];
            let start = piece.len() + frame.created_at;
            piece.extend_from_slice(&frame.bytes);
            let created = now + number as f64 * 1e-6;
            piece[start..start + 8].copy_from_slice(&created.to_be_bytes());
            if piece.len() >= SEND_BYTES {
                stream.write_all(&piece).expect("the bridge reads");
                piece.clear();
            }
        }
        stream.write_all(&piece).expect("the bridge reads");
    }
}

/// Now, in seconds since the epoch.
#[must_use]
pub(crate) fn now_seconds() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs_f64()
}
