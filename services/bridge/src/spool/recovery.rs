//! Makes a working spool of whatever is in its folder: finds the segments, cuts
//! a torn end, makes sure that what is left is really on disk, and gives the
//! run's entries an identity of their own.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use tracing::{info, warn};
use uuid::Uuid;

use super::catalog::{Catalog, Destination, Segment};
use super::cursor::Cursor;
use super::discovery::{self, Cursors, Found};
use super::drops::Drops;
use super::error::SpoolError;
use super::folder::{Folder, read_at};
use super::forwarded;
use super::identity::{Identities, Identity};
use super::installation;
use super::queue;
use super::reader::Begin;
use super::segment::DATA_START;
use super::upstream::Senders;
use super::walk::{Step, Walker};
use super::watermark::{self, Watermark, WatermarkFile};

/// What a start found, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The identity of this run's entries: each run has its own.
    pub bridge_id: Uuid,
    /// Why the spool may have forgotten numbers; `None` when all is as it was left.
    pub doubt: Option<&'static str>,
    /// The first number of this run.
    pub next_sequence: u64,
    /// Segments found.
    pub segments: usize,
    /// Bytes of them.
    pub bytes: u64,
    /// Bytes of an unfinished write that were cut off the end.
    pub torn_bytes: u64,
    /// Entries at the end that had been durable and are gone. They are declared
    /// as a gap to every reader that did not have them.
    pub lost_entries: u64,
}

/// A spool's state, ready for its threads.
pub(super) struct Recovered {
    pub(super) folder: Folder,
    pub(super) salt: u32,
    pub(super) catalog: Catalog,
    pub(super) watermark: WatermarkFile,
    pub(super) senders: Senders,
    pub(super) installation: Uuid,
    pub(super) drops: Drops,
    pub(super) report: Recovery,
}

/// The end of the last segment.
#[derive(Default)]
struct Tail {
    /// The number behind the last entry; 0 when there is none.
    next: u64,
    torn_bytes: u64,
    /// Drops that entries behind the watermark declare.
    declared: (u64, u64),
}

/// Opens the folder.
pub(super) fn recover(dir: &Path, boot_id: [u8; 16]) -> Result<Recovered, SpoolError> {
    let folder = Folder::lock(dir)?;
    let known = watermark::load(&folder)?;
    let mark = known.record.clone();
    let (mut segments, cursors) = discovery::list(&folder, mark.as_ref())?;
    relabel(&mut segments, mark.as_ref())?;
    let cached = mark
        .as_ref()
        .filter(|mark| mark.boot_id == boot_id && mark.inode == known.loaded.inode);
    let marked_next = mark.as_ref().map_or(0, |mark| mark.durable_next);
    let (tail, at_least) = settle_tail(&folder, &mut segments, marked_next, cached)?;
    let senders = Senders::load(&folder)?;
    read_progress(&segments, &senders)?;
    let installation = installation::load(&folder)?;
    let seen_next = tail.next.max(marked_next).max(at_least);
    let cursor_next = cursors
        .iter()
        .filter_map(|it| it.2)
        .map(|it| it.next)
        .max()
        .unwrap_or(0);
    let next = seen_next.max(cursor_next).max(1);

    let mut identities = Identities::default();
    let in_segments = segments.iter().map(|segment| segment.header.identity);
    in_segments.for_each(|it| identities.insert(it));
    let in_mark = mark.as_ref().map(|mark| mark.identity);
    let in_cursors = cursors.iter().filter_map(|it| it.2).map(|it| it.identity);
    let told: Vec<Identity> = in_mark.into_iter().chain(in_cursors).collect();
    told.iter()
        .filter(|told| !is_of_another_life(told, &segments))
        .for_each(|it| identities.insert(*it));

    let empty = segments.is_empty() && cursors.is_empty();
    let doubt = match &mark {
        // A new one: it has nothing to forget.
        None if empty => None,
        None => Some("its watermark is missing or damaged"),
        Some(_) if !known.loaded.intact => Some("a part of its watermark is damaged"),
        Some(mark) if mark.inode != known.loaded.inode => Some("the spool is a copy"),
        Some(mark) if !mark.clean && mark.boot_id != boot_id => Some("the machine went down"),
        Some(mark) if mark.identity != identities.newest() => Some("its watermark is too old"),
        Some(_) if cursor_next > seen_next => Some("a destination has more than the spool"),
        Some(_) => None,
    };
    // No trace on disk tells a spool from its restored snapshot or its clone. What
    // they number from here on must differ, what they numbered before is the same.
    let numbers = told.iter().map(|told| told.number);
    let number = numbers.max().unwrap_or(0).max(identities.highest_number()) + 1;
    identities.insert(Identity::fresh(next, number));
    let salt = salt(mark.as_ref(), &segments);
    let mut drops = mark
        .as_ref()
        .map(|mark| mark.drops.clone())
        .unwrap_or_default();
    drops.subtract(tail.declared.0, tail.declared.1);

    let record = Watermark {
        identity: identities.newest(),
        salt,
        durable_next: next,
        segment_first: segments.last().map_or(0, |last| last.header.first),
        segment_end: segments.last().map_or(0, |last| last.bytes),
        boot_id,
        inode: known.loaded.inode,
        clean: false,
        drops: drops.clone(),
    };
    let watermark = WatermarkFile::start(&folder, known.slots, record)?;
    folder.make_reserve();
    folder.sync()?;

    let report = Recovery {
        bridge_id: identities.newest().bridge_id,
        doubt,
        next_sequence: next,
        segments: segments.len(),
        bytes: segments.iter().map(|segment| segment.bytes).sum(),
        torn_bytes: tail.torn_bytes,
        lost_entries: marked_next
            .saturating_sub(tail.next.max(first_possible(&segments, &cursors))),
    };
    let mut catalog = Catalog::new(catalogued(segments), identities, next);
    for (name, file, cursor) in cursors {
        let written = cursor.is_some();
        let cursor = cursor.unwrap_or_else(|| beginning(&catalog, Begin::Oldest));
        let mut destination = Destination::new(cursor, file, written);
        destination.waiting_since_us = (cursor.next < next)
            .then(|| catalog.received_before(cursor.next))
            .flatten();
        catalog.destinations.insert(name, destination);
    }
    Ok(Recovered {
        folder,
        salt,
        catalog,
        watermark,
        senders,
        installation,
        drops,
        report,
    })
}

