//! Files of users and tokens: written whole or not at all, for nobody else to read,
//! and read anew when they change.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tracing::error;

/// Only its owner reads and writes such a file.
const MODE: u32 = 0o600;
/// A file that was made readable for its group stays so.
const GROUP_READS: u32 = 0o040;

/// How the lines of a file are read and written.
pub(super) struct Format<T> {
    pub(super) read: fn(&str) -> Result<Vec<T>, String>,
    pub(super) write: fn(&T) -> String,
    /// What stands above the lines.
    pub(super) heading: &'static str,
}

/// Why a file of users or tokens is of no use, or was not changed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system does not let it be read or written.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line of it is wrong.
    #[error("{}: {problem}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where and what; without the value.
        problem: String,
    },
    /// What was asked for cannot be.
    #[error("{0}")]
    Refused(String),
}

impl FileError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

/// Reads all lines.
///
/// # Errors
/// There is no such file, or a line is wrong.
pub(super) fn read<T>(path: &Path, format: &Format<T>) -> Result<Vec<T>, FileError> {
    let text = fs::read_to_string(path).map_err(FileError::io("read", path))?;
    (format.read)(&text).map_err(|problem| FileError::Broken {
        path: path.to_owned(),
        problem,
    })
}

/// Changes the lines; a file that is not there counts as empty. Of several that
/// change it at a time one waits for the other.
///
/// # Errors
/// It cannot be read or written, or `change` refuses.
pub(super) fn change<T>(
    path: &Path,
    format: &Format<T>,
    change: impl FnOnce(&mut Vec<T>) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let lock = File::open(folder).map_err(FileError::io("open", folder))?;
    lock.lock().map_err(FileError::io("lock", folder))?;
    let mut items = match read(path, format) {
        Err(FileError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Vec::new(),
        outcome => outcome?,
    };
    change(&mut items)?;
    let text: String = items
        .iter()
        .map(|item| (format.write)(item) + "\n")
        .collect();
    replace(path, &format!("{}\n{text}", format.heading)).map_err(FileError::io("write", path))?;
    lock.sync_all().map_err(FileError::io("sync", folder))
}

/// Gives a file another content; its owner stays, and whether its group may read it, as a
/// service does that runs under another user.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one: others may follow the file that it leads to.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // What a cut run has left is of no use, and may have another mode.
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&partial)?;
    let written = (|| {
        let former = fs::metadata(path).ok();
        let own = file.metadata()?;
        if let Some(former) = &former
            && (former.uid(), former.gid()) != (own.uid(), own.gid())
        {
            fchown(&file, Some(former.uid()), Some(former.gid()))?;
        }
        let of_group = former.map_or(0, |former| former.mode() & GROUP_READS);
        file.set_permissions(Permissions::from_mode(MODE | of_group))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

/// A file as it is now. While it cannot be read, or a line is wrong, it is empty:
/// nobody gets in by what it said once.
pub(super) struct Followed<T> {
    path: PathBuf,
    format: Format<T>,
    known: Mutex<Known<T>>,
}

struct Known<T> {
    /// None when it could not be told.
    stamp: Option<Stamp>,
    items: Arc<Vec<T>>,
}

/// Another one means that the file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl<T> Followed<T> {
    /// # Errors
    /// It cannot be read now.
    pub(super) fn open(path: &Path, format: Format<T>) -> Result<Self, FileError> {
        let stamp = stamp(path);
        let items = read(path, &format)?;
        Ok(Self {
            path: path.to_owned(),
            format,
            known: Mutex::new(Known {
                stamp,
                items: Arc::new(items),
            }),
        })
    }

    /// Its lines.
    pub(super) fn now(&self) -> Arc<Vec<T>> {
        // Before it is read: what is written meanwhile is read next time.
        let stamp = stamp(&self.path);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.stamp != stamp {
            let items = read(&self.path, &self.format);
            // What could not be read now is tried again when somebody asks next.
            let is_tried_again = stamp.is_some() && matches!(items, Err(FileError::Io { .. }));
            known.stamp = stamp.filter(|_| !is_tried_again);
            known.items = Arc::new(items.unwrap_or_else(|failure| {
                let error = &failure as &dyn std::error::Error;
                error!(error, "nobody gets in by this file");
                Vec::new()
            }));
        }
        Arc::clone(&known.items)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = fs::metadata(path).ok()?;
    Some(Stamp {
        device: file.dev(),
        inode: file.ino(),
        bytes: file.size(),
        changed: (file.ctime(), file.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::{FileError, Followed, Format, change, read};

    fn format() -> Format<String> {
        Format {
            read: |text| match text.contains('!') {
                true => Err("line 1: no".to_owned()),
                false => Ok(text.lines().skip(1).map(str::to_owned).collect()),
            },
            write: String::clone,
            heading: "# these",
        }
    }

    fn add(item: &'static str) -> impl FnOnce(&mut Vec<String>) -> Result<(), FileError> {
        move |items| {
            items.push(item.to_owned());
            Ok(())
        }
    }

    #[test]
    fn a_change_is_whole_and_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        change(&path, &format(), add("anna")).unwrap();
        fs::write(folder.path().join("users.partial"), "cut").unwrap();
        change(&path, &format(), add("bo")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "# these\nanna\nbo\n");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let refused = change(&path, &format(), |items| {
            items.clear();
            Err(FileError::Refused("no".to_owned()))
        });
        assert!(refused.is_err());
        assert_eq!(read(&path, &format()).unwrap(), ["anna", "bo"]);
        let names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["users"]);
    }

    /// Guards: after `herald user add` a service with the file's group let nobody in.
    #[test]
    fn a_group_that_reads_goes_on_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        change(&path, &format(), add("anna")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        change(&path, &format(), add("bo")).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[test]
    fn many_change_it_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| change(&path, &format(), add("x")).unwrap());
            }
        });
        assert_eq!(read(&path, &format()).unwrap().len(), 8);
    }

    /// Guards against who was removed getting in because the rest cannot be read.
    #[test]
    fn a_file_that_cannot_be_read_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        assert!(Followed::open(&path, format()).is_err());
        fs::write(&path, "#\nanna\n").unwrap();
        let followed = Followed::open(&path, format()).unwrap();
        let check = |expected: &[&str]| assert_eq!(*followed.now(), expected);
        check(&["anna"]);
        change(&path, &format(), add("bo")).unwrap();
        check(&["anna", "bo"]);
        fs::write(&path, "#\nanna!\n").unwrap();
        check(&[]);
        fs::remove_file(&path).unwrap();
        check(&[]);
        change(&path, &format(), add("cy")).unwrap();
        check(&["cy"]);
    }
}
