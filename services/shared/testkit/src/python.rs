//! The Pythons of this machine.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// One CPython.
#[derive(Debug, Clone)]
pub struct Python {
    /// Its executable.
    pub path: PathBuf,
    /// Major and minor version.
    pub version: (u8, u8),
}

/// Every CPython found: those of pyenv, and `python3` and `python2` of the
/// path, rising by version.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn interpreters() -> Vec<Python> {
    let home = env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
    let pyenv = env::var_os("PYENV_ROOT").map_or_else(|| home.join(".pyenv"), PathBuf::from);
    let of_pyenv = fs::read_dir(pyenv.join("versions"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin/python"));
    let of_path = env::var_os("PATH").unwrap_or_default();
    let of_path = env::split_paths(&of_path)
        .flat_map(|folder| [folder.join("python3"), folder.join("python2")]);
    let found: BTreeMap<_, _> = of_pyenv
        .chain(of_path)
        .filter_map(|path| ask(&path))
        .map(|python| ((python.version, python.path.clone()), python))
        .collect();
    assert!(!found.is_empty(), "no CPython found: install python3");
    found.into_values().collect()
}

/// The newest CPython found.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn newest() -> Python {
    interpreters().pop().expect("at least one")
}

/// A Python with what tests/requirements.txt lists.
///
/// # Panics
/// When there is none: `tests/run prepare` makes one.
#[must_use]
pub fn complete() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3);
    let root = root.expect("testkit is three folders deep");
    let candidates = [root.join(".venv/bin/python"), PathBuf::from("python3")];
    let is_complete = |python: &PathBuf| {
        let imported = Command::new(python)
            .args(["-c", "import aiosmtpd, trustme"])
            .output();
        imported.is_ok_and(|output| output.status.success())
    };
    let python = candidates.into_iter().find(is_complete);
    python.expect("a Python with aiosmtpd: `tests/run prepare`")
}

/// What an executable says about itself; `None` when it is none, or another
/// implementation. A shim of pyenv names the real executable here.
fn ask(path: &Path) -> Option<Python> {
    let script = "import sys, os, platform\n\
        print(platform.python_implementation())\n\
        print(os.path.realpath(sys.executable))\n\
        print(sys.version_info[0])\n\
        print(sys.version_info[1])\n";
    let output = Command::new(path).args(["-c", script]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    match text.lines().collect::<Vec<_>>()[..] {
        ["CPython", path, major, minor] => Some(Python {
            path: path.into(),
            version: (major.parse().ok()?, minor.parse().ok()?),
        }),
        _ => None,
    }
}
