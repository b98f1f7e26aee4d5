//! The command `herald`, run to its end.

use std::{path::Path, process::Command, time::Duration};

use testkit::{Installation, Process, binary};

/// How long a command may take.
const PATIENCE: Duration = Duration::from_mins(1);

async fn run(installation: &Installation, arguments: &[&str]) -> (Process, Option<i32>) {
    let mut process = installation.start("herald", arguments);
    let code = process.end(PATIENCE).await.code();
    (process, code)
}

/// Runs it and returns what it wrote to stdout.
///
/// # Panics
/// When it fails; with what it said.
pub async fn succeed(installation: &Installation, arguments: &[&str]) -> String {
    let (process, code) = run(installation, arguments).await;
    let errors = process.stderr();
    assert_eq!(code, Some(0), "{arguments:?}: {errors}");
    process.stdout()
}

/// Runs it and returns what it wrote to stdout before it failed.
///
/// # Panics
/// When it ends with another exit code, or stderr does not say what is expected.
pub async fn fail(
    installation: &Installation,
    arguments: &[&str],
    code: i32,
    expected: &str,
) -> String {
    let (process, ended) = run(installation, arguments).await;
    let errors = process.stderr();
    assert_eq!(ended, Some(code), "{arguments:?}: {errors}");
    assert!(errors.contains(expected), "{arguments:?}: {errors}");
    process.stdout()
}

/// Runs a line of a shell in which `$0` is the command, and returns its stdout.
///
/// # Panics
/// When the line fails, or writes to stderr.
#[must_use]
pub fn shell(installation: &Installation, script: &str, folder: &Path) -> String {
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(binary::path("herald"))
        .current_dir(folder)
        .envs(installation.environment())
        .output()
        .expect("a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "{script}: {errors}"
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
