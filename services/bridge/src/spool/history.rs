//! Random histories of appending, syncing, reading, acknowledging, crashing,
//! starting again, and being put back to an earlier state, against a model of what
//! every destination must have in the end.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use uuid::Uuid;

use super::{Chunk, FrameBatch, Item, Reader, Resumed, Spool, SpoolConfig, entry, watermark};

const DESTINATIONS: [&str; 2] = ["store", "other"];

/// For a read of something that is there.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
enum Act {
    /// Frames of this size.
    Append {
        frames: usize,
        bytes: usize,
    },
    Flush,
    /// One chunk to a destination, kept by it; acknowledged to the spool or not.
    Read {
        destination: usize,
        entries: usize,
        acknowledge: bool,
    },
    /// A destination connects anew.
    Reconnect {
        destination: usize,
    },
    /// The process is killed; so much of what was not synced got to the disk.
    Kill {
        written_percent: usize,
    },
    /// The same, and the machine starts again.
    PowerFailure {
        written_percent: usize,
    },
    Restart,
    /// The same, and the folder is copied meanwhile.
    Snapshot,
    /// Whatever came since the snapshot is gone from the folder, without a trace. A
    /// run takes frames, and no destination is reached until it connects anew.
    PutBack {
        frames: usize,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let destination = 0..DESTINATIONS.len();
    prop_oneof![
        6 => (1_usize..20, 0_usize..6_000).prop_map(|(frames, bytes)| Act::Append { frames, bytes }),
        3 => Just(Act::Flush),
        6 => (destination.clone(), 1_usize..40, any::<bool>()).prop_map(
            |(destination, entries, acknowledge)| Act::Read { destination, entries, acknowledge }
        ),
        2 => destination.prop_map(|destination| Act::Reconnect { destination }),
        2 => (0_usize..=100).prop_map(|written_percent| Act::Kill { written_percent }),
        1 => (0_usize..=100).prop_map(|written_percent| Act::PowerFailure { written_percent }),
        1 => Just(Act::Restart),
        1 => Just(Act::Snapshot),
        2 => (0_usize..40).prop_map(|frames| Act::PutBack { frames }),
    ]
}

/// A destination that keeps what it gets, by identity and number.
#[derive(Default)]
struct Store {
    expected: HashMap<Uuid, u64>,
    frames: Vec<u64>,
}

impl Store {
    fn connect(&mut self, reader: &mut Reader) {
        loop {
            let position = reader.position().unwrap();
            let expected = *self
                .expected
                .entry(position.bridge_id)
                .or_insert(position.first_sequence);
            if let Resumed::At(position) = reader.resume(expected).unwrap()
                && self.expected.get(&position.bridge_id) == Some(&position.next_sequence)
            {
                return;
            }
        }
    }

    /// Takes a chunk; false when it is of an identity that needs a connection.
    fn take(&mut self, chunk: &Chunk) -> bool {
        let Some(expected) = self.expected.get_mut(&chunk.bridge_id) else {
            return false;
        };
        assert_eq!(*expected, chunk.first_sequence, "a hole or a repetition");
        for item in &chunk.items {
            let Item::Frame(frame) = item else {
                panic!("nothing was destroyed: {item:?}")
            };
            self.frames
                .push(u64::from_le_bytes(frame.bytes[..8].try_into().unwrap()));
            *expected += 1;
        }
        true
    }
}

struct World<'a> {
    dir: &'a Path,
    boot: u8,
    spool: Option<Spool>,
    readers: Vec<Option<Reader>>,
    stores: [Store; 2],
    /// Which destinations are reached.
    online: [bool; 2],
    /// Frames that are durable, and those that were appended since.
    durable: Vec<u64>,
    pending: Vec<u64>,
    made: u64,
    snapshot: Option<Snapshot>,
}

/// The files of a spool that was closed, and what is durable in it.
struct Snapshot {
    files: BTreeMap<String, Vec<u8>>,
    durable: Vec<u64>,
}

