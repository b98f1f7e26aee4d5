//! What a spool's installation is told apart by, over all its runs: a UUID in a
//! file of the folder. Each run numbers under an identity of its own; this one
//! only says through whose hands an entry went.

use uuid::Uuid;

use super::error::SpoolError;
use super::folder::Folder;
use super::slots::{self, Slots};

const MAGIC: [u8; 8] = *b"HRLDIN01";

/// Reads the UUID, or makes one. Without room for the file it holds for this run.
pub(super) fn load(folder: &Folder) -> Result<Uuid, SpoolError> {
    let path = folder.path().join("installation");
    let (mut slots, loaded) =
        Slots::load(&path, MAGIC, slots::PAGE, |path| folder.move_aside(path))
            .map_err(SpoolError::io("read", &path))?;
    let known = loaded
        .newest
        .and_then(|bytes| Uuid::from_slice(&bytes).ok());
    if let Some(known) = known {
        return Ok(known);
    }
    let fresh = Uuid::new_v4();
    match folder.with_reserve(|| slots.write(fresh.as_bytes())) {
        Err(error) if super::error::no_room(&error) => return Ok(fresh),
        written => written.map_err(SpoolError::io("write", &path))?,
    }
    slots.sync().map_err(SpoolError::io("sync", &path))?;
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_until_its_file_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::lock(dir.path()).unwrap();
        let first = load(&folder).unwrap();
        assert_eq!(load(&folder).unwrap(), first);
        std::fs::write(dir.path().join("installation"), b"rubbish").unwrap();
        let second = load(&folder).unwrap();
        assert_ne!(second, first);
        assert_eq!(load(&folder).unwrap(), second);
    }
}
