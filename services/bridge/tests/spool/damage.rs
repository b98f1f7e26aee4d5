//! Damaged spools: what is declared lost is what was destroyed, entry by entry,
//! and everything else comes out in order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::model::{Store, batch, folder, open};

const FRAMES: u64 = 120;
const FRAME_BYTES: usize = 1_400;
const HEAD_BYTES: usize = 56;

type Files = BTreeMap<String, Vec<u8>>;
/// Where each frame's entry is: file, and range within it.
type Entries = Vec<(String, Range<usize>)>;

/// A spool that all tests damage copies of.
fn example() -> &'static (Files, Entries) {
    static EXAMPLE: LazyLock<(Files, Entries)> = LazyLock::new(|| {
        let files = spool_files();
        let entries = entries(&files);
        (files, entries)
    });
    &EXAMPLE
}

/// A spool of several segments, as a killed process leaves it.
fn spool_files() -> Files {
    let dir = folder();
    runtime().block_on(async {
        let (spool, _) = open(dir.path());
        let _reader = spool.reader("store").unwrap();
        for first in (0..FRAMES).step_by(4) {
            spool
                .append(batch(first..first + 4, FRAME_BYTES))
                .await
                .unwrap();
            spool.flush().await.unwrap();
        }
        read_folder(dir.path())
    })
}

fn read_folder(dir: &Path) -> Files {
    let mut files = Files::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name != "reserve" {
            files.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    assert!(files.keys().filter(|name| name.ends_with(".seg")).count() >= 3);
    files
}

fn entries(files: &Files) -> Entries {
    let find = |number: u64| {
        let frame = batch(number..number + 1, FRAME_BYTES).buffer;
        let found = files.iter().find_map(|(name, bytes)| {
            let at = bytes
                .windows(frame.len())
                .position(|window| window == &frame[..])?;
            Some((name.clone(), at - HEAD_BYTES..at + frame.len()))
        });
        found.expect("every frame is in a file")
    };
    (0..FRAMES).map(find).collect()
}

/// Opens a damaged spool; what the destination gets has to be everything whose bytes
/// are as they were, and the rest declared; and new frames follow.
fn check(what: &str, whole: &Files, entries: &Entries, damaged: &Files) {
    let survives = |number: u64| {
        let (name, range) = &entries[number as usize];
        let bytes = damaged.get(name).and_then(|bytes| bytes.get(range.clone()));
        bytes == Some(&whole[name][range.clone()])
    };
    let mut expected: Vec<u64> = (0..FRAMES).filter(|number| survives(*number)).collect();
    let lost = FRAMES - expected.len() as u64;
    expected.extend(900..903);

    let dir = folder();
    for (name, bytes) in damaged {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    let store = runtime().block_on(async {
        let (spool, _) = open(dir.path());
        let mut reader = spool.reader("store").unwrap();
        let mut store = Store::default();
        store.connect(&mut reader);
        spool.append(batch(900..903, FRAME_BYTES)).await.unwrap();
        spool.flush().await.unwrap();
        store.drain("store", &spool, &mut reader).await;
        assert_eq!(spool.stats().lost_total, store.lost, "{what}");
        spool.close().await.unwrap();
        store
    });
    let frames: Vec<u64> = store
        .frames
        .iter()
        .map(|word| word.parse().unwrap())
        .collect();
    assert_eq!((frames, store.lost), (expected, lost), "{what}");
}

#[test]
fn a_flipped_byte_costs_the_entry_it_is_in() {
    let (files, entries) = example();
    for (name, bytes) in files {
        let in_head = |at: usize| {
            let head = |range: &Range<usize>| range.start..range.start + HEAD_BYTES;
            entries
                .iter()
                .step_by(20)
                .any(|(file, it)| file == name && head(it).contains(&at))
        };
        // All of a few headers, and a sample of everything else.
        for at in (0..bytes.len()).filter(|at| at % 151 == 0 || in_head(*at)) {
            let mut damaged = files.clone();
            damaged.get_mut(name).unwrap()[at] ^= 0x24;
            check(&format!("{name}, byte {at}"), files, entries, &damaged);
        }
    }
}

#[test]
fn a_truncated_or_missing_segment_costs_the_entries_that_are_gone() {
    let (files, entries) = example();
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".seg")) {
        let boundary = |at: usize| entries.iter().any(|(_, range)| range.start == at);
        for at in (0..bytes.len()).filter(|at| at % 211 == 0 || boundary(*at)) {
            let mut damaged = files.clone();
            damaged.get_mut(name).unwrap().truncate(at);
            check(&format!("{name} cut at {at}"), files, entries, &damaged);
        }
        let mut damaged = files.clone();
        damaged.remove(name);
        check(&format!("{name} removed"), files, entries, &damaged);
    }
}

