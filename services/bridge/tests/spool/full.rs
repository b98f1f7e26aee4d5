//! Full: the limit is reached, or a small disk of its own is.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bridge::spool::{Appended, Item, Reader, Spool, SpoolError};

use crate::model::{Store, batch, config, folder, open};

const DISK: &str = "HERALD_TEST_DISK";

/// Runs a test of this file once more where `DISK` is a file system of 16 MiB; true
/// when that has been done.
fn on_small_disk(test: &str) -> Option<PathBuf> {
    if let Ok(dir) = std::env::var(DISK) {
        return Some(dir.into());
    }
    let dir = tempfile::tempdir().unwrap();
    let script = format!("mount -t tmpfs -o size=16m none \"${DISK}\" && exec \"$0\" \"$@\"");
    let user = if rustix::process::geteuid().is_root() {
        "-m"
    } else {
        "-rm"
    };
    let output = Command::new("unshare")
        .args([user, "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DISK, dir.path())
        .output()
        .expect("unshare is missing: apt-get install util-linux");
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "failed on a small disk (which needs root or user namespaces to mount): {told}"
    );
    None
}

/// Leaves no byte free.
fn fill(dir: &Path) -> PathBuf {
    let path = dir.join("filler");
    let mut file = File::create(&path).unwrap();
    for size in [1 << 20, 4 << 10, 1] {
        let block = vec![1; size];
        while file.write_all(&block).is_ok() {}
    }
    path
}

/// Appends frames until one is dropped; returns how many were queued and dropped.
async fn append_until_dropped(spool: &Spool, first: u64) -> (u64, u64) {
    for round in 0.. {
        let number = first + round * 10;
        if spool
            .append(batch(number..number + 10, 20_000))
            .await
            .unwrap()
            == Appended::Dropped
        {
            return (round * 10, 10);
        }
    }
    unreachable!("the disk is small")
}

/// Reads everything, until `declared` drops were declared: the numbers of the frames,
/// and how many were.
async fn read_all(spool: &Spool, reader: &mut Reader, declared: u64) -> (Vec<u64>, u64) {
    let (mut numbers, mut found) = (Vec::new(), 0);
    loop {
        let stats = spool.stats();
        let all = stats.lag("store").entries == 0 && stats.next_sequence == stats.durable_sequence;
        if all && found >= declared {
            return (numbers, found);
        }
        let next = reader.next(1_000, 1 << 20);
        let chunk = tokio::time::timeout(Duration::from_secs(10), next)
            .await
            .unwrap()
            .unwrap();
        for item in &chunk.items {
            let Item::Frame(frame) = item else {
                panic!("nothing was destroyed: {item:?}")
            };
            let text = std::str::from_utf8(&frame.bytes).unwrap();
            if frame.kind == 5 {
                let record: serde_json::Value = serde_json::from_str(text).unwrap();
                found += record["dropped_records"].as_u64().unwrap_or(0);
            } else {
                numbers.push(text.split(' ').next().unwrap().parse().unwrap());
            }
        }
        reader
            .acknowledge(chunk.first_sequence + chunk.items.len() as u64)
            .unwrap();
    }
}

#[tokio::test]
async fn a_disk_that_is_full_before_the_start_is_read_and_emptied() {
    let Some(dir) = on_small_disk("full::a_disk_that_is_full_before_the_start_is_read_and_emptied")
    else {
        return;
    };
    let spool_dir = dir.join("spool");
    let (spool, _) = open(&spool_dir);
    drop(spool.reader("store").unwrap());
    for first in (0..100).step_by(10) {
        spool
            .append(batch(first..first + 10, 20_000))
            .await
            .unwrap();
    }
    spool.close().await.unwrap();
    let filler = fill(&dir);
    assert_eq!(rustix::fs::statvfs(&dir).unwrap().f_bavail, 0);

    let (spool, recovery) = open(&spool_dir);
    assert_eq!((recovery.doubt, recovery.lost_entries), (None, 0));
    let mut reader = spool.reader("store").unwrap();
    let mut store = Store::default();
    store.connect(&mut reader);
    store.drain("store", &spool, &mut reader).await;
    assert_eq!(store.frames.len(), 100);
    // The acknowledged segments made room for new frames, the disk is as full as it was.
    spool.append(batch(100..110, 20_000)).await.unwrap();
    spool.flush().await.unwrap();
    store.drain("store", &spool, &mut reader).await;
    assert_eq!(store.frames.len(), 110);
    spool.close().await.unwrap();
    std::fs::remove_file(filler).unwrap();
}

#[tokio::test]
async fn a_new_spool_on_a_full_disk_waits_for_room() {
    let Some(dir) = on_small_disk("full::a_new_spool_on_a_full_disk_waits_for_room") else {
        return;
    };
    let spool_dir = dir.join("spool");
    std::fs::create_dir(&spool_dir).unwrap();
    let filler = fill(&dir);
    let (spool, _) = open(&spool_dir);
    let mut reader = spool.reader("store").unwrap();
    let (queued, dropped) = append_until_dropped(&spool, 0).await;
    assert!(spool.stats().full);
    std::fs::remove_file(filler).unwrap();
    let (numbers, declared) = read_all(&spool, &mut reader, dropped).await;
    assert_eq!((numbers, declared), ((0..queued).collect(), dropped));
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_disk_that_fills_up_drops_the_newest_and_declares_them() {
    let Some(dir) = on_small_disk("full::a_disk_that_fills_up_drops_the_newest_and_declares_them")
    else {
        return;
    };
    let (spool, _) = open(&dir);
    let mut reader = spool.reader("store").unwrap();
    let begun = Instant::now();
    let (queued, mut dropped) = append_until_dropped(&spool, 0).await;
    assert!(
        begun.elapsed() >= Duration::from_millis(700),
        "{:?}",
        begun.elapsed()
    );
    // Nobody waits a second time.
    let begun = Instant::now();
    for number in 5_000..5_020 {
        let appended = spool.append(batch(number..number + 1, 100)).await.unwrap();
        assert_eq!(appended, Appended::Dropped);
        dropped += 1;
    }
    assert!(
        begun.elapsed() < Duration::from_millis(100),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(spool.stats().dropped_total, dropped);
    // Reading makes room, and with the room comes the declaration.
    let (numbers, declared) = read_all(&spool, &mut reader, dropped).await;
    assert_eq!((numbers, declared), ((0..queued).collect(), dropped));
    assert!(!spool.stats().full);
    spool.append(batch(9_000..9_001, 100)).await.unwrap();
    assert_eq!(read_all(&spool, &mut reader, 0).await, (vec![9_000], 0));
    spool.close().await.unwrap();
}

#[tokio::test]
async fn closing_on_a_full_disk_keeps_what_is_queued_in_the_reserve() {
    let Some(dir) =
        on_small_disk("full::closing_on_a_full_disk_keeps_what_is_queued_in_the_reserve")
    else {
        return;
    };
    let (spool, _) = open(&dir);
    drop(spool.reader("store").unwrap());
    fill(&dir);
    for first in (0..60).step_by(10) {
        spool
            .append(batch(first..first + 10, 20_000))
            .await
            .unwrap();
    }
    spool.close().await.unwrap();
    let (spool, _) = open(&dir);
    let mut reader = spool.reader("store").unwrap();
    assert_eq!(
        read_all(&spool, &mut reader, 0).await,
        ((0..60).collect(), 0)
    );
    spool.close().await.unwrap();
}

/// Not even the reserve is left: what cannot be written at the end is counted, and
/// declared by the first run that has room.
#[tokio::test]
async fn closing_without_any_room_declares_what_it_drops() {
    let Some(dir) = on_small_disk("full::closing_without_any_room_declares_what_it_drops") else {
        return;
    };
    let (spool, _) = open(&dir);
    drop(spool.reader("store").unwrap());
    spool.append(batch(0..10, 20_000)).await.unwrap();
    spool.flush().await.unwrap();
    std::fs::remove_file(dir.join("reserve")).unwrap();
    let filler = fill(&dir);
    let (queued, mut dropped) = append_until_dropped(&spool, 10).await;
    let handle = spool.clone();
    let failure = spool.close().await.unwrap_err();
    let SpoolError::NoRoom { records } = failure else {
        panic!("{failure}");
    };
    dropped += records;
    assert_eq!(handle.stats().dropped_total, dropped);
    let kept = 10 + queued - records;

    // Still full: nothing of the account is lost by a start and a stop.
    let (spool, _) = open(&dir);
    spool.close().await.unwrap();

    std::fs::remove_file(filler).unwrap();
    let (spool, recovery) = open(&dir);
    assert_eq!((recovery.doubt, recovery.lost_entries), (None, 0));
    let mut reader = spool.reader("store").unwrap();
    let (numbers, declared) = read_all(&spool, &mut reader, dropped).await;
    assert_eq!((numbers, declared), ((0..kept).collect(), dropped));
    spool.close().await.unwrap();
}

/// Whoever waits for room and is cut off, as at a stop, leaves a count.
#[tokio::test]
async fn frames_whose_wait_is_cut_off_are_declared() {
    let dir = folder();
    let (spool, _) = Spool::open(config(dir.path(), 1 << 20)).unwrap();
    let mut reader = spool.reader("store").unwrap();
    let mut queued = 0;
    let cut = loop {
        let frames = batch(queued..queued + 10, 20_000);
        let append = spool.append(frames);
        match tokio::time::timeout(Duration::from_millis(200), append).await {
            Ok(appended) => assert_eq!(appended.unwrap(), Appended::Queued),
            Err(_) => break 10,
        }
        queued += 10;
    };
    assert_eq!(spool.stats().dropped_total, cut);
    let (numbers, declared) = read_all(&spool, &mut reader, cut).await;
    assert_eq!((numbers, declared), ((0..queued).collect(), cut));
    spool.close().await.unwrap();
}

#[tokio::test]
async fn the_limit_drops_the_newest_and_declares_them() {
    let dir = folder();
    let (spool, _) = Spool::open(config(dir.path(), 2 << 20)).unwrap();
    let mut reader = spool.reader("store").unwrap();
    let (queued, dropped) = append_until_dropped(&spool, 0).await;
    let stats = spool.stats();
    assert!(stats.full && stats.bytes <= 2 << 20, "{stats:?}");
    assert_eq!(stats.dropped_total, dropped);
    let (numbers, declared) = read_all(&spool, &mut reader, dropped).await;
    assert_eq!((numbers, declared), ((0..queued).collect(), dropped));
    spool.close().await.unwrap();
}

/// What was dropped is declared by the next run, if this one is killed before it can.
#[tokio::test]
async fn drops_that_were_not_declared_survive_a_kill() {
    let (dir, image) = (folder(), folder());
    let (spool, _) = Spool::open(config(dir.path(), 1 << 20)).unwrap();
    drop(spool.reader("store").unwrap());
    let (_, dropped) = append_until_dropped(&spool, 0).await;
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), image.path().join(entry.file_name())).unwrap();
        }
        let (copy, _) = Spool::open(config(image.path(), 8 << 20)).unwrap();
        let mut reader = copy.reader("store").unwrap();
        copy.flush().await.unwrap();
        let (_, declared) = read_all(&copy, &mut reader, 0).await;
        copy.close().await.unwrap();
        if declared == dropped {
            return;
        }
        // It is written down within 100 ms.
        assert!(Instant::now() < until, "declared {declared} of {dropped}");
    }
}

/// A spool that fills up says so once, in time.
#[tokio::test]
async fn an_alarm_is_recorded_at_eighty_percent() {
    let dir = folder();
    let (spool, _) = Spool::open(config(dir.path(), 1 << 20)).unwrap();
    let mut reader = spool.reader("store").unwrap();
    for first in (0..850).step_by(10) {
        spool.append(batch(first..first + 10, 1_000)).await.unwrap();
        spool.flush().await.unwrap();
    }
    let mut alarms = Vec::new();
    while spool.stats().lag("store").entries > 0 {
        let chunk = reader.next(1_000, 1 << 20).await.unwrap();
        for item in &chunk.items {
            if let Item::Frame(frame) = item
                && frame.kind == 5
            {
                alarms.push(String::from_utf8(frame.bytes.to_vec()).unwrap());
            }
        }
        let width: u64 = chunk.items.iter().map(Item::width).sum();
        reader.acknowledge(chunk.first_sequence + width).unwrap();
    }
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(alarms[0].contains("bridge's spool is 8"), "{alarms:?}");
    spool.close().await.unwrap();
}
