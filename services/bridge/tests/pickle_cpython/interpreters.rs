//! The Pythons of this machine.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// What runs a Python compiled to WebAssembly, once `npm` has installed it.
const PYODIDE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/clients/pyodide.mjs"
);
const PYODIDE_MODULE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/node_modules/pyodide"
);

/// A Python that runs.
pub(crate) struct Interpreter {
    /// As Python says it, such as `3.11.7`.
    pub(crate) version: String,
    /// What to start it with: a name or path, and its first arguments.
    pub(crate) program: Vec<String>,
}

impl Interpreter {
    /// A command that starts it with further arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command(&self.program, arguments)
    }
}

/// Every version of pyenv, what the search path offers, and Pyodide's; one per
/// version.
pub(crate) fn found() -> Vec<Interpreter> {
    let mut programs: Vec<Vec<String>> = ["python3", "python2", "python"]
        .map(|name| vec![name.to_owned()])
        .into();
    let root = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".pyenv")));
    if let Some(Ok(versions)) = root.map(|root| root.join("versions").read_dir()) {
        for version in versions.flatten() {
            let program = version.path().join("bin/python");
            programs.push(vec![program.to_string_lossy().into_owned()]);
        }
    }
    if Path::new(PYODIDE_MODULE).is_dir() {
        programs.push(vec!["node".to_owned(), PYODIDE.to_owned()]);
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
fn version(program: &[String]) -> Option<String> {
    let script = "import platform as p; print(p.python_implementation() + p.python_version())";
    let output = command(program, &["-c", script]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().strip_prefix("CPython")?.to_owned())
}

fn command(program: &[String], arguments: &[&str]) -> Command {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).args(arguments);
    command
}