/// Adds what tagged entries tell that the files of their senders do not.
fn read_progress(segments: &[Found], senders: &Senders) -> Result<(), SpoolError> {
    let Some(covers) = senders.covers() else {
        return Ok(());
    };
    let ends = segments.iter().skip(1).map(|next| next.header.first);
    let ends = ends.chain([u64::MAX]);
    for (found, end) in segments.iter().zip(ends) {
        if end <= covers {
            continue;
        }
        let progress = progress_in(found).map_err(SpoolError::io("read segment", &found.path))?;
        senders.advance(&progress, found.header.created_us);
    }
    Ok(())
}

fn progress_in(found: &Found) -> std::io::Result<Vec<forwarded::Progress>> {
    let mut walker = Walker::open(&found.path, found.header.salt, found.header.first)?;
    walker.extend(found.bytes);
    let (mut list, mut expected) = (Vec::new(), found.header.first);
    loop {
        match walker.step(expected, u64::MAX)? {
            Step::Hole(next) => expected = next,
            Step::End => return Ok(list),
            Step::Entry(head, frame) => {
                expected = head.sequence + 1;
                if let Some(progress) = forwarded::progress_of(head.kind, &frame) {
                    progress.add_to(&mut list);
                }
            }
        }
    }
}

/// The cursor of a destination that has nothing yet.
pub(super) fn beginning(catalog: &Catalog, begin: Begin) -> Cursor {
    let next = match begin {
        Begin::Oldest => catalog.oldest(),
        Begin::Newest => catalog.durable_next(),
    };
    Cursor {
        next,
        floor: next,
        identity: catalog.identities.at(next).0,
    }
}

/// Whether what is numbered under an identity has another one where it lies: the
/// file that tells of it was put here from a copy of the spool.
fn is_of_another_life(told: &Identity, segments: &[Found]) -> bool {
    segments.iter().any(|found| {
        let header = &found.header;
        header.first >= told.first
            && header.identity.first <= told.first
            && header.identity.bridge_id != told.bridge_id
    })
}

/// Finishes a change of identity that was interrupted: of the identity before,
/// which began with the same number. Segments of any other keep theirs.
fn relabel(segments: &mut [Found], mark: Option<&Watermark>) -> Result<(), SpoolError> {
    let Some(identity) = mark.map(|mark| mark.identity) else {
        return Ok(());
    };
    for found in segments {
        let before = found.header.identity;
        if before.first == identity.first && before.number + 1 == identity.number {
            found.header.identity = identity;
            found
                .header
                .rewrite(&found.path)
                .map_err(SpoolError::io("write segment header", &found.path))?;
        }
    }
    Ok(())
}

