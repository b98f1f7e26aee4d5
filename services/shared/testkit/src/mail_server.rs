//! The mail server of `tests/clients`, which does what it is told.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Process, python, wait_for};
use serde_json::Value;

/// For its start, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A mail server that runs; it ends when it is dropped.
#[derive(Debug)]
pub struct MailServer {
    folder: tempfile::TempDir,
    port: u16,
    _process: Process,
}

impl MailServer {
    /// Starts it with options of the program, such as `--greylist`.
    ///
    /// # Panics
    /// When it does not start; the message says why.
    pub async fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the mails");
        let program = root().join("tests/clients/smtp_server.py");
        let arguments = [
            program.to_str().expect("UTF-8"),
            folder.path().to_str().expect("UTF-8"),
        ];
        let arguments = [&arguments[..], options].concat();
        let environment = [("PYTHONDONTWRITEBYTECODE", "1")];
        let mut process = Process::start(python::complete(), arguments, environment);
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

    /// Where it is, for `NEELIX_SMTP_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Its port on this machine.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate to trust when it speaks TLS.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The mails it has taken so far, as Python reads them.
    ///
    /// # Panics
    /// When its folder cannot be read.
    #[must_use]
    pub fn mails(&self) -> Vec<Value> {
        let read = |path: PathBuf| {
            serde_json::from_slice(&fs::read(path).expect("a mail that Python has read"))
                .expect("a mail that Python has read")
        };
        self.files("json").into_iter().map(read).collect()
    }

    /// The same as they came.
    ///
    /// # Panics
    /// When its folder cannot be read.
    #[must_use]
    pub fn originals(&self) -> Vec<Vec<u8>> {
        let files = self.files("eml").into_iter();
        files
            .map(|path| fs::read(path).expect("a mail that Python has read"))
            .collect()
    }

    /// How many they are.
    ///
    /// # Panics
    /// When its folder cannot be read.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.files("json").len()
    }

    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder.path()).expect("a mail that Python has read");
        let mut files: Vec<PathBuf> = files
            .map(|entry| entry.expect("a mail that Python has read").path())
            .filter(|path| path.extension().is_some_and(|it| it == ending))
            .collect();
        files.sort();
        files
    }
}

fn root() -> &'static Path {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3);
    root.expect("testkit is three folders deep")
}

/// The value of a header of one of [`MailServer::mails`].
///
/// # Panics
/// Unless there is exactly one of this name.
#[must_use]
pub fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let headers = mail["headers"]
        .as_array()
        .expect("a mail that Python has read");
    let mut found = headers.iter().filter(|header| header[0] == name);
    let value = found.next().unwrap_or_else(|| panic!("no {name}: {mail}"));
    assert!(found.next().is_none(), "{name} twice: {mail}");
    value[1].as_str().expect("a mail that Python has read")
}
