//! Cursors that no destination has any more: kept, and with them what they wait
//! for, until somebody says that they may go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::backlog::Backlog;
use super::cursor;
use super::error::SpoolError;
use super::folder::Folder;
use super::{Lag, Spool};

const REQUEST: &str = "forget.";
/// How often is looked for the answer of a running bridge.
const LOOK: Duration = Duration::from_millis(50);

/// What became of a cursor that was to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// It is gone.
    Gone,
    /// There was none.
    Unknown,
    /// It is at work, or the running bridge did not answer in time.
    Kept,
}

impl Spool {
    /// Destinations with a cursor and without a reader, and how far each is behind.
    /// From here on they give way when the spool is full, but for `kept`.
    #[must_use]
    pub fn orphans(&self, kept: &str) -> Vec<(String, Lag)> {
        let kept = cursor::file_name(kept);
        let mut catalog = self.shared().catalog();
        let mut names = Vec::new();
        for (name, destination) in &mut catalog.destinations {
            if !destination.taken {
                destination.backlog = Backlog {
                    gives_way: *name != kept,
                    ..destination.backlog
                };
                names.push(cursor::shown(name));
            }
        }
        drop(catalog);
        let stats = self.stats();
        let lag = |name: String| (name.clone(), stats.lag(&name));
        names.into_iter().map(lag).collect()
    }

    /// Removes the cursor of a destination that has no reader.
    ///
    /// # Errors
    /// When its file cannot be removed.
    pub fn forget(&self, destination: &str) -> Result<Forgotten, SpoolError> {
        let name = cursor::file_name(destination);
        let shared = self.shared();
        let removed = {
            let mut catalog = shared.catalog();
            match catalog.destinations.get(&name) {
                None => return Ok(Forgotten::Unknown),
                Some(found) if found.taken => return Ok(Forgotten::Kept),
                Some(_) => catalog.destinations.remove(&name),
            }
        };
        drop(removed);
        let path = shared.folder.path().join(&name);
        std::fs::remove_file(&path).map_err(SpoolError::io("remove cursor", &path))?;
        shared.folder.sync()?;
        shared.queue.request_housekeeping(Duration::ZERO);
        Ok(Forgotten::Gone)
    }

    /// Does what [`forget`] has asked of the running bridge: forgets, and takes the
    /// request away. Returns the destinations named.
    ///
    /// # Errors
    /// When a file of the folder cannot be removed.
    pub fn answer_forget_requests(&self) -> Result<Vec<(String, Forgotten)>, SpoolError> {
        let mut answers = Vec::new();
        for (request, destination) in forget_requests(self.shared().folder.path()) {
            let forgotten = self.forget(&destination)?;
            std::fs::remove_file(&request).map_err(SpoolError::io("remove", &request))?;
            answers.push((destination, forgotten));
        }
        Ok(answers)
    }
}

/// The requests in a spool's folder, each with its destination.
#[must_use]
pub fn forget_requests(dir: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let destination = cursor::shown(name.strip_prefix(REQUEST)?);
            Some((entry.path(), destination))
        })
        .collect()
}

/// Forgets a destination of the spool in `dir`: by itself, or, where a bridge is
/// running on it, by a request that the bridge answers within a second.
///
/// # Errors
/// When the folder cannot be read or written to.
pub async fn forget(
    dir: &Path,
    destination: &str,
    patience: Duration,
) -> Result<Forgotten, SpoolError> {
    let name = cursor::file_name(destination);
    let path = dir.join(&name);
    if !path.exists() {
        return Ok(Forgotten::Unknown);
    }
    match Folder::lock(dir) {
        Ok(folder) => {
            std::fs::remove_file(&path).map_err(SpoolError::io("remove cursor", &path))?;
            folder.sync()?;
            Ok(Forgotten::Gone)
        }
        Err(SpoolError::Locked { .. }) => ask(dir, &name, patience).await,
        Err(error) => Err(error),
    }
}

async fn ask(dir: &Path, name: &str, patience: Duration) -> Result<Forgotten, SpoolError> {
    let request = dir.join(format!("{REQUEST}{name}"));
    std::fs::write(&request, b"").map_err(SpoolError::io("write", &request))?;
    let answered = async {
        let mut looks = tokio::time::interval(LOOK);
        while request.exists() {
            looks.tick().await;
        }
    };
    let _late = tokio::time::timeout(patience, answered).await;
    let _answered = std::fs::remove_file(&request);
    match dir.join(name).exists() {
        true => Ok(Forgotten::Kept),
        false => Ok(Forgotten::Gone),
    }
}
