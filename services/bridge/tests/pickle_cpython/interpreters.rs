//! The Pythons of this machine.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

/// A Python that runs.
pub(crate) struct Interpreter {
    /// As Python says it, such as `3.11.7`.
    pub(crate) version: String,
    /// Name or path to start it with.
    pub(crate) program: String,
}

/// Every version of pyenv, and what the search path offers; one per version.
pub(crate) fn found() -> Vec<Interpreter> {
    let mut programs: Vec<String> = ["python3", "python2", "python"].map(String::from).into();
    let root = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".pyenv")));
    if let Some(Ok(versions)) = root.map(|root| root.join("versions").read_dir()) {
        for version in versions.flatten() {
            let program = version.path().join("bin/python");
            programs.push(program.to_string_lossy().into_owned());
        }
    }
    let by_version: BTreeMap<_, _> = programs
        .into_iter()
        .filter_map(|program| Some((version(&program)?, program)))
        .collect();
    by_version
        .into_iter()
        .map(|(version, program)| Interpreter { version, program })
        .collect()
}

/// The version of a CPython; `None` when it does not run.
fn version(program: &str) -> Option<String> {
    let script = "import platform as p; print(p.python_implementation() + p.python_version())";
    let output = Command::new(program).args(["-c", script]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().strip_prefix("CPython")?.to_owned())
}
