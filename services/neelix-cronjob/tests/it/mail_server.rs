//! The mail server of `tests/clients`, which does what it is told.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use testkit::{Process, wait_for};

/// For its start, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A mail server that runs; it ends when it is dropped.
pub(crate) struct MailServer {
    folder: tempfile::TempDir,
    port: u16,
    _process: Process,
}

impl MailServer {
    pub(crate) async fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = root().join("tests/clients/smtp_server.py");
        let arguments = [program.to_str().unwrap(), folder.path().to_str().unwrap()];
        let arguments = [&arguments[..], options].concat();
        let environment = [("PYTHONDONTWRITEBYTECODE", "1")];
        let mut process = Process::start(python(), arguments, environment);
        let port = wait_for("the mail server listens", PATIENCE, async || {
            assert!(process.is_running(), "{}", process.stderr());
            let said = process.stdout();
            said.strip_prefix("port ")?.trim().parse().ok()
        });
        Self {
            port: port.await,
            folder,
            _process: process,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The mails it has taken so far, as Python reads them.
    pub(crate) fn mails(&self) -> Vec<Value> {
        let read = |path: PathBuf| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        self.files("json").into_iter().map(read).collect()
    }

    /// The same as they came.
    pub(crate) fn originals(&self) -> Vec<Vec<u8>> {
        let files = self.files("eml").into_iter();
        files.map(|path| fs::read(path).unwrap()).collect()
    }

    pub(crate) fn taken(&self) -> usize {
        self.files("json").len()
    }

    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder.path()).unwrap();
        let mut files: Vec<PathBuf> = files
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == ending))
            .collect();
        files.sort();
        files
    }
}

/// A Python with what tests/requirements.txt lists.
fn python() -> PathBuf {
    let candidates = [root().join(".venv/bin/python"), PathBuf::from("python3")];
    let is_complete = |python: &PathBuf| {
        let imported = std::process::Command::new(python)
            .args(["-c", "import aiosmtpd, trustme"])
            .output();
        imported.is_ok_and(|output| output.status.success())
    };
    let python = candidates.into_iter().find(is_complete);
    python.expect("a Python with aiosmtpd: `tests/run prepare`")
}

fn root() -> &'static Path {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.unwrap()
}

/// The value of a header; panics unless there is exactly one.
pub(crate) fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let headers = mail["headers"].as_array().unwrap();
    let mut found = headers.iter().filter(|header| header[0] == name);
    let value = found.next().unwrap_or_else(|| panic!("no {name}: {mail}"));
    assert!(found.next().is_none(), "{name} twice: {mail}");
    value[1].as_str().unwrap()
}
