//! Random histories of another bridge that sends, cuts and repeats, while this one
//! syncs, reads, is killed and starts again: each of its numbers counts once, and
//! nothing that was told to be durable is forgotten.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    FORWARDED_KIND, Forwarded, ForwardedBatch, Intake, Item, Reader, Resumed, Sender, Spool,
    SpoolConfig, TakenIn, parts, segment, watermark,
};

const UPSTREAM: Uuid = Uuid::from_u128(7);
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
enum Act {
    /// So many numbers, beginning so far before the first that is new.
    Send {
        back: u64,
        count: u64,
        bytes: usize,
    },
    /// Waits until all that was sent is durable.
    Settle,
    /// Everything durable goes on, so that its segments are removed.
    Read,
    Kill {
        written_percent: usize,
    },
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0_u64..20, 1_u64..40, 0_usize..5_000)
            .prop_map(|(back, count, bytes)| Act::Send { back, count, bytes }),
        3 => Just(Act::Settle),
        3 => Just(Act::Read),
        2 => (0_usize..=100).prop_map(|written_percent| Act::Kill { written_percent }),
        1 => Just(Act::Restart),
    ]
}

/// Every third number stands for nothing; so do some at the end of a batch.
fn is_kept(number: u64) -> bool {
    number % 3 != 1
}

struct World<'a> {
    dir: &'a Path,
    spool: Option<(Spool, Intake, Reader)>,
    /// The first number that was not sent.
    sent: u64,
    /// The first number that was not told to be durable.
    told: u64,
    /// What the destination has got, and the number it expects of each run.
    got: Vec<u64>,
    expected: HashMap<Uuid, u64>,
}

impl World<'_> {
    fn open(&mut self) {
        let config = SpoolConfig {
            dir: self.dir.to_owned(),
            max_bytes: 1 << 30,
            segment_bytes: 64 << 10,
            sync_interval: Duration::from_secs(3_600),
            sync_bytes: usize::MAX,
        };
        let (spool, _) = Spool::open(config).unwrap();
        let (intake, mut reader) = (
            spool.intake(Sender::Bridge).unwrap(),
            spool.reader("store").unwrap(),
        );
        connect(&mut self.expected, &mut reader);
        let expected = intake.expected(UPSTREAM).unwrap_or(1);
        assert!(expected >= self.told, "{expected} < {}", self.told);
        assert!(expected <= self.sent, "{expected} > {}", self.sent);
        (self.sent, self.told) = (expected, expected);
        self.spool = Some((spool, intake, reader));
    }

    fn spool(&mut self) -> &mut (Spool, Intake, Reader) {
        self.spool.as_mut().unwrap()
    }

    async fn act(&mut self, act: &Act) {
        match *act {
            Act::Send { back, count, bytes } => {
                let first = self.sent.saturating_sub(back).max(1);
                let entry = |number: u64| Forwarded {
                    next: number + 1,
                    kind: FORWARDED_KIND,
                    entry: is_kept(number).then(|| Bytes::from(vec![number as u8; bytes])),
                };
                let batch = ForwardedBatch {
                    sender: Sender::Bridge,
                    connection: 0,
                    peer: None,
                    upstream: UPSTREAM,
                    begin: 1,
                    first,
                    received_us: 1,
                    entries: (first..self.sent + count).map(entry).collect(),
                };
                let taken = self.spool().1.take(&batch).await.unwrap();
                assert!(matches!(taken, TakenIn::Queued(_)), "{taken:?}");
                self.sent += count;
                let hole = ForwardedBatch {
                    first: self.sent + 1,
                    ..batch
                };
                let taken = self.spool().1.take(&hole).await.unwrap();
                assert_eq!(taken, TakenIn::Hole(self.sent));
            }
            Act::Settle => self.settle().await,
            Act::Read => self.read().await,
            Act::Kill { written_percent } => {
                self.kill(written_percent).await;
                self.open();
            }
            Act::Restart => {
                let (spool, ..) = self.spool.take().unwrap();
                spool.close().await.unwrap();
                self.told = self.sent;
                self.open();
            }
        }
    }

    async fn settle(&mut self) {
        let sent = self.sent;
        let (spool, intake, _) = self.spool();
        let mut changes = intake.changes();
        spool.flush().await.unwrap();
        let settled = async {
            while intake.expected(UPSTREAM).unwrap_or(1) < sent {
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.unwrap();
        self.told = sent;
    }

    async fn read(&mut self) {
        let (spool, _, reader) = self.spool.as_mut().unwrap();
        while spool.stats().lag("store").entries > 0 {
            let next = tokio::time::timeout(PATIENCE, reader.next(1_000, 1 << 20));
            let chunk = next.await.unwrap().unwrap();
            let Some(expected) = self.expected.get_mut(&chunk.bridge_id) else {
                reader.acknowledge(chunk.first_sequence).unwrap();
                connect(&mut self.expected, reader);
                continue;
            };
            assert_eq!(*expected, chunk.first_sequence);
            *expected += chunk.items.len() as u64;
            for item in &chunk.items {
                let Item::Frame(frame) = item else {
                    panic!("nothing was destroyed: {item:?}");
                };
                let (upstream, number, _) = parts(&frame.bytes).unwrap();
                assert_eq!(upstream, UPSTREAM);
                self.got.push(number);
            }
            let next = chunk.first_sequence + chunk.items.len() as u64;
            reader.acknowledge(next).unwrap();
        }
    }

    async fn kill(&mut self, written_percent: usize) {
        let (spool, ..) = self.spool.take().unwrap();
        let shared = &spool.handle.shared;
        let unwritten = shared.queue.abandon();
        spool.ended().await;
        let mark = watermark::load(&shared.folder).unwrap().record.unwrap();
        let is_active = shared.catalog().segments_from(mark.segment_first).count() == 1;
        if is_active && mark.segment_first >= shared.catalog().run_first {
            let path = self.dir.join(segment::file_name(mark.segment_first, 0));
            let file = File::options().write(true).open(path).unwrap();
            let room = file.metadata().unwrap().len() - mark.segment_end;
            let written = (unwritten.len() * written_percent / 100).min(room as usize);
            file.write_all_at(&unwritten[..written], mark.segment_end)
                .unwrap();
        }
    }
}

/// The destination tells what it has, as a store does.
fn connect(expected: &mut HashMap<Uuid, u64>, reader: &mut Reader) {
    loop {
        let position = reader.position().unwrap();
        let next = *expected
            .entry(position.bridge_id)
            .or_insert(position.first_sequence);
        if let Resumed::At(position) = reader.resume(next).unwrap()
            && expected.get(&position.bridge_id) == Some(&position.next_sequence)
        {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn each_number_counts_once_whatever_happens(acts in prop::collection::vec(act(), 1..60)) {
        let memory = tempfile::tempdir_in("/dev/shm");
        let dir = memory.or_else(|_| tempfile::tempdir()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World {
                dir: dir.path(),
                spool: None,
                sent: 1,
                told: 1,
                got: Vec::new(),
                expected: HashMap::new(),
            };
            world.open();
            for act in &acts {
                world.act(act).await;
            }
            world.settle().await;
            world.read().await;
            let expected: Vec<u64> = (1..world.sent).filter(|number| is_kept(*number)).collect();
            assert_eq!(world.got, expected);
        });
    }
}
