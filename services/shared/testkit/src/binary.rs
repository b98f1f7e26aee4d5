//! The binaries under test, freshly built.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The packages that have a binary of their own name.
const PACKAGES: [&str; 5] = ["bridge", "store", "herald-web", "neelix-cronjob", "herald"];

/// Path of a binary, such as `bridge`. The first call has cargo build all of
/// them, in the profile and the target folder of the running test: cargo does
/// not do that by itself for the tests of another package.
/// `HERALD_BIN_DIR` names a folder with binaries to test instead.
///
/// # Panics
/// When they do not build, or there is none of this name.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let path = FOLDER.get_or_init(folder).join(name);
    assert!(path.is_file(), "there is no {}", path.display());
    path
}

fn folder() -> PathBuf {
    if let Some(folder) = env::var_os("HERALD_BIN_DIR") {
        return folder.into();
    }
    let test = env::current_exe().expect("the path of the running test");
    // <target>/<profile>/deps/<test>, or <target>/<profile>/<binary>
    let folder = test
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps") && !folder.ends_with("examples"))
        .expect("cargo's folder of the profile");
    build(folder);
    folder.to_owned()
}

fn build(folder: &Path) {
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(profile) => profile,
    };
    let target = folder.parent().expect("cargo's target folder");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--quiet", "--bins", "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .args(PACKAGES.iter().flat_map(|package| ["--package", package]))
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "the binaries do not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