impl<'a> World<'a> {
    fn new(dir: &'a Path) -> Self {
        let mut world = Self {
            dir,
            boot: 1,
            spool: None,
            readers: Vec::new(),
            stores: Default::default(),
            online: [true; 2],
            durable: Vec::new(),
            pending: Vec::new(),
            made: 0,
            snapshot: None,
        };
        world.open(None);
        world
    }

    fn open(&mut self, doubt: Option<&str>) {
        let config = SpoolConfig {
            dir: self.dir.to_owned(),
            max_bytes: 1 << 30,
            segment_bytes: 64 << 10,
            sync_interval: Duration::from_secs(3_600),
            sync_bytes: usize::MAX,
        };
        let (spool, report) = Spool::open_at_boot(config, [self.boot; 16]).unwrap();
        assert_eq!(report.lost_entries, 0);
        assert_eq!(report.doubt, doubt);
        self.readers = DESTINATIONS
            .iter()
            .map(|name| Some(spool.reader(name).unwrap()))
            .collect();
        self.spool = Some(spool);
        for destination in 0..DESTINATIONS.len() {
            if self.online[destination] {
                self.connect(destination);
            }
        }
    }

    fn connect(&mut self, destination: usize) {
        self.online[destination] = true;
        let reader = self.readers[destination].as_mut().unwrap();
        self.stores[destination].connect(reader);
    }

    fn spool(&self) -> &Spool {
        self.spool.as_ref().unwrap()
    }

    async fn act(&mut self, act: &Act) {
        match *act {
            Act::Append { frames, bytes } => self.append(frames, bytes).await,
            Act::Flush => self.flush().await,
            Act::Read {
                destination,
                entries,
                acknowledge,
            } => {
                if self.online[destination] && self.lacks(destination) {
                    self.read(destination, entries, acknowledge).await;
                }
            }
            Act::Reconnect { destination } => self.connect(destination),
            Act::Kill { written_percent } => {
                self.kill(written_percent).await;
                self.open(None);
            }
            Act::PowerFailure { written_percent } => {
                self.kill(written_percent).await;
                self.boot += 1;
                self.open(Some("the machine went down"));
            }
            Act::Restart => {
                self.close().await;
                self.open(None);
            }
            Act::Snapshot => {
                self.close().await;
                let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
                let files = self.files().into_iter();
                self.snapshot = Some(Snapshot {
                    files: files
                        .map(|path| (name(&path), std::fs::read(&path).unwrap()))
                        .collect(),
                    durable: self.durable.clone(),
                });
                self.open(None);
            }
            Act::PutBack { frames } => {
                self.close().await;
                if self.put_back() {
                    self.online = [false; 2];
                }
                self.open(None);
                self.append(frames, 100).await;
                self.close().await;
                self.open(None);
            }
        }
    }

    async fn close(&mut self) {
        self.readers.clear();
        self.spool.take().unwrap().close().await.unwrap();
        self.durable.append(&mut self.pending);
    }

