//! Keeps cursors on disk and removes the segments that they have passed. Only
//! the writer's thread does this.

use std::sync::{Arc, PoisonError};

use tracing::warn;

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
    let removed = shared.catalog().take_removable(safe);
    for segment in removed {
        if let Err(error) = std::fs::remove_file(&*segment.path) {
            warn!(path = %segment.path.display(), %error, "cannot remove a segment");
        }
    }
    Ok(())
}

/// Writes the cursors that moved; with `sync`, none could be lost afterwards. Returns
/// the lowest number among all of them.
pub(super) fn write_cursors(shared: &Shared, sync: bool) -> Result<Option<u64>, SpoolError> {
    let mut pending = Vec::new();
    let mut lowest: Option<u64> = None;
    for (name, destination) in &mut shared.catalog().destinations {
        let next = destination.cursor.next;
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
