//! The files of the workspace.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that are made, not written.
const MADE: [&str; 5] = [
    "target",
    "herald-data",
    "node_modules",
    "corpus",
    "artifacts",
];

/// Everything at the top: who opens the tree for the first time reads no more names.
const TOP: [&str; 22] = [
    ".ci",
    ".config",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "SECURITY.md",
    "buf.yaml",
    "charts",
    "clients",
    "clippy.toml",
    "deny.toml",
    "docker",
    "docs",
    "migrations",
    "proto",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "services",
    "tests",
];

/// The root of the workspace.
///
/// # Panics
/// This crate has been moved to another depth.
#[must_use]
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("tests/tidy is two folders below the root")
        .to_path_buf()
}

/// All written files below `root`, as paths relative to it with `/`, sorted.
/// Hidden folders are left out, except `.ci`; so is the file `.git`, which stands
/// for the folder in a second working tree.
///
/// # Panics
/// A folder cannot be read.
#[must_use]
pub fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the tree can be read") {
            let path = entry.expect("a folder of the tree can be read").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let is_hidden = name.starts_with('.') && name != ".ci";
            if path.is_dir() && !is_hidden && !MADE.contains(&name.as_str()) {
                folders.push(path);
            } else if path.is_file() && name != ".git" {
                let relative = path
                    .strip_prefix(root)
                    .expect("it was found below the root");
                found.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// Files that are at no known place, each as a sentence.
#[must_use]
pub fn misplaced(files: &[String]) -> Vec<String> {
    let is_known = |path: &str| {
        let top = path.split('/').next().unwrap_or_default();
        TOP.contains(&top)
    };
    let lost = files.iter().filter(|path| !is_known(path));
    lost.map(|path| format!("{path} is at no place that ARCHITECTURE.md tells of"))
        .collect()
}

/// The text of a file; `None` if it is not UTF-8.
///
/// # Panics
/// The file cannot be read.
#[must_use]
pub fn text(root: &Path, path: &str) -> Option<String> {
    let bytes = fs::read(root.join(path)).expect("a file of the tree can be read");
    String::from_utf8(bytes).ok()
}