    fn files(&self) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(self.dir).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_file()).collect()
    }

    /// In place, as a rolled back file system does it: inodes are what they were.
    /// False when there is no snapshot.
    fn put_back(&mut self) -> bool {
        let Some(snapshot) = &self.snapshot else {
            return false;
        };
        for path in self.files() {
            let name = path.file_name().unwrap().to_str().unwrap();
            if !snapshot.files.contains_key(name) {
                std::fs::remove_file(path).unwrap();
            }
        }
        for (name, bytes) in &snapshot.files {
            std::fs::write(self.dir.join(name), bytes).unwrap();
        }
        self.durable = snapshot.durable.clone();
        true
    }

    /// Whether there is something durable that a destination does not have.
    fn lacks(&self, destination: usize) -> bool {
        let has: HashSet<&u64> = self.stores[destination].frames.iter().collect();
        self.durable.iter().any(|frame| !has.contains(frame))
    }

    async fn append(&mut self, frames: usize, bytes: usize) {
        let size = bytes + 8;
        let mut buffer = Vec::new();
        for number in self.made..self.made + frames as u64 {
            buffer.extend_from_slice(&number.to_le_bytes());
            buffer.resize(buffer.len() + bytes, number as u8);
            self.pending.push(number);
        }
        self.made += frames as u64;
        let frames = (0..frames)
            .map(|index| (1, index * size..(index + 1) * size))
            .collect();
        let batch = FrameBatch {
            received_us: 1,
            connection: 1,
            peer: None,
            buffer: Bytes::from(buffer),
            frames,
        };
        self.spool().append(batch).await.unwrap();
    }

    async fn flush(&mut self) {
        self.spool().flush().await.unwrap();
        self.durable.append(&mut self.pending);
    }

    async fn read(&mut self, destination: usize, entries: usize, acknowledge: bool) {
        let reader = self.readers[destination].as_mut().unwrap();
        let store = &mut self.stores[destination];
        let next = tokio::time::timeout(PATIENCE, reader.next(entries, 100_000));
        let chunk = next.await.expect("a frame is missing").unwrap();
        if !store.take(&chunk) {
            // What was stored is acknowledged before the next identity begins.
            reader.acknowledge(chunk.first_sequence).unwrap();
            return store.connect(reader);
        }
        if acknowledge {
            reader
                .acknowledge(chunk.first_sequence + chunk.items.len() as u64)
                .unwrap();
        }
    }

    async fn kill(&mut self, written_percent: usize) {
        let spool = self.spool.take().unwrap();
        let unwritten = spool.handle.shared.queue.abandon();
        spool.ended().await;
        let folder = &spool.handle.shared.folder;
        let mark = watermark::load(folder).unwrap().record.unwrap();
        let written = unwritten.len() * written_percent / 100;
        let path = self
            .dir
            .join(super::segment::file_name(mark.segment_first, 0));
        // Without a segment of this run the write would have made one: not simulated.
        let active = spool
            .handle
            .shared
            .catalog()
            .segments_from(mark.segment_first)
            .count()
            == 1;
        if active && mark.segment_first >= spool.handle.shared.catalog().run_first {
            let file = File::options().write(true).open(path).unwrap();
            let room = file
                .metadata()
                .unwrap()
                .len()
                .saturating_sub(mark.segment_end) as usize;
            let written = written.min(room);
            file.write_all_at(&unwritten[..written], mark.segment_end)
                .unwrap();
            let mut at = 0;
            let mut kept = 0;
            while at < unwritten.len() && at + entry::size_at(&unwritten[at..]) <= written {
                at += entry::size_at(&unwritten[at..]);
                kept += 1;
            }
            self.durable.extend(self.pending.drain(..kept));
        }
        self.pending.clear();
        self.readers.clear();
        drop(spool);
    }

    /// Everything durable has to be at every destination, once and in order, beside
    /// what had been sent before it was taken out of the spool.
    async fn finish(&mut self) {
        self.flush().await;
        for destination in 0..DESTINATIONS.len() {
            self.connect(destination);
            while self.lacks(destination) {
                self.read(destination, 1_000, true).await;
            }
            let frames = &self.stores[destination].frames;
            assert!(frames.is_sorted_by(|one, next| one < next), "{frames:?}");
            if self.snapshot.is_none() {
                assert_eq!(*frames, self.durable);
            }
        }
        assert_eq!(self.spool().stats().lost_total, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_destination_gets_what_was_durable_once_and_in_order(
        acts in prop::collection::vec(act(), 1..60)
    ) {
        // In memory, where there is some: a synced disk is no part of the model.
        let memory = tempfile::tempdir_in("/dev/shm");
        let dir = memory.or_else(|_| tempfile::tempdir()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(dir.path());
            for act in &acts {
                world.act(act).await;
            }
            world.finish().await;
        });
    }
}
