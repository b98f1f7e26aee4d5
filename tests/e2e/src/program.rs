//! Python programs of `tests/clients`.

use std::{path::PathBuf, time::Duration};

use testkit::{Process, python::Python};

/// How long a program may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// A program of `tests/clients`.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../clients")).join(name)
}

/// Runs a program to its end and returns what it printed.
///
/// # Panics
/// When it fails; with what it said.
pub async fn run(
    python: &Python,
    name: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> String {
    let program = path(name).display().to_string();
    let arguments = [&[program.as_str()], arguments].concat();
    let environment = [environment, &[("PYTHONDONTWRITEBYTECODE", "1")]].concat();
    let mut process = Process::start(&python.path, arguments, environment);
    let status = process.end(PATIENCE).await;
    assert!(
        status.success(),
        "{name} under {}: {status}\n{}",
        python.path.display(),
        process.stderr()
    );
    process.stdout()
}
