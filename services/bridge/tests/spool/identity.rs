//! A number that a destination has may never stand for another frame.

use std::path::Path;

use bridge::spool::{Resumed, Spool};

use crate::model::{Store, batch, folder, open, taken};

async fn append(spool: &Spool, numbers: std::ops::Range<u64>) {
    spool.append(batch(numbers, 2_000)).await.unwrap();
    spool.flush().await.unwrap();
}

async fn drain(spool: &Spool, store: &mut Store) {
    let mut reader = spool.reader("store").unwrap();
    store.connect(&mut reader);
    store.drain("store", spool, &mut reader).await;
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn remove(dir: &Path, ending: &str) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().ends_with(ending) {
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// The store has frames 0..100. `change` makes the spool forget; what is appended
/// afterwards arrives none the less.
async fn check(what: &str, change: impl Fn(&Path, &Path)) {
    let (dir, early) = (folder(), folder());
    let mut store = Store::default();
    let (spool, _) = open(dir.path());
    let reader = spool.reader("store").unwrap();
    append(&spool, 0..50).await;
    copy(dir.path(), early.path());
    append(&spool, 50..100).await;
    drop(reader);
    drain(&spool, &mut store).await;
    spool.close().await.unwrap();

    change(dir.path(), early.path());
    // Not connected in its first run, as after a long fall of the line.
    let (spool, _) = open(dir.path());
    append(&spool, 900..990).await;
    spool.close().await.unwrap();
    let (spool, _) = open(dir.path());
    append(&spool, 990..999).await;
    drain(&spool, &mut store).await;
    spool.close().await.unwrap();

    let wanted: Vec<String> = (0..100)
        .chain(900..999)
        .map(|number| number.to_string())
        .collect();
    assert_eq!(store.frames, wanted, "{what}");
}

#[tokio::test]
async fn new_frames_arrive_whatever_the_spool_has_forgotten() {
    check("nothing forgotten", |_, _| {}).await;
    check("no segments", |dir, _| remove(dir, ".seg")).await;
    check("no watermark", |dir, _| remove(dir, "watermark")).await;
    check("no cursor", |dir, _| remove(dir, "cursor.store")).await;
    check("only the cursor left", |dir, _| {
        remove(dir, ".seg");
        remove(dir, "watermark");
    })
    .await;
    check("nothing left", |dir, _| {
        for ending in [".seg", "watermark", "cursor.store"] {
            remove(dir, ending);
        }
    })
    .await;
}

/// A backup of the spool is put back: it knows half of what the store has.
#[tokio::test]
async fn new_frames_arrive_after_a_restored_backup() {
    check("restored", |dir, early| {
        for ending in [".seg", "watermark", "cursor.store", "reserve"] {
            remove(dir, ending);
        }
        copy(early, dir);
    })
    .await;
}

/// The same, file by file and in place: not even an inode tells of it.
fn put_back(early: &Path, dir: &Path) {
    remove(dir, ".seg");
    for entry in std::fs::read_dir(early).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        std::fs::write(dir.join(entry.file_name()), bytes).unwrap();
    }
}

#[tokio::test]
async fn new_frames_arrive_after_a_backup_that_was_restored_in_place() {
    check("restored in place", |dir, early| put_back(early, dir)).await;
}

/// A spool that was closed in good order and its snapshot both go on, in turn:
/// what they share arrives once, and what each of them takes arrives, too.
#[tokio::test]
async fn a_spool_and_its_snapshot_do_not_swallow_each_others_frames() {
    let (dir, snapshot) = (folder(), folder());
    let mut store = Store::default();
    let (spool, _) = open(dir.path());
    drop(spool.reader("store").unwrap());
    append(&spool, 0..30).await;
    spool.close().await.unwrap();
    copy(dir.path(), snapshot.path());
    for round in 0..3 {
        let first = 100 + round * 100;
        for (offset, roll_back) in [(0, false), (50, true)] {
            if roll_back {
                put_back(snapshot.path(), dir.path());
            }
            let (spool, recovery) = open(dir.path());
            assert_eq!(recovery.doubt, None, "it looks as it was left");
            append(&spool, first + offset..first + offset + 20).await;
            drain(&spool, &mut store).await;
            spool.close().await.unwrap();
        }
    }
    let rounds = (0..3).flat_map(|round| {
        let first = 100 + round * 100;
        (first..first + 20).chain(first + 50..first + 70)
    });
    let wanted: Vec<String> = (0..30)
        .chain(rounds)
        .map(|number: u64| number.to_string())
        .collect();
    assert_eq!((store.frames, store.lost), (wanted, 0));
}

/// The watermark tells of an identity that was begun at 31, in another life of
/// the spool; the frames there were given to the store under their own.
#[tokio::test]
async fn segments_keep_the_identity_under_which_they_were_given() {
    let (dir, other) = (folder(), folder());
    let mut store = Store::default();
    let (spool, _) = open(dir.path());
    drop(spool.reader("store").unwrap());
    append(&spool, 0..30).await;
    spool.close().await.unwrap();
    copy(dir.path(), other.path());
    for _ in 0..3 {
        let (spool, _) = open(other.path());
        spool.close().await.unwrap();
    }

    let (spool, _) = open(dir.path());
    append(&spool, 30..200).await;
    let mut reader = spool.reader("store").unwrap();
    store.connect(&mut reader);
    store.drain("store", &spool, &mut reader).await;
    append(&spool, 200..210).await;
    drop(reader);
    spool.close().await.unwrap();
    for name in ["watermark", "cursor.store"] {
        std::fs::copy(other.path().join(name), dir.path().join(name)).unwrap();
    }
    let (spool, _) = open(dir.path());
    drain(&spool, &mut store).await;
    let wanted: Vec<String> = (0..210).map(|number| number.to_string()).collect();
    assert_eq!((store.frames, store.lost), (wanted, 0));
}

#[tokio::test]
async fn a_destination_that_is_ahead_gets_this_runs_frames_under_a_new_identity() {
    let dir = folder();
    let mut store = Store::default();
    let (spool, recovery) = open(dir.path());
    append(&spool, 0..80).await;
    store.expected.insert(recovery.bridge_id, 500);
    drain(&spool, &mut store).await;
    append(&spool, 80..160).await;
    drain(&spool, &mut store).await;
    spool.close().await.unwrap();

    let (spool, again) = open(dir.path());
    assert_ne!(again.bridge_id, recovery.bridge_id);
    assert_eq!(again.doubt, None);
    append(&spool, 160..170).await;
    drain(&spool, &mut store).await;
    assert_eq!(
        store.frames,
        (0..170)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
    );
    assert_eq!(store.expected[&again.bridge_id], 171);

    // Another destination sees the same identities.
    let mut other = Store::default();
    let mut reader = spool.reader("other").unwrap();
    other.connect(&mut reader);
    other.drain("other", &spool, &mut reader).await;
    assert!(
        other
            .expected
            .keys()
            .all(|id| store.expected.contains_key(id))
    );
    assert_eq!(other.lost, 0);
}

#[tokio::test]
async fn a_store_that_lost_its_end_gets_it_again_and_what_is_gone_as_a_gap() {
    let dir = folder();
    let mut store = Store::default();
    let (spool, recovery) = open(dir.path());
    append(&spool, 0..200).await;
    drain(&spool, &mut store).await;
    append(&spool, 200..210).await;
    spool.close().await.unwrap();

    // Restored from a backup: it has the first 20 frames only.
    let mut store = Store::default();
    store.expected.insert(recovery.bridge_id, 21);
    let (spool, _) = open(dir.path());
    drain(&spool, &mut store).await;
    assert_eq!(store.expected[&recovery.bridge_id], 211);
    assert!(store.lost > 0, "segments of the beginning are removed");
    assert_eq!(store.lost + store.frames.len() as u64, 190);
    assert_eq!(store.frames.last().unwrap(), "209");
}

/// The cursor is gone, and the store was put back to where it had less than the
/// spool still holds.
#[tokio::test]
async fn a_store_that_expects_what_a_new_cursor_does_not_know_gets_it_as_a_gap() {
    let dir = folder();
    let mut store = Store::default();
    let (spool, recovery) = open(dir.path());
    append(&spool, 0..200).await;
    drain(&spool, &mut store).await;
    append(&spool, 200..210).await;
    spool.close().await.unwrap();

    remove(dir.path(), "cursor.store");
    let mut store = Store::default();
    store.expected.insert(recovery.bridge_id, 21);
    let (spool, _) = open(dir.path());
    let mut reader = spool.reader("store").unwrap();
    reader.position().unwrap();
    assert_eq!(
        reader.resume(21).unwrap(),
        Resumed::At(reader.position().unwrap()),
    );
    assert_eq!(reader.position().unwrap().next_sequence, 21);
    store.drain("store", &spool, &mut reader).await;
    assert_eq!(store.expected[&recovery.bridge_id], 211);
    assert_eq!(store.lost + store.frames.len() as u64, 190);
    assert!(store.lost > 0 && store.frames.last().unwrap() == "209");
}

/// The spool was put back in place to where it was earlier, but for the cursor, and
/// the store has still more than that.
#[tokio::test]
async fn new_frames_arrive_when_only_the_cursor_tells_that_numbers_were_used() {
    let (dir, early) = (folder(), folder());
    let mut store = Store::default();
    let (spool, _) = open(dir.path());
    let mut reader = spool.reader("store").unwrap();
    append(&spool, 0..20).await;
    copy(dir.path(), early.path());
    append(&spool, 20..50).await;
    store.connect(&mut reader);
    for acknowledged in [true, false] {
        let chunk = reader.next(25, usize::MAX).await.unwrap();
        let next = chunk.first_sequence + chunk.items.len() as u64;
        store.take(chunk.bridge_id, chunk.first_sequence, taken(&chunk));
        if acknowledged {
            reader.acknowledge(next).unwrap();
        }
    }
    drop(reader);
    spool.close().await.unwrap();
    let cursor = std::fs::read(dir.path().join("cursor.store")).unwrap();
    remove(dir.path(), ".seg");
    copy(early.path(), dir.path());
    std::fs::write(dir.path().join("cursor.store"), cursor).unwrap();

    let (spool, _) = open(dir.path());
    append(&spool, 900..930).await;
    spool.close().await.unwrap();
    let (spool, _) = open(dir.path());
    drain(&spool, &mut store).await;
    let wanted: Vec<String> = (0..50)
        .chain(900..930)
        .map(|number| number.to_string())
        .collect();
    assert_eq!((store.frames, store.lost), (wanted, 0));
}
