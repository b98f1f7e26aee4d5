//! Programs that know nothing of Herald: what their log calls say is what the
//! API says, field by field, under every CPython of this machine.

#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use e2e::{api, program};
use serde_json::Value;
use testkit::{
    Installation,
    python::{self, Python},
};

const SOON: Duration = Duration::from_secs(30);

/// Every field of every record is what the program expects, and there is
/// nothing else but what only the bridge and the store can know.
fn compare(found: &[Value], expected_file: &Path, who: &str) {
    let expected = std::fs::read(expected_file).unwrap();
    let expected: Vec<Value> = serde_json::from_slice(&expected).unwrap();
    assert!(expected.len() >= 5, "{who} logged too little");
    for (found, expected) in found.iter().zip(&expected) {
        let expected = expected.as_object().unwrap();
        for (field, value) in expected {
            assert_eq!(&found[field], value, "{field} of {found} from {who}");
        }
        let keys: BTreeSet<&str> = found
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let own: BTreeSet<&str> = ["id", "received_at", "peer"].into();
        let known: BTreeSet<&str> = expected.keys().map(String::as_str).chain(own).collect();
        assert_eq!(keys, known);
        assert!(api::text(found, "peer").starts_with("127."), "{found}");
    }
    assert_eq!(found.len(), expected.len(), "records of {who}");
}

#[tokio::test]
async fn the_standard_socket_handler_of_every_python() {
    let herald = Installation::new();
    let _up = herald.up().await;
    let port = herald
        .bridge_address()
        .split(':')
        .nth(1)
        .unwrap()
        .to_owned();
    for (number, python) in python::interpreters().iter().enumerate() {
        let system = format!("stock-{number}");
        let expected = herald.folder().join(format!("{system}.json"));
        let arguments = ["127.0.0.1", &port, &system, expected.to_str().unwrap()];
        program::run(python, "stock.py", &arguments, &[]).await;
        let count = count(&expected);
        let filters = format!("system_id={system}");
        let found = api::exactly(&herald.web_url(), &filters, count, SOON).await;
        compare(&found, &expected, &who(python));
    }
}

/// ps.basic knows the port by its stage alone, so this Herald takes an address
/// of its own of the loopback network.
#[tokio::test]
async fn the_predecessors_client_unchanged() {
    let address = "127.83.7.1";
    let herald = Installation::new().with("BRIDGE_LISTEN", format!("{address}:9010"));
    let _up = herald.up().await;
    let packages = Packages::install();
    let mut tried = 0;
    for (number, python) in python::interpreters().iter().enumerate() {
        if python.version < (3, 6) {
            continue;
        }
        tried += 1;
        let system = format!("basic-{number}");
        let folder = tempfile::tempdir().unwrap();
        let expected = folder.path().join("expected.json");
        let environment = [
            ("DEV_STAGE", "TESTING"),
            ("DIRECT_HERALD_HOST", address),
            ("PYTHONPATH", &packages.path_for(python)),
            ("PRODUKT_ID", "bakery"),
            ("USER_SPEC_1", "Käse"),
        ];
        let arguments = [system.as_str(), expected.to_str().unwrap()];
        program::run(python, "basic.py", &arguments, &environment).await;
        // Its own first record comes before anything of ours can watch.
        let count = count(&expected) + 1;
        let filters = format!("system_id={system}");
        let found = api::exactly(&herald.web_url(), &filters, count, SOON).await;
        let first = api::text(&found[0], "message");
        assert!(first.starts_with("Logging initialized for pid"), "{first}");
        assert_eq!(api::text(&found[1], "produkt_id"), "bakery");
        assert_eq!(api::text(&found[1], "sub_sub_system_id"), "");
        compare(&found[1..], &expected, &who(python));
    }
    assert!(
        tried > 0,
        "ps.basic needs CPython 3.6 or later: install python3"
    );
}

fn count(expected: &Path) -> usize {
    let expected: Vec<Value> = serde_json::from_slice(&std::fs::read(expected).unwrap()).unwrap();
    expected.len()
}

fn who(python: &Python) -> String {
    python.path.display().to_string()
}

/// Packages from PyPI, each in a folder of its own, kept between runs.
struct Packages {
    basic: PathBuf,
    setuptools: PathBuf,
}

impl Packages {
    fn install() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        Self {
            basic: install(&folder, "ps.basic==1.2.19"),
            // The last one with pkg_resources, which ps.basic needs.
            setuptools: install(&folder, "setuptools==80.9.0"),
        }
    }

    /// What this Python must find; most bring their own setuptools.
    fn path_for(&self, python: &Python) -> String {
        let has_own = Command::new(&python.path)
            .args(["-W", "ignore", "-c", "import pkg_resources"])
            .output()
            .unwrap()
            .status
            .success();
        let basic = self.basic.display();
        match has_own {
            true => basic.to_string(),
            false => format!("{basic}:{}", self.setuptools.display()),
        }
    }
}

fn install(folder: &Path, package: &str) -> PathBuf {
    let path = folder.join(package);
    if path.is_dir() {
        return path;
    }
    let fresh = tempfile::tempdir_in(folder).unwrap();
    let failures: Vec<String> = [PathBuf::from("python3"), python::newest().path]
        .iter()
        .map_while(|python| pip(python, package, fresh.path()).err())
        .collect();
    assert!(
        failures.len() < 2,
        "cannot install {package} (install python3-pip): {failures:?}"
    );
    // Another test may have been faster; then its copy is as good.
    let _ = std::fs::rename(fresh.keep(), &path);
    path
}

/// Installs with the pip of this Python; the error is what pip says.
fn pip(python: &Path, package: &str, folder: &Path) -> Result<(), String> {
    let output = Command::new(python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-compile",
            "--target",
        ])
        .arg(folder)
        .arg(package)
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
