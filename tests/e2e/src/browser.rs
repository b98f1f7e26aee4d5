//! A real browser that a story looks at pages with: headless Chromium, spoken
//! to in its DevTools protocol.
//!
//! The protocol goes over the browser's own pipe (two inherited files), so that
//! no port, no WebSocket and no generated bindings are needed: the thirty
//! commands the stories use are plain JSON.
//!
//! * [`Browser`] is the process, [`Page`] a tab of its own, with its own cookies.
//! * [`Target`] names an element, by selector or as a screen reader names it.
//! * Whatever the browser complains about (errors on the console, violations of
//!   the content security policy, dialogs) fails the test when its page is
//!   dropped.

mod axe;
mod element;
mod input;
mod measure;
mod page;
mod pipe;
mod view;
mod watch;

use std::{env, fs::File, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use serde_json::json;
use tokio::process::{Child, Command};

pub use element::Target;
pub use measure::{Shift, Speed, Work};
pub use page::Page;
use pipe::Pipe;

/// How long the browser may take for anything, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// Names under which systems know it.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// What makes it quick and the same everywhere.
const ARGUMENTS: [&str; 15] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en-US",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
];

/// A browser that runs. It ends when it is dropped.
#[derive(Debug)]
pub struct Browser {
    pipe: Arc<Pipe>,
    /// Killed when dropped.
    _process: Child,
    /// Its profile and what it says.
    folder: tempfile::TempDir,
}

impl Browser {
    /// Starts one with an empty profile.
    ///
    /// # Panics
    /// When no Chromium is installed, or it does not start.
    pub async fn start() -> Self {
        let program = find().expect("no browser: install chromium (apt-get install chromium)");
        let folder = tempfile::tempdir().expect("a folder for the browser's profile");
        let errors = File::create(folder.path().join("stderr")).expect("a file for its errors");
        let profile = format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        );
        // The browser reads its commands from file 3 and answers on file 4.
        let mut process = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#])
            .arg(program)
            .args(ARGUMENTS)
            .args([&profile, "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .expect("a shell starts");
        let input = process.stdin.take().expect("it is piped");
        let output = process.stdout.take().expect("it is piped");
        let browser = Self {
            pipe: Pipe::open(input, output),
            _process: process,
            folder,
        };
        let version = browser.pipe.call(None, "Browser.getVersion", json!({}));
        let version = tokio::time::timeout(PATIENCE, version).await;
        assert!(
            matches!(version, Ok(Ok(_))),
            "the browser does not start: {version:?}: {}",
            browser.stderr()
        );
        browser
    }

    /// A new tab with its own cookies, storage and history, 1400 by 900.
    pub async fn page(&self) -> Page {
        Page::open_tab(&self.pipe).await
    }

    fn stderr(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }
}

fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let named = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    named.into_iter().find(|path| path.is_file())
}

/// Polls until `probe` finds something; `None` when it does not in time.
async fn poll<T>(deadline: Duration, probe: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let found = testkit::wait_for("it is found", deadline * 2, probe);
    tokio::time::timeout(deadline, found).await.ok()
}
