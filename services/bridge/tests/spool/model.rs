//! What destinations have, and what they must have.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};

use bridge::spool::{Chunk, FrameBatch, Item, Reader, Recovery, Resumed, Spool, SpoolConfig};
use uuid::Uuid;

pub(crate) const DESTINATIONS: [&str; 2] = ["store", "other"];

/// A destination that keeps what it gets, by identity and number.
#[derive(Debug, Default, Clone)]
pub(crate) struct Store {
    pub(crate) expected: HashMap<Uuid, u64>,
    /// The first word of each frame.
    pub(crate) frames: Vec<String>,
    pub(crate) lost: u64,
}

impl Store {
    /// Opens a stream, as a store and a forwarder do.
    pub(crate) fn connect(&mut self, reader: &mut Reader) {
        loop {
            let position = reader.position().unwrap();
            let next = *self
                .expected
                .entry(position.bridge_id)
                .or_insert(position.first_sequence);
            if let Resumed::At(position) = reader.resume(next).unwrap()
                && self.expected.get(&position.bridge_id) == Some(&position.next_sequence)
            {
                return;
            }
        }
    }

    /// Takes frames and gaps under an identity from a number on.
    pub(crate) fn take(&mut self, bridge_id: Uuid, first: u64, items: impl Iterator<Item = Taken>) {
        let expected = self.expected.entry(bridge_id).or_insert(first);
        assert_eq!(*expected, first, "a hole or a repetition");
        for item in items {
            match item {
                Taken::Frame(word) => {
                    *expected += 1;
                    self.frames.push(word);
                }
                Taken::Gap(count) => {
                    *expected += count;
                    self.lost += count;
                }
            }
        }
    }

    /// Reads all that is durable.
    pub(crate) async fn drain(&mut self, name: &str, spool: &Spool, reader: &mut Reader) {
        while spool.stats().lag(name).entries > 0 {
            let chunk = reader.next(100, 100_000).await.unwrap();
            let next = chunk.first_sequence + chunk.items.iter().map(Item::width).sum::<u64>();
            if self.expected.contains_key(&chunk.bridge_id) {
                self.take(chunk.bridge_id, chunk.first_sequence, taken(&chunk));
                reader.acknowledge(next).unwrap();
            } else {
                reader.acknowledge(chunk.first_sequence).unwrap();
                self.connect(reader);
            }
        }
    }
}

/// One item, in short.
pub(crate) enum Taken {
    Frame(String),
    Gap(u64),
}

pub(crate) fn taken(chunk: &Chunk) -> impl Iterator<Item = Taken> {
    chunk.items.iter().map(|item| match item {
        Item::Frame(frame) => {
            let text = String::from_utf8_lossy(&frame.bytes);
            Taken::Frame(text.split(' ').next().unwrap_or_default().to_owned())
        }
        Item::Gap { count, .. } => Taken::Gap(*count),
    })
}

/// What is known from outside: which frames are safe, and what has arrived.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// How many frames of each run were reported as durable.
    pub(crate) synced: BTreeMap<u64, u64>,
    pub(crate) stores: BTreeMap<String, Store>,
}

impl Model {
    /// Opens the spool, gives every destination the rest, and compares: what was
    /// safe is there, once, in order, and nothing is declared lost.
    pub(crate) fn settle(&mut self, dir: &Path) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (spool, _) = open(dir);
            for name in DESTINATIONS {
                let mut reader = spool.reader(name).unwrap();
                let store = self.stores.entry(name.to_owned()).or_default();
                store.connect(&mut reader);
                store.drain(name, &spool, &mut reader).await;
            }
            spool.close().await.unwrap();
        });
        for name in DESTINATIONS {
            self.check(name);
        }
    }

    fn check(&self, name: &str) {
        let store = &self.stores[name];
        assert_eq!(store.lost, 0, "{name}: nothing was destroyed");
        let mut next: BTreeMap<u64, u64> = BTreeMap::new();
        let mut latest = 0;
        for word in &store.frames {
            let (run, index) = word.split_once('.').expect("run and index");
            let (run, index): (u64, u64) = (run.parse().unwrap(), index.parse().unwrap());
            assert!(run >= latest, "{name}: {word} comes after run {latest}");
            latest = run;
            let expected = next.entry(run).or_default();
            assert_eq!(index, *expected, "{name}: {word} is out of order");
            *expected += 1;
        }
        for (run, synced) in &self.synced {
            let arrived = next.get(run).copied().unwrap_or_default();
            assert!(
                arrived >= *synced,
                "{name}: {arrived} of {synced} synced frames of run {run}"
            );
        }
    }
}

/// Opens a spool of small segments, which has to be quick.
pub(crate) fn open(dir: &Path) -> (Spool, Recovery) {
    let begun = Instant::now();
    let opened = Spool::open(config(dir, 64 << 20)).unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "start took {:?}",
        begun.elapsed()
    );
    opened
}

pub(crate) fn config(dir: &Path, max_bytes: u64) -> SpoolConfig {
    SpoolConfig {
        dir: dir.to_owned(),
        max_bytes,
        segment_bytes: 64 << 10,
        sync_interval: Duration::from_millis(1),
        sync_bytes: 32 << 10,
    }
}

/// A folder in memory, where there is one: what a killed process leaves in the page
/// cache is the same there, and thousands of spools are quicker made.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    }
    .unwrap()
}

/// Frames whose first word is their number, from `first` on.
pub(crate) fn batch(numbers: std::ops::Range<u64>, bytes: usize) -> FrameBatch {
    let mut buffer = Vec::new();
    let mut frames = Vec::new();
    for number in numbers {
        let begin = buffer.len();
        buffer.extend_from_slice(format!("{number} ").as_bytes());
        buffer.resize(begin + bytes + (number * 37 % 100) as usize, b'x');
        frames.push((1, begin..buffer.len()));
    }
    let peer = Some(([127, 0, 0, 1], 4_711).into());
    FrameBatch {
        received_us: 1,
        connection: 1,
        peer,
        buffer: buffer.into(),
        frames,
    }
}
