//! Keeps cursors on disk and removes the segments that they have passed. Only
//! the writer's thread does this.

use std::sync::{Arc, PoisonError};

use tracing::warn;

use super::backlog::GivenUp;
use super::error::SpoolError;
use super::shared::Shared;

/// Writes cursors that moved, and removes segments that all have passed.
pub(super) fn run(shared: &Shared) -> Result<(), SpoolError> {
    write_cursors(shared, false)?;
    if !shared.catalog().has_removable() {
        return Ok(());
    }
    // Were a segment gone and the cursor on disk behind it, that would look like a
    // loss; and meanwhile cursors move on.
    let Some(safe) = write_cursors(shared, true)? else {
        return Ok(());
    };
    let told = shared.senders.covers().unwrap_or(u64::MAX);
    let removed = shared.catalog().take_removable(safe.min(told));
    for segment in removed {
        if let Err(error) = std::fs::remove_file(&*segment.path) {
            warn!(path = %segment.path.display(), %error, "cannot remove a segment");
        }
    }
    Ok(())
}

/// Lets destinations that are too far behind go on without their oldest entries.
pub(super) fn keep_within_backlogs(shared: &Shared) {
    let given_up = shared.catalog().keep_within_backlogs();
    given_up.iter().for_each(tell);
}

/// The spool is full: lets destinations that alone hold the oldest segment go on
/// without it, so that the others lose nothing. Says whether that makes room.
pub(super) fn give_up_oldest(shared: &Shared) -> bool {
    let given_up = shared.catalog().give_up_oldest();
    given_up.iter().for_each(tell);
    !given_up.is_empty()
}

fn tell(given_up: &GivenUp) {
    warn!(
        cursor = given_up.name,
        entries = given_up.entries,
        "a destination is too far behind: its oldest entries are given up"
    );
}

/// Writes the cursors that moved; with `sync`, none could be lost afterwards. Returns
/// the lowest number among all of them.
pub(super) fn write_cursors(shared: &Shared, sync: bool) -> Result<Option<u64>, SpoolError> {
    let mut pending = Vec::new();
    let mut lowest: Option<u64> = None;
    for (name, destination) in &mut shared.catalog().destinations {
        let next = destination.needs_from();
        lowest = Some(lowest.map_or(next, |lowest| lowest.min(next)));
        if destination.dirty || (sync && destination.unsynced) {
            let file = Arc::clone(&destination.file);
            pending.push((name.clone(), destination.cursor, file, destination.dirty));
            destination.unsynced = !sync;
            destination.dirty = false;
        }
    }
    for (name, cursor, file, dirty) in pending {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = !dirty || file.write(&shared.folder, &cursor)?;
        if sync {
            file.sync()?;
        }
        if !written && let Some(it) = shared.catalog().destinations.get_mut(&name) {
            it.dirty = true;
        }
    }
    Ok(lowest)
}
