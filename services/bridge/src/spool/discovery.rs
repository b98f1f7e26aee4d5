//! Finds out what is in a spool's folder, whatever it is.

use std::fs::File;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::cursor::{self, Cursor, CursorFile};
use super::error::SpoolError;
use super::folder::{Folder, read_at};
use super::identity::Identity;
use super::segment::{self, DATA_START, Header};
use super::walk::{Step, Walker};
use super::watermark::Watermark;

/// A segment as it was found.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) header: Header,
    pub(super) bytes: u64,
}

/// Name and file of each cursor, and what it says; `None` when it is damaged.
pub(super) type Cursors = Vec<(String, CursorFile, Option<Cursor>)>;

/// Finds the segments, in order, and the cursors.
pub(super) fn list(
    folder: &Folder,
    mark: Option<&Watermark>,
) -> Result<(Vec<Found>, Cursors), SpoolError> {
    let dir = folder.path();
    let failed = || SpoolError::io("list spool folder", dir);
    let (mut readable, mut unreadable, mut cursors) = (Vec::new(), Vec::new(), Vec::new());
    for entry in std::fs::read_dir(dir).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if cursor::is_cursor(&name) {
            let (file, cursor) = CursorFile::load(folder, &name)?;
            cursors.push((name, file, cursor));
        } else if segment::is_segment(&name) {
            let path = entry.path();
            match read_header(&path) {
                Some((Some(header), bytes)) => readable.push(Found {
                    path,
                    header,
                    bytes,
                }),
                Some((None, bytes)) => unreadable.push((path, bytes)),
                None => folder.move_aside(&path),
            }
        }
    }
    sort(&mut readable);
    let guessed: Vec<Found> = unreadable
        .into_iter()
        .filter_map(|(path, bytes)| guess(folder, path, bytes, &readable, mark))
        .collect();
    readable.extend(guessed);
    sort(&mut readable);
    // Copies: the first of each has its proper name.
    readable.dedup_by(|later, earlier| {
        let double = later.header.first == earlier.header.first;
        if double {
            folder.move_aside(&later.path);
        }
        double
    });
    Ok((readable, cursors))
}

fn sort(segments: &mut [Found]) {
    segments.sort_by(|one, other| {
        let key = |found: &Found| {
            let proper = found
                .path
                .ends_with(segment::file_name(found.header.first, 0));
            (found.header.first, !proper)
        };
        key(one)
            .cmp(&key(other))
            .then_with(|| one.path.cmp(&other.path))
    });
}

/// A segment's header, where it is readable, and size; `None` when this is no
/// file that can be read.
fn read_header(path: &Path) -> Option<(Option<Header>, u64)> {
    if !path.symlink_metadata().ok()?.is_file() {
        return None;
    }
    let file = File::open(path).ok()?;
    let bytes = file.metadata().ok()?.len();
    let block = read_at(&file, 0, DATA_START as usize).ok()?;
    Some((Header::decode(&block), bytes))
}

/// Finds out by its entries and its neighbours what a segment without a header
/// is. One without any valid entry is put aside.
fn guess(
    folder: &Folder,
    path: PathBuf,
    bytes: u64,
    neighbours: &[Found],
    mark: Option<&Watermark>,
) -> Option<Found> {
    let mut salts: Vec<u32> = neighbours.iter().map(|found| found.header.salt).collect();
    salts.extend(mark.map(|mark| mark.salt));
    salts.sort_unstable();
    salts.dedup();
    let first = salts
        .into_iter()
        .find_map(|salt| first_entry(&path, bytes, salt));
    let Some((salt, first, created_us)) = first else {
        discard(folder, &path, bytes);
        return None;
    };
    let before = neighbours
        .iter()
        .rev()
        .find(|found| found.header.first <= first);
    let after = neighbours.iter().find(|found| found.header.first > first);
    let candidates = [
        mark.map(|mark| mark.identity),
        after.map(|found| found.header.identity),
        before.map(|found| found.header.identity),
    ];
    let identity = candidates
        .into_iter()
        .flatten()
        .find(|identity| identity.first <= first)
        .unwrap_or_else(|| Identity::fresh(first, 0));
    Some(Found {
        path,
        header: Header {
            salt,
            identity,
            first,
            created_us,
        },
        bytes,
    })
}

/// Removes a segment that was only just made, and puts any other aside.
fn discard(folder: &Folder, path: &Path, bytes: u64) {
    let content = File::open(path).and_then(|file| read_at(&file, 0, bytes as usize));
    if content.is_ok_and(|content| content.iter().all(|byte| *byte == 0)) {
        let _ = std::fs::remove_file(path);
    } else {
        warn!(path = %path.display(), "a segment has no readable entry: put aside");
        folder.move_aside(path);
    }
}

fn first_entry(path: &Path, bytes: u64, salt: u32) -> Option<(u32, u64, i64)> {
    let mut walker = Walker::open_unknown(path, salt).ok()?;
    walker.extend(bytes);
    let Step::Hole(first) = walker.step(0, u64::MAX).ok()? else {
        return None;
    };
    let Step::Entry(head, _) = walker.step(first, u64::MAX).ok()? else {
        return None;
    };
    Some((salt, first, head.origin.received_us))
}