#[test]
fn a_missing_cursor_or_watermark_costs_nothing() {
    let (files, entries) = example();
    for name in ["cursor.store", "watermark"] {
        for length in [0, 10, 5_000] {
            let mut damaged = files.clone();
            damaged.get_mut(name).unwrap().truncate(length);
            check(&format!("{name} cut at {length}"), files, entries, &damaged);
        }
        let mut damaged = files.clone();
        damaged.remove(name);
        check(&format!("{name} removed"), files, entries, &damaged);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Several segments at once, headers included.
    #[test]
    fn overwritten_ranges_cost_the_entries_they_touch(
        ranges in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_usize..9_000, any::<u8>()),
            1..5,
        )
    ) {
        let (files, entries) = example();
        let mut damaged = files.clone();
        let names: Vec<&String> = files.keys().filter(|name| name.ends_with(".seg")).collect();
        for (file, at, length, value) in &ranges {
            let bytes = damaged.get_mut(*file.get(&names)).unwrap();
            let begin = at.index(bytes.len());
            let end = bytes.len().min(begin + length);
            bytes[begin..end].fill(*value);
        }
        check(&format!("{ranges:?}"), files, entries, &damaged);
    }
}

#[test]
fn damage_under_a_running_spool_is_declared_too() {
    let dir = folder();
    runtime().block_on(async {
        let (spool, _) = open(dir.path());
        let mut reader = spool.reader("store").unwrap();
        let mut store = Store::default();
        store.connect(&mut reader);
        for first in (0..FRAMES).step_by(4) {
            spool
                .append(batch(first..first + 4, FRAME_BYTES))
                .await
                .unwrap();
        }
        spool.flush().await.unwrap();
        let files = read_folder(dir.path());
        let entries = entries(&files);
        for number in [3, 50, 51, 119] {
            let (name, range) = &entries[number];
            let path = dir.path().join(name);
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.write_all_at(b"?", range.start as u64 + 100).unwrap();
        }
        store.drain("store", &spool, &mut reader).await;
        let words = (0..FRAMES).filter(|number| ![3, 50, 51, 119].contains(number));
        assert_eq!(
            store.frames,
            words.map(|number| number.to_string()).collect::<Vec<_>>()
        );
        assert_eq!((store.lost, spool.stats().lost_total), (4, 4));
        assert!(dir.path().join("damaged").read_dir().unwrap().count() >= 3);
    });
}

#[test]
fn any_state_on_disk_starts() {
    let names = [
        "watermark",
        "cursor.store",
        "reserve",
        "damaged",
        "lock",
        "00000000000000000001.seg",
        "00000000000000000007.seg",
        "18446744073709551615.seg",
        "1.seg",
        "9.9.seg",
        "x.seg",
    ];
    let noise: Vec<u8> = (0..40_000_u64)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 7) as u8)
        .collect();
    type Make<'a> = &'a dyn Fn(&Path);
    let states: [(&str, Make<'_>); 5] = [
        ("empty files", &|path| std::fs::write(path, b"").unwrap()),
        ("noise", &|path| std::fs::write(path, &noise).unwrap()),
        ("zeros", &|path| {
            std::fs::write(path, vec![0; 70_000]).unwrap()
        }),
        ("folders", &|path| {
            std::fs::create_dir_all(path.join("inner")).unwrap()
        }),
        ("dangling links", &|path| {
            std::os::unix::fs::symlink("nowhere/at/all", path).unwrap()
        }),
    ];
    for (what, make) in states {
        let dir = folder();
        names.iter().for_each(|name| make(&dir.path().join(name)));
        for start in 0..3 {
            runtime().block_on(async {
                let (spool, _) = open(dir.path());
                let mut reader = spool.reader("store").unwrap();
                let mut store = Store::default();
                store.connect(&mut reader);
                spool
                    .append(batch(start..start + 1, FRAME_BYTES))
                    .await
                    .unwrap();
                spool.flush().await.unwrap();
                store.drain("store", &spool, &mut reader).await;
                assert_eq!(store.frames, [start.to_string()], "{what}, start {start}");
                spool.close().await.unwrap();
            });
        }
    }
}

#[test]
fn a_folder_belongs_to_one_process() {
    let dir = folder();
    let (spool, _) = open(dir.path());
    let refused =
        bridge::spool::Spool::open(crate::model::config(dir.path(), 1 << 30)).unwrap_err();
    assert!(
        refused.to_string().contains("in use by another process"),
        "{refused}"
    );
    runtime().block_on(spool.close()).unwrap();
    open(dir.path());
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
