//! One Herald of a test: a folder and ports that survive the restarts of its
//! services.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Process, binary, http, port, wait_until};

/// How long a service may take from its start to being ready.
const READY: Duration = Duration::from_secs(5);

/// A folder and ports for one Herald. Services are started with it, killed and
/// started again as a test likes.
#[derive(Debug)]
pub struct Installation {
    folder: tempfile::TempDir,
    bridge_port: u16,
    bridge_admin_port: u16,
    store_port: u16,
    web_port: u16,
    /// Further environment variables for every service started from now on;
    /// the last one of a name counts.
    pub vars: Vec<(String, String)>,
}

impl Default for Installation {
    fn default() -> Self {
        Self::new()
    }
}

impl Installation {
    /// An empty folder, and ports nobody uses.
    ///
    /// # Panics
    /// When there is no room for a folder or a port.
    #[must_use]
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder for the data"),
            bridge_port: port::free(),
            bridge_admin_port: port::free(),
            store_port: port::free(),
            web_port: port::free(),
            vars: Vec::new(),
        }
    }

    /// The same with one more environment variable for every service.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.vars.push((name.to_owned(), value.into()));
        self
    }

    /// Its folder of data.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder().join("herald.sqlite_t")
    }

    /// The bridge's spool.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.folder().join("spool_t")
    }

    /// Where programs send their records: host and port.
    #[must_use]
    pub fn bridge_address(&self) -> String {
        format!("127.0.0.1:{}", self.bridge_port)
    }

    /// Base URL of the bridge's health and metrics.
    #[must_use]
    pub fn bridge_admin(&self) -> String {
        format!("http://127.0.0.1:{}", self.bridge_admin_port)
    }

    /// Base URL of the store.
    #[must_use]
    pub fn store_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.store_port)
    }

    /// Base URL of the page and the API.
    #[must_use]
    pub fn web_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.web_port)
    }

    /// The environment of its services.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let local = |port: u16| format!("127.0.0.1:{port}");
        let mut vars: Vec<(String, String)> = [
            ("DEV_STAGE", "TESTING".to_owned()),
            ("HERALD_DATA_DIR", self.folder().display().to_string()),
            ("BRIDGE_LISTEN", local(self.bridge_port)),
            ("BRIDGE_ADMIN_LISTEN", local(self.bridge_admin_port)),
            ("BRIDGE_STORE_URL", self.store_url()),
            ("STORE_LISTEN", local(self.store_port)),
            ("WEB_LISTEN", local(self.web_port)),
            ("WEB_STORE_URL", self.store_url()),
            ("HERALD_STORE_URL", self.store_url()),
            ("NEELIX_STORE_URL", self.store_url()),
            ("HERALD_URL", self.web_url()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        vars.extend(self.vars.iter().cloned());
        vars
    }

    /// Starts one of the binaries with arguments, as it is; waits for nothing.
    #[must_use]
    pub fn start(&self, name: &str, arguments: &[&str]) -> Process {
        Process::start(binary::path(name), arguments, self.environment())
    }

    /// Starts the bridge and waits until it takes records.
    pub async fn bridge(&self) -> Process {
        let process = self.start("bridge", &[]);
        self.ready(process, &self.bridge_admin()).await
    }

    /// Starts the store and waits until it is ready.
    pub async fn store(&self) -> Process {
        let process = self.start("store", &[]);
        self.ready(process, &self.store_url()).await
    }

    /// Starts herald-web and waits until it is ready; the store must run.
    pub async fn web(&self) -> Process {
        let process = self.start("herald-web", &[]);
        self.ready(process, &self.web_url()).await
    }

    /// Starts `herald up` and waits until all of it is ready.
    pub async fn up(&self) -> Process {
        let process = self.start("herald", &["up"]);
        let process = self.ready(process, &self.store_url()).await;
        let process = self.ready(process, &self.bridge_admin()).await;
        self.ready(process, &self.web_url()).await
    }

    async fn ready(&self, mut process: Process, base: &str) -> Process {
        let url = format!("{base}/readyz");
        wait_until(&format!("{url} says ready"), READY, async || {
            assert!(
                process.is_running(),
                "ended at its start: {}",
                process.stderr()
            );
            match http::get(&url).await {
                Ok(answer) => answer.status.is_success(),
                Err(_) => false,
            }
        })
        .await;
        process
    }
}