/// Makes the end of the last segment what readers may rely on. Returns also a
/// number that the next one is at least. `cached` is a watermark of this boot.
fn settle_tail(
    folder: &Folder,
    segments: &mut Vec<Found>,
    marked_next: u64,
    cached: Option<&Watermark>,
) -> Result<(Tail, u64), SpoolError> {
    let mut at_least = 0;
    let mut torn_bytes = 0;
    while let Some(last) = segments.last_mut() {
        at_least = at_least.max(last.header.first);
        let failed = |action| SpoolError::io(action, &last.path);
        let mut walker = Walker::open(&last.path, last.header.salt, last.header.first)
            .map_err(failed("open segment"))?;
        walker.extend(last.bytes);
        let (mut tail, end) =
            find_tail(&mut walker, marked_next).map_err(failed("read segment"))?;
        let torn = end..last.bytes.max(end);
        let rest = walker.read(&torn).map_err(failed("read segment"))?;
        let used = rest
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at as u64 + 1);
        torn_bytes += used;
        if marked_next > tail.next {
            folder.keep_damaged(&last.path, end, &rest[..used as usize]);
        }
        if tail.next == 0 {
            info!(path = %last.path.display(), "the last segment holds no entry: removed");
            let _ = std::fs::remove_file(&last.path);
            segments.pop();
            continue;
        }
        let safe = cached.filter(|mark| mark.segment_first == last.header.first);
        let safe_end = safe.map_or(DATA_START, |mark| mark.segment_end.clamp(DATA_START, end));
        make_durable(folder, &last.path, safe_end, end)?;
        last.bytes = end;
        tail.torn_bytes = torn_bytes;
        return Ok((tail, at_least));
    }
    Ok((
        Tail {
            torn_bytes,
            ..Tail::default()
        },
        at_least,
    ))
}

/// Walks to the end of the last valid entry and returns its offset.
fn find_tail(walker: &mut Walker, marked: u64) -> std::io::Result<(Tail, u64)> {
    let (mut tail, mut end, mut expected) = (Tail::default(), DATA_START, 0);
    loop {
        match walker.step(expected, u64::MAX)? {
            Step::Hole(next) => expected = next,
            Step::End => return Ok((tail, end)),
            Step::Entry(head, frame) => {
                end = walker.at();
                expected = head.sequence + 1;
                tail.next = expected;
                if head.sequence >= marked
                    && let Some((records, bytes)) = queue::declared_drops(head.kind, &frame)
                {
                    tail.declared.0 += records;
                    tail.declared.1 += bytes;
                }
            }
        }
    }
}

/// Cuts a segment at `end` and writes what was not known to be durable once
/// more: after a failed sync the page cache claims to be clean.
fn make_durable(folder: &Folder, path: &Path, safe: u64, end: u64) -> Result<(), SpoolError> {
    const STEP: u64 = 1 << 20;
    let failed = |action| SpoolError::io(action, path);
    let file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(failed("open segment"))?;
    rustix::fs::ftruncate(&file, end).map_err(SpoolError::io("cut segment", path))?;
    let mut at = safe;
    while at < end {
        let bytes =
            read_at(&file, at, STEP.min(end - at) as usize).map_err(failed("read segment"))?;
        match folder.with_reserve(|| file.write_all_at(&bytes, at)) {
            // Copy-on-write file systems can be too full to overwrite.
            Err(error) if super::error::no_room(&error) => {
                warn!(path = %path.display(), "no room to write the spool's end once more");
                break;
            }
            written => written.map_err(failed("write segment"))?,
        }
        at += bytes.len().max(1) as u64;
    }
    rustix::fs::fdatasync(&file).map_err(SpoolError::io("sync segment", path))
}

/// The secret of the entries' checksums: what the spool had, or a new one.
fn salt(mark: Option<&Watermark>, segments: &[Found]) -> u32 {
    let known = mark
        .map(|mark| mark.salt)
        .or(segments.last().map(|last| last.header.salt));
    known.unwrap_or_else(|| Uuid::new_v4().as_fields().0)
}

/// No number below was in the spool when it was closed.
fn first_possible(segments: &[Found], cursors: &Cursors) -> u64 {
    let slowest = cursors
        .iter()
        .map(|it| it.2.map_or(0, |cursor| cursor.next))
        .min();
    let oldest = segments.first().map(|first| first.header.first);
    slowest.or(oldest).unwrap_or(1)
}

fn catalogued(segments: Vec<Found>) -> Vec<Segment> {
    let segment = |found: Found| Segment {
        path: Arc::new(found.path),
        first: found.header.first,
        salt: found.header.salt,
        bytes: found.bytes,
        end: found.bytes,
        created_us: found.header.created_us,
    };
    segments.into_iter().map(segment).collect()
}
